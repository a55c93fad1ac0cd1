"""Rows that count questions by day: one for each message of the role user, with nothing of its words.

They are written beside the messages, again when the same messages are added again, and removed with the conversation.
Of a message that was never written after all, one may be left until the account is erased.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from multidb_chat.adapters.scylla.connection import Connection
from multidb_chat.adapters.scylla.records import DAY, day_number, day_numbered, micros, now_micros, shard_of
from multidb_chat.domain.conversations import Message

Place = tuple[int, str]
"""A day and an account."""

_AHEAD = 10_000_000  # microseconds that a clock may be ahead
_KIND = "questions"
_KEY = "day = ? AND shard = ? AND account_id = ?"


class Questions:
    """How many questions there are by day, of an account or of all."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._noted: set[tuple[int, int]] = set()  # days that nobody takes back, so that once is enough

    async def add(self, messages: Iterable[Message]) -> None:
        """Count these messages, once each."""
        statement = "INSERT INTO questions (day, shard, account_id, conversation_id, message_id) VALUES (?, ?, ?, ?, ?)"
        asked = [message for message in messages if message.role == "user"]
        days = {(micros(message.created_at) // DAY, shard_of(message.account_id)) for message in asked}
        await asyncio.gather(
            *(self._note(day, shard) for day, shard in days - self._noted),
            *(self._connection.write(statement, *_row_of(one), one.conversation_id, one.id) for one in asked),
        )

    async def _note(self, day: int, shard: int) -> None:
        statement = "INSERT INTO days (kind, day, shard, revision) VALUES (?, ?, ?, ?)"
        await self._connection.write(statement, _KIND, day, shard, now_micros())
        self._noted.add((day, shard))

    async def remove(self, messages: Iterable[Message]) -> None:
        """Count these messages no more."""
        statement = f"DELETE FROM questions WHERE {_KEY} AND conversation_id = ? AND message_id = ?"  # noqa: S608
        await asyncio.gather(
            *(
                self._connection.write(statement, *_row_of(one), one.conversation_id, one.id)
                for one in messages
                if one.role == "user"
            )
        )

    async def remove_at(self, conversation_id: str, places: Iterable[Place], at: int) -> None:
        """Count no questions of a conversation any more in these places, if they were written at `at` or before."""
        statement = f"DELETE FROM questions USING TIMESTAMP ? WHERE {_KEY} AND conversation_id = ?"  # noqa: S608
        await asyncio.gather(
            *(
                self._connection.write(statement, at, day, shard_of(account_id), account_id, conversation_id)
                for day, account_id in places
            )
        )

    async def remove_of(self, account_id: str) -> None:
        """Count no questions of an account any more that was erased, also such as clocks ahead of this one wrote."""
        statement = f"DELETE FROM questions USING TIMESTAMP ? WHERE {_KEY}"  # noqa: S608 - constants
        at, shard = now_micros() + _AHEAD, shard_of(account_id)
        days = await self.by_day(date.min, account_id)
        await asyncio.gather(
            *(self._connection.write(statement, at, day_number(day), shard, account_id) for day in days)
        )

    async def by_day(self, first: date, account_id: str | None) -> dict[date, int]:
        """Return how many there are by day, from `first` on, of one account or (None) of all."""
        query = "SELECT day, shard FROM days WHERE kind = ? AND day >= ?"
        days = [(day, shard) for day, shard in await self._connection.rows(query, _KIND, day_number(first))]
        if account_id is None:
            asked = [
                self._counted("SELECT count(*) FROM questions WHERE day = ? AND shard = ?", day, shard)
                for day, shard in days
            ]
        else:
            shard = shard_of(account_id)
            query = f"SELECT count(*) FROM questions WHERE {_KEY}"  # noqa: S608 - a constant
            asked = [self._counted(query, day, shard, account_id) for day, other in days if other == shard]
        counts: Counter[date] = Counter()
        for day, count in await asyncio.gather(*asked):
            counts[day_numbered(day)] += count
        return {day: count for day, count in sorted(counts.items()) if count}

    async def _counted(self, query: str, day: int, *rest: Any) -> tuple[int, int]:
        return day, int((await self._connection.rows(query, day, *rest))[0][0])


def _row_of(message: Message) -> tuple[int, int, str]:
    return micros(message.created_at) // DAY, shard_of(message.account_id), message.account_id
