"""`MongoTransfer`: the port `Transfer` for the library on MongoDB.

What is put goes through the transactions that order all writers, with the numbers of changes that it had where it came
from. What is removed is first marked, by a transaction too, and then really deleted: it is as if it had never been.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from multidb_chat.adapters.mongo import collections as shelf
from multidb_chat.adapters.mongo import content as contents_of
from multidb_chat.adapters.mongo import reading
from multidb_chat.adapters.mongo.collections import ERASED, source_key
from multidb_chat.adapters.mongo.connection import LIBRARY, TIMEOUT, Database, Record
from multidb_chat.adapters.mongo.content import Ready, Stored
from multidb_chat.adapters.mongo.leftovers import LEFTOVERS, Place, discard, left
from multidb_chat.adapters.mongo.library import MongoLibrary
from multidb_chat.adapters.mongo.records import GONE, HERE, collection_of, document_record, removed_record, source_of
from multidb_chat.adapters.mongo.records import collection_record as record_of_collection
from multidb_chat.adapters.mongo.records import source_record as record_of_source
from multidb_chat.adapters.mongo.storing import checked, count
from multidb_chat.adapters.mongo.texts import key_of, text_of
from multidb_chat.adapters.mongo.transactions import Plan, Transactions
from multidb_chat.domain.errors import Conflict
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Collection, SourceRecord
from multidb_chat.domain.transfer import Key, Origin, Page, Row, Table, micros, moment
from multidb_chat.domain.transfer_tables import (
    COLLECTIONS,
    DOCUMENTS,
    ERASED_OWNERS,
    LIBRARY_TABLES,
    REMOVED,
    SOURCES,
    content_of,
    document_row,
)

_AT_ONCE = 16_000_000  # bytes of documents in a page, more or less
_WHERE: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    ERASED_OWNERS.name: (ERASED, {}),
    COLLECTIONS.name: (shelf.COLLECTIONS, {"state": HERE}),
    DOCUMENTS.name: (reading.DOCUMENTS, {"removed": False}),
    SOURCES.name: (shelf.SOURCES, {"gone": False}),
    REMOVED.name: (reading.DOCUMENTS, {"removed": True}),
}
"""The collection of each table's records, and which of them count."""


