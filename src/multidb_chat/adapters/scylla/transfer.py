"""`ScyllaTransfer`: the port `Transfer` for the conversations in a cluster.

Rows are read partition by partition, in the order of the cluster's own (by token), and written by what writes them in
the ordinary way, so that all that points at them is there too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from multidb_chat.adapters.scylla import erased
from multidb_chat.adapters.scylla.address import address_of
from multidb_chat.adapters.scylla.buckets import bucket_of
from multidb_chat.adapters.scylla.connection import Connection
from multidb_chat.adapters.scylla.conversations_lists import Lists
from multidb_chat.adapters.scylla.conversations_messages import MESSAGES as SAID
from multidb_chat.adapters.scylla.conversations_messages import Messages
from multidb_chat.adapters.scylla.conversations_questions import Questions
from multidb_chat.adapters.scylla.conversations_talk import Talk
from multidb_chat.adapters.scylla.conversations_whole import Whole
from multidb_chat.adapters.scylla.feedback import FEEDBACK as GIVEN
from multidb_chat.adapters.scylla.feedback import FeedbackGiven
from multidb_chat.adapters.scylla.knowledge import ENTRIES, Knowledge, entry_of, named
from multidb_chat.domain.conversations import Feedback, KnowledgeEntry, Message
from multidb_chat.domain.errors import Conflict, NotFound
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.transfer import Key, Origin, Page, Row, Table
from multidb_chat.domain.transfer_tables import (
    CONVERSATIONS,
    CONVERSATIONS_TABLES,
    ERASED_CONVERSATIONS,
    FEEDBACK,
    KNOWLEDGE,
    MESSAGES,
)

# ruff: noqa: S608 - statements are put together from constants only

T = TypeVar("T")

_AT_ONCE = 16  # partitions that are read, and rows that are written
_MUTATION = 500_000  # characters of messages that are written as one; a cluster refuses 16 MB
_PARTITIONS = {
    CONVERSATIONS.name: ("conversations", ("id",)),
    MESSAGES.name: ("messages", ("conversation_id", "bucket")),
    KNOWLEDGE.name: ("knowledge", ("tenant_id",)),
    FEEDBACK.name: ("feedback", ("account_id",)),
    ERASED_CONVERSATIONS.name: ("erased", ("account_id",)),
}
"""The table of the cluster, and the columns of its partitions' keys."""


