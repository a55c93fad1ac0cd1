"""Bringing changes into the index: one transaction a batch, vectors first, so that dying at any moment is harmless."""

import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from multidb_chat.adapters.search_index.segments import Segment, VectorFiles, metadata_json, state
from multidb_chat.adapters.search_index.tables import SLOT_BITS, SLOT_MASK
from multidb_chat.domain.library import Chunk, Document
from multidb_chat.domain.words import spaced

# ruff: noqa: S608 - statements are put together from constants and question marks only

# A segment is copied without its dead slots when they are more than this part of it, and worth the trouble.
MOST_DEAD, FEWEST_DEAD = 0.3, 1_000
# Vectors copied at once.
COPIED_AT_ONCE = 65_536


class Entry(NamedTuple):
    """A document as it is now, and the number of the change that made it so."""

    seq: int
    document: Document
    chunks: list[Chunk]


class Batch(NamedTuple):
    """Changes of `library` from `after` to `until`: documents that are gone, and documents as they are now."""

    library: str
    after: int
    until: int
    gone: Sequence[str]
    documents: Sequence[Entry]


def known(connection: sqlite3.Connection, document_ids: Sequence[str]) -> dict[str, int]:
    """Return the change that each document is indexed at, for those that are."""
    rows = connection.execute(
        "SELECT id, seq FROM documents WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(document_ids),)
    )
    return dict(rows.fetchall())


def files_in_use(connection: sqlite3.Connection) -> set[str]:
    """Return the names of the segments' files."""
    return {name for (name,) in connection.execute("SELECT file FROM segments")}


def write(connection: sqlite3.Connection, files: VectorFiles, batch: Batch) -> list[Segment] | None:
    """Bring a batch into the index, in the transaction that is open.

    Returns the segments whose files are of no use once it is committed; None, and nothing is done, when another process
    has brought changes in meanwhile.
    """
    if state(connection).watermark != batch.after:
        return None
    _remove(connection, [*batch.gone, *(entry.document.id for entry in batch.documents)])
    for (collection_id, dimensions), entries in _by_segment(batch.documents).items():
        _add(connection, files, _segment(connection, collection_id, dimensions), entries)
    unused = _compact(connection, files)
    connection.execute("UPDATE state SET watermark = ?, library = ?", (batch.until, batch.library))
    return unused


def _remove(connection: sqlite3.Connection, document_ids: Sequence[str]) -> None:
    for document_id in document_ids:
        row = connection.execute("SELECT first, slots FROM documents WHERE id = ?", (document_id,)).fetchone()
        if row is None:
            continue
        first, slots = row
        connection.execute("DELETE FROM passages WHERE rowid BETWEEN ? AND ?", (first, first + slots - 1))
        connection.execute("DELETE FROM documents WHERE first = ?", (first,))
        connection.execute("INSERT INTO holes (first, slots) VALUES (?, ?)", (first, slots))
        connection.execute("UPDATE segments SET dead = dead + ? WHERE number = ?", (slots, first >> SLOT_BITS))