class MongoTransfer(MongoLibrary):
    """Carries the rows of the library in the database that `url` names, in order of its records' keys."""

    store = "library"
    tables = LIBRARY_TABLES

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        super().__init__(url, timeout)

    async def origin(self) -> Origin | None:
        """Return where the library comes from."""

        async def read(database: Database) -> Origin | None:
            found = await database[LIBRARY].find_one({"_id": LIBRARY}, {"identity": 1, "moves": 1})
            return Origin(found["identity"], found.get("moves", 0)) if found else None

        return await self._read(read)

    async def adopt(self, origin: Origin) -> None:
        """Become what a library is carried to."""

        async def adopt(database: Database, _: Transactions) -> None:
            await database[LIBRARY].update_one({"_id": LIBRARY}, {"$set": origin._asdict()})

        await self._write(adopt)

    async def rows(self, table: Table, after: Key | None = None, limit: int = 500) -> Page:
        """Return rows behind a key, fewer where documents are large."""

        async def read(database: Database) -> Page:
            behind = {} if after is None else {"_id": {"$gt": _record_key(table, after)}}
            name, which = _WHERE[table.name]
            found = await database[name].find({**which, **behind}).sort("_id").limit(limit).to_list()
            taken = _some(found) if table is DOCUMENTS else found
            rows = await self._rows(database, table, taken)
            whole = len(taken) < len(found) or len(found) == limit
            return Page(rows, _key(table, taken[-1]) if whole else None)

        return await self._read(read)

    async def find(self, table: Table, keys: Sequence[Key]) -> list[Row]:
        """Return the rows of these keys."""

        async def read(database: Database) -> list[Row]:
            name, which = _WHERE[table.name]
            wanted = {"_id": {"$in": [_record_key(table, key) for key in keys]}}
            return await self._rows(database, table, await database[name].find({**which, **wanted}).to_list())

        return await self._read(read)

    async def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Add or replace rows in one transaction."""
        match table.name:
            case DOCUMENTS.name:
                await self._put_documents(rows)
            case COLLECTIONS.name:
                for row in rows:
                    await self._put_collection(COLLECTIONS.made(row))
            case SOURCES.name:
                await self._put_sources([_source(row) for row in rows])
            case REMOVED.name:
                await self._put_removed(rows)
            case ERASED_OWNERS.name:
                erased = [(ERASED, {"_id": key_of(row[0])}) for row in rows]
                await self._commit(lambda _, seq: _planned(seq, erased))

    async def remove(self, table: Table, keys: Sequence[Key]) -> None:
        """Remove rows as if they had never been there."""
        wanted = [_record_key(table, key) for key in keys]
        match table.name:
            case DOCUMENTS.name:
                await self._remove_documents({"_id": {"$in": wanted}})
            case COLLECTIONS.name:
                await self._remove_collections(wanted)
            case _:
                await self._delete(table, wanted)

    async def _rows(self, database: Database, table: Table, records: Sequence[Record]) -> list[Row]:
        if table is not DOCUMENTS:
            return [_row(table, record) for record in records]
        contents = [(await reading.content(database, text_of(one["_id"])), one["seq"]) for one in records]
        return [document_row(content, seq) for content, seq in contents if content is not None]

    async def _put_documents(self, rows: Sequence[Row]) -> None:
        contents = [content_of(row) for row in rows]
        numbers = {content.document.id: seq for content, seq in contents}
        ready = [contents_of.ready(content, checked(content)) for content, _ in contents]
        key = new_id()
        places = [(key_of(one.content.document.id), one.place) for one in ready]

        async def put(database: Database, transactions: Transactions) -> None:
            await database[LEFTOVERS].insert_one(left(key, places))
            await contents_of.upload(database, ready, self._connection.vectors)
            unused = await transactions.commit(lambda seq: _storing(database, seq, key, ready, numbers))
            await discard(database, key, unused)

        if contents:
            await self._write(put)

    async def _put_collection(self, collection: Collection) -> None:
        async def plan(database: Database, seq: int) -> Plan[None]:
            before = await database[shelf.COLLECTIONS].find_one({"_id": key_of(collection.id)})
            if before is not None and before["state"] != HERE:
                before = {"version": before["version"]}
            await shelf.require_free(database, collection)
            return Plan(None, seq, [(shelf.COLLECTIONS, record_of_collection(collection, before))])

        try:
            await self._commit(plan)
        except Conflict:  # the owner has another one of this name: whoever carries rows reads them back
            return

    async def _put_sources(self, sources: Sequence[SourceRecord]) -> None:
        async def plan(database: Database, seq: int) -> Plan[None]:
            there = await _collections(database, {key_of(one.collection_id) for one in sources})
            return Plan(
                None,
                seq,
                [
                    (shelf.SOURCES, record_of_source(source_key(one.collection_id, one.source), one))
                    for one in sources
                    if key_of(one.collection_id) in there
                ],
            )

        await self._commit(plan)

    async def _put_removed(self, rows: Sequence[Row]) -> None:
        async def plan(database: Database, seq: int) -> Plan[None]:
            there = await _collections(database, {key_of(row[1]) for row in rows})
            writes: list[tuple[str, Record]] = []
            for document_id, collection_id, number in rows:
                record = {"_id": key_of(document_id), "collection_id": key_of(collection_id)}
                writes.append((reading.DOCUMENTS, removed_record(record, number)))
                if (collection := there.get(record["collection_id"])) is not None:
                    collection["version"] = max(collection["version"], number)
            writes += [(shelf.COLLECTIONS, collection) for collection in there.values()]
            return Plan(None, max([seq, *(row[2] for row in rows)]), writes)

        await self._commit(plan)

    async def _remove_documents(self, condition: Mapping[str, Any]) -> None:
        async def remove(database: Database, transactions: Transactions) -> None:
            key = new_id()
            places = await transactions.commit(lambda seq: _removing(database, seq, key, condition))
            await discard(database, key, places)
            gone = {"_id": {"$in": [known for known, _ in places]}, "removed": True}
            await database[reading.DOCUMENTS].delete_many(gone)

        await self._write(remove)

    async def _remove_collections(self, keys: Sequence[str]) -> None:
        within = {"collection_id": {"$in": list(keys)}}
        await self._remove_documents(within)

        async def gone(database: Database, transactions: Transactions) -> None:
            there = await _collections(database, set(keys))
            writes = [(shelf.COLLECTIONS, one | {"state": GONE}) for one in there.values()]
            await transactions.commit(lambda seq: _planned(seq, writes))
            await database[shelf.SOURCES].delete_many(within)

        await self._write(gone)

    async def _delete(self, table: Table, keys: Sequence[str]) -> None:
        name, which = _WHERE[table.name]

        async def delete(database: Database, transactions: Transactions) -> None:
            await transactions.settled()
            await database[name].delete_many({**which, "_id": {"$in": list(keys)}})

        await self._write(delete)


async def _storing(
    database: Database, seq: int, key: str, ready: Sequence[Ready], numbers: Mapping[str, int]
) -> Plan[list[Place]]:
    """Plan documents with their own numbers; return the contents that nothing leads to any more."""
    there = await _collections(database, {key_of(one.content.document.collection_id) for one in ready})
    before = await reading.records(database, [one.content.document.id for one in ready])
    after: dict[str, Record] = {}
    unused = [(known, Stored.of(record)) for known, record in before.items()]
    for one in ready:
        document = one.content.document
        if key_of(document.collection_id) in there:
            record = document_record(document, numbers[document.id])
            after[record["_id"]] = record | one.place._asdict()
        else:
            unused.append((key_of(document.id), one.place))
    counted = count(there, (before[known] for known in after if known in before), after.values())
    for record in after.values():
        collection = counted[record["collection_id"]]
        collection["version"] = max(collection["version"], record["seq"])
    return Plan(
        unused,
        max([seq, *(record["seq"] for record in after.values())]),
        [
            *((reading.DOCUMENTS, record) for record in after.values()),
            *((shelf.COLLECTIONS, record) for record in counted.values()),
            (LEFTOVERS, left(key, unused)),
        ],
    )


async def _removing(database: Database, seq: int, key: str, condition: Mapping[str, Any]) -> Plan[list[Place]]:
    """Plan that documents are gone, their numbers as they are; return where their contents are."""
    found = await database[reading.DOCUMENTS].find({**condition, "removed": False}).to_list()
    counted = count(await _collections(database, {record["collection_id"] for record in found}), found)
    places = [(record["_id"], Stored.of(record)) for record in found]
    return Plan(
        places,
        seq,
        [
            *((reading.DOCUMENTS, removed_record(record, record["seq"])) for record in found),
            *((shelf.COLLECTIONS, record) for record in counted.values()),
            (LEFTOVERS, left(key, places)),
        ],
    )


async def _planned(seq: int, writes: list[tuple[str, Record]]) -> Plan[None]:
    return Plan(None, seq, writes)


async def _collections(database: Database, keys: set[str]) -> dict[str, Record]:
    found = await database[shelf.COLLECTIONS].find({"_id": {"$in": list(keys)}, "state": HERE}).to_list()
    return {record["_id"]: record for record in found}


def _some(records: Sequence[Record]) -> Sequence[Record]:
    """Return the first records of documents that are not too large together; at least one if there is one."""
    size = 0
    for place, record in enumerate(records, 1):
        size += max(record["characters"], record["size_bytes"])
        if size > _AT_ONCE:
            return records[:place]
    return records


def _record_key(table: Table, key: Key) -> str:
    return source_key(str(key[0]), str(key[1])) if table is SOURCES else key_of(str(key[0]))


def _key(table: Table, record: Record) -> Key:
    if table is SOURCES:
        return text_of(record["collection_id"]), text_of(record["source"])
    return (text_of(record["_id"]),)


def _row(table: Table, record: Record) -> Row:
    if table is COLLECTIONS:
        return COLLECTIONS.row(collection_of(record))
    if table is SOURCES:
        source = source_of(record)
        return *source[:-1], micros(source.completed_at)
    if table is REMOVED:
        return text_of(record["_id"]), text_of(record["collection_id"]), record["seq"]
    return (text_of(record["_id"]),)


def _source(row: Row) -> SourceRecord:
    collection_id, source, content_hash, size_bytes, documents, completed_at = row
    return SourceRecord(collection_id, source, content_hash, size_bytes, documents, moment(completed_at))
