"""Writing documents into the library's file: whole, as a change each, and out of it with all that belongs to them.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain, count, pairwise
from typing import NamedTuple

from multidb_chat.adapters.sqlite.library_rows import (
    CHUNK,
    DOCUMENT,
    batches,
    chunk_row,
    document_of,
    document_row,
    marks,
    one_number,
    packed_blocks,
)
from multidb_chat.adapters.sqlite.library_schema import SEGMENT
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound, QuotaExceeded
from multidb_chat.domain.library import Chunk, Document, DocumentContent, Holdings

# ruff: noqa: S608 - statements are put together from constants and question marks only

_VALUES = ", ".join(
    "CAST(? AS TEXT)" if column in ("source", "name", "title") else "?" for column in DOCUMENT.split(", ")
)


# Documents removed in one transaction when all of an owner's go, since others wait for it.
_AT_ONCE = 200


class Entry(NamedTuple):
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


def store(connection: sqlite3.Connection, contents: Sequence[DocumentContent], limit: int | None = None) -> None:
    """Add or replace the documents; see the port."""
    require_collections(connection, (content.document.collection_id for content in contents))
    if limit is None:
        _replace(connection, contents)
        return
    owners = _owners(connection, {content.document.collection_id for content in contents})
    before = {owner: holdings(connection, owner).size_bytes for owner in owners}
    _replace(connection, contents)
    for owner, size in before.items():
        now = holdings(connection, owner).size_bytes
        if now > limit and now > size:  # the caller takes back what was stored
            raise QuotaExceeded(f"The documents would be {now:,} bytes, over the limit of {limit:,}.")


def holdings(connection: sqlite3.Connection, owner_id: str | None) -> Holdings:
    """Return what an owner (None: all) holds, along an index that has the sizes in it."""
    row = connection.execute(
        "SELECT count(*), coalesce(sum(size_bytes), 0) FROM collections JOIN documents"
        f" ON documents.collection_id = collections.id {'' if owner_id is None else 'WHERE owner_id = ?'}",
        () if owner_id is None else (owner_id,),
    ).fetchone()
    return Holdings(*row)


def holdings_in(connection: sqlite3.Connection, collection_ids: Sequence[str]) -> dict[str, Holdings]:
    """Return what each of these collections holds, along the same index."""
    query = "SELECT count(*), coalesce(sum(size_bytes), 0) FROM documents WHERE collection_id = ?"
    return {known: Holdings(*connection.execute(query, (known,)).fetchone()) for known in collection_ids}


def _owners(connection: sqlite3.Connection, collection_ids: set[str]) -> set[str]:
    query = "SELECT owner_id FROM collections WHERE id = ?"
    return {connection.execute(query, (known,)).fetchone()[0] for known in collection_ids}


def _replace(connection: sqlite3.Connection, contents: Sequence[DocumentContent]) -> None:
    stored = _stored(connection, [content.document.id for content in contents])
    free = one_number(connection, "SELECT max(key) FROM documents") + 1
    latest: dict[str, Entry] = {}
    for key, content in enumerate(contents, free):
        document = content.document
        before = latest[document.id].document if document.id in latest else stored.get(document.id)
        latest[document.id] = Entry(key, _succeeding(before, document), content, _checked(content))
    connection.executemany("DELETE FROM documents WHERE id = ?", [(known,) for known in stored])
    insert(connection, list(latest.values()), last_change(connection) + 1)


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


def insert(connection: sqlite3.Connection, entries: Sequence[Entry], *changes: int) -> None:
    """Insert table by table: one prepared statement each, and all rows go to the end of their table.

    `changes` are the numbers of the documents' changes; behind the last one that is given they go on by one.
    """
    numbers = chain(changes, count(changes[-1] + 1))
    many = connection.executemany
    many(
        f"INSERT INTO documents (key, {DOCUMENT}) VALUES (?, {_VALUES})",
        (document_row(entry.key, entry.document) for entry in entries),
    )
    many(
        "INSERT OR REPLACE INTO changes (seq, document_id, collection_id, removed) VALUES (?, ?, ?, 0)",
        ((seq, entry.document.id, entry.document.collection_id) for seq, entry in zip(numbers, entries, strict=False)),
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


def remove_some(connection: sqlite3.Connection, owner_id: str) -> int:
    """Remove a few of the documents of an owner; return how many, 0 when there are none left."""
    rows = connection.execute(
        "SELECT documents.id FROM collections JOIN documents ON documents.collection_id = collections.id"
        " WHERE owner_id = ? LIMIT ?",
        (owner_id, _AT_ONCE),
    ).fetchall()
    return remove_by_id(connection, [row[0] for row in rows])
