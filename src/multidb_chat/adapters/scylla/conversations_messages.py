"""Messages in the cluster: pages, the outline, and adding them.

Adding checks first that the conversation is there, notes the bucket, writes all messages of a bucket as one mutation
and beside it the rows that count questions, and checks at last that the conversation is still there: one that was
removed meanwhile takes along what was just written. What a killed process leaves undone is completed by doing the same
again.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import NamedTuple

from multidb_chat.adapters.scylla import erased
from multidb_chat.adapters.scylla.buckets import bucket_of, current_bucket
from multidb_chat.adapters.scylla.connection import UNSET, Connection, Row, Statement
from multidb_chat.adapters.scylla.conversations_questions import Place, Questions
from multidb_chat.adapters.scylla.records import DAY, Columns, now_micros
from multidb_chat.domain.conversations import META_LIMIT, Link, Message
from multidb_chat.domain.errors import InvalidInput, NotFound, StoreUnavailable

# ruff: noqa: S608 - statements are put together from constants only

MESSAGES = Columns(Message)

_INSERT = f"INSERT INTO messages (bucket, {MESSAGES.listed}) VALUES (?, {MESSAGES.marks})"
_SELECT = f"SELECT {MESSAGES.listed} FROM messages WHERE conversation_id = ? AND bucket = ?"
_DELETE = "DELETE FROM messages WHERE conversation_id = ? AND bucket = ? AND id = ?"
_NAMES_AT_ONCE = 100
_BUCKETS_AT_ONCE = 8  # that are read
_BUCKETS = 64  # that are named by one query
# Bytes that writes to several partitions may have together (servers refuse more than 50 KB), and those to one: half a
# segment of the commit log, where the smallest that anybody sets is 8 MB.
_SMALL, _LARGE = 30_000, 2_000_000
_SMALL_FIELDS = 400
_A_CALL = 10_000_000  # microseconds that may pass between a message and the row that counts it

Buckets = Mapping[str, Sequence[Message]]


class Removed(NamedTuple):
    """Where questions of a conversation were counted, and when the newest of its messages was written."""

    places: frozenset[Place] = frozenset()
    newest: int = 0


_NOTHING = Removed()


class Messages:
    """The messages of all conversations in the cluster."""

    def __init__(self, connection: Connection, questions: Questions) -> None:
        self._connection = connection
        self._questions = questions

    async def append(self, messages: Sequence[Message]) -> None:
        """Add messages of one conversation once. Raises `NotFound`, `InvalidInput`.

        All or none: those of one bucket are one mutation. Where they fall on both sides of the border between two
        buckets, they are a logged batch. What is too large for either is written part after part, and taken back when
        a later one fails: only a process that is killed just then leaves the earlier ones, until it is done again.
        """
        if not messages:
            return
        if any(len(message.meta.encode("utf-8", "surrogatepass")) > META_LIMIT for message in messages):
            raise InvalidInput(f"A message's meta is at most {META_LIMIT} bytes long.")
        for conversation_id in {message.conversation_id for message in messages}:
            await self._append(conversation_id, [one for one in messages if one.conversation_id == conversation_id])

    async def _append(self, conversation_id: str, messages: Sequence[Message]) -> None:
        buckets = _by_bucket(messages)
        _, known, stored = await asyncio.gather(
            self._require(messages),
            self._buckets_among(conversation_id, list(buckets)),
            self._ids_among(conversation_id, buckets),
        )
        new = _by_bucket(message for message in messages if message.id not in stored)
        await asyncio.gather(*(self._note(conversation_id, bucket) for bucket in new if bucket not in known))
        await self._write(new, messages)
        try:
            await self._require(messages)
        except NotFound:
            await self._take_back([message for some in new.values() for message in some])
            if not await self._is_there(conversation_id):
                await self.remove_all(conversation_id, forget=True)
            raise

    async def _require(self, messages: Sequence[Message]) -> None:
        """Raise `NotFound` when the conversation is gone, or an account that speaks in it."""
        conversation_id = messages[0].conversation_id
        there, *_ = await asyncio.gather(
            self._is_there(conversation_id),
            *(erased.refuse(self._connection, account_id) for account_id in {one.account_id for one in messages}),
        )
        if not there:
            raise NotFound(f"There is no conversation {conversation_id!r}.")

    async def _is_there(self, conversation_id: str) -> bool:
        return bool(await self._connection.rows("SELECT id FROM conversations WHERE id = ?", conversation_id))

    async def _buckets_among(self, conversation_id: str, buckets: list[str]) -> set[str]:
        query = "SELECT bucket FROM message_buckets WHERE conversation_id = ? AND bucket IN ?"
        return {row[0] for row in await self._connection.rows(query, conversation_id, buckets)}

    async def _ids_among(self, conversation_id: str, buckets: Buckets) -> set[str]:
        query = "SELECT id FROM messages WHERE conversation_id = ? AND bucket = ? AND id IN ?"
        ids = {bucket: [message.id for message in messages] for bucket, messages in buckets.items()}
        return {row[0] for row in await self._named(query, conversation_id, ids)}

    async def _named(self, query: str, conversation_id: str, ids: Mapping[str, Sequence[str]]) -> list[Row]:
        """Return the rows of messages by bucket and name, some names by each query."""
        asked = [
            self._connection.rows(query, conversation_id, bucket, some[at : at + _NAMES_AT_ONCE])
            for bucket, some in ids.items()
            for at in range(0, len(some), _NAMES_AT_ONCE)
        ]
        return [row for rows in await asyncio.gather(*asked) for row in rows]

    async def _note(self, conversation_id: str, bucket: str) -> None:
        statement = "INSERT INTO message_buckets (conversation_id, bucket) VALUES (?, ?)"
        await self._connection.write(statement, conversation_id, bucket)

    async def _write(self, buckets: Buckets, asked: Sequence[Message]) -> None:
        """Write messages, and beside them what counts questions: whoever is killed in between may leave only that.

        A count too many is made up for when the same is done again, and goes with the account.
        """
        outcomes = await asyncio.gather(
            self._write_messages(buckets), self._questions.add(asked), return_exceptions=True
        )
        errors = [error for error in outcomes if isinstance(error, BaseException)]
        if errors and not isinstance(errors[0], StoreUnavailable):  # which may have been written all the same
            await self._questions.remove(asked)
        if errors:
            raise errors[0]

    async def _write_messages(self, buckets: Buckets) -> None:
        parts = [part for messages in buckets.values() for part in _parts(messages)]
        if len(parts) > 1 and sum(map(_size, (message for part in parts for message in part))) < _SMALL:
            statements = [_insertion(message) for part in parts for message in part]
            return await self._connection.write_together(statements, spread=True)
        done: list[Message] = []
        for part in parts:
            try:
                await self._connection.write_together([_insertion(message) for message in part])
            except BaseException:
                await self._take_back(done)
                raise
            done += part
        return None

    async def _take_back(self, messages: Sequence[Message]) -> None:
        writes = [(_DELETE, (one.conversation_id, bucket_of(one.id), one.id)) for one in messages]
        await asyncio.gather(
            *(self._connection.write(statement, *values) for statement, values in writes),
            self._questions.remove(messages),
        )

    async def message(self, conversation_id: str, message_id: str) -> Message | None:
        """Return one message of the conversation."""
        rows = await self._connection.rows(f"{_SELECT} AND id = ?", conversation_id, bucket_of(message_id), message_id)
        return MESSAGES.record(rows[0]) if rows else None

    async def named(self, conversation_id: str, message_ids: Sequence[str]) -> list[Message]:
        """Return the messages with these ids, in order of id."""
        buckets: dict[str, list[str]] = defaultdict(list)
        for message_id in sorted(set(message_ids)):
            buckets[bucket_of(message_id)].append(message_id)
        rows = await self._named(f"{_SELECT} AND id IN ?", conversation_id, buckets)
        return sorted((MESSAGES.record(row) for row in rows), key=lambda message: message.id)

    async def page(self, conversation_id: str, before: str, limit: int) -> list[Message]:
        """Return the messages just below an id (empty: the latest), oldest first.

        The usual page is one query: of the bucket that `before` is in, or for the latest one of the current bucket,
        beside the question which others there are. Only where it does not suffice, the buckets before it are read,
        none of which is empty: how many queries there are depends on the page, never on the conversation.
        """
        if limit <= 0:
            return []
        begun = bucket_of(before) if before else current_bucket()
        if before:
            found = await self._below(conversation_id, begun, before, limit)
            buckets = await self._buckets(conversation_id, begun) if len(found) < limit else []
        else:
            buckets, found = await asyncio.gather(
                self._buckets(conversation_id), self._below(conversation_id, begun, "", limit)
            )
            buckets, found = (buckets[1:], found) if buckets[:1] == [begun] else (buckets, [])
        while len(found) < limit and buckets:
            some = buckets[: _BUCKETS_AT_ONCE if found else 1]
            found += await self._of_all(conversation_id, some, limit - len(found))
            left = buckets[len(some) :]
            buckets = left or (await self._buckets(conversation_id, some[-1]) if len(found) < limit else [])
        return found[:limit][::-1]

    async def _of_all(self, conversation_id: str, buckets: Sequence[str], limit: int) -> list[Message]:
        parts = await asyncio.gather(*(self._below(conversation_id, bucket, "", limit) for bucket in buckets))
        return [message for part in parts for message in part]

    async def _below(self, conversation_id: str, bucket: str, before: str, limit: int) -> list[Message]:
        """Return the latest messages of a bucket below an id, the latest first."""
        if before:
            query = f"{_SELECT} AND id < ? LIMIT ?"
            rows = await self._connection.rows(query, conversation_id, bucket, before, limit)
        else:
            rows = await self._connection.rows(f"{_SELECT} LIMIT ?", conversation_id, bucket, limit)
        return [MESSAGES.record(row) for row in rows]

    async def _buckets(self, conversation_id: str, before: str = "") -> list[str]:
        """Return some of the conversation's buckets below one (empty: its last), the latest first; none at its end."""
        query = "SELECT bucket FROM message_buckets WHERE conversation_id = ?"
        if before:
            rows = await self._connection.rows(f"{query} AND bucket < ? LIMIT ?", conversation_id, before, _BUCKETS)
        else:
            rows = await self._connection.rows(f"{query} LIMIT ?", conversation_id, _BUCKETS)
        return [row[0] for row in rows]

    async def _all_buckets(self, conversation_id: str) -> AsyncIterator[str]:
        before = ""
        while buckets := await self._buckets(conversation_id, before):
            for bucket in buckets:
                yield bucket
            if len(buckets) < _BUCKETS:
                return
            before = buckets[-1]

    async def outline(self, conversation_id: str) -> list[Link]:
        """Return where the messages hang, in order of id."""
        query = "SELECT id, parent_id, role FROM messages WHERE conversation_id = ? AND bucket = ?"
        rows = [row async for page in self.columns(conversation_id, query) for row in page]
        return [Link(*row) for row in reversed(rows)]

    async def columns(self, conversation_id: str, query: str) -> AsyncIterator[list[Row]]:
        """Yield what a query by conversation and bucket selects, bucket by bucket, in pages, the latest id first."""
        async for bucket in self._all_buckets(conversation_id):
            async for rows in self._connection.pages(query, conversation_id, bucket):
                yield rows

    async def remove_all(self, conversation_id: str, *, forget: bool, before: Removed = _NOTHING) -> Removed:
        """Remove all messages of a conversation, and the rows that count its questions; return what was removed.

        `forget` which buckets there are, too, once the conversation is gone: until then somebody may still write into
        one that is known. `before` is what the round before this one removed.
        """
        columns = "account_id, created_at, role, writetime(role)"
        query = f"SELECT {columns} FROM messages WHERE conversation_id = ? AND bucket = ?"
        places, newest = set(before.places), before.newest
        async for bucket in self._all_buckets(conversation_id):
            async for rows in self._connection.pages(query, conversation_id, bucket):
                places |= {
                    (created_at // DAY, account_id) for account_id, created_at, role, _ in rows if role == "user"
                }
                newest = max(newest, *(written for *_, written in rows)) if rows else newest
            # The clock of the program that wrote may be ahead of this one's.
            at = max(now_micros(), newest)
            statement = "DELETE FROM messages USING TIMESTAMP ? WHERE conversation_id = ? AND bucket = ?"
            await self._connection.write(statement, at, conversation_id, bucket)
            if forget:
                statement = "DELETE FROM message_buckets USING TIMESTAMP ? WHERE conversation_id = ? AND bucket = ?"
                await self._connection.write(statement, at, conversation_id, bucket)
        now = now_micros()
        await self._questions.remove_at(conversation_id, places, now if newest <= now else newest + _A_CALL)
        return Removed(frozenset(places), newest)


def _by_bucket(messages: Iterable[Message]) -> dict[str, list[Message]]:
    """Return messages by bucket; of those with the same id, the first."""
    buckets: dict[str, list[Message]] = defaultdict(list)
    for message in {one.id: one for one in reversed(list(messages))}.values():
        buckets[bucket_of(message.id)].append(message)
    return buckets


def _parts(messages: Sequence[Message]) -> list[list[Message]]:
    """Return messages of one bucket in parts that a server takes as one mutation; a large one is a part by itself."""
    parts: list[list[Message]] = []
    size = _LARGE
    for message in messages:
        size += _size(message)
        if size >= _LARGE:
            parts.append([])
            size = _size(message)
        parts[-1].append(message)
    return parts


def _size(message: Message) -> int:
    """Return about how many bytes a message takes."""
    return _SMALL_FIELDS + sum(len(text.encode("utf-8", "surrogatepass")) for text in (message.body, message.meta))


def _insertion(message: Message) -> Statement:
    return _INSERT, (bucket_of(message.id), *(UNSET if value is None else value for value in MESSAGES.row(message)))
