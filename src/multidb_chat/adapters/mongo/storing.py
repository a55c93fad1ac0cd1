"""Storing documents: their content first, under new names, then the transaction that makes it the current one."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from pymongo.errors import PyMongoError

from multidb_chat.adapters.mongo import content as contents_of
from multidb_chat.adapters.mongo.collections import COLLECTIONS, here
from multidb_chat.adapters.mongo.connection import Database, Record
from multidb_chat.adapters.mongo.content import Ready, Stored
from multidb_chat.adapters.mongo.errors import STORE
from multidb_chat.adapters.mongo.leftovers import LEFTOVERS, Place, discard, left
from multidb_chat.adapters.mongo.reading import DOCUMENTS, records
from multidb_chat.adapters.mongo.records import HERE, document_of, document_record
from multidb_chat.adapters.mongo.texts import key_of, text_of
from multidb_chat.adapters.mongo.transactions import Plan, Transactions
from multidb_chat.domain.errors import (
    Conflict,
    InvalidInput,
    MultidbChatError,
    QuotaExceeded,
    StoreError,
    StoreUnavailable,
)
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Chunk, Document, DocumentContent, Holdings

# Characters of a passage that are sure to go into one record.
LARGEST_PASSAGE = 3_000_000
# Content that waited longer than this, in seconds, is not made the current one: it may be taken for a leftover.
LONGEST = 1_800.0


class Batch(NamedTuple):
    """Documents in the order given, what is ready of each, and the limit on what an owner holds."""

    documents: Sequence[Document]
    ready: Mapping[str, Ready]
    limit: int | None
    key: str

    def places(self) -> list[Place]:
        """Return where the contents are going to be."""
        return [(key_of(known), one.place) for known, one in self.ready.items()]


async def store(
    database: Database,
    transactions: Transactions,
    contents: Sequence[DocumentContent],
    limit: int | None,
    vectors: bool,
) -> None:
    """Add or replace the documents; see the port."""
    latest = {content.document.id: content for content in contents}  # twice in a batch is a replacement
    for content in contents:
        checked(content)
    ready = {known: contents_of.ready(content, checked(content)) for known, content in latest.items()}
    batch = Batch([content.document for content in contents], ready, limit, new_id())
    # What would be refused is not sent; where nobody else writes meanwhile, this plan is the one.
    first = await transactions.first(lambda seq: plan(database, batch, seq))
    begun = time.monotonic()

    async def in_time(seq: int) -> Plan[list[Place]]:
        if time.monotonic() - begun > LONGEST:
            raise StoreUnavailable(STORE, "The documents could not be stored for half an hour; try again.")
        return await plan(database, batch, seq)

    await database[LEFTOVERS].insert_one(left(batch.key, batch.places()))
    await contents_of.upload(database, list(ready.values()), vectors)
    try:
        replaced = await transactions.commit(in_time, first)
    except StoreError:  # the transaction may be under way, for all that is known
        raise
    except MultidbChatError:
        await discard(database, batch.key, batch.places())
        raise
    with suppress(PyMongoError):  # it is done; what stays is swept later
        await discard(database, batch.key, replaced)


async def plan(database: Database, batch: Batch, seq: int) -> Plan[list[Place]]:
    """Plan the documents' records and what is counted of their collections; return what they no longer need."""
    collections, before = await asyncio.gather(
        here(database, {document.collection_id for document in batch.documents}),
        records(database, [document.id for document in batch.documents]),
    )
    after: dict[str, Record] = {}
    for document in batch.documents:
        known = key_of(document.id)
        next_one = _succeeding(after.get(known) or before.get(known), document)
        after[known] = document_record(next_one, 0) | batch.ready[document.id].place._asdict()
    counted = count(collections, before.values(), after.values())
    for number, record in enumerate(after.values(), seq + 1):
        record["seq"] = counted[record["collection_id"]]["version"] = number
    if batch.limit is not None:
        await _require_room(database, collections, counted, batch.limit)
    replaced = [(known, Stored.of(record)) for known, record in before.items()]
    return Plan(
        replaced,
        seq + len(after),
        [
            *((DOCUMENTS, record) for record in after.values()),
            *((COLLECTIONS, record) for record in counted.values()),
            *([(LEFTOVERS, left(batch.key, replaced))] if replaced else []),
        ],
    )


def count(collections: Mapping[str, Record], gone: Iterable[Record], new: Iterable[Record] = ()) -> dict[str, Record]:
    """Return the collections' records with what they hold once some documents are gone and others are there."""
    numbers: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for sign, documents in ((-1, gone), (1, new)):
        for document in documents:
            numbers[document["collection_id"]] += sign
            sizes[document["collection_id"]] += sign * document["size_bytes"]
    return {
        key: record | {"documents": record["documents"] + numbers[key], "size_bytes": record["size_bytes"] + sizes[key]}
        for key, record in collections.items()
    }


async def holdings(database: Database, owner_id: str | None) -> Holdings:
    """Return what the collections of an owner (None: all) hold."""
    wanted = {"state": HERE} if owner_id is None else {"state": HERE, "owner_id": key_of(owner_id)}
    found = await database[COLLECTIONS].find(wanted, {"documents": 1, "size_bytes": 1}).to_list()
    return Holdings(sum(one["documents"] for one in found), sum(one["size_bytes"] for one in found))


async def holdings_in(database: Database, collection_ids: Sequence[str]) -> dict[str, Holdings]:
    """Return what each of these collections holds; what is not here holds nothing."""
    wanted = {"_id": {"$in": [key_of(known) for known in collection_ids]}, "state": HERE}
    found = await database[COLLECTIONS].find(wanted, {"documents": 1, "size_bytes": 1}).to_list()
    held = {text_of(one["_id"]): Holdings(one["documents"], one["size_bytes"]) for one in found}
    return {known: held.get(known, Holdings(0, 0)) for known in collection_ids}


async def _require_room(
    database: Database, before: Mapping[str, Record], after: Mapping[str, Record], limit: int
) -> None:
    """Raise `QuotaExceeded` where an owner would hold more than before and over the limit."""
    grown: Counter[str] = Counter()
    for key, record in after.items():
        grown[record["owner_id"]] += record["size_bytes"] - before[key]["size_bytes"]
    for owner, growth in grown.items():
        now = (await holdings(database, text_of(owner))).size_bytes + growth
        if growth > 0 and now > limit:
            raise QuotaExceeded(f"The documents would be {now:,} bytes, over the limit of {limit:,}.")


def _succeeding(before: Record | None, document: Document) -> Document:
    if before is None:
        return document
    known = document_of(before)
    if known.collection_id != document.collection_id:
        raise Conflict(f"The document {document.id} belongs to another collection.")
    return replace(document, added_at=known.added_at, revision=known.revision + 1)


def checked(content: DocumentContent) -> list[Chunk]:
    """Return the chunks in order. Raises `InvalidInput` for a chunk that is not the text at its span."""
    chunks = sorted(content.chunks, key=lambda chunk: chunk.ordinal)
    for chunk in chunks:
        if content.text[chunk.start : chunk.end] != chunk.text:
            raise InvalidInput(f"Chunk {chunk.ordinal} of document {content.document.id} is not at its span.")
        if len(chunk.text) > LARGEST_PASSAGE:
            raise InvalidInput(f"Chunk {chunk.ordinal} of document {content.document.id} is too large for one record.")
    if any(before.ordinal == after.ordinal for before, after in pairwise(chunks)):
        raise InvalidInput(f"The document {content.document.id} has two chunks of the same number.")
    return chunks
