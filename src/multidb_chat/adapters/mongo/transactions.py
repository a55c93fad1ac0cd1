"""All writers of one library, in one order, by nothing but atomic changes of single records.

The record `library` holds the number of the latest transaction and, until these are done, its writes: whole records as
they are to be. A writer reads the number, plans on what it reads, and appends its transaction where the number is still
the same; another writer's means planning anew. So every plan is made on the state that it changes: nobody takes a name,
the rest of a quota or a collection from under it. Then the writes are carried out, by the writer or, if that dies, by
whoever comes next. Each record remembers which transaction wrote it, and gives way only to later ones: carrying a
transaction out twice, or long after others, changes nothing. Records are never deleted but marked, since a record that
is gone could not refuse what comes late.

Numbers of changes are given out in a transaction, and `visible` is the last one whose writes are done: up to there
nothing is missing and nothing will come, however slow or dead a writer is. Followers need not look behind them again.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pymongo
from bson import encode
from pymongo import ReplaceOne, ReturnDocument
from pymongo.errors import BulkWriteError, ConnectionFailure

from multidb_chat.adapters.mongo.connection import BULK_TIMEOUT, LIBRARY, Database, Record
from multidb_chat.adapters.mongo.errors import DUPLICATE_KEY, STORE
from multidb_chat.domain.errors import MultidbChatError, StoreCorrupt, StoreError, StoreUnavailable
from multidb_chat.domain.ids import new_id

T = TypeVar("T")

# How long a writer is given to carry its transaction out before others do it, in seconds.
GRACE = 0.25
# After how many seconds readers, too, finish what a writer began.
SURELY_DEAD = 1.0
# How long a writer tries to get its turn.
PATIENCE = 30.0
# Writes of more bytes than this lie in records of their own, since a record has 16 MB at the most.
INLINE = 4_000_000
REDO = "redo"


@dataclass
class Plan(Generic[T]):
    """What a transaction returns and writes: whole records, with `_id`, by collection. `seq`: the last number given."""

    result: T
    seq: int
    writes: list[tuple[str, Record]] = field(default_factory=list)


Planner = Callable[[int], Awaitable[Plan[T]]]
"""Reads what it needs and returns the plan; is given the last number of a change, and called anew after a race."""


class Transactions:
    """The transactions of one library that this process begins, one at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._library = database[LIBRARY]
        self._turn = asyncio.Lock()

    async def first(self, planner: Planner[T]) -> tuple[Record, Plan[T]]:
        """Return a plan and what it was made on, to be carried out later if nothing changes until then."""
        while True:
            head = await self.settled()
            if (plan := await self._planned(planner, head)) is not None:
                return head, plan

    async def commit(self, planner: Planner[T], first: tuple[Record, Plan[T]] | None = None) -> T:
        """Carry a plan out, the `first` one if it still can be.

        Raises what the planner raises, and `StoreUnavailable` when others never let it.
        """
        end = time.monotonic() + PATIENCE
        try:
            async with asyncio.timeout(PATIENCE):
                await self._turn.acquire()
        except TimeoutError:
            raise _busy() from None
        try:
            if first is not None and await self._append(*first):
                return first[1].result
            while True:
                head = await self.settled()
                plan = await self._planned(planner, head)
                if plan is not None and (not plan.writes or await self._append(head, plan)):
                    return plan.result
                if time.monotonic() > end:
                    raise _busy()
                await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 - no secret
        finally:
            self._turn.release()

    async def settled(self) -> Record:
        """Return the record of the library once the latest transaction is carried out."""
        pause, end = 0.001, time.monotonic() + PATIENCE
        while not (head := await self._head())["applied"]:
            if time.monotonic() > end:
                raise StoreCorrupt(
                    STORE, "The latest transaction of the library on MongoDB cannot be carried out: restore a backup."
                )
            await asyncio.sleep(pause)
            pause *= 2
            if pause > GRACE:
                await self._carry_out(head, await self._writes(head))
        return head

    async def visible(self) -> int:
        """Return the number up to which all changes are there; finish what a writer seems to have died over."""
        head = await self._library.find_one({"_id": LIBRARY}, {"visible": 1, "applied": 1, "since": 1})
        if head is None:
            return 0
        # Clocks that differ only have a reader help too early, or leave it to the next writer.
        if not head["applied"] and abs(time.time() - head["since"]) > SURELY_DEAD:
            head = await self.settled()
        return int(head["visible"])

    async def _head(self) -> Record:
        head = await self._library.find_one({"_id": LIBRARY})
        if head is None:
            raise StoreUnavailable(STORE, "The library was removed from MongoDB while it was in use: start again.")
        return head

    async def _planned(self, planner: Planner[T], head: Record) -> Plan[T] | None:
        """Return the plan; None when it failed on what another writer was changing meanwhile."""
        try:
            return await planner(head["seq"])
        except StoreError:
            raise
        except MultidbChatError:
            if (await self._head())["number"] == head["number"]:
                raise
            return None

    async def _append(self, head: Record, plan: Plan[Any]) -> bool:
        """Make the plan the next transaction and carry it out; False when another one came before."""
        pieces = list(_pieces(plan.writes))
        inline = pieces.pop() if len(pieces) == 1 else []
        change = {
            "number": head["number"] + 1,
            "since": time.time(), "seq": plan.seq, "applied": False, "token": new_id(), "pieces": len(pieces),
            "writes": inline,
        }  # fmt: skip
        for place, piece in enumerate(pieces):
            await self._database[REDO].insert_one(
                {"_id": f"{change['token']}:{place}", "since": time.time(), "writes": piece}
            )
        if not await self._appended(head["number"], change):
            await self._forget(change)
            return False
        await self._carry_out(head | change, plan.writes)
        return True

    async def _appended(self, number: int, change: Record) -> bool:
        """Append, if the number is still the same; a lost answer is looked up."""
        try:
            done = await self._library.find_one_and_update(
                {"_id": LIBRARY, "number": number},
                {"$set": change},
                projection={"_id": 1},
                return_document=ReturnDocument.AFTER,
            )
        except ConnectionFailure:
            now = await self._head()
            if now["token"] == change["token"]:
                return True
            raise
        return done is not None

    async def _writes(self, head: Record) -> list[tuple[str, Record]] | None:
        """Return the writes of a transaction; None when they are gone since it is carried out."""
        if not head["pieces"]:
            return [(name, record) for name, record in head["writes"]]
        names = [f"{head['token']}:{place}" for place in range(head["pieces"])]
        pieces = await self._database[REDO].find({"_id": {"$in": names}}).to_list()
        if len(pieces) < len(names):
            return None
        return [(name, record) for piece in pieces for name, record in piece["writes"]]

    async def _carry_out(self, head: Record, writes: Sequence[tuple[str, Record]] | None) -> None:
        if writes is None:
            return
        number = head["number"]
        by_collection: dict[str, list[Record]] = {}
        for name, record in writes:
            by_collection.setdefault(name, []).append(record | {"at": number})
        await asyncio.gather(*(self._replace(name, records, number) for name, records in by_collection.items()))
        await self._library.update_one(
            {"_id": LIBRARY, "number": number, "applied": False},
            {"$set": {"applied": True, "visible": head["seq"], "writes": [], "pieces": 0}},
        )
        await self._forget(head)

    async def _replace(self, name: str, records: Sequence[Record], number: int) -> None:
        """Write the records that are older than the transaction; those that are not were written already."""
        changes = [ReplaceOne({"_id": record["_id"], "at": {"$lt": number}}, record, upsert=True) for record in records]
        with pymongo.timeout(BULK_TIMEOUT):
            try:
                await self._database[name].bulk_write(changes, ordered=False)
            except BulkWriteError as error:
                failed = error.details or {}
                codes = {one["code"] for one in failed["writeErrors"]}
                if codes != {DUPLICATE_KEY} or failed.get("writeConcernErrors"):
                    raise

    async def _forget(self, change: Record) -> None:
        if change["pieces"]:
            names = [f"{change['token']}:{place}" for place in range(change["pieces"])]
            await self._database[REDO].delete_many({"_id": {"$in": names}})


def _busy() -> StoreUnavailable:
    return StoreUnavailable(STORE, "The library is written by too many at once; try again later.")


def _pieces(writes: Sequence[tuple[str, Record]]) -> Iterator[list[list[Any]]]:
    """Yield the writes in lists of up to `INLINE` bytes, or one record."""
    piece: list[list[Any]] = []
    size = 0
    for name, record in writes:
        length = len(encode(record))
        if piece and size + length > INLINE:
            yield piece
            piece, size = [], 0
        piece.append([name, record])
        size += length
    yield piece
