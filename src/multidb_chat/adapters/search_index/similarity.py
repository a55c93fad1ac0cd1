"""Vector search: the chunks most similar to a vector, and the similarity of chunks found by other means."""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from multidb_chat.adapters.search_index.segments import (
    Key,
    Keys,
    Narrowing,
    Segment,
    VectorFiles,
    conditions,
    segments,
)
from multidb_chat.adapters.search_index.tables import SLOT_MASK
from multidb_chat.adapters.search_index.vectors import Floats, Slots, Vectors, most_similar, products
from multidb_chat.domain.search import Hit, SearchFilters

# ruff: noqa: S608 - statements are put together from constants and question marks only

Mask = NDArray[np.bool_]
# A row, its cosine, and its vector.
Scored = tuple[int, float, bytes]

# Masks of segments with holes that are kept, one byte a chunk each.
MOST_MASKS = 16


class Place(NamedTuple):
    """A segment to be searched, with its vectors."""

    segment: Segment
    vectors: Vectors


class Similarity:
    """Searches the vector files of an index."""

    def __init__(self, files: VectorFiles, keys: Keys) -> None:
        self._files = files
        self._keys = keys
        self._masks: OrderedDict[Segment, Mask] = OrderedDict()

    def search(
        self, connection: sqlite3.Connection, vector: bytes, filters: SearchFilters, limit: int, also: Sequence[Key]
    ) -> list[Hit]:
        """Return the most similar chunks, and the chunks `also` (if the filters' collections hold them); best first."""
        query = np.frombuffer(vector, "<f4")
        places = [
            Place(segment, self._files.of(segment).view(segment.slots))
            for segment in segments(connection, filters.collection_ids)
            if segment.dimensions == len(query) and segment.slots > segment.dead
        ]
        narrowing = conditions(filters)
        found = [one for place in places for one in self._in_segment(connection, place, query, narrowing, limit)]
        best = sorted(found, key=itemgetter(1), reverse=True)[:limit]
        named = self._keys.rows(connection, also).difference(one[0] for one in best)
        best += [one for place in places for one in _these(place, named, query)]
        best.sort(key=itemgetter(1), reverse=True)
        keys = self._keys.of(connection, [one[0] for one in best])
        return [Hit(*key, score, vector=vector) for key, (_, score, vector) in zip(keys, best, strict=True)]

    def _in_segment(
        self, connection: sqlite3.Connection, place: Place, query: Floats, narrowing: Narrowing, limit: int
    ) -> list[Scored]:
        if narrowing[0]:
            allowed: Mask | None = _matching(connection, place.segment, narrowing)
        else:
            allowed = self._living(connection, place.segment)
        return _scored(place.segment, *most_similar(place.vectors, query, limit, allowed))

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


def _these(place: Place, rows: Iterable[int], query: Floats) -> list[Scored]:
    """Return those of the rows that are in the segment."""
    segment = place.segment
    slots = np.array([row & SLOT_MASK for row in rows if segment.first <= row <= segment.last], np.intp)
    vectors = place.vectors.exact[slots]
    return _scored(segment, slots, products(vectors, query), vectors)


def _scored(segment: Segment, slots: Slots, scores: Floats, vectors: Floats) -> list[Scored]:
    packed, size = vectors.tobytes(), 4 * segment.dimensions
    pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
    return list(zip((slots + segment.first).tolist(), scores.tolist(), pieces, strict=True))
