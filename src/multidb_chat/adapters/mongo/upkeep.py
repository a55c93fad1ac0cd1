"""`MongoUpkeep`: the port `Upkeep` for a library on MongoDB. It changes nothing, and makes nothing."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pymongo
from pymongo.errors import OperationFailure

from multidb_chat.adapters.mongo.collections import COLLECTIONS
from multidb_chat.adapters.mongo.connection import (
    BULK_TIMEOUT,
    COMMAND_NOT_FOUND,
    LIBRARY,
    SCHEMA,
    TIMEOUT,
    Connection,
    Database,
    Record,
    require_known,
)
from multidb_chat.adapters.mongo.content import Stored, lacking
from multidb_chat.adapters.mongo.errors import STORE, translated
from multidb_chat.adapters.mongo.reading import DOCUMENTS
from multidb_chat.adapters.mongo.records import HERE
from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.library import Holdings
from multidb_chat.domain.upkeep import StoreReport

# Documents looked at in one go.
_PAGE = 500
_MOST_PROBLEMS = 20


class MongoUpkeep:
    """Looks after the library in the database that `url` names, like `MongoLibrary` of the same arguments."""

    store = STORE
    on_server = True

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        self._url = url
        self._timeout = timeout

    async def report(self) -> StoreReport:
        """Return what the library holds. Raises `StoreError`."""
        async with self._opened() as (database, place, library):
            if library is None:
                return StoreReport(STORE, place, 0, SCHEMA, 0, on_server=True)
            require_known(library, place)
            with pymongo.timeout(BULK_TIMEOUT):
                size = await database.command("dbStats")
                counts = {
                    "collections": await database[COLLECTIONS].count_documents({"state": HERE}),
                    "documents": await database[DOCUMENTS].count_documents({"removed": False}),
                    "passages": await database["chunks"].estimated_document_count(),
                }
                latest = await database[DOCUMENTS].find({"removed": False}).sort("seq", -1).limit(1).to_list()
            newest = datetime.fromisoformat(latest[0]["updated_at"]) if latest else None
            size_bytes = int(size.get("storageSize", 0)) + int(size.get("indexSize", 0))
            return StoreReport(STORE, place, library["schema"], SCHEMA, size_bytes, counts, newest, on_server=True)

    async def problems(self) -> list[str]:
        """Read all records of documents, look for what they lead to, and count what is counted beside them."""
        try:
            async with self._opened() as (database, place, library):
                if library is None:
                    return []
                require_known(library, place)
                return (await _problems(database))[:_MOST_PROBLEMS]
        except StoreError as error:
            return [str(error)]

    async def obstacle(self) -> str:
        """Ask the server whether it takes writes."""
        try:
            async with self._opened() as (database, place, _):
                said = await _hello(database)
        except StoreError as error:
            return str(error)
        if not said.get("isWritablePrimary", True):
            return f"MongoDB at {place} has no primary that can be written to."
        return f"MongoDB at {place} is read-only." if said.get("readOnly") else ""

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[Database, str, Record | None]]:
        """Yield the database, where it is, and the record of the library, None before it is made."""
        connection = Connection(self._url, self._timeout)
        try:
            with translated(connection.place):
                database = connection.unopened()
                yield database, connection.place, await database[LIBRARY].find_one({"_id": LIBRARY})
        finally:
            await connection.close()


async def _hello(database: Database) -> dict[str, Any]:
    try:
        return await database.client.admin.command("hello")
    except OperationFailure as error:
        if error.code != COMMAND_NOT_FOUND:
            raise
        return {}


async def _problems(database: Database) -> list[str]:
    """Return what is wrong; what changes meanwhile is left out, as it cannot be told from what is wrong."""
    number = await _number(database)
    damaged: list[str] = []
    held: dict[str, Holdings] = {}
    after = ""
    while page := await _documents(database, after):
        after = page[-1]["_id"]
        for record in page:
            documents, size = held.get(record["collection_id"], Holdings(0, 0))
            held[record["collection_id"]] = Holdings(documents + 1, size + record["size_bytes"])
        damaged += await _damaged(database, page)
    found = [f"the document {key} lacks parts: remove it and add it again" for key in damaged]
    collections = await database[COLLECTIONS].find().to_list()
    return found if await _number(database) != number else [*found, *_miscounted(collections, held)]


def _miscounted(collections: Sequence[Record], held: Mapping[str, Holdings]) -> Iterator[str]:
    """Yield where what is counted of the collections is not what is in them."""
    for record in collections:
        counted, there = Holdings(record["documents"], record["size_bytes"]), held.get(record["_id"], Holdings(0, 0))
        if counted != there:
            yield f"the collection {record['_id']} holds {there.size_bytes:,} bytes and counts {counted.size_bytes:,}"
    for key in sorted(held.keys() - {record["_id"] for record in collections}):
        yield f"documents in no collection ({key}): {held[key].documents}"


async def _damaged(database: Database, page: Sequence[Record]) -> list[str]:
    """Return the keys of the documents that lack a part, and were not replaced meanwhile."""
    lacks = await lacking(database, [Stored.of(record) for record in page])
    suspects = [record["_id"] for record in page if record["generation"] in lacks]
    again = await _documents(database, "", suspects) if suspects else []
    return [record["_id"] for record in again if record["generation"] in lacks]


async def _documents(database: Database, after: str, keys: list[str] | None = None) -> list[Record]:
    condition: dict[str, Any] = {"_id": {"$gt": after} if keys is None else {"$in": keys}, "removed": False}
    with pymongo.timeout(BULK_TIMEOUT):
        return await database[DOCUMENTS].find(condition).sort("_id").limit(_PAGE).to_list()


async def _number(database: Database) -> int:
    library = await database[LIBRARY].find_one({"_id": LIBRARY}, {"number": 1})
    return int(library["number"]) if library else 0
