"""Collections, sources and the change sequence in the library's file.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from multidb_chat.adapters.sqlite import erased, library_storing
from multidb_chat.adapters.sqlite.database import bindable, prefix_end
from multidb_chat.adapters.sqlite.library_rows import (
    COLLECTION,
    SOURCE,
    collection_of,
    one_number,
    source_of,
    source_row,
)
from multidb_chat.domain.errors import Conflict, NotFound
from multidb_chat.domain.library import Change, Collection, Described, SourceRecord

# ruff: noqa: S608 - statements are put together from constants only


def create(connection: sqlite3.Connection, collection: Collection) -> None:
    """Add a collection; raises `Conflict`."""
    erased.refuse(connection, collection.owner_id)
    try:
        connection.execute(
            f"INSERT INTO collections ({COLLECTION}, name_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                collection.id,
                collection.owner_id,
                collection.name,
                collection.created_at.isoformat(),
                collection.description,
                collection.shared,
                collection.embedder,
                collection.dimensions,
                collection.chunking,
                collection.chunk_chars,
                collection.headers,
                collection.name.casefold(),
            ),
        )
    except sqlite3.IntegrityError:
        raise _taken(collection) from None


def update(connection: sqlite3.Connection, collection: Collection) -> None:
    """Replace what may change of a collection; raises `NotFound` or `Conflict`."""
    try:
        changed = connection.execute(
            "UPDATE collections SET name = ?, name_key = ?, description = ?, shared = ?, embedder = ?, dimensions = ?,"
            " chunking = ?, chunk_chars = ?, headers = ? WHERE id = ?",
            (
                collection.name,
                collection.name.casefold(),
                collection.description,
                collection.shared,
                collection.embedder,
                collection.dimensions,
                collection.chunking,
                collection.chunk_chars,
                collection.headers,
                collection.id,
            ),
        ).rowcount
    except sqlite3.IntegrityError:
        raise _taken(collection) from None
    if not changed:
        raise _unknown(collection.id)


def describe(connection: sqlite3.Connection, collection_id: str, changes: Described) -> Collection:
    """Change what is given and return the collection as it is now; raises `NotFound` or `Conflict`."""
    found = collection(connection, collection_id)
    if found is None:
        raise _unknown(collection_id)
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    changed = replace(found, **given)
    update(connection, changed)
    return changed


def claim_embedder(connection: sqlite3.Connection, collection_id: str, embedder: str, dimensions: int) -> Collection:
    """Set the embedder of a collection that has none; return it as it is now."""
    connection.execute(
        "UPDATE collections SET embedder = ?, dimensions = ? WHERE id = ? AND embedder = ''",
        (embedder, dimensions, collection_id),
    )
    found = collection(connection, collection_id)
    if found is None:
        raise _unknown(collection_id)
    return found


def collection(connection: sqlite3.Connection, collection_id: str) -> Collection | None:
    """Return the collection."""
    row = connection.execute(f"SELECT {COLLECTION} FROM collections WHERE id = ?", (collection_id,)).fetchone()
    return collection_of(row) if row else None


def collections(connection: sqlite3.Connection, account_id: str) -> list[Collection]:
    """Return the account's own and the shared collections in order of name."""
    rows = connection.execute(
        f"SELECT {COLLECTION} FROM collections WHERE owner_id = ? OR shared ORDER BY name_key, id", (account_id,)
    )
    return [collection_of(row) for row in rows]


def delete(connection: sqlite3.Connection, collection_id: str) -> bool:
    """Remove a collection with its sources and documents, which leave tombstones."""
    library_storing.remove(connection, "collection_id = ?", collection_id)
    return connection.execute("DELETE FROM collections WHERE id = ?", (collection_id,)).rowcount > 0


def delete_all(connection: sqlite3.Connection, owner_id: str) -> None:
    """Remove all collections of an owner with what is in them."""
    rows = connection.execute("SELECT id FROM collections WHERE owner_id = ?", (owner_id,)).fetchall()
    for row in rows:
        delete(connection, row[0])


def put_source(connection: sqlite3.Connection, record: SourceRecord) -> None:
    """Add or replace the record of a source; raises `NotFound`."""
    library_storing.require_collections(connection, [record.collection_id])
    connection.execute(
        f"INSERT OR REPLACE INTO sources ({SOURCE}) VALUES (?, CAST(? AS TEXT), ?, ?, ?, ?)", source_row(record)
    )


def source(connection: sqlite3.Connection, collection_id: str, name: str) -> SourceRecord | None:
    """Return the record of a source."""
    row = connection.execute(
        f"SELECT {SOURCE} FROM sources WHERE collection_id = ? AND source = CAST(? AS TEXT)",
        (collection_id, bindable(name)),
    ).fetchone()
    return source_of(row) if row else None


def sources(connection: sqlite3.Connection, collection_id: str, prefix: str) -> list[SourceRecord]:
    """Return the records of the sources under a prefix in order of source."""
    rows = connection.execute(
        f"SELECT {SOURCE} FROM sources WHERE collection_id = ?"
        " AND source >= CAST(? AS TEXT) AND source < CAST(? AS TEXT) ORDER BY source",
        (collection_id, bindable(prefix), prefix_end(prefix)),
    )
    return [source_of(row) for row in rows]


def remove_source(connection: sqlite3.Connection, collection_id: str, name: str) -> int:
    """Remove a source's record and its documents; return how many documents there were."""
    # The plus leaves the index of sources as the better one: a source has fewer documents than its collection.
    of_source = "+collection_id = ? AND source = CAST(? AS TEXT)"
    connection.execute(
        "DELETE FROM sources WHERE collection_id = ? AND source = CAST(? AS TEXT)", (collection_id, bindable(name))
    )
    return library_storing.remove(connection, of_source, collection_id, bindable(name))


def versions(connection: sqlite3.Connection, collection_ids: Sequence[str]) -> dict[str, int]:
    """Return the number of each collection's latest change, 0 where there was none."""
    latest = "SELECT max(seq) FROM changes WHERE collection_id = ?"
    return {collection_id: one_number(connection, latest, collection_id) for collection_id in collection_ids}


def changes(connection: sqlite3.Connection, after: int, limit: int) -> list[Change]:
    """Return the last change of each document changed behind `after`."""
    rows = connection.execute(
        "SELECT c.seq, c.document_id, c.collection_id, c.removed, ifnull(d.chunks, 0) FROM changes c"
        " LEFT JOIN documents d ON d.id = c.document_id WHERE c.seq > ? ORDER BY c.seq LIMIT ?",
        (after, limit),
    )
    return [
        Change(seq, document_id, collection_id, bool(removed), chunks)
        for seq, document_id, collection_id, removed, chunks in rows
    ]


def _taken(collection: Collection) -> Conflict:
    return Conflict(f'There is a collection named "{collection.name}" already.')


def _unknown(collection_id: str) -> NotFound:
    return NotFound(f"There is no collection {collection_id}.")
