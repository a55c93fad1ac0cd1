"""The library's records in BSON and back."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from bson import Binary
from bson.binary import BinaryVectorDtype

from multidb_chat.adapters.mongo.connection import Record
from multidb_chat.adapters.mongo.texts import key_of, text_in, text_of, value_of
from multidb_chat.domain.library import Chunk, Collection, Document, SourceRecord

HERE, LEAVING, GONE = "here", "leaving", "gone"
"""The states of a collection; one that is leaving is no longer there for anybody, but what was in it may be."""

# A chunk of it has no kind in its record.
_USUAL_KIND = "text"
# What stands before the numbers of a vector (https://bsonspec.org, subtype 9): its kind, and no padding.
_FLOAT32 = bytes([BinaryVectorDtype.FLOAT32.value[0], 0])
_VECTOR, _PLAIN = 9, 0


def collection_record(collection: Collection, before: Record | None = None) -> Record:
    """Return the record of a collection that is here; what is counted in it is as `before`."""
    counted = {name: (before or {}).get(name, 0) for name in ("documents", "size_bytes", "version")}
    return {
        "_id": key_of(collection.id),
        "owner_id": key_of(collection.owner_id),
        "name": value_of(collection.name),
        "name_key": value_of(collection.name.casefold()),
        "created_at": collection.created_at.isoformat(),
        "description": value_of(collection.description),
        "shared": collection.shared,
        "embedder": collection.embedder,
        "dimensions": collection.dimensions,
        "chunking": collection.chunking,
        "chunk_chars": collection.chunk_chars,
        "headers": collection.headers,
        "state": HERE,
        **counted,
    }


def collection_of(record: Record) -> Collection:
    """Return the collection of a record."""
    return Collection(
        text_of(record["_id"]),
        text_of(record["owner_id"]),
        text_in(record["name"]),
        datetime.fromisoformat(record["created_at"]),
        text_in(record["description"]),
        record["shared"],
        record["embedder"],
        record["dimensions"],
        record.get("chunking", "structure"),  # records of earlier versions have none of these
        record.get("chunk_chars", 0),
        record.get("headers", True),
    )


def document_record(document: Document, seq: int) -> Record:
    """Return the record of a document, but for where its content is."""
    return {
        "_id": key_of(document.id),
        "seq": seq,
        "removed": False,
        "collection_id": key_of(document.collection_id),
        "source": key_of(document.source),
        "name": value_of(document.name),
        "title": value_of(document.title),
        "kind": document.kind,
        "content_hash": document.content_hash,
        "added_at": document.added_at.isoformat(),
        "updated_at": document.updated_at.isoformat(),
        "size_bytes": document.size_bytes,
        "characters": document.characters,
        "chunks": document.chunks,
        "pages": document.pages,
        "language": document.language,
        "authored_at": document.authored_at.isoformat() if document.authored_at else None,
        "metadata": [[value_of(name), value_of(value)] for name, value in document.metadata.items()],
        "revision": document.revision,
    }


def document_of(record: Record) -> Document:
    """Return the document of a record."""
    return Document(
        text_of(record["_id"]),
        text_of(record["collection_id"]),
        text_of(record["source"]),
        text_in(record["name"]),
        text_in(record["title"]),
        record["kind"],
        record["content_hash"],
        datetime.fromisoformat(record["added_at"]),
        datetime.fromisoformat(record["updated_at"]),
        record["size_bytes"],
        record["characters"],
        record["chunks"],
        record["pages"],
        record["language"],
        datetime.fromisoformat(record["authored_at"]) if record["authored_at"] else None,
        {text_in(name): text_in(value) for name, value in record["metadata"]},
        record["revision"],
    )


def removed_record(document: Record, seq: int) -> Record:
    """Return what is left of a document: its last change."""
    return {"_id": document["_id"], "seq": seq, "removed": True, "collection_id": document["collection_id"]}


def source_record(key: str, record: SourceRecord) -> Record:
    """Return the record of a source."""
    return {
        "_id": key,
        "gone": False,
        "collection_id": key_of(record.collection_id),
        "source": key_of(record.source),
        "content_hash": record.content_hash,
        "size_bytes": record.size_bytes,
        "documents": record.documents,
        "completed_at": record.completed_at.isoformat(),
    }


def source_of(record: Record) -> SourceRecord:
    """Return the source of a record."""
    return SourceRecord(
        text_of(record["collection_id"]),
        text_of(record["source"]),
        record["content_hash"],
        record["size_bytes"],
        record["documents"],
        datetime.fromisoformat(record["completed_at"]),
    )


def chunk_records(keys: Iterable[str], chunks: Iterable[Chunk], document: Document, vectors: bool) -> Iterator[Record]:
    """Yield the records of a document's chunks; what a search on the server narrows by stands in each, too.

    `vectors`: the server knows vectors as a kind of value.
    """
    common: dict[str, Any] = {
        "document_id": key_of(document.id),
        "collection_id": key_of(document.collection_id),
        "document_kind": document.kind,
        "day": (document.authored_at or document.added_at).date().toordinal(),
    }
    if document.title:
        common["title"] = value_of(document.title)
    if document.metadata:
        common["metadata"] = [metadata_value(name, value) for name, value in document.metadata.items()]
    for key, chunk in zip(keys, chunks, strict=True):
        record = {
            "_id": key,
            **common,
            "ordinal": chunk.ordinal,
            "start": chunk.start,
            "end": chunk.end,
            "text": value_of(chunk.text),
        }
        if chunk.kind != _USUAL_KIND:
            record["kind"] = chunk.kind
        if chunk.page is not None:
            record["page"] = chunk.page
        if chunk.headings:
            record["headings"] = [value_of(heading) for heading in chunk.headings]
        if chunk.vector:
            record["vector"] = vector_of(chunk.vector, vectors)
        yield record


def metadata_value(name: str, value: str) -> str | bytes:
    """Return what stands for a value of metadata where a search on the server narrows by it."""
    return value_of(f"{name}={value}")


def vector_of(vector: bytes, vectors: bool) -> Binary:
    """Return float32 numbers, little-endian, as `Binary.from_vector` would, without a list of them."""
    return Binary(_FLOAT32 + vector, _VECTOR if vectors else _PLAIN)


CHUNK_WITHOUT_VECTOR = ("document_id", "ordinal", "start", "end", "text", "kind", "page", "headings")
CHUNK = (*CHUNK_WITHOUT_VECTOR, "vector")


def chunk_of(record: Record) -> Chunk:
    """Return the chunk of a record of the fields `CHUNK`, or `CHUNK_WITHOUT_VECTOR`."""
    headings: Sequence[str | bytes] = record.get("headings", ())
    return Chunk(
        text_of(record["document_id"]),
        record["ordinal"],
        record["start"],
        record["end"],
        text_in(record["text"]),
        record.get("kind", _USUAL_KIND),
        record.get("page"),
        tuple(text_in(heading) for heading in headings),
        chunk_vector(record),
    )


def chunk_vector(record: Record) -> bytes:
    """Return the vector in the record of a chunk, b"" without one."""
    return bytes(record["vector"][len(_FLOAT32) :]) if "vector" in record else b""
