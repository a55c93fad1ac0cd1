"""Vector search: the chunks most similar to a vector, and the similarity of chunks found by other means."""

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from multidb_chat.adapters.search_index.segments import (
    Key,
    Segment,
    VectorFiles,
    conditions,
    keys_of,
    rows_of,
    segments,
)
from multidb_chat.adapters.search_index.tables import SLOT_MASK
from multidb_chat.adapters.search_index.vectors import Floats, most_similar
from multidb_chat.domain.search import Hit, SearchFilters

# ruff: noqa: S608 - statements are put together from constants and question marks only

Mask = NDArray[np.bool_]
Scored = tuple[int, float, bytes]

# Masks of segments with holes that are kept, one byte a chunk each.
MOST_MASKS = 16


class Similarity:
    """Searches the vector files of an index."""

    def __init__(self, files: VectorFiles) -> None:
        self._files = files
        self._masks: OrderedDict[Segment, Mask] = OrderedDict()

    def search(
        self, connection: sqlite3.Connection, vector: bytes, filters: SearchFilters, limit: int, also: Sequence[Key]
    ) -> list[Hit]:
        """Return the most similar chunks, and the chunks `also` (if the filters' collections hold them); best first."""
        query = np.frombuffer(vector, "<f4")
        places = [segment for segment in segments(connection, filters.collection_ids)
                  if segment.dimensions == len(query) and segment.slots > segment.dead]  # fmt: skip
        found = [hit for segment in places for hit in self._in_segment(connection, segment, query, filters, limit)]
        best = sorted(found, key=lambda hit: -hit[1])[:limit]
        best += self._named(places, query, set(rows_of(connection, also)) - {row for row, _, _ in best})
        best.sort(key=lambda hit: -hit[1])
        keys = keys_of(connection, (row for row, _, _ in best))
        return [Hit(*keys[row], score, vector=own) for row, score, own in best]

    def _in_segment(
        self, connection: sqlite3.Connection, segment: Segment, query: Floats, filters: SearchFilters, limit: int
    ) -> list[Scored]:
        vectors = self._files.of(segment).view(segment.slots)
        narrowing, values = conditions(filters)
        if narrowing:
            allowed: Mask | None = _matching(connection, segment, narrowing, values)
        else:
            allowed = self._living(connection, segment)
        slots, scores = most_similar(vectors, query, limit, allowed)
        return _scored(segment, vectors.exact, slots, scores)

    def _named(self, places: list[Segment], query: Floats, rows: set[int]) -> list[Scored]:
        scored: list[Scored] = []
        for segment in places:
            slots = np.array([row & SLOT_MASK for row in rows if segment.first <= row <= segment.last], np.intp)
            exact = self._files.of(segment).view(segment.slots).exact
            scored += _scored(segment, exact, slots, exact[slots] @ query)
        return scored

    def _living(self, connection: sqlite3.Connection, segment: Segment) -> Mask | None:
        """Return which slots belong to documents; None when all do."""
        if not segment.dead:
            return None
        if segment not in self._masks:
            holes = connection.execute(
                "SELECT first, slots FROM holes WHERE first BETWEEN ? AND ?", (segment.first, segment.last)
            )
            self._masks[segment] = ~_mask(segment, holes.fetchall())
            if len(self._masks) > MOST_MASKS:
                self._masks.popitem(last=False)
        return self._masks[segment]


def _matching(connection: sqlite3.Connection, segment: Segment, narrowing: str, values: list[object]) -> Mask:
    rows = connection.execute(
        f"SELECT d.first, d.slots FROM documents d WHERE d.first BETWEEN ? AND ? AND {narrowing}",
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


def _scored(segment: Segment, exact: Floats, slots: NDArray[np.intp], scores: Floats) -> list[Scored]:
    own = exact[slots]
    return [
        (segment.first | slot, score, row.tobytes())
        for slot, score, row in zip(slots.tolist(), scores.tolist(), own, strict=True)
    ]
