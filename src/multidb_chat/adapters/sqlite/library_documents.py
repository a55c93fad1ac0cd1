"""Documents in the library's file: stored whole, read whole or by the passage, removed with all that belongs to them.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import NamedTuple

from multidb_chat.adapters.sqlite.database import bindable, prefix_end
from multidb_chat.adapters.sqlite.library_rows import (
    CHUNK,
    DOCUMENT,
    Row,
    batches,
    blocks_of,
    chunk_of,
    chunk_row,
    document_of,
    document_row,
    marks,
    one_number,
    packed_blocks,
)
from multidb_chat.adapters.sqlite.library_schema import SEGMENT
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound
from multidb_chat.domain.library import Chunk, Document, DocumentContent

# ruff: noqa: S608 - statements are put together from constants and question marks only

_VALUES = ", ".join(
    "CAST(? AS TEXT)" if column in ("source", "name", "title") else "?" for column in DOCUMENT.split(", ")
)


class _Entry(NamedTuple):
    """A document on its way into the tables: its row's key, its successor's record, its chunks in order."""

    key: int
    document: Document
    content: DocumentContent
    chunks: list[Chunk]


def require_collections(connection: sqlite3.Connection, collection_ids: Iterable[str]) -> None:
    """Raise `NotFound` for the first collection that does not exist."""
    for collection_id in sorted(set(collection_ids)):
        if not one_number(connection, "SELECT count(*) FROM collections WHERE id = ?", collection_id):
            raise NotFound(f"There is no collection {collection_id}.")


def store(connection: sqlite3.Connection, contents: Sequence[DocumentContent]) -> None:
    """Add or replace the documents; see the port."""
    require_collections(connection, (content.document.collection_id for content in contents))
    stored = _stored(connection, [content.document.id for content in contents])
    free = one_number(connection, "SELECT max(key) FROM documents") + 1
    latest: dict[str, _Entry] = {}
    for key, content in enumerate(contents, free):
        document = content.document
        before = latest[document.id].document if document.id in latest else stored.get(document.id)
        latest[document.id] = _Entry(key, _succeeding(before, document), content, _checked(content))
    connection.executemany("DELETE FROM documents WHERE id = ?", [(known,) for known in stored])
    _insert(connection, list(latest.values()))


def _stored(connection: sqlite3.Connection, document_ids: Sequence[str]) -> dict[str, Document]:
    return {
        row[0]: document_of(row)
        for batch in batches(document_ids)
        for row in connection.execute(f"SELECT {DOCUMENT} FROM documents WHERE id IN ({marks(batch)})", batch)
    }


def _succeeding(before: Document | None, document: Document) -> Document:
    if before is None:
        return document
    if before.collection_id != document.collection_id:
        raise Conflict(f"The document {document.id} belongs to another collection.")
    return replace(document, added_at=before.added_at, revision=before.revision + 1)


def _checked(content: DocumentContent) -> list[Chunk]:
    """Return the chunks in order; only their spans are stored, so a text that is not at its span would be lost."""
    chunks = sorted(content.chunks, key=lambda chunk: chunk.ordinal)
    for chunk in chunks:
        if content.text[chunk.start : chunk.end] != chunk.text:
            raise InvalidInput(f"Chunk {chunk.ordinal} of document {content.document.id} is not at its span.")
    if any(before.ordinal == after.ordinal for before, after in pairwise(chunks)):
        raise InvalidInput(f"The document {content.document.id} has two chunks of the same number.")
    return chunks


def _insert(connection: sqlite3.Connection, entries: Sequence[_Entry]) -> None:
    """Insert table by table: one prepared statement each, and all rows go to the end of their table."""
    many = connection.executemany
    many(
        f"INSERT INTO documents (key, {DOCUMENT}) VALUES (?, {_VALUES})",
        (document_row(entry.key, entry.document) for entry in entries),
    )
    many(
        "INSERT OR REPLACE INTO changes (seq, document_id, collection_id, removed) VALUES (?, ?, ?, 0)",
        (
            (seq, entry.document.id, entry.document.collection_id)
            for seq, entry in enumerate(entries, last_change(connection) + 1)
        ),
    )
    many(
        "INSERT INTO segments (document, number, data) VALUES (?, ?, ?)",
        ((entry.key, *segment) for entry in entries for segment in enumerate(_segments(entry.content.text))),
    )
    many(
        "INSERT INTO blocks (document, data) VALUES (?, ?)",
        ((entry.key, packed_blocks(entry.content.blocks)) for entry in entries if entry.content.blocks),
    )
    many(
        "INSERT INTO originals (document, data) VALUES (?, ?)",
        ((entry.key, entry.content.original) for entry in entries if entry.content.original is not None),
    )
    many(
        f"INSERT INTO chunks (document, {CHUNK}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (chunk_row(entry.key, chunk) for entry in entries for chunk in entry.chunks),
    )
    many(
        "INSERT INTO vectors (document, data) VALUES (?, ?)",
        ((entry.key, b"".join(chunk.vector for chunk in entry.chunks)) for entry in entries if entry.chunks),
    )


def _segments(text: str) -> Iterable[bytes]:
    return (text[at : at + SEGMENT].encode("utf-8", "surrogatepass") for at in range(0, len(text), SEGMENT))


def last_change(connection: sqlite3.Connection) -> int:
    """Return the number of the latest change; it never falls, because a tombstone stays until a newer change."""
    return one_number(connection, "SELECT max(seq) FROM changes")


def remove(connection: sqlite3.Connection, condition: str, *parameters: object) -> int:
    """Remove the documents under a condition (a constant of the caller), leaving tombstones; return how many."""
    connection.execute(
        "INSERT OR REPLACE INTO changes (seq, document_id, collection_id, removed)"
        f" SELECT ? + row_number() OVER (ORDER BY id), id, collection_id, 1 FROM documents WHERE {condition}",
        (last_change(connection), *parameters),
    )
    return connection.execute(f"DELETE FROM documents WHERE {condition}", parameters).rowcount


def remove_by_id(connection: sqlite3.Connection, document_ids: Sequence[str]) -> int:
    """Remove documents and the records of the sources they came from; return how many there were."""
    removed = 0
    for batch in batches(document_ids):
        wanted = f"id IN ({marks(batch)})"
        connection.execute(
            "DELETE FROM sources WHERE (collection_id, source) IN"
            f" (SELECT collection_id, source FROM documents WHERE {wanted})",
            batch,
        )
        removed += remove(connection, wanted, *batch)
    return removed


def document(connection: sqlite3.Connection, document_id: str) -> Document | None:
    """Return the document."""
    row = connection.execute(f"SELECT {DOCUMENT} FROM documents WHERE id = ?", (document_id,)).fetchone()
    return document_of(row) if row else None


def page(
    connection: sqlite3.Connection, collection_ids: Sequence[str], after: str, limit: int, source_prefix: str
) -> list[Document]:
    """Return documents in order of id behind `after`: a page of each collection, merged; see the port."""
    condition = "collection_id = ? AND id > ?"
    parameters: list[object] = [after]
    if source_prefix:
        condition += " AND source >= CAST(? AS TEXT) AND source < CAST(? AS TEXT)"
        parameters += [bindable(source_prefix), prefix_end(source_prefix)]
    select = f"SELECT {DOCUMENT} FROM documents WHERE {condition} ORDER BY id LIMIT ?"
    rows = [row for one in set(collection_ids) for row in connection.execute(select, (one, *parameters, limit))]
    return [document_of(row) for row in sorted(rows, key=itemgetter(0))[:limit]]


def find(connection: sqlite3.Connection, collection_ids: Sequence[str], reference: str, limit: int) -> list[Document]:
    """Return the documents that a reference names; see the port."""
    text = bindable(reference)
    names = "id = :text OR name = :text OR source = :text OR title = :text".replace(":text", "CAST(? AS TEXT)")
    parameters: list[object] = [*collection_ids, text, text, text, text]
    if len(reference) >= 6:
        names += " OR (id > CAST(? AS TEXT) AND id < CAST(? AS TEXT))"
        parameters += [text, prefix_end(reference)]
    # The plus keeps the collection out of the choice of an index: a reference names few documents of any collection.
    rows = connection.execute(
        f"SELECT {DOCUMENT} FROM documents WHERE +collection_id IN ({marks(collection_ids)}) AND ({names})"
        " ORDER BY id LIMIT ?",
        (*parameters, limit),
    )
    return [document_of(row) for row in rows]


def text(connection: sqlite3.Connection, document_id: str, start: int, end: int | None) -> str | None:
    """Return a span of the text, None for an unknown document."""
    row = connection.execute("SELECT key FROM documents WHERE id = ?", (document_id,)).fetchone()
    return _span(connection, row[0], start, end) if row else None


def _span(connection: sqlite3.Connection, key: int, start: int, end: int | None) -> str:
    start = max(start, 0)
    first = start // SEGMENT
    condition, parameters = "document = ? AND number >= ?", [key, first]
    if end is not None:
        condition += " AND number < ?"
        parameters.append(-(-end // SEGMENT))
    rows = connection.execute(f"SELECT data FROM segments WHERE {condition} ORDER BY number", parameters)
    found = "".join(row[0].decode("utf-8", "surrogatepass") for row in rows)
    begin = first * SEGMENT
    return found[start - begin : None if end is None else max(end - begin, 0)]


def chunks(connection: sqlite3.Connection, keys: Sequence[tuple[str, int]]) -> list[Chunk]:
    """Return the chunks without vectors, in the order of their keys."""
    found = []
    for document_id, ordinal in keys:
        row = connection.execute(
            f"SELECT document, {CHUNK} FROM chunks"
            " WHERE document = (SELECT key FROM documents WHERE id = ?) AND ordinal = ?",
            (document_id, ordinal),
        ).fetchone()
        if row:
            found.append(chunk_of(document_id, row[1:], _span(connection, row[0], row[2], row[3])))
    return found


def indexable(connection: sqlite3.Connection, document_ids: Sequence[str]) -> list[tuple[Document, list[Chunk]]]:
    """Return documents with all their chunks and vectors."""
    rows = filter(None, (_keyed_row(connection, document_id) for document_id in document_ids))
    return [(document_of(row[1:]), _all_chunks(connection, row, _span(connection, row[0], 0, None))) for row in rows]


def content(connection: sqlite3.Connection, document_id: str) -> DocumentContent | None:
    """Return the document with everything stored of it."""
    row = _keyed_row(connection, document_id)
    if row is None:
        return None
    whole = _span(connection, row[0], 0, None)
    blocks = connection.execute("SELECT data FROM blocks WHERE document = ?", (row[0],)).fetchone()
    original = connection.execute("SELECT data FROM originals WHERE document = ?", (row[0],)).fetchone()
    return DocumentContent(
        document_of(row[1:]),
        whole,
        blocks_of(blocks[0]) if blocks else (),
        tuple(_all_chunks(connection, row, whole)),
        original[0] if original else None,
    )


def _keyed_row(connection: sqlite3.Connection, document_id: str) -> Row | None:
    row: Row | None = connection.execute(
        f"SELECT key, {DOCUMENT} FROM documents WHERE id = ?", (document_id,)
    ).fetchone()
    return row


def _all_chunks(connection: sqlite3.Connection, document_row: Row, whole: str) -> list[Chunk]:
    """Return the chunks of a document with their vectors cut out of the one value that holds them all."""
    key, document_id = document_row[:2]
    rows = connection.execute(f"SELECT {CHUNK} FROM chunks WHERE document = ? ORDER BY ordinal", (key,)).fetchall()
    if not rows:
        return []
    packed = connection.execute("SELECT data FROM vectors WHERE document = ?", (key,)).fetchone()[0]
    ends = accumulate((row[6] for row in rows), initial=0)
    return [
        chunk_of(document_id, row, whole[row[1] : row[2]], packed[begin:end])
        for row, (begin, end) in zip(rows, pairwise(ends), strict=True)
    ]
