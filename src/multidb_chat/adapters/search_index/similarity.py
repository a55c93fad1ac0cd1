"""Vector search: the chunks most similar to a vector, and the similarity of chunks found by other means."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from multidb_chat.adapters.search_index.keys import Key
from multidb_chat.adapters.search_index.masks import Mask
from multidb_chat.adapters.search_index.memory import Remembered
from multidb_chat.adapters.search_index.segments import Segment, VectorFiles, segments
from multidb_chat.adapters.search_index.tables import SLOT_MASK
from multidb_chat.adapters.search_index.vectors import Floats, Slots, VectorFile, most_similar, touch, with_nearest
from multidb_chat.domain.search import Neighbours, SearchFilters

# Up to so many vectors a search takes less than a millisecond, and is run where it is asked for.
AT_HAND = 25_000

# A search that needs nothing but a vector. Raises `Damaged`, `Truncated`, and `OSError`.
Ready = Callable[[bytes], Neighbours]


class Part(NamedTuple):
    """What is searched of a segment. Of the chunks to be compared it holds those at `places`, in `slots`."""

    segment: Segment
    file: VectorFile
    allowed: Mask | None
    places: list[int]
    slots: Slots


class Found(NamedTuple):
    """Rows, their cosines and their vectors: first those to be compared, then the others, best first."""

    rows: NDArray[np.int64]
    scores: Floats
    vectors: Floats


def search(
    connection: sqlite3.Connection,
    known: Remembered,
    files: VectorFiles,
    filters: SearchFilters,
    limit: int,
    compared: Sequence[Key],
    vector: bytes,
) -> Neighbours:
    """Return the `limit` most similar chunks behind those to be compared; see the port."""
    parts = _parts(connection, known, files, filters, compared)
    return _neighbours(parts, vector, limit, compared, lambda rows: known.keys.of(connection, rows))


def ready(
    connection: sqlite3.Connection,
    known: Remembered,
    files: VectorFiles,
    filters: SearchFilters,
    limit: int,
    compared: Sequence[Key],
) -> Ready | None:
    """Return `search` for a vector that is to come, with all it takes in memory; None for more than `AT_HAND`."""
    parts = _parts(connection, known, files, filters, compared)
    if sum(part.segment.slots for part in parts) > AT_HAND:
        return None
    keys = known.keys.within(connection, [part.segment for part in parts])
    for part in parts:
        touch(part.file.view(part.segment.slots))
    return lambda vector: _neighbours(parts, vector, limit, compared, lambda rows: [keys[row] for row in rows])


def _parts(
    connection: sqlite3.Connection,
    known: Remembered,
    files: VectorFiles,
    filters: SearchFilters,
    compared: Sequence[Key],
) -> list[Part]:
    rows = known.keys.rows(connection, compared)
    return [
        _part(segment, files.of(segment), known.masks.of(connection, segment, filters), rows)
        for segment in segments(connection, filters.collection_ids)
        if segment.dimensions and segment.slots > segment.dead
    ]


def _part(segment: Segment, file: VectorFile, allowed: Mask | None, rows: Sequence[int | None]) -> Part:
    here = [(place, row) for place, row in enumerate(rows) if row is not None and segment.first <= row <= segment.last]
    if allowed is not None:
        here = [(place, row) for place, row in here if allowed[row & SLOT_MASK]]
    slots = np.array([row & SLOT_MASK for _, row in here], np.intp)
    return Part(segment, file, allowed, [place for place, _ in here], slots)


def _neighbours(
    parts: Sequence[Part],
    vector: bytes,
    limit: int,
    compared: Sequence[Key],
    keys_of: Callable[[list[int]], list[Key]],
) -> Neighbours:
    """Search the parts; `keys_of` tells what lies in rows."""
    query, count = np.frombuffer(vector, "<f4"), len(compared)
    parts = [part for part in parts if part.segment.dimensions == len(query)]
    found = [_found(part, query, limit) for part in parts]
    whole = len(found) == 1 and len(parts[0].places) == count
    rows, scores, vectors = found[0] if whole else _merged(query, limit, count, parts, found)
    return Neighbours([*compared, *keys_of(rows[count:].tolist())], scores.tolist(), vectors.data)


def _found(part: Part, query: Floats, limit: int) -> Found:
    vectors = part.file.view(part.segment.slots)
    slots, scores, exact = most_similar(vectors, query, limit, part.allowed, part.slots)
    return Found(slots + part.segment.first, scores, exact)


def _merged(query: Floats, limit: int, count: int, parts: Sequence[Part], found: Sequence[Found]) -> Found:
    """Return what the parts found as one: the `count` to be compared in their places, and the best of the others."""
    compared = Found(
        np.zeros(count, np.int64), np.full(count, np.nan, np.float32), np.zeros((count, len(query)), np.float32)
    )
    all_found = [compared]
    for part, one in zip(parts, found, strict=True):
        here = len(part.places)
        compared.scores[part.places] = one.scores[:here]
        compared.vectors[part.places] = one.vectors[:here]
        all_found.append(Found(one.rows[here:], one.scores[here:], one.vectors[here:]))
    rows, scores, vectors = zip(*all_found, strict=True)
    order = with_nearest(np.concatenate(scores), count, limit)
    return Found(np.concatenate(rows)[order], np.concatenate(scores)[order], np.concatenate(vectors)[order])
