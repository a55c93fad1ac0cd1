"""Reading documents: as records, whole, and in bulk for an index."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from multidb_chat.adapters.mongo import content as contents_of
from multidb_chat.adapters.mongo.connection import Database, Record
from multidb_chat.adapters.mongo.content import Missing, Stored
from multidb_chat.adapters.mongo.errors import STORE
from multidb_chat.adapters.mongo.records import document_of
from multidb_chat.adapters.mongo.texts import key_of, prefixed, text_of, value_of
from multidb_chat.domain.errors import StoreCorrupt
from multidb_chat.domain.library import Change, Chunk, Document, DocumentContent

T = TypeVar("T")

DOCUMENTS = "documents"
# Documents' keys in one question.
_AT_ONCE = 2_000
# Fewer digits are no reference to an id.
_ID_PREFIX = 6


async def records(database: Database, document_ids: Sequence[str]) -> dict[str, Record]:
    """Return the records of the documents that exist, by key."""
    keys = [key_of(known) for known in document_ids]
    found: dict[str, Record] = {}
    for at in range(0, len(keys), _AT_ONCE):
        wanted = {"_id": {"$in": keys[at : at + _AT_ONCE]}, "removed": False}
        async for record in database[DOCUMENTS].find(wanted, batch_size=_AT_ONCE):
            found[record["_id"]] = record
    return found


async def documents_by_id(database: Database, document_ids: Sequence[str]) -> list[Document]:
    """Return the documents that exist, in the order asked."""
    found = await records(database, document_ids)
    return [document_of(found[key]) for key in map(key_of, document_ids) if key in found]


async def page(
    database: Database, collection_ids: Sequence[str], after: str, limit: int, source_prefix: str
) -> list[Document]:
    """Return documents in order of id behind `after`; see the port."""
    condition: dict[str, Any] = {
        "collection_id": {"$in": [key_of(known) for known in collection_ids]},
        "removed": False,
        "_id": {"$gt": key_of(after)},
    }
    if source_prefix:
        condition["source"] = prefixed(source_prefix)
    return await _sorted(database, condition, limit)


async def find(database: Database, collection_ids: Sequence[str], reference: str, limit: int) -> list[Document]:
    """Return the documents that a reference names; see the port."""
    value, key = value_of(reference), key_of(reference)
    names: list[dict[str, Any]] = [{"_id": key}, {"name": value}, {"source": key}, {"title": value}]
    if len(reference) >= _ID_PREFIX:
        names.append({"_id": prefixed(reference)})
    within = {"collection_id": {"$in": [key_of(known) for known in collection_ids]}, "removed": False}
    return await _sorted(database, within | {"$or": names}, limit)


async def _sorted(database: Database, condition: Mapping[str, Any], limit: int) -> list[Document]:
    if limit < 1:  # no limit, for the server
        return []
    found = await database[DOCUMENTS].find(condition).sort("_id").limit(limit).to_list()
    return [document_of(record) for record in found]


async def text(database: Database, document_id: str, start: int, end: int | None) -> str | None:
    """Return a span of the text, None for an unknown document."""
    return await _of_one(database, document_id, lambda r: contents_of.span(database, Stored.of(r), start, end))


async def content(database: Database, document_id: str) -> DocumentContent | None:
    """Return the document with everything stored of it."""

    async def read(record: Record) -> DocumentContent:
        text, blocks, chunks, original = await contents_of.whole(database, Stored.of(record))
        return DocumentContent(document_of(record), text, blocks, tuple(chunks), original)

    return await _of_one(database, document_id, read)


async def indexable(database: Database, document_ids: Sequence[str]) -> list[tuple[Document, list[Chunk]]]:
    """Return documents with all their chunks and vectors."""

    async def read(found: Mapping[str, Record]) -> list[tuple[Document, list[Chunk]]]:
        keys = [Stored.of(record).chunk_keys() for record in found.values()]
        chunks = dict(zip(found, await contents_of.chunks_of(database, keys, vectors=True), strict=True))
        return [(document_of(found[key]), chunks[key]) for key in map(key_of, document_ids) if key in found]

    return await consistent(database, document_ids, read)


async def consistent(
    database: Database,
    document_ids: Sequence[str],
    read: Callable[[Mapping[str, Record]], Awaitable[T]],
) -> T:
    """Read from the documents' records on; again, when what they lead to was replaced meanwhile."""
    found = await records(database, document_ids)
    while True:
        try:
            return await read(found)
        except Missing as missing:
            again = await records(database, document_ids)
            if _states(again) == _states(found):
                raise lacking() from missing
            found = again


def lacking() -> StoreCorrupt:
    """Return the error for a document whose record leads to what is not there."""
    return StoreCorrupt(STORE, "The library on MongoDB lacks parts of a document: remove it and add it again.")


async def _of_one(database: Database, document_id: str, read: Callable[[Record], Awaitable[T]]) -> T | None:
    async def read_it(found: Mapping[str, Record]) -> T | None:
        for record in found.values():
            return await read(record)
        return None

    return await consistent(database, [document_id], read_it)


def _states(found: Mapping[str, Record]) -> dict[str, str]:
    return {key: record["generation"] for key, record in found.items()}


async def changes(database: Database, after: int, until: int, limit: int) -> list[Change]:
    """Return the last change of each document changed behind `after`, up to `until`, in order."""
    if limit < 1:
        return []
    fields = {"seq": 1, "collection_id": 1, "removed": 1, "chunks": 1}
    cursor = database[DOCUMENTS].find({"seq": {"$gt": after, "$lte": until}}, fields).sort("seq").limit(limit)
    return [
        Change(
            record["seq"],
            text_of(record["_id"]),
            text_of(record["collection_id"]),
            record["removed"],
            record.get("chunks", 0),
        )
        for record in await cursor.to_list()
    ]
