"""Contents that nobody needs: what they are is written down before, so that a writer that dies leaves no secret behind.

A record of leftovers first tells of contents that are about to be written; the transaction that makes them the current
ones has it tell of those that they replace. Either way it holds: what it tells of and no document's record leads to, is
to go.
"""

import time
from collections.abc import Sequence

from multidb_chat.adapters.mongo.connection import Database, Record
from multidb_chat.adapters.mongo.content import Stored, delete
from multidb_chat.adapters.mongo.transactions import REDO, Plan, Transactions

LEFTOVERS, SWEPT, DOCUMENTS = "leftovers", "swept", "documents"
# Twice as long as a content may wait for its transaction, for clocks that differ.
OLD = 3_600.0

# The key of a document's record, and where a content of it is.
Place = tuple[str, Stored]


def left(key: str, places: Sequence[Place]) -> Record:
    """Return the record that tells of contents; any transaction is later than it."""
    content = [[document, *place] for document, place in places]
    return {"_id": key, "at": 0, "since": time.time(), "content": content}


async def discard(database: Database, key: str, places: Sequence[Place]) -> None:
    """Delete contents that are the current ones of no document, and the record that tells of them."""
    await delete(database, [place for _, place in places])
    await database[LEFTOVERS].delete_one({"_id": key})


async def sweep(database: Database, transactions: Transactions, older: float = OLD) -> int:
    """Delete what writers that died left behind more than so many seconds ago; return how many of them did.

    The transaction before it lets no older plan come through any more: who still waits has to read the clock again.
    """
    until = time.time() - older
    if not await database[LEFTOVERS].find_one({"since": {"$lt": until}}):
        return 0

    async def plan(seq: int) -> Plan[None]:
        return Plan(None, seq, [(SWEPT, {"_id": "latest", "since": until})])

    await transactions.commit(plan)
    found = await database[LEFTOVERS].find({"since": {"$lt": until}}).to_list()
    for one in found:
        places = [(key, Stored(*place)) for key, *place in one["content"]]
        current = await _current(database, [key for key, _ in places])
        await discard(database, one["_id"], [place for place in places if place[1].generation not in current])
    await database[REDO].delete_many({"since": {"$lt": until}})
    return len(found)


async def _current(database: Database, keys: Sequence[str]) -> set[str]:
    found = await database[DOCUMENTS].find({"_id": {"$in": keys}, "removed": False}, {"generation": 1}).to_list()
    return {record["generation"] for record in found}
