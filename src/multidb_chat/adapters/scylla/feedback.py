"""Feedback in the cluster: what an account has given is one partition.

`part` tells its rows apart: `given` by the id of the feedback, which hold all of it, and `latest` by the id of the
message, which tell the feedback that counts. One lightweight transaction writes the new feedback, makes it the latest
and removes the one before.

Who gave feedback in a conversation is noted before that, so that it goes with the conversation; and on which day, after
it. What a killed process leaves undone, giving the same feedback again completes.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from multidb_chat.adapters.scylla import erased
from multidb_chat.adapters.scylla.connection import UNSET, Connection, Statement
from multidb_chat.adapters.scylla.errors import STORE
from multidb_chat.adapters.scylla.records import DAY, Columns, day_number, micros, shard_of
from multidb_chat.adapters.scylla.schema import SHARDS
from multidb_chat.domain.conversations import Feedback
from multidb_chat.domain.errors import InvalidInput, NotFound, StoreUnavailable

# ruff: noqa: S608 - statements are put together from constants only

FEEDBACK = Columns(Feedback)

_ATTEMPTS = 20
_AT_ONCE = 50
_GIVEN = f"SELECT {FEEDBACK.listed} FROM feedback WHERE account_id = ? AND part = 'given'"
_LATEST = "SELECT id, feedback_id FROM feedback WHERE account_id = ? AND part = 'latest'"
_INSERT = f"INSERT INTO feedback (part, {FEEDBACK.listed}) VALUES ('given', {FEEDBACK.marks}) IF NOT EXISTS"
_DELETE = "DELETE FROM feedback WHERE account_id = ? AND part = ? AND id = ?"


class FeedbackGiven:
    """The feedback of all accounts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def put(self, feedback: Feedback) -> None:
        """Add feedback once, in place of what the account said of the message before; raises `InvalidInput`."""
        if feedback.rating not in (-1, 0, 1):
            raise InvalidInput(f"A rating is -1, 0 or 1, not {feedback.rating}.")
        if feedback.message_id is not None and feedback.conversation_id is None:
            raise InvalidInput("Feedback on a message names its conversation, too.")
        await erased.refuse(self._connection, feedback.account_id)
        await self._note_conversation(feedback)
        for _ in range(_ATTEMPTS):
            if await self._decided(feedback):
                break
        else:
            raise StoreUnavailable(STORE, "Too many programs take feedback of this account at once.")
        try:
            await erased.refuse(self._connection, feedback.account_id)
        except NotFound:  # it was erased meanwhile, and this may have come too late to be found
            await self.remove([feedback])
            raise

    async def _decided(self, new: Feedback) -> bool:
        """Add feedback unless it is there already or later one is; False when another decision forestalled it."""
        stored, latest = await asyncio.gather(
            self._connection.latest(f"{_GIVEN} AND id = ?", new.account_id, new.id),
            self._latest(new.account_id, [] if new.message_id is None else [new.message_id]),
        )
        if stored:
            await self._note_day(FEEDBACK.record(stored[0]))
            return True
        before = latest.get(new.message_id or "")
        if before is not None and before > new.id:
            return True
        replaced = [] if before is None else await self._read(new.account_id, [before])
        if not await self._connection.decide(*_putting(new, before)):
            return False
        await asyncio.gather(self._note_day(new), *(self._forget(old) for old in replaced))
        return True

    async def _latest(self, account_id: str, message_ids: Sequence[str]) -> dict[str, str]:
        """Return the ids of the feedback that counts, by message."""
        asked = (self._connection.latest(f"{_LATEST} AND id = ?", account_id, one) for one in message_ids)
        return {row[0]: row[1] for rows in await asyncio.gather(*asked) for row in rows}

    async def _read(self, account_id: str, ids: Sequence[str]) -> list[Feedback]:
        parts = [ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)]
        asked = (self._connection.rows(f"{_GIVEN} AND id IN ?", account_id, part) for part in parts)
        return [FEEDBACK.record(row) for rows in await asyncio.gather(*asked) for row in rows]

    async def page(self, account_id: str, before: str, limit: int) -> list[Feedback]:
        """Return the account's feedback below an id, the latest id first."""
        if limit <= 0:
            return []
        if before:
            rows = await self._connection.rows(f"{_GIVEN} AND id < ? LIMIT ?", account_id, before, limit)
        else:
            rows = await self._connection.rows(f"{_GIVEN} LIMIT ?", account_id, limit)
        return [FEEDBACK.record(row) for row in rows]

    async def to(self, account_id: str, conversation_id: str, message_ids: Sequence[str]) -> list[Feedback]:
        """Return what the account said of these messages of a conversation, by order of id."""
        names = list(dict.fromkeys(message_ids))
        parts = [names[at : at + _AT_ONCE] for at in range(0, len(names), _AT_ONCE)]
        asked = (self._connection.rows(f"{_LATEST} AND id IN ?", account_id, part) for part in parts)
        ids = [row[1] for rows in await asyncio.gather(*asked) for row in rows]
        found = [one for one in await self._read(account_id, ids) if one.conversation_id == conversation_id]
        return sorted(found, key=lambda feedback: feedback.id)

    async def of_day(self, day: date, limit: int) -> list[Feedback]:
        """Return the feedback given on a day (UTC), oldest first."""
        if limit <= 0:
            return []
        query = "SELECT at, id, account_id FROM feedback_by_day WHERE day = ? AND shard = ?"
        number = day_number(day)
        asked = (self._connection.rows(query, number, shard) for shard in range(SHARDS))
        noted = sorted(row for rows in await asyncio.gather(*asked) for row in rows)
        found: list[Feedback] = []
        for first in range(0, len(noted), limit):
            found += await self._proven(number, noted[first : first + limit])
            if len(found) >= limit:
                break
        return sorted(found, key=lambda feedback: (feedback.created_at, feedback.id))[:limit]

    async def _proven(self, day: int, noted: Iterable[tuple[int, str, str]]) -> list[Feedback]:
        """Return the feedback of those notes that are true."""
        ids: dict[str, list[str]] = defaultdict(list)
        for _, id_, account_id in noted:
            ids[account_id].append(id_)
        answers = await asyncio.gather(*(self._read(account_id, some) for account_id, some in ids.items()))
        return [one for some in answers for one in some if micros(one.created_at) // DAY == day]

    async def remove_to(self, conversation_id: str) -> None:
        """Remove all feedback on answers in a conversation."""
        query = "SELECT account_id, id FROM feedback_by_conversation WHERE conversation_id = ?"
        ids: dict[str, list[str]] = defaultdict(list)
        for account_id, id_ in await self._connection.rows(query, conversation_id):
            ids[account_id].append(id_)
        for account_id, some in ids.items():
            given = await self._read(account_id, some)
            await self.remove(
                [one for one in given if one.message_id is not None and one.conversation_id == conversation_id]
            )
        if ids:
            statement = "DELETE FROM feedback_by_conversation WHERE conversation_id = ?"
            await self._connection.write(statement, conversation_id)

    async def remove_of(self, account_id: str) -> None:
        """Remove all feedback of an account."""
        async for rows in self._connection.pages(_GIVEN, account_id):
            await self.remove([FEEDBACK.record(row) for row in rows])

    async def remove(self, given: Sequence[Feedback]) -> None:
        """Remove feedback, and what points at it."""
        for feedback in given:
            statements: list[Statement] = [(f"{_DELETE} IF EXISTS", (feedback.account_id, "given", feedback.id))]
            if feedback.message_id is not None:
                statements.append((_DELETE, (feedback.account_id, "latest", feedback.message_id)))
            await self._connection.decide(*statements)
            await self._forget(feedback)

    async def _note_conversation(self, feedback: Feedback) -> None:
        if feedback.message_id is not None:
            statement = "INSERT INTO feedback_by_conversation (conversation_id, account_id, id) VALUES (?, ?, ?)"
            await self._connection.write(statement, feedback.conversation_id, feedback.account_id, feedback.id)

    async def _note_day(self, feedback: Feedback) -> None:
        statement = "INSERT INTO feedback_by_day (day, shard, at, id, account_id) VALUES (?, ?, ?, ?, ?)"
        await self._connection.write(statement, *_on_day(feedback))

    async def _forget(self, feedback: Feedback) -> None:
        statement = "DELETE FROM feedback_by_day WHERE day = ? AND shard = ? AND at = ? AND id = ? AND account_id = ?"
        await self._connection.write(statement, *_on_day(feedback))
        if feedback.message_id is not None:
            statement = "DELETE FROM feedback_by_conversation WHERE conversation_id = ? AND account_id = ? AND id = ?"
            await self._connection.write(statement, feedback.conversation_id, feedback.account_id, feedback.id)


def _putting(new: Feedback, before: str | None) -> list[Statement]:
    """Return the statements that add feedback, and where it is on a message make it the latest one."""
    values = [UNSET if value is None else value for value in FEEDBACK.row(new)]
    statements: list[Statement] = [(_INSERT, values)]
    if new.message_id is None:
        return statements
    if before is None:
        taking = "INSERT INTO feedback (account_id, part, id, feedback_id) VALUES (?, 'latest', ?, ?) IF NOT EXISTS"
        return [*statements, (taking, (new.account_id, new.message_id, new.id))]
    taking = (
        "UPDATE feedback SET feedback_id = ? WHERE account_id = ? AND part = 'latest' AND id = ? IF feedback_id = ?"
    )
    return [
        *statements,
        (taking, (new.id, new.account_id, new.message_id, before)),
        (_DELETE, (new.account_id, "given", before)),
    ]


def _on_day(feedback: Feedback) -> tuple[Any, ...]:
    at = micros(feedback.created_at)
    return at // DAY, shard_of(feedback.account_id), at, feedback.id, feedback.account_id
