"""`MongoLibrary`: the port `Library` on MongoDB."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar, Unpack

from multidb_chat.adapters.mongo import collections as shelf
from multidb_chat.adapters.mongo import reading, storing
from multidb_chat.adapters.mongo.connection import LIBRARY, TIMEOUT, Connection, Database
from multidb_chat.adapters.mongo.errors import translated
from multidb_chat.adapters.mongo.leftovers import sweep
from multidb_chat.adapters.mongo.passages import Passages
from multidb_chat.adapters.mongo.removing import Removing
from multidb_chat.adapters.mongo.texts import key_of
from multidb_chat.adapters.mongo.transactions import Plan, Transactions
from multidb_chat.domain.library import (
    Change,
    Chunk,
    Collection,
    Described,
    Document,
    DocumentContent,
    Holdings,
    Passage,
    SourceRecord,
)

T = TypeVar("T")


class MongoLibrary:
    """The port `Library` in the database that `url` names; the port's docstrings specify it.

    `timeout` bounds each exchange with the server, in seconds. A call that is cancelled while it writes goes on behind,
    and `close` waits for it. Any Python string may be a source, name, title, text, heading, label or metadata.
    """

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        self._connection = Connection(url, timeout)
        self._transactions: Transactions | None = None
        self._passages = Passages()
        self._writing: set[asyncio.Task[Any]] = set()
        self._tidied = False

    @property
    def making(self) -> bool:
        """Whether the database is being made, which takes longer than a call."""
        return self._connection.making

    async def close(self) -> None:
        """Finish what is being written and close the connections."""
        await asyncio.gather(*self._writing, return_exceptions=True)
        await self._connection.close()

    async def create_collection(self, collection: Collection) -> None:
        async def create(database: Database, transactions: Transactions) -> None:
            await Removing(database, transactions).finish({"_id": key_of(collection.id)})  # if interrupted
            await transactions.commit(lambda seq: shelf.create(database, seq, collection))

        await self._write(create)

    async def update_collection(self, collection: Collection) -> None:
        await self._commit(lambda database, seq: shelf.update(database, seq, collection))

    async def describe_collection(self, collection_id: str, **changes: Unpack[Described]) -> Collection:
        return await self._commit(lambda database, seq: shelf.describe(database, seq, collection_id, changes))

    async def claim_embedder(self, collection_id: str, embedder: str, dimensions: int) -> Collection:
        return await self._commit(
            lambda database, seq: shelf.claim_embedder(database, seq, collection_id, embedder, dimensions)
        )

    async def collection(self, collection_id: str) -> Collection | None:
        return await self._read(lambda database: shelf.collection(database, collection_id))

    async def collections(self, account_id: str) -> list[Collection]:
        return await self._read(lambda database: shelf.collections(database, account_id))

    async def delete_collection(self, collection_id: str) -> bool:
        return await self._remove(lambda removing: removing.collection(collection_id))

    async def erase(self, owner_id: str) -> int:
        return await self._remove(lambda removing: removing.owner(owner_id))

    async def put_documents(self, contents: Sequence[DocumentContent], limit: int | None = None) -> None:
        async def put(database: Database, transactions: Transactions) -> None:
            await storing.store(database, transactions, contents, limit, self._connection.vectors)

        if contents:
            await self._write(put)

    async def holdings(self, owner_id: str | None = None) -> Holdings:
        return await self._read(lambda database: storing.holdings(database, owner_id))

    async def holdings_in(self, collection_ids: Sequence[str]) -> dict[str, Holdings]:
        return await self._read(lambda database: storing.holdings_in(database, collection_ids))

    async def document(self, document_id: str) -> Document | None:
        return next(iter(await self.documents_by_id([document_id])), None)

    async def documents_by_id(self, document_ids: Sequence[str]) -> list[Document]:
        return await self._read(lambda database: reading.documents_by_id(database, document_ids))

    async def documents(
        self, collection_ids: Sequence[str], after: str = "", limit: int = 100, source_prefix: str = ""
    ) -> list[Document]:
        return await self._read(lambda database: reading.page(database, collection_ids, after, limit, source_prefix))

    async def find_documents(self, collection_ids: Sequence[str], reference: str, limit: int = 10) -> list[Document]:
        return await self._read(lambda database: reading.find(database, collection_ids, reference, limit))

    async def text(self, document_id: str, start: int = 0, end: int | None = None) -> str | None:
        return await self._read(lambda database: reading.text(database, document_id, start, end))

    async def content(self, document_id: str) -> DocumentContent | None:
        return await self._read(lambda database: reading.content(database, document_id))

    async def passages(self, spans: Sequence[tuple[str, int, int]]) -> list[Passage | None]:
        return await self._read(lambda database: self._passages.of(database, spans))

    async def indexable(self, document_ids: Sequence[str]) -> list[tuple[Document, list[Chunk]]]:
        return await self._read(lambda database: reading.indexable(database, document_ids))

    async def remove_documents(self, document_ids: Sequence[str]) -> int:
        return await self._remove(lambda removing: removing.documents(document_ids))

    async def put_source(self, record: SourceRecord) -> None:
        await self._commit(lambda database, seq: shelf.put_source(database, seq, record))

    async def source(self, collection_id: str, source: str) -> SourceRecord | None:
        return await self._read(lambda database: shelf.source(database, collection_id, source))

    async def sources(self, collection_id: str, prefix: str = "") -> list[SourceRecord]:
        return await self._read(lambda database: shelf.sources(database, collection_id, prefix))

    async def remove_source(self, collection_id: str, source: str) -> int:
        return await self._remove(lambda removing: removing.source(collection_id, source))

    async def identity(self) -> str:
        async def identity(database: Database) -> str:
            found = await database[LIBRARY].find_one({"_id": LIBRARY}, {"identity": 1})
            return str(found["identity"]) if found else ""

        return await self._read(identity)

    async def version(self) -> int:
        return await self._read(lambda database: self._of(database).visible())

    async def collection_versions(self, collection_ids: Sequence[str]) -> dict[str, int]:
        return await self._read(lambda database: shelf.versions(database, collection_ids))

    async def changes(self, after: int, limit: int = 1000) -> list[Change]:
        async def changes(database: Database) -> list[Change]:
            return await reading.changes(database, after, await self._of(database).visible(), limit)

        return await self._read(changes)

    def _of(self, database: Database) -> Transactions:
        if self._transactions is None:
            self._transactions = Transactions(database)
        return self._transactions

    async def _read(self, work: Callable[[Database], Awaitable[T]]) -> T:
        with translated(self._connection.place):
            return await work(await self._connection.database())

    async def _commit(self, planner: Callable[[Database, int], Awaitable[Plan[T]]]) -> T:
        async def commit(database: Database, transactions: Transactions) -> T:
            return await transactions.commit(lambda seq: planner(database, seq))

        return await self._write(commit)

    async def _remove(self, work: Callable[[Removing], Awaitable[T]]) -> T:
        async def remove(database: Database, transactions: Transactions) -> T:
            return await work(Removing(database, transactions))

        return await self._write(remove)

    async def _write(self, work: Callable[[Database, Transactions], Coroutine[Any, Any, T]]) -> T:
        """Do the work to its end, whoever waits for it no longer."""
        task = asyncio.create_task(self._written(work))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return await asyncio.shield(task)

    async def _written(self, work: Callable[[Database, Transactions], Coroutine[Any, Any, T]]) -> T:
        with translated(self._connection.place):
            database = await self._connection.database()
            transactions = self._of(database)
            if not self._tidied:
                self._tidied = True
                await Removing(database, transactions).finish({})
                await sweep(database, transactions)
            return await work(database, transactions)