class ScyllaTransfer:
    """Carries the rows of the conversations on the cluster at `url`."""

    store = "conversations"
    tables = CONVERSATIONS_TABLES

    def __init__(self, url: str) -> None:
        connection = self._connection = Connection(address_of(url))
        self._talk = Talk(connection, Lists(connection))
        self._questions = Questions(connection)
        self._messages = Messages(connection, self._questions)
        self._knowledge = Knowledge(connection)
        self._feedback = FeedbackGiven(connection)
        self._whole = Whole(connection, self._talk, self._messages, self._feedback)
        self._ways: dict[str, Callable[[Sequence[Row]], Awaitable[None]]] = {
            CONVERSATIONS.name: self._put_conversations,
            MESSAGES.name: self._put_messages,
            KNOWLEDGE.name: self._put_knowledge,
            FEEDBACK.name: self._put_feedback,
            ERASED_CONVERSATIONS.name: self._put_erased,
        }

    async def origin(self) -> Origin | None:
        """Return where the store comes from; the first time it is asked, it gets its identity."""
        query = "SELECT identity, moves FROM origin WHERE store = ?"
        if not (rows := await self._connection.latest(query, self.store)):
            making = "INSERT INTO origin (store, identity, moves) VALUES (?, ?, 0) IF NOT EXISTS"
            await self._connection.decide((making, (self.store, new_id())))
            rows = await self._connection.latest(query, self.store)
        return Origin(*rows[0])

    async def adopt(self, origin: Origin) -> None:
        """Become what a store is carried to."""
        await self.origin()
        change = "UPDATE origin SET identity = ?, moves = ? WHERE store = ? IF EXISTS"
        await self._connection.decide((change, (*origin, self.store)))

    async def rows(self, table: Table, after: Key | None = None, limit: int = 500) -> Page:
        """Return rows behind a key, in the order of the cluster's own."""
        rows: list[Row] = []
        partition = None if after is None else _partition(table, after)
        if after is not None:
            rows += await self._of(table, partition or (), after, limit)
        while len(rows) < limit and (some := await self._partitions(table, partition)):
            parts = await asyncio.gather(*(self._of(table, one, None, limit) for one in some))
            rows += [row for part in parts for row in part]
            partition = some[-1]
        rows = rows[:limit]
        return Page(rows, table.key_of(rows[-1]) if len(rows) == limit else None)

    async def find(self, table: Table, keys: Sequence[Key]) -> list[Row]:
        """Return the rows of these keys."""
        if table is MESSAGES:
            return await self._messages_of(keys)
        return [row for row in await _gathered(self._one(table, key) for key in keys) if row is not None]

    async def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows, or replace those of the same keys that are others."""
        there = {table.key_of(row): row for row in await self.find(table, [table.key_of(row) for row in rows])}
        new = [row for row in rows if there.get(table.key_of(row)) != row]
        if table in (MESSAGES, FEEDBACK):  # they never change otherwise
            await self.remove(table, [table.key_of(row) for row in new if table.key_of(row) in there])
        await self._ways[table.name](new)

    async def remove(self, table: Table, keys: Sequence[Key]) -> None:
        """Remove rows with what points at them, and messages with their conversations."""
        await _by_partition([(key, partial(self._remove, table, key)) for key in keys])

    async def close(self) -> None:
        """Close all connections."""
        await self._connection.close()

    async def _partitions(self, table: Table, after: tuple[Any, ...] | None) -> list[tuple[Any, ...]]:
        """Return the keys of the next partitions."""
        name, key = _PARTITIONS[table.name]
        listed = ", ".join(key)
        query = f"SELECT DISTINCT {listed} FROM {name}"
        if after is None:
            return await self._connection.rows(f"{query} LIMIT ?", _AT_ONCE)
        behind = f"WHERE token({listed}) > token({', '.join('?' * len(key))})"
        return await self._connection.rows(f"{query} {behind} LIMIT ?", *after, _AT_ONCE)

    async def _of(self, table: Table, partition: tuple[Any, ...], after: Key | None, limit: int) -> list[Row]:
        """Return rows of a partition, from behind one."""
        if table in (CONVERSATIONS, ERASED_CONVERSATIONS):
            return await self.find(table, [partition]) if after is None else []
        if table is MESSAGES:
            found = await self._within(
                "messages", SAID.listed, "conversation_id = ? AND bucket = ?", "<", partition, after, limit
            )
            return [MESSAGES.row(SAID.record(row)) for row in found]
        if table is FEEDBACK:
            found = await self._within(
                "feedback", GIVEN.listed, "account_id = ? AND part = 'given'", "<", partition, after, limit
            )
            return [FEEDBACK.row(GIVEN.record(row)) for row in found]
        found = await self._within(
            "knowledge", ENTRIES.listed, "tenant_id = ? AND part = 'entry'", ">", partition, after, limit
        )
        return await self._used([entry_of(row) for row in found])

    async def _within(
        self,
        name: str,
        columns: str,
        where: str,
        behind: str,
        partition: tuple[Any, ...],
        after: Key | None,
        limit: int,
    ) -> list[tuple[Any, ...]]:
        query = f"SELECT {columns} FROM {name} WHERE {where}"
        if after is None:
            return await self._connection.rows(f"{query} LIMIT ?", *partition, limit)
        return await self._connection.rows(f"{query} AND id {behind} ? LIMIT ?", *partition, after[-1], limit)

    async def _used(self, entries: Sequence[KnowledgeEntry]) -> list[Row]:
        """Return the rows of entries of one tenant, with how often each was used."""
        uses = await self._knowledge.uses(entries[0].tenant_id, [one.id for one in entries]) if entries else {}
        return [KNOWLEDGE.row(entry, uses=uses[entry.id]) for entry in entries]

    async def _one(self, table: Table, key: Key) -> Row | None:
        texts = [str(part) for part in key]
        if table is CONVERSATIONS:
            conversation = await self._talk.conversation(texts[0])
            return None if conversation is None else CONVERSATIONS.row(conversation)
        if table is FEEDBACK:
            feedback = await self._given(*texts)
            return None if feedback is None else FEEDBACK.row(feedback)
        if table is KNOWLEDGE:
            entry = await self._knowledge.entry(*texts)
            return (await self._used([entry]))[0] if entry else None
        rows = await self._connection.rows("SELECT account_id FROM erased WHERE account_id = ?", texts[0])
        return rows[0] if rows else None

    async def _messages_of(self, keys: Sequence[Key]) -> list[Row]:
        """Return the messages of these keys, those of a conversation together."""
        names: dict[str, list[str]] = {}
        for conversation_id, message_id in keys:
            names.setdefault(str(conversation_id), []).append(str(message_id))
        found = await _gathered(self._messages.named(*one) for one in names.items())
        return [MESSAGES.row(message) for some in found for message in some]

    async def _given(self, account_id: str, feedback_id: str) -> Feedback | None:
        query = f"SELECT {GIVEN.listed} FROM feedback WHERE account_id = ? AND part = 'given' AND id = ?"
        rows = await self._connection.rows(query, account_id, feedback_id)
        return GIVEN.record(rows[0]) if rows else None

    async def _put_conversations(self, rows: Sequence[Row]) -> None:
        async def put(row: Row) -> None:
            conversation = CONVERSATIONS.made(row)
            stored = await self._talk.conversation(conversation.id)
            if stored is not None and (stored.account_id, stored.forked_from) != (
                conversation.account_id,
                conversation.forked_from,
            ):
                await self._talk.remove(stored)
            with suppress(NotFound):  # an account that was erased
                await self._whole.put(conversation)

        await _gathered(put(row) for row in rows)

    async def _put_messages(self, rows: Sequence[Row]) -> None:
        async def put(messages: Sequence[Message]) -> None:
            with suppress(NotFound):  # no such conversation
                await self._messages.append(messages)

        await _gathered(put(some) for some in _mutations([MESSAGES.made(row) for row in rows]))

    async def _put_knowledge(self, rows: Sequence[Row]) -> None:
        async def put(row: Row) -> None:
            entry, uses = KNOWLEDGE.made(row, "uses"), row[-1]
            stored = await self._knowledge.entry(entry.tenant_id, entry.id)
            if stored is not None and stored.version > entry.version:  # which would stay
                await self._knowledge.delete(entry.tenant_id, entry.id)
            with suppress(Conflict):  # another one answers the question
                await self._knowledge.put(entry)
                await self._knowledge.count_on(entry.tenant_id, entry.id, uses)

        await _by_partition([(KNOWLEDGE.key_of(row), partial(put, row)) for row in rows])

    async def _put_feedback(self, rows: Sequence[Row]) -> None:
        async def put(row: Row) -> None:
            with suppress(NotFound):  # an account that was erased
                await self._feedback.put(FEEDBACK.made(row))

        await _by_partition([(FEEDBACK.key_of(row), partial(put, row)) for row in rows])

    async def _put_erased(self, rows: Sequence[Row]) -> None:
        await _gathered(erased.mark(self._connection, row[0]) for row in rows)

    async def _remove(self, table: Table, key: Key) -> None:
        texts = [str(part) for part in key]
        if table is CONVERSATIONS:
            if (conversation := await self._talk.conversation(texts[0])) is not None:
                await self._messages.remove_all(conversation.id, forget=True)
                await self._talk.remove(conversation)
        elif table is MESSAGES:
            if (message := await self._messages.message(*texts)) is not None:
                await self._questions.remove([message])
                statement = "DELETE FROM messages WHERE conversation_id = ? AND bucket = ? AND id = ?"
                await self._connection.write(statement, message.conversation_id, bucket_of(message.id), message.id)
        elif table is KNOWLEDGE:
            await self._knowledge.delete(*texts)
        elif table is FEEDBACK:
            if (feedback := await self._given(*texts)) is not None:
                await self._feedback.remove([feedback])
        else:
            await self._connection.write("DELETE FROM erased WHERE account_id = ?", texts[0])


def _partition(table: Table, key: Key) -> tuple[Any, ...]:
    if table is MESSAGES:
        return key[0], bucket_of(str(key[1]))
    return (named(str(key[0])),) if table is KNOWLEDGE else key[:1]


def _mutations(messages: Iterable[Message]) -> list[list[Message]]:
    """Return messages in pieces of one conversation each, of which none is too large for a cluster."""
    pieces: list[list[Message]] = []
    size = 0
    for message in messages:
        own = len(message.body) + len(message.meta)
        if not pieces or pieces[-1][0].conversation_id != message.conversation_id or size + own > _MUTATION:
            pieces.append([])
            size = 0
        pieces[-1].append(message)
        size += own
    return pieces


async def _by_partition(works: Sequence[tuple[Key, Callable[[], Awaitable[None]]]]) -> None:
    """Do the works on one partition after each other, since decisions on the same one stand in each other's way."""
    turns: dict[Any, list[Callable[[], Awaitable[None]]]] = {}
    for key, work in works:
        turns.setdefault(key[0], []).append(work)

    async def in_turn(some: Sequence[Callable[[], Awaitable[None]]]) -> None:
        for work in some:
            await work()

    await _gathered(in_turn(some) for some in turns.values())


async def _gathered(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Do some of the works at once, and then the next; return what they return."""
    done: list[T] = []
    waiting: list[Coroutine[Any, Any, T]] = []
    for work in works:
        waiting.append(work)
        if len(waiting) == _AT_ONCE:
            done += await asyncio.gather(*waiting)
            waiting = []
    return done + await asyncio.gather(*waiting)
