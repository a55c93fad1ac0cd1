"""The library's rows that are carried: a document is one row, with all that is stored of it and its last change.

Every function is a piece of work inside a transaction that the caller began.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from multidb_chat.adapters.sqlite import library_documents
from multidb_chat.adapters.sqlite.database import bindable
from multidb_chat.adapters.sqlite.library_rows import batches, marks, one_number
from multidb_chat.adapters.sqlite.library_storing import Entry, insert
from multidb_chat.adapters.sqlite.transfer_rows import Codec, Connection, PlainRows, Rows
from multidb_chat.domain.transfer import Key, Page, Row, Table, Value, micros, moment
from multidb_chat.domain.transfer_tables import COLLECTIONS, DOCUMENTS, REMOVED, SOURCES, content_of, document_row

# ruff: noqa: S608 - statements are put together from constants and question marks only

_AT_ONCE = 16_000_000  # bytes of texts, vectors and originals in a page, more or less
_WRITTEN: Codec = (
    lambda stored: micros(datetime.fromisoformat(stored)),
    lambda value: moment(value).isoformat(),
)
_TEXT: Codec = (lambda stored: stored, bindable)


def rows_of(table: Table) -> Rows:
    """Return how the rows of a table lie in the library's file."""
    match table.name:
        case DOCUMENTS.name:
            return DocumentRows()
        case REMOVED.name:
            return RemovedRows()
        case COLLECTIONS.name:
            return CollectionRows(table, {"created_at": _WRITTEN}, _name_key)
        case SOURCES.name:
            codecs = {"source": _TEXT, "completed_at": _WRITTEN}
            return PlainRows(table, codecs, marks={"source": "CAST(? AS TEXT)"})
    return PlainRows(table)


class CollectionRows(PlainRows):
    """Collections; their documents go with them."""

    def remove(self, connection: Connection, keys: Sequence[Key]) -> None:
        """Remove collections and their documents as if they had never been there."""
        connection.executemany("DELETE FROM changes WHERE collection_id = ? AND NOT removed", keys)
        super().remove(connection, keys)


class DocumentRows:
    """Documents, whole."""

    def page(self, connection: Connection, after: Key | None, limit: int) -> Page:
        """Return documents behind an id, fewer where they are large."""
        found = connection.execute(
            "SELECT id, characters, size_bytes FROM documents WHERE id > ? ORDER BY id LIMIT ?",
            ("" if after is None else after[0], limit),
        ).fetchall()
        rows: list[Row] = []
        size = 0
        for place, (document_id, characters, size_bytes) in enumerate(found, 1):
            rows += self.find(connection, [(document_id,)])
            size += max(characters, size_bytes)
            if size > _AT_ONCE or place == limit:
                return Page(rows, (document_id,))
        return Page(rows, None)

    def find(self, connection: Connection, keys: Sequence[Key]) -> list[Row]:
        """Return the documents of these ids."""
        return [row for key in keys if (row := self._row(connection, str(key[0]))) is not None]

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Add or replace documents, each with the number of its last change."""
        there = {row[0] for row in connection.execute("SELECT id FROM collections")}
        wanted = [row for row in rows if row[1] in there]
        self._drop(connection, [DOCUMENTS.key_of(row) for row in wanted])
        free = one_number(connection, "SELECT max(key) FROM documents") + 1
        contents = [content_of(row) for row in wanted]
        entries = [Entry(key, one.document, one, list(one.chunks)) for key, (one, _) in enumerate(contents, free)]
        if entries:
            insert(connection, entries, *(seq for _, seq in contents))

    def remove(self, connection: Connection, keys: Sequence[Key]) -> None:
        """Remove documents as if they had never been there."""
        self._drop(connection, keys)
        connection.executemany("DELETE FROM changes WHERE document_id = ? AND NOT removed", keys)

    def _row(self, connection: Connection, document_id: str) -> Row | None:
        content = library_documents.content(connection, document_id)
        if content is None:
            return None
        seq = one_number(connection, "SELECT seq FROM changes WHERE document_id = ?", document_id)
        return document_row(content, seq)

    def _drop(self, connection: Connection, keys: Sequence[Key]) -> None:
        for batch in batches([key[0] for key in keys]):
            connection.execute(f"DELETE FROM documents WHERE id IN ({marks(batch)})", batch)


class RemovedRows:
    """Documents of which there is only their last change."""

    def page(self, connection: Connection, after: Key | None, limit: int) -> Page:
        """Return removed documents behind an id."""
        rows = connection.execute(
            "SELECT document_id, collection_id, seq FROM changes WHERE removed AND document_id > ?"
            " ORDER BY document_id LIMIT ?",
            ("" if after is None else after[0], limit),
        ).fetchall()
        return Page(rows, rows[-1][:1] if len(rows) == limit else None)

    def find(self, connection: Connection, keys: Sequence[Key]) -> list[Row]:
        """Return the removed documents of these ids."""
        query = "SELECT document_id, collection_id, seq FROM changes WHERE removed AND document_id = ?"
        return [row for key in keys for row in connection.execute(query, key)]

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Add or replace them."""
        connection.executemany(
            "INSERT OR REPLACE INTO changes (document_id, collection_id, seq, removed) VALUES (?, ?, ?, 1)", rows
        )

    def remove(self, connection: Connection, keys: Sequence[Key]) -> None:
        """Forget them."""
        connection.executemany("DELETE FROM changes WHERE removed AND document_id = ?", keys)


def _name_key(values: Mapping[str, Value]) -> Mapping[str, Any]:
    return {"name_key": values["name"].casefold()}
