"""Collections and the records of sources: plans of transactions, and reading them."""

from collections.abc import Collection as Keys
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from multidb_chat.adapters.mongo.connection import Database, Record
from multidb_chat.adapters.mongo.records import (
    GONE,
    HERE,
    LEAVING,
    collection_of,
    collection_record,
    source_of,
    source_record,
)
from multidb_chat.adapters.mongo.texts import key_of, prefixed, text_of, value_of
from multidb_chat.adapters.mongo.transactions import Plan
from multidb_chat.domain.errors import Conflict, NotFound
from multidb_chat.domain.library import Collection, Described, SourceRecord

COLLECTIONS, SOURCES, ERASED = "collections", "sources", "erased"


async def create(database: Database, seq: int, collection: Collection) -> Plan[None]:
    """Plan a new collection. Raises `NotFound` for an owner who was erased, or `Conflict`."""
    if await database[ERASED].find_one({"_id": key_of(collection.owner_id)}):
        raise NotFound(f"The account {collection.owner_id} was erased.")
    before = await database[COLLECTIONS].find_one({"_id": key_of(collection.id)})
    if before is not None and before["state"] != GONE:
        raise _taken(collection)
    await require_free(database, collection)
    return Plan(None, seq, [(COLLECTIONS, collection_record(collection, before and {"version": before["version"]}))])


async def update(database: Database, seq: int, collection: Collection) -> Plan[None]:
    """Plan what replaces all that may change of a collection. Raises `NotFound` or `Conflict`."""
    plan = await _changing(
        database,
        seq,
        collection.id,
        name=collection.name,
        description=collection.description,
        shared=collection.shared,
        embedder=collection.embedder,
        dimensions=collection.dimensions,
        chunking=collection.chunking,
        chunk_chars=collection.chunk_chars,
        headers=collection.headers,
    )
    return Plan(None, seq, plan.writes)


async def describe(database: Database, seq: int, collection_id: str, changes: Described) -> Plan[Collection]:
    """Plan a change of what is given. Raises `NotFound` or `Conflict`."""
    given = {name: value for name, value in changes.items() if value is not None}
    return await _changing(database, seq, collection_id, **given)


async def claim_embedder(
    database: Database, seq: int, collection_id: str, embedder: str, dimensions: int
) -> Plan[Collection]:
    """Plan the embedder of a collection that has none. Raises `NotFound`."""
    found = await collection(database, collection_id)
    if found is None:
        raise _unknown(collection_id)
    if found.embedder:
        return Plan(found, seq)
    return await _changing(database, seq, collection_id, embedder=embedder, dimensions=dimensions)


async def _changing(database: Database, seq: int, collection_id: str, **changes: Any) -> Plan[Collection]:
    before = await _record(database, collection_id)
    if before is None:
        raise _unknown(collection_id)
    changed = replace(collection_of(before), **changes)
    if "name" in changes:
        await require_free(database, changed)
    record = before | collection_record(changed, before)
    return Plan(changed, seq, [(COLLECTIONS, record)] if record != before else [])


async def require_free(database: Database, collection: Collection) -> None:
    """Raise `Conflict` where the owner has another collection of this name."""
    same = {
        "owner_id": key_of(collection.owner_id), "name_key": value_of(collection.name.casefold()), "state": HERE,
        "_id": {"$ne": key_of(collection.id)},
    }  # fmt: skip
    if await database[COLLECTIONS].find_one(same, {"_id": 1}):
        raise _taken(collection)


async def _record(database: Database, collection_id: str) -> Record | None:
    return await database[COLLECTIONS].find_one({"_id": key_of(collection_id), "state": HERE})


async def collection(database: Database, collection_id: str) -> Collection | None:
    """Return the collection."""
    found = await _record(database, collection_id)
    return collection_of(found) if found else None


async def collections(database: Database, account_id: str) -> list[Collection]:
    """Return the account's own and the shared collections in order of name."""
    visible = {"state": HERE, "$or": [{"owner_id": key_of(account_id)}, {"shared": True}]}
    found = [collection_of(record) for record in await database[COLLECTIONS].find(visible).to_list()]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


async def versions(database: Database, collection_ids: Sequence[str]) -> dict[str, int]:
    """Return the number of each collection's latest change, 0 where there was none."""
    keys = [key_of(known) for known in collection_ids]
    found = await database[COLLECTIONS].find({"_id": {"$in": keys}}, {"version": 1}).to_list()
    latest = {text_of(record["_id"]): record["version"] for record in found}
    return {known: latest.get(known, 0) for known in collection_ids}


async def here(database: Database, collection_ids: Keys[str]) -> dict[str, Record]:
    """Return the records of collections by key. Raises `NotFound` for the first that is not here."""
    keys = [key_of(known) for known in collection_ids]
    found = await database[COLLECTIONS].find({"_id": {"$in": keys}, "state": HERE}).to_list()
    records = {record["_id"]: record for record in found}
    for known in sorted(collection_ids):
        if key_of(known) not in records:
            raise _unknown(known)
    return records


async def put_source(database: Database, seq: int, record: SourceRecord) -> Plan[None]:
    """Plan the record of a source. Raises `NotFound`."""
    await here(database, {record.collection_id})
    return Plan(None, seq, [(SOURCES, source_record(source_key(record.collection_id, record.source), record))])


async def source(database: Database, collection_id: str, name: str) -> SourceRecord | None:
    """Return the record of a source."""
    found = await database[SOURCES].find_one({"_id": source_key(collection_id, name), "gone": False})
    return source_of(found) if found else None


async def sources(database: Database, collection_id: str, prefix: str) -> list[SourceRecord]:
    """Return the records of the sources under a prefix in order of source."""
    under = {"collection_id": key_of(collection_id), "source": prefixed(prefix), "gone": False}
    return [source_of(record) for record in await database[SOURCES].find(under).sort("source").to_list()]


def source_key(collection_id: str, source: str) -> str:
    """Return the key of a source's record: a name may be longer than what is good for a key."""
    return sha256("\x00".join((collection_id, source)).encode("utf-8", "surrogatepass")).hexdigest()


def leaving(record: Record) -> tuple[str, Record]:
    """Return the write that has a collection leave: its name is free, and nothing is added to it any more."""
    return COLLECTIONS, record | {"state": LEAVING}


def _taken(collection: Collection) -> Conflict:
    return Conflict(f'There is a collection named "{collection.name}" already.')


def _unknown(collection_id: str) -> NotFound:
    return NotFound(f"There is no collection {collection_id}.")
