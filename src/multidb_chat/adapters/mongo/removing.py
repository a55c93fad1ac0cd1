"""Removing documents, sources, collections and owners: transactions of a page each, so that others get their turn."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pymongo.errors import PyMongoError

from multidb_chat.adapters.mongo.collections import COLLECTIONS, ERASED, SOURCES, leaving, source_key
from multidb_chat.adapters.mongo.connection import Database, Record
from multidb_chat.adapters.mongo.content import Stored
from multidb_chat.adapters.mongo.leftovers import LEFTOVERS, Place, discard, left
from multidb_chat.adapters.mongo.reading import DOCUMENTS
from multidb_chat.adapters.mongo.records import GONE, HERE, LEAVING, removed_record
from multidb_chat.adapters.mongo.storing import count
from multidb_chat.adapters.mongo.texts import key_of, text_of
from multidb_chat.adapters.mongo.transactions import Plan, Transactions
from multidb_chat.domain.ids import new_id

# Documents in one transaction, since others wait for it.
PAGE = 500


class Removing:
    """Removals from one library."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database = database
        self._transactions = transactions

    async def documents(self, document_ids: Sequence[str]) -> int:
        """Remove documents and the records of the sources they came from; return how many there were."""
        keys = [key_of(known) for known in dict.fromkeys(document_ids)]
        removed = 0
        for at in range(0, len(keys), PAGE):
            removed += await self._page({"_id": {"$in": keys[at : at + PAGE]}}, with_sources=True)
        return removed

    async def source(self, collection_id: str, source: str) -> int:
        """Remove a source's record and its documents; return how many documents there were."""
        await self._transactions.commit(lambda seq: self._source_gone(seq, source_key(collection_id, source)))
        return await self._all({"collection_id": key_of(collection_id), "source": key_of(source)})

    async def collection(self, collection_id: str) -> bool:
        """Remove a collection with what is in it; False when it is unknown."""
        known = {"_id": key_of(collection_id)}
        there = await self._transactions.commit(lambda seq: self._leave(seq, known | {"state": HERE}))
        found = await self._database[COLLECTIONS].find_one(known | {"state": LEAVING}, {"_id": 1})
        if found:
            await self._finish(found["_id"])
        return bool(there or found)

    async def owner(self, owner_id: str) -> int:
        """Remove the collections of an owner, who gets none any more; return how many documents were in them."""
        owner = key_of(owner_id)
        await self._transactions.commit(
            lambda seq: self._leave(seq, {"owner_id": owner, "state": HERE}, [(ERASED, {"_id": owner})])
        )
        return await self.finish({"owner_id": owner})

    async def finish(self, of: Mapping[str, Any]) -> int:
        """Finish what is leaving; return how many documents there were still."""
        found = await self._database[COLLECTIONS].find({**of, "state": LEAVING}, {"_id": 1}).to_list()
        return sum([await self._finish(record["_id"]) for record in found])

    async def _finish(self, collection: str) -> int:
        removed = await self._all({"collection_id": collection})
        while await self._transactions.commit(lambda seq: self._sources_gone(seq, collection)):
            pass
        await self._transactions.commit(lambda seq: self._gone(seq, collection))
        return removed

    async def _all(self, condition: Mapping[str, Any]) -> int:
        removed = 0
        while some := await self._page(condition):
            removed += some
        return removed

    async def _page(self, condition: Mapping[str, Any], with_sources: bool = False) -> int:
        """Remove up to `PAGE` documents under a condition; return how many."""
        key = new_id()
        places = await self._transactions.commit(lambda seq: self._removal(seq, key, condition, with_sources))
        if places:
            with suppress(PyMongoError):  # it is done; what stays is swept later
                await discard(self._database, key, places)
        return len(places)

    async def _removal(self, seq: int, key: str, condition: Mapping[str, Any], with_sources: bool) -> Plan[list[Place]]:
        found = await self._database[DOCUMENTS].find({**condition, "removed": False}).limit(PAGE).to_list()
        if not found:
            return Plan([], seq)
        wanted = list({record["collection_id"] for record in found})
        collections = await self._database[COLLECTIONS].find({"_id": {"$in": wanted}}).to_list()
        counted = count({record["_id"]: record for record in collections}, found)
        writes: list[tuple[str, Record]] = []
        for number, record in enumerate(found, seq + 1):
            writes.append((DOCUMENTS, removed_record(record, number)))
            counted[record["collection_id"]]["version"] = number
        if with_sources:
            keys = {source_key(text_of(record["collection_id"]), text_of(record["source"])) for record in found}
            writes += [(SOURCES, _without(one)) for one in await self._sources({"_id": {"$in": list(keys)}})]
        places = [(record["_id"], Stored.of(record)) for record in found]
        writes += [(COLLECTIONS, record) for record in counted.values()]
        return Plan(places, seq + len(found), [*writes, (LEFTOVERS, left(key, places))])

    async def _leave(
        self, seq: int, condition: Mapping[str, Any], also: Sequence[tuple[str, Record]] = ()
    ) -> Plan[int]:
        found = await self._database[COLLECTIONS].find(condition).to_list()
        return Plan(len(found), seq, [*also, *map(leaving, found)])

    async def _source_gone(self, seq: int, key: str) -> Plan[None]:
        return Plan(None, seq, [(SOURCES, _without(one)) for one in await self._sources({"_id": key})])

    async def _sources_gone(self, seq: int, collection: str) -> Plan[int]:
        found = await self._sources({"collection_id": collection})
        return Plan(len(found), seq, [(SOURCES, _without(one)) for one in found])

    async def _gone(self, seq: int, collection: str) -> Plan[None]:
        found = await self._database[COLLECTIONS].find({"_id": collection, "state": LEAVING}).to_list()
        return Plan(None, seq, [(COLLECTIONS, record | {"state": GONE}) for record in found])

    async def _sources(self, condition: Mapping[str, Any]) -> list[Record]:
        return await self._database[SOURCES].find({**condition, "gone": False}).limit(PAGE).to_list()


def _without(source: Record) -> Record:
    """Return what is left of a source's record."""
    return {"_id": source["_id"], "gone": True, "collection_id": source["collection_id"]}
