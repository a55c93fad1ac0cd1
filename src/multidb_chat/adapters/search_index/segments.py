"""Segments, documents and filters as rows: what both searches, and the writer, read."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from multidb_chat.adapters.search_index.tables import SLOT_BITS, SLOT_MASK
from multidb_chat.adapters.search_index.vectors import SUFFIXES, VectorFile
from multidb_chat.domain.search import SearchFilters

# A condition on `documents d` in SQL, "" for none, and its parameters.
Narrowing = tuple[str, list[object]]


class State(NamedTuple):
    """What changes whenever the index does."""

    token: str
    watermark: int
    library: str


class Segment(NamedTuple):
    """A row of the table of that name: `slots` are written, of which `dead` belong to documents that are gone."""

    number: int
    dimensions: int
    file: str
    slots: int
    dead: int

    @property
    def first(self) -> int:
        """The row number of slot 0."""
        return self.number << SLOT_BITS

    @property
    def last(self) -> int:
        """The largest row number that the segment may have."""
        return self.first | SLOT_MASK


class VectorFiles:
    """The vector files of a folder, each opened once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, VectorFile] = {}

    def of(self, segment: Segment) -> VectorFile:
        """Return the segment's file."""
        file = self._open.get(segment.file)
        if file is None:  # two threads may both open it: one is forgotten
            file = self._open[segment.file] = VectorFile(self._folder, segment.file, segment.dimensions)
        return file

    def remove(self, segment: Segment) -> None:
        """Delete the segment's file."""
        self.of(segment).remove()
        self._open.pop(segment.file, None)

    def keep(self, names: Collection[str]) -> None:
        """Let go of all other files; they are opened anew should they be needed."""
        for name in set(self._open).difference(names):
            self._open.pop(name, None)

    def sweep(self, names: Collection[str]) -> None:
        """Delete all other files of vectors in the folder."""
        for suffix in SUFFIXES:
            for path in self._folder.glob(f"*{suffix}"):
                if path.stem not in names:
                    path.unlink(missing_ok=True)


def segments(connection: sqlite3.Connection, collection_ids: Sequence[str]) -> list[Segment]:
    """Return the segments of these collections."""
    select = "SELECT number, dimensions, file, slots, dead FROM segments WHERE collection_id = ?"
    return [Segment(*row) for one in dict.fromkeys(collection_ids) for row in connection.execute(select, (one,))]


def conditions(filters: SearchFilters) -> Narrowing:
    """Return what narrows documents within their collection, as SQL over `documents d` and its parameters."""
    parts: list[str] = []
    values: list[object] = []
    for column, allowed in (("id", filters.document_ids), ("kind", filters.kinds)):
        if allowed:
            parts.append(f"d.{column} IN (SELECT value FROM json_each(?))")  # noqa: S608 - one of two constants
            values.append(json.dumps(allowed))
    for sign, day in ((">=", filters.since), ("<=", filters.until)):
        if day is not None:
            parts.append(f"d.day {sign} ?")
            values.append(day.toordinal())
    if filters.metadata:
        parts.append(
            "NOT EXISTS (SELECT 1 FROM json_each(?) w WHERE NOT EXISTS"
            " (SELECT 1 FROM json_each(d.metadata) m WHERE m.key = w.key AND m.value = w.value))"
        )
        values.append(metadata_json(filters.metadata))
    return " AND ".join(parts), values


def metadata_json(metadata: Mapping[str, str]) -> str:
    """Return metadata as it is stored and compared; lone surrogates, which SQLite cannot store, are replaced."""
    return json.dumps(dict(metadata), ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")


def state(connection: sqlite3.Connection) -> State:
    """Return what changes whenever the index does: its own token, and the last change in it of which library."""
    return State(*connection.execute("SELECT token, watermark, library FROM state").fetchone())