def _by_segment(documents: Sequence[Entry]) -> dict[tuple[str, int], list[Entry]]:
    groups: dict[tuple[str, int], list[Entry]] = {}
    for entry in documents:
        if entry.chunks:
            key = (entry.document.collection_id, len(entry.chunks[0].vector) // 4)
            groups.setdefault(key, []).append(entry)
    return groups


def _segment(connection: sqlite3.Connection, collection_id: str, dimensions: int) -> Segment:
    """Return the collection's segment for vectors of this length, made if there is none."""
    connection.execute(
        "INSERT OR IGNORE INTO segments (collection_id, dimensions, file, slots, dead) VALUES (?, ?, ?, 0, 0)",
        (collection_id, dimensions, secrets.token_hex(8)),
    )
    row = connection.execute(
        f"SELECT {', '.join(Segment._fields)} FROM segments WHERE collection_id = ? AND dimensions = ?",
        (collection_id, dimensions),
    ).fetchone()
    return Segment(*row)


def _add(connection: sqlite3.Connection, files: VectorFiles, segment: Segment, entries: Sequence[Entry]) -> None:
    """Append the documents to the segment; their vectors are on disk before the rows that speak of them."""
    if segment.dimensions:
        packed = b"".join(_vectors(entries, segment.dimensions))
        files.of(segment).append(segment.slots, np.frombuffer(packed, "<f4").reshape(-1, segment.dimensions))
    ends = list(accumulate((len(entry.chunks) for entry in entries), initial=segment.first + segment.slots))
    connection.executemany(
        "INSERT INTO documents (first, slots, id, seq, kind, day, metadata, ordinals) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (_document_row(first, entry) for first, entry in zip(ends, entries, strict=False)),
    )
    connection.executemany(
        "INSERT INTO passages (rowid, title, headings, body) VALUES (?, ?, ?, ?)",
        (row for first, entry in zip(ends, entries, strict=False) for row in _passage_rows(first, entry)),
    )
    connection.execute("UPDATE segments SET slots = ? WHERE number = ?", (ends[-1] & SLOT_MASK, segment.number))


def _vectors(entries: Sequence[Entry], dimensions: int) -> Iterator[bytes]:
    """Yield the vectors; a chunk without one has zeros, which are similar to nothing."""
    nothing = bytes(4 * dimensions)
    for entry in entries:
        for chunk in entry.chunks:
            yield chunk.vector if len(chunk.vector) == len(nothing) else nothing


def _document_row(first: int, entry: Entry) -> tuple[object, ...]:
    document = entry.document
    ordinals = [chunk.ordinal for chunk in entry.chunks]
    return (
        first,
        len(ordinals),
        document.id,
        entry.seq,
        document.kind,
        (document.authored_at or document.added_at).date().toordinal(),
        metadata_json(document.metadata),
        None if ordinals == list(range(len(ordinals))) else json.dumps(ordinals),
    )


def _passage_rows(first: int, entry: Entry) -> Iterator[tuple[int, str, str, str]]:
    title = spaced(entry.document.title)
    for row, chunk in enumerate(entry.chunks, first):
        yield row, title, spaced(" ".join(chunk.headings)), spaced(chunk.text)


def _compact(connection: sqlite3.Connection, files: VectorFiles) -> list[Segment]:
    """Copy the segments that are mostly dead to new ones, drop the empty ones; return those to be deleted."""
    columns = ", ".join(Segment._fields)
    rows = connection.execute(
        f"SELECT {columns} FROM segments WHERE dead = slots OR (dead > ? AND dead > slots * ?)",
        (FEWEST_DEAD, MOST_DEAD),
    )
    unused = [Segment(*row) for row in rows]
    for segment in unused:
        collection_id = connection.execute(
            "SELECT collection_id FROM segments WHERE number = ?", (segment.number,)
        ).fetchone()[0]
        connection.execute("DELETE FROM segments WHERE number = ?", (segment.number,))
        connection.execute("DELETE FROM holes WHERE first BETWEEN ? AND ?", (segment.first, segment.last))
        if segment.dead < segment.slots:
            _copy(connection, files, segment, _segment(connection, collection_id, segment.dimensions))
    return unused


def _copy(connection: sqlite3.Connection, files: VectorFiles, old: Segment, new: Segment) -> None:
    documents = connection.execute(
        "SELECT first, slots FROM documents WHERE first BETWEEN ? AND ? ORDER BY first", (old.first, old.last)
    ).fetchall()
    slots = np.concatenate([np.arange(first & SLOT_MASK, (first & SLOT_MASK) + length) for first, length in documents])
    if old.dimensions:
        exact = files.of(old).view(old.slots).exact
        for start in range(0, len(slots), COPIED_AT_ONCE):
            files.of(new).append(start, exact[slots[start : start + COPIED_AT_ONCE]])
    target = new.first
    for first, length in documents:
        _move(connection, first, length, target)
        target += length
    connection.execute("UPDATE segments SET slots = ? WHERE number = ?", (len(slots), new.number))


def _move(connection: sqlite3.Connection, first: int, length: int, target: int) -> None:
    last = first + length - 1
    connection.execute(
        "INSERT INTO passages (rowid, title, headings, body)"
        " SELECT rowid + ?, title, headings, body FROM passages WHERE rowid BETWEEN ? AND ?",
        (target - first, first, last),
    )
    connection.execute("DELETE FROM passages WHERE rowid BETWEEN ? AND ?", (first, last))
    connection.execute("UPDATE documents SET first = ? WHERE first = ?", (target, first))
