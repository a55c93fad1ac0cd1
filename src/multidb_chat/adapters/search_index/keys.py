"""Which chunk lies in which row: looked up together, and remembered."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# What the library knows a chunk by: its document, and its number in it.
Key = tuple[str, int]

# Chunks that are remembered; each time there are more, all are forgotten.
MOST_REMEMBERED = 50_000


class _Known(NamedTuple):
    keys: dict[int, Key]
    rows: dict[Key, int]

    def add(self, keys: Mapping[int, Key]) -> None:
        self.keys.update(keys)
        self.rows.update((key, row) for row, key in keys.items())


class Keys:
    """The chunks and rows of one state of the index. Several threads may ask: what one works with never shrinks."""

    def __init__(self) -> None:
        self._known = _Known({}, {})

    def of(self, connection: sqlite3.Connection, rows: Sequence[int]) -> list[Key]:
        """Return the document and the ordinal of the chunk in each row, in order."""
        known = self._current()
        try:
            return [known.keys[row] for row in rows]
        except KeyError:
            known.add(_keys_of(connection, [row for row in rows if row not in known.keys]))
        return [known.keys[row] for row in rows]

    def rows(self, connection: sqlite3.Connection, keys: Sequence[Key]) -> set[int]:
        """Return the rows of the chunks that exist."""
        known = self._current()
        found = set(map(known.rows.get, keys))
        if None in found:
            known.add(_rows_of(connection, [key for key in keys if key not in known.rows]))
            found = set(map(known.rows.get, keys))
        return {row for row in found if row is not None}

    def _current(self) -> _Known:
        known = self._known
        if len(known.keys) > MOST_REMEMBERED:
            known = self._known = _Known({}, {})
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
