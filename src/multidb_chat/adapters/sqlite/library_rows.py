"""The library's records as rows and back.

Text that comes from file names is bound as `bindable` and cast in the statement; structures are JSON in UTF-8 with
"surrogatepass", so that every Python string comes back exactly as it was.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from multidb_chat.adapters.sqlite.database import bindable
from multidb_chat.domain.library import Chunk, Collection, Document, SourceRecord

if TYPE_CHECKING:  # most of what is read has no blocks
    from multidb_chat.domain.reading import Block

T = TypeVar("T")
Row = Sequence[Any]

COLLECTION = "id, owner_id, name, created_at, description, shared, embedder, dimensions, chunking, chunk_chars, headers"
DOCUMENT = (
    "id, collection_id, source, name, title, kind, content_hash, added_at, updated_at, size_bytes, characters, chunks,"
    " pages, language, authored_at, metadata, revision"
)
SOURCE = "collection_id, source, content_hash, size_bytes, documents, completed_at"
# How no metadata are kept, which is so for most documents.
NOTHING = b"{}"
CHUNK = "ordinal, first, last, kind, page, headings, vector_bytes"


def collection_of(row: Row) -> Collection:
    """Make a collection of the columns `COLLECTION`."""
    key, owner, name, created, description, shared, embedder, dimensions, chunking, chunk_chars, headers = row
    return Collection(
        key,
        owner,
        name,
        datetime.fromisoformat(created),
        description,
        bool(shared),
        embedder,
        dimensions,
        chunking,
        chunk_chars,
        bool(headers),
    )


def document_row(key: int, document: Document) -> tuple[Any, ...]:
    """Return the values of `key` and the columns `DOCUMENT`."""
    return (
        key,
        document.id,
        document.collection_id,
        bindable(document.source),
        bindable(document.name),
        bindable(document.title),
        document.kind,
        document.content_hash,
        document.added_at.isoformat(),
        document.updated_at.isoformat(),
        document.size_bytes,
        document.characters,
        document.chunks,
        document.pages,
        document.language,
        document.authored_at.isoformat() if document.authored_at else None,
        packed(dict(document.metadata)),
        document.revision,
    )


def document_of(row: Row) -> Document:
    """Make a document of the columns `DOCUMENT`."""
    values = list(row)
    values[7:9] = map(datetime.fromisoformat, row[7:9])
    values[14] = datetime.fromisoformat(row[14]) if row[14] else None
    values[15] = unpacked(row[15]) if row[15] != NOTHING else {}
    return Document(*values)


def source_row(record: SourceRecord) -> tuple[Any, ...]:
    """Return the values of the columns `SOURCE`."""
    return (
        record.collection_id,
        bindable(record.source),
        record.content_hash,
        record.size_bytes,
        record.documents,
        record.completed_at.isoformat(),
    )


def source_of(row: Row) -> SourceRecord:
    """Make a source record of the columns `SOURCE`."""
    collection_id, source, content_hash, size, documents, completed = row
    return SourceRecord(collection_id, source, content_hash, size, documents, datetime.fromisoformat(completed))


def chunk_row(key: int, chunk: Chunk) -> tuple[Any, ...]:
    """Return the values of `document` and the columns `CHUNK`."""
    headings = packed(chunk.headings) if chunk.headings else b""
    return key, chunk.ordinal, chunk.start, chunk.end, chunk.kind, chunk.page, headings, len(chunk.vector)


def chunk_of(document_id: str, row: Row, text: str, vector: bytes = b"") -> Chunk:
    """Make a chunk of the columns `CHUNK`, its text and its vector."""
    ordinal, start, end, kind, page, headings, _ = row
    path = tuple(unpacked(headings)) if headings else ()
    return Chunk(document_id, ordinal, start, end, text, kind, page, path, vector)


def packed_blocks(blocks: "Sequence[Block]") -> bytes:
    """Return the blocks as one value."""
    return packed([astuple(block) for block in blocks])


def blocks_of(data: bytes) -> "tuple[Block, ...]":
    """Return the blocks in a value."""
    from multidb_chat.domain.reading import Block

    return tuple(Block(*values) for values in unpacked(data))


def packed(value: object) -> bytes:
    """Return a JSON value as bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def unpacked(data: bytes) -> Any:
    """Return the JSON value in the bytes."""
    return json.loads(data.decode("utf-8", "surrogatepass"))


def batches(items: Iterable[T], size: int = 500) -> Iterator[list[T]]:
    """Yield lists of up to `size` items, as many as every SQLite takes as parameters of one statement."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def marks(values: Sequence[object]) -> str:
    """Return as many question marks as there are values, for `IN (...)`."""
    return ", ".join("?" * len(values))


def one_number(connection: sqlite3.Connection, sql: str, *parameters: object) -> int:
    """Return the only value of a query, 0 for NULL."""
    return int(connection.execute(sql, parameters).fetchone()[0] or 0)
