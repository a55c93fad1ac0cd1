"""Which slots of a segment may be found: those of documents that are there, and that the filters allow."""

import sqlite3
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from multidb_chat.adapters.search_index.segments import Narrowing, Segment, conditions
from multidb_chat.adapters.search_index.tables import SLOT_MASK
from multidb_chat.domain.search import SearchFilters

# ruff: noqa: S608 - statements are put together from constants and question marks only

Mask = NDArray[np.bool_]

# Masks that are remembered, one byte a chunk each.
MOST_REMEMBERED = 16


class Masks:
    """The masks of one state of the index."""

    def __init__(self) -> None:
        self._masks: OrderedDict[object, Mask] = OrderedDict()

    def of(self, connection: sqlite3.Connection, segment: Segment, filters: SearchFilters) -> Mask | None:
        """Return which slots of the segment may be found; None when all may."""
        narrowing = conditions(filters)
        if not narrowing[0] and not segment.dead:
            return None
        key = segment.number, narrowing[0], *narrowing[1]
        mask = self._masks.get(key)
        if mask is None:
            mask = _matching(connection, segment, narrowing) if narrowing[0] else _living(connection, segment)
            self._masks[key] = mask
            if len(self._masks) > MOST_REMEMBERED:
                self._masks.popitem(last=False)
        return mask


def _living(connection: sqlite3.Connection, segment: Segment) -> Mask:
    holes = connection.execute(
        "SELECT first, slots FROM holes WHERE first BETWEEN ? AND ?", (segment.first, segment.last)
    )
    return ~_mask(segment, holes.fetchall())


def _matching(connection: sqlite3.Connection, segment: Segment, narrowing: Narrowing) -> Mask:
    condition, values = narrowing
    rows = connection.execute(
        f"SELECT d.first, d.slots FROM documents d WHERE d.first BETWEEN ? AND ? AND {condition}",
        (segment.first, segment.last, *values),
    )
    return _mask(segment, rows.fetchall())


def _mask(segment: Segment, ranges: list[tuple[int, int]]) -> Mask:
    """Return which slots of the segment lie in one of the ranges (first row, length), which do not overlap."""
    steps = np.zeros(segment.slots + 1, np.int8)
    if ranges:
        first, length = np.array(ranges, np.int64).T
        np.add.at(steps, first & SLOT_MASK, 1)
        np.add.at(steps, (first & SLOT_MASK) + length, -1)
    return np.cumsum(steps[:-1], dtype=np.int8).view(np.bool_)
