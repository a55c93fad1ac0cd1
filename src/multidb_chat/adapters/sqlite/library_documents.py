"""Reading documents from the library's file: as records, whole, and in bulk for an index.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3
from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import itemgetter

from multidb_chat.adapters.sqlite.database import bindable, prefix_end
from multidb_chat.adapters.sqlite.library_rows import CHUNK, DOCUMENT, Row, blocks_of, chunk_of, document_of, marks
from multidb_chat.adapters.sqlite.library_schema import SEGMENT
from multidb_chat.domain.library import Chunk, Document, DocumentContent

# ruff: noqa: S608 - statements are put together from constants and question marks only


def document(connection: sqlite3.Connection, document_id: str) -> Document | None:
    """Return the document."""
    row = connection.execute(f"SELECT {DOCUMENT} FROM documents WHERE id = ?", (document_id,)).fetchone()
    return document_of(row) if row else None


def documents_by_id(connection: sqlite3.Connection, document_ids: Sequence[str]) -> list[Document]:
    """Return the documents that exist, in the order asked."""
    return [found for found in (document(connection, document_id) for document_id in document_ids) if found]


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
