"""Pointers at conversations: by account and state, and by the day of their last activity or of their deletion.

A pointer is written before the conversation becomes what it points at, and removed after it has become something else,
both with the revision of that decision as their time; so a conversation is always found, and a pointer that is left
over (by a killed process, by a decision that another one forestalled) points at something that the conversation is not.
Such a one is skipped by whoever reads it, and removed when it is a day old, when nobody can be about to make it true.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Literal

from multidb_chat.adapters.scylla.connection import Connection
from multidb_chat.adapters.scylla.records import DAY, Columns, micros, now_micros, shard_of
from multidb_chat.domain.conversations import Conversation

# ruff: noqa: S608 - statements are put together from constants only

CONVERSATIONS = Columns(Conversation)
STATES = ("open", "archived", "deleted")
Kind = Literal["active", "deleted"]
KINDS: tuple[Kind, ...] = ("active", "deleted")

_AT_ONCE = 50  # conversations read by one query; ScyllaDB allows 100
_OPEN_DAYS = 2  # of which nobody is told yet that there is nothing on them

_Write = tuple[str, tuple[Any, ...]]


def state_of(conversation: Conversation) -> str:
    """Return which of an account's lists a conversation is in."""
    return "deleted" if conversation.deleted_at else "archived" if conversation.archived else "open"


def _time(kind: Kind, conversation: Conversation) -> int | None:
    at = conversation.last_activity if kind == "active" else conversation.deleted_at
    return None if at is None else micros(at)


