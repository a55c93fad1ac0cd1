"""Which chunk lies in which row: looked up together, and remembered."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from multidb_chat.adapters.search_index.segments import Segment

# What the library knows a chunk by: its document, and its number in it.
Key = tuple[str, int]

# Chunks that are remembered; each time there are more, all are forgotten.
MOST_REMEMBERED = 50_000


class _Known(NamedTuple):
    keys: dict[int, Key]
    rows: dict[Key, int]
    whole: set[int]  # numbers of segments all of whose chunks are known

    def add(self, keys: Mapping[int, Key]) -> None:
        self.keys.update(keys)
        self.rows.update((key, row) for row, key in keys.items())


class Keys:
    """The chunks and rows of one state of the index. Several threads may ask: what one works with never shrinks."""

    def __init__(self) -> None:
        self._known = _Known({}, {}, set())

    def of(self, connection: sqlite3.Connection, rows: Sequence[int]) -> list[Key]:
        """Return the document and the ordinal of the chunk in each row, in order."""
        known = self._current()
        try:
            return [known.keys[row] for row in rows]
        except KeyError:
            known.add(_keys_of(connection, [row for row in rows if row not in known.keys]))
        return [known.keys[row] for row in rows]

    def within(self, connection: sqlite3.Connection, segments: Sequence[Segment]) -> Mapping[int, Key]:
        """Return the document and the ordinal of all chunks in the segments, by row, and perhaps of others."""
        known = self._current()
        for segment in segments:
            if segment.number not in known.whole:
                known.add(_keys_within(connection, segment))
                known.whole.add(segment.number)
        return known.keys

    def rows(self, connection: sqlite3.Connection, keys: Sequence[Key]) -> list[int | None]:
        """Return the row of each chunk, in order; None for one that does not exist."""
        known = self._current()
        if unknown := [key for key in keys if key not in known.rows]:
            known.add(_rows_of(connection, unknown))
        return [known.rows.get(key) for key in keys]

    def _current(self) -> _Known:
        known = self._known
        if len(known.keys) > MOST_REMEMBERED:
            known = self._known = _Known({}, {}, set())
        return known


def _keys_of(connection: sqlite3.Connection, rows: Sequence[int]) -> dict[int, Key]:
    found = connection.execute(
        "SELECT wanted.value, d.id, d.first, d.ordinals FROM json_each(?) AS wanted JOIN documents d"
        " ON d.first = (SELECT max(first) FROM documents WHERE first <= wanted.value)",
        (json.dumps(rows),),
    )
    return {
        row: (document_id, json.loads(ordinals)[row - first] if ordinals else row - first)
        for row, document_id, first, ordinals in found
    }


def _keys_within(connection: sqlite3.Connection, segment: Segment) -> dict[int, Key]:
    found = connection.execute(
        "SELECT id, first, slots, ordinals FROM documents WHERE first BETWEEN ? AND ?", (segment.first, segment.last)
    )
    return {
        row: (document_id, ordinal)
        for document_id, first, slots, stored in found
        for row, ordinal in enumerate(json.loads(stored) if stored else range(slots), first)
    }


def _rows_of(connection: sqlite3.Connection, keys: Sequence[Key]) -> dict[int, Key]:
    wanted: dict[str, set[int]] = {}
    for document_id, ordinal in keys:
        wanted.setdefault(document_id, set()).add(ordinal)
    found = connection.execute(
        "SELECT id, first, slots, ordinals FROM documents WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(wanted)),),
    )
    rows: dict[int, Key] = {}
    for document_id, first, slots, stored in found:
        ordinals = json.loads(stored) if stored else range(slots)
        rows |= {first + ordinals.index(one): (document_id, one) for one in wanted[document_id] if one in ordinals}
    return rows
