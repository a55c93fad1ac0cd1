"""Conversations themselves: decisions on one row, each by a lightweight transaction.

A decision reads the row, works out what it shall be, and writes that if the row's revision is still the one that was
read; else it begins anew. So processes that change a conversation at once do not undo each other's, and what never goes
back never does. It costs a read and a lightweight transaction (on Cassandra four exchanges between the nodes, on
ScyllaDB three), once a turn, beside the messages, which need none.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Unpack

from multidb_chat.adapters.scylla.connection import UNSET, Connection
from multidb_chat.adapters.scylla.conversations_lists import CONVERSATIONS, Lists
from multidb_chat.adapters.scylla.errors import STORE
from multidb_chat.adapters.scylla.records import now_micros
from multidb_chat.domain.conversations import Changes, Conversation
from multidb_chat.domain.errors import Conflict, StoreUnavailable

# ruff: noqa: S608 - statements are put together from constants only

_ATTEMPTS = 30
_PAUSE = 0.02  # seconds, times a random number and the number of the attempt

_SET = [name for name in CONVERSATIONS.names if name not in ("id", "account_id", "forked_from")]
_INSERT = (
    f"INSERT INTO conversations ({CONVERSATIONS.listed}, revision) VALUES ({CONVERSATIONS.marks}, ?) IF NOT EXISTS"
)
_UPDATE = (
    f"UPDATE conversations SET {', '.join(f'{name} = ?' for name in _SET)}, revision = ? WHERE id = ? IF revision = ?"
)
_SELECT = f"SELECT {CONVERSATIONS.listed}, revision FROM conversations WHERE id = ?"

Stored = tuple[Conversation, int]


class Talk:
    """The conversations in the cluster, without their messages."""

    def __init__(self, connection: Connection, lists: Lists) -> None:
        self._connection = connection
        self._lists = lists

    async def conversation(self, conversation_id: str) -> Conversation | None:
        """Return the conversation, a deleted one too."""
        stored = await self._stored(conversation_id)
        return None if stored is None else stored[0]

    async def put(self, conversation: Conversation) -> None:
        """Add a conversation or replace what may change of it; raises `Conflict` when it is somebody else's."""

        def decided(stored: Conversation | None) -> Conversation:
            if stored is None:
                return conversation
            if stored.account_id != conversation.account_id:
                raise Conflict(f"The conversation {conversation.id!r} belongs to another account.")
            return replace(conversation, forked_from=stored.forked_from)

        await self._decide(conversation.id, decided)

    async def change(self, account_id: str, conversation_id: str, changes: Changes) -> Conversation | None:
        """Set some fields of the account's conversation; None when there is none."""

        def decided(stored: Conversation | None) -> Conversation | None:
            if stored is None or stored.account_id != account_id:
                return None
            return _changed(stored, **changes)

        return await self._decide(conversation_id, decided)

    async def remove(self, conversation: Conversation) -> bool:
        """Remove a conversation's row and what points at it; False when another process has done so."""
        stored = await self._stored(conversation.id)
        gone = await self._connection.decide(("DELETE FROM conversations WHERE id = ? IF EXISTS", (conversation.id,)))
        await self._lists.leave(conversation, None, max(now_micros(), stored[1] + 2 if stored else 0))
        return gone

    async def _decide(
        self, conversation_id: str, decided: Callable[[Conversation | None], Conversation | None]
    ) -> Conversation | None:
        """Make of the stored conversation what `decided` returns, and return that; None changes nothing."""
        for attempt in range(_ATTEMPTS):
            # After a decision that another one forestalled, that one may not have reached all replicas yet.
            stored = await self._stored(conversation_id, latest=attempt > 0)
            old, before = stored or (None, 0)
            new = decided(old)
            if new is None or new == old:
                return new
            revision = max(now_micros(), before + 2)
            await self._lists.enter(new, old, revision)
            if await self._written(new, before, revision):
                if old is not None:
                    await self._lists.leave(old, new, revision)
                return new
            await asyncio.sleep(_PAUSE * attempt * random.random())  # noqa: S311 - no secret
        raise StoreUnavailable(STORE, f"Too many programs change the conversation {conversation_id!r} at once.")

    async def _written(self, new: Conversation, before: int, revision: int) -> bool:
        row = dict(zip(CONVERSATIONS.names, CONVERSATIONS.row(new), strict=True))
        if not before:
            values = [UNSET if value is None else value for value in row.values()]
            return await self._connection.decide((_INSERT, (*values, revision)))
        return await self._connection.decide((_UPDATE, (*(row[name] for name in _SET), revision, new.id, before)))

    async def _stored(self, conversation_id: str, *, latest: bool = False) -> Stored | None:
        ask = self._connection.latest if latest else self._connection.rows
        rows = await ask(_SELECT, conversation_id)
        return (CONVERSATIONS.record(rows[0]), int(rows[0][-1])) if rows else None


def _changed(stored: Conversation, **changes: Unpack[Changes]) -> Conversation:
    new = replace(stored, **changes)
    if stored.renamed and not changes.get("renamed"):
        new = replace(new, title=stored.title)
    read_at = max((at for at in (stored.read_at, new.read_at) if at is not None), default=None)
    return replace(new, last_activity=max(stored.last_activity, new.last_activity), read_at=read_at)