class Lists:
    """The lists of conversations in the cluster."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def enter(self, new: Conversation, old: Conversation | None, revision: int) -> None:
        """Point at what the conversation is about to become, where nothing does so yet."""
        writes: list[_Write] = []
        state = state_of(new)
        if old is None or state_of(old) != state:
            statement = (
                "INSERT INTO conversations_by_account (account_id, state, id, revision) VALUES (?, ?, ?, ?)"
                " USING TIMESTAMP ?"
            )
            writes.append((statement, (new.account_id, state, new.id, revision, revision)))
        for kind in KINDS:
            at, was = _time(kind, new), None if old is None else _time(kind, old)
            # A pointer tells the earliest time that it may stand for, so one for a later time is written anew.
            if at is not None and (was is None or was // DAY != at // DAY or at < was):
                writes += _day_pointers(kind, at, new.id, revision)
        await asyncio.gather(*(self._connection.write(statement, *values) for statement, values in writes))

    async def leave(self, old: Conversation, new: Conversation | None, revision: int) -> None:
        """Remove what points at what the conversation is no more: all that does, where `new` is None."""
        drops = [
            self._drop_state(old.account_id, state, old.id, revision - 1)
            for state in STATES
            if new is None or (state_of(new) != state_of(old) and state_of(new) != state)
        ]
        for kind in KINDS:
            was, at = _time(kind, old), None if new is None else _time(kind, new)
            if was is not None and (at is None or at // DAY != was // DAY):
                drops.append(self._drop_day(kind, was // DAY, old.id, revision - 1))
        await asyncio.gather(*drops)

    async def forget(self, account_id: str, state: str, conversation_id: str, revision: int) -> None:
        """Remove what points at a conversation of an account that is gone."""
        await self._drop_state(account_id, state, conversation_id, max(now_micros(), revision))

    async def conversations(self, ids: Sequence[str]) -> dict[str, Conversation]:
        """Return the conversations with these ids that there are."""
        query = f"SELECT {CONVERSATIONS.listed} FROM conversations WHERE id IN ?"
        parts = [ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)]
        answers = await asyncio.gather(*(self._connection.rows(query, part) for part in parts))
        return {row[0]: CONVERSATIONS.record(row) for rows in answers for row in rows}

    async def page(self, account_id: str, state: str, before: str, limit: int) -> list[Conversation]:
        """Return the account's conversations of this state below an id, the latest id first."""
        found: list[Conversation] = []
        if limit > 0:
            async for some in self.listed(account_id, state, before, limit):
                found += some
                if len(found) >= limit:
                    break
        return found[: max(limit, 0)]

    async def listed(
        self, account_id: str, state: str, before: str = "", at_once: int = _AT_ONCE
    ) -> AsyncIterator[list[Conversation]]:
        """Yield the account's conversations of this state below an id, some at a time, the latest id first."""
        while True:
            pointers = await self._pointers(account_id, state, before, at_once)
            known = await self.conversations([id_ for id_, _ in pointers])
            right, wrong = [], []
            for id_, revision in pointers:
                one = known.get(id_)
                if one is not None and (one.account_id, state_of(one)) == (account_id, state):
                    right.append(one)
                elif _is_old(revision):
                    wrong.append(self._drop_state(account_id, state, id_, revision))
            await asyncio.gather(*wrong)
            yield right
            if len(pointers) < at_once:
                return
            before = pointers[-1][0]

    async def pointed_at(self, account_id: str) -> list[tuple[str, str, int]]:
        """Return state, id and revision of all that points at the account's conversations, also where they are gone."""
        query = "SELECT state, id, revision FROM conversations_by_account WHERE account_id = ?"
        return [(state, id_, revision) for state, id_, revision in await self._connection.rows(query, account_id)]

    async def earliest(self, kind: Kind, until: datetime, limit: int) -> list[Conversation]:
        """Return the conversations whose time of this kind is `until` or earlier, the earliest first.

        Days are read one after the other until there are enough. The pointers of a day are read whole, its
        conversations only as far as they can be among the first.
        """
        last = micros(until)
        found: list[tuple[int, str, Conversation]] = []
        for day, shards in await self._days(kind, last // DAY) if limit > 0 else ():
            pointers = sorted(one for one in await self._of_day(kind, day, shards) if one[0] <= last)
            for first in range(0, len(pointers), _AT_ONCE):
                if len(found) >= limit and found[limit - 1][0] < pointers[first][0]:
                    break
                found += await self._proven(kind, day, last, pointers[first : first + _AT_ONCE])
                found.sort()
            if len(found) >= limit:
                break
        return [conversation for _, _, conversation in found[: max(limit, 0)]]

    async def _proven(
        self, kind: Kind, day: int, last: int, pointers: Sequence[tuple[int, str, int]]
    ) -> list[tuple[int, str, Conversation]]:
        """Return times, ids and conversations of those pointers that are true, and whose times have come."""
        known = await self.conversations([id_ for _, id_, _ in pointers])
        right, wrong = [], []
        for _, id_, revision in pointers:
            one = known.get(id_)
            at = None if one is None else _time(kind, one)
            if one is not None and at is not None and at // DAY == day:
                right.append((at, id_, one))
            elif _is_old(revision):
                wrong.append(self._drop_day(kind, day, id_, revision))
        await asyncio.gather(*wrong)
        return [found for found in right if found[0] <= last]

    async def _days(self, kind: Kind, last: int) -> list[tuple[int, list[int]]]:
        query = "SELECT day, shard FROM days WHERE kind = ? AND day <= ?"
        rows = await self._connection.rows(query, kind, last)
        return [(day, [shard for _, shard in group]) for day, group in groupby(rows, key=lambda row: row[0])]

    async def _of_day(self, kind: Kind, day: int, shards: Sequence[int]) -> list[tuple[int, str, int]]:
        query = "SELECT at, id, revision FROM conversations_by_day WHERE kind = ? AND day = ? AND shard = ?"
        answers = await asyncio.gather(*(self._connection.rows(query, kind, day, shard) for shard in shards))
        if day < now_micros() // DAY - _OPEN_DAYS:
            empty = [shard for shard, rows in zip(shards, answers, strict=True) if not rows]
            await asyncio.gather(*(self._close_day(kind, day, shard) for shard in empty))
        return [(at, id_, revision) for rows in answers for at, id_, revision in rows]

    async def _close_day(self, kind: Kind, day: int, shard: int) -> None:
        """Remove what says that there is something on a day, unless it was said within the last day."""
        statement = "DELETE FROM days USING TIMESTAMP ? WHERE kind = ? AND day = ? AND shard = ?"
        await self._connection.write(statement, now_micros() - DAY, kind, day, shard)

    async def _pointers(self, account_id: str, state: str, before: str, limit: int) -> list[tuple[str, int]]:
        query = "SELECT id, revision FROM conversations_by_account WHERE account_id = ? AND state = ?"
        if before:
            rows = await self._connection.rows(f"{query} AND id < ? LIMIT ?", account_id, state, before, limit)
        else:
            rows = await self._connection.rows(f"{query} LIMIT ?", account_id, state, limit)
        return [(id_, revision) for id_, revision in rows]

    async def _drop_state(self, account_id: str, state: str, conversation_id: str, revision: int) -> None:
        statement = (
            "DELETE FROM conversations_by_account USING TIMESTAMP ? WHERE account_id = ? AND state = ? AND id = ?"
        )
        await self._connection.write(statement, revision, account_id, state, conversation_id)

    async def _drop_day(self, kind: Kind, day: int, conversation_id: str, revision: int) -> None:
        statement = (
            "DELETE FROM conversations_by_day USING TIMESTAMP ? WHERE kind = ? AND day = ? AND shard = ? AND id = ?"
        )
        await self._connection.write(statement, revision, kind, day, shard_of(conversation_id), conversation_id)


def _day_pointers(kind: Kind, at: int, conversation_id: str, revision: int) -> list[_Write]:
    day, shard = at // DAY, shard_of(conversation_id)
    known = "INSERT INTO days (kind, day, shard, revision) VALUES (?, ?, ?, ?) USING TIMESTAMP ?"
    pointer = (
        "INSERT INTO conversations_by_day (kind, day, shard, id, at, revision) VALUES (?, ?, ?, ?, ?, ?)"
        " USING TIMESTAMP ?"
    )
    return [
        (known, (kind, day, shard, revision, revision)),
        (pointer, (kind, day, shard, conversation_id, at, revision, revision)),
    ]


def _is_old(revision: int) -> bool:
    return revision < now_micros() - DAY
