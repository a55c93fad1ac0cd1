"""The connection to MongoDB: one client, made in the loop that first needs it, and the database made ready."""

import asyncio
import secrets
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlsplit

import pymongo
from pymongo import AsyncMongoClient, IndexModel, ReadPreference, ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from multidb_chat.adapters.mongo.errors import DUPLICATE_KEY, STORE
from multidb_chat.domain.errors import InvalidSetting, SchemaTooNew

Record = dict[str, Any]
Database = AsyncDatabase[Record]

SCHEMA = 1
DATABASE = "multidb_chat"
# The one record about the library as a whole, in the collection of the same name.
LIBRARY = "library"
TIMEOUT = 1.5
# Stages of several records at once: thousands of passages are a few megabytes.
BULK_TIMEOUT = 15.0
CONNECTIONS = 20
# The first exchange may take so many times as long as others: the server has to be found and connected to before.
_FIRST = 1.6
# A server that lacks `hello` is older than the vector as a kind of its own in BSON.
COMMAND_NOT_FOUND = 59

_INDEXES = {
    "collections": (["owner_id"], ["shared"]),
    "documents": (
        ["collection_id", "removed", "_id"],
        ["collection_id", "source"],
        ["seq"],
        ["source"],
        ["name"],
        ["title"],
    ),
    "sources": (["collection_id", "source"],),
}


class Connection:
    """The database that the path of `url` names, `multidb_chat` without one; user, TLS and all else are in the URL.

    `timeout` bounds each exchange with the server, in seconds. Nothing happens before `database` is called.
    """

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        self._url = url
        self._timeout = timeout
        self._client: AsyncMongoClient[Record] | None = None
        self._opening: asyncio.Task[Database] | None = None
        self.place = urlsplit(url).netloc.rpartition("@")[2]
        """Where the server is, fit to be shown."""
        self.making = False
        """Whether the server is there, and the database is being made."""
        self.vectors = False
        """Whether the server knows vectors as a kind of value."""

    async def database(self) -> Database:
        """Return the database, its indexes made. Raises `SchemaTooNew`, `InvalidSetting`, and the driver's errors."""
        if self._opening is None or (self._opening.done() and not _succeeded(self._opening)):
            self._opening = asyncio.create_task(self._opened())
        return await asyncio.shield(self._opening)  # for all that wait, one attempt

    def unopened(self) -> Database:
        """Return the database as it is, nothing made."""
        if self._client is None:
            self._client = self._connected()
        # The order of the library rests on reading what most servers have, from the one that is written to.
        database = self._client.get_default_database(DATABASE)
        return database.with_options(
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority", j=True),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._opening is not None:
            await asyncio.wait([self._opening])
        if self._client is not None:
            await self._client.close()

    def _connected(self) -> AsyncMongoClient[Record]:
        given = self._url.partition("?")[2].lower()
        options: dict[str, Any] = {"timeoutMS": round(self._timeout * 1000), "maxPoolSize": CONNECTIONS}
        try:
            return AsyncMongoClient(
                self._url,
                appname="multidb-chat",
                **{name: value for name, value in options.items() if f"{name.lower()}=" not in given},
            )
        except (ConfigurationError, ValueError) as error:
            raise InvalidSetting(f"stores.library: {error}") from error

    async def _opened(self) -> Database:
        database = self.unopened()
        with pymongo.timeout(_FIRST * self._timeout) if self._is_bounded else nullcontext():
            try:
                await database.client.admin.command("hello")
                self.vectors = True
            except OperationFailure as error:
                if error.code != COMMAND_NOT_FOUND:
                    raise
        found = await database[LIBRARY].find_one({"_id": LIBRARY}, {"schema": 1})
        require_known(found or await self._made(database), self.place)
        return database

    async def _made(self, database: Database) -> Record:
        self.making = True
        try:
            with pymongo.timeout(max(BULK_TIMEOUT, self._timeout)):
                return await _made(database)
        finally:
            self.making = False

    @property
    def _is_bounded(self) -> bool:
        """Whether the bound of an exchange is the program's own, not the URL's."""
        return "timeoutms=" not in self._url.partition("?")[2].lower()


def _succeeded(task: asyncio.Task[Database]) -> bool:
    return not task.cancelled() and task.exception() is None


def require_known(library: Record, place: str) -> None:
    """Raise `SchemaTooNew` for a library of a newer program."""
    if library["schema"] > SCHEMA:
        raise SchemaTooNew(
            STORE,
            f"The library on MongoDB at {place} was written by a newer version of the program"
            f" (schema {library['schema']}, known is {SCHEMA}): update the program.",
        )


async def _made(database: Database) -> Record:
    """Make the indexes, then the record that says they are there."""
    for name, indexes in _INDEXES.items():
        await database[name].create_indexes([IndexModel([(key, 1) for key in keys]) for keys in indexes])
    first = {
        "schema": SCHEMA, "identity": secrets.token_hex(16), "number": 0, "seq": 0, "visible": 0, "applied": True,
        "token": "", "pieces": 0, "writes": [],
    }  # fmt: skip
    while True:
        try:
            made = await database[LIBRARY].find_one_and_update(
                {"_id": LIBRARY}, {"$setOnInsert": first}, upsert=True, return_document=ReturnDocument.AFTER
            )
        except OperationFailure as error:
            if error.code != DUPLICATE_KEY:  # another process made it at the same time
                raise
        else:
            return dict(made or {})
