"""Storing what was asked and said at the end of a turn."""

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, Unpack

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Changes, Conversation, Message
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.turns import Answer
from multidb_chat.services.answering import codec
from multidb_chat.services.turn import Turn

DELAYED = "History delayed: this turn is kept on this machine until the conversations can be reached again."
UNREAD = (
    "History delayed: earlier turns cannot be read now, and this one is kept on this machine until the conversations"
    " can be reached again."
)
# Seconds for which a conversation is taken to be as it was read; a model may write for longer.
_AS_IT_WAS = 2.0


class Keeper(Protocol):
    """What a turn needs of the history service."""

    async def append_turn(
        self,
        account: Account,
        conversation_id: str,
        question: Message,
        answer: Message,
        opened: Conversation | None = None,
    ) -> object:
        """Store a question and its answer. Raises `NotFound` or `NotPermitted` for another account's conversation."""


class Late(Protocol):
    """What a turn needs of the journal that stands before the conversations."""

    async def waits(self, conversation_id: str) -> bool:
        """Tell whether something that was said is not in the store yet."""

    async def append_unread(self, *messages: Message, **changes: Unpack[Changes]) -> None:
        """Keep messages of a conversation that cannot be read now, and changes of it."""


class Saving:
    """Stores turns in `history`; in `late`, where there is one, those whose conversation cannot be read."""

    def __init__(self, history: Keeper, late: Late | None) -> None:
        self._history = history
        self._late = late

    async def save(self, turn: Turn, answer: Answer) -> Answer:
        """Store question and answer in the turn's conversation, in one step; return the answer with where it is stored.

        It goes on to its end even when the turn is cancelled meanwhile, so that nothing is stored by half. Raises
        `StoreError`.
        """
        assert turn.conversation_id is not None
        return await _to_the_end(self._save(turn, turn.conversation_id, answer))

    async def delay(self, turn: Turn) -> str:
        """Return what to tell of a turn that is stored, but waits on this machine; empty where it does not."""
        if self._late is None or turn.conversation_id is None or not await self._late.waits(turn.conversation_id):
            return ""
        return UNREAD if turn.unread else DELAYED

    async def _save(self, turn: Turn, conversation_id: str, answer: Answer) -> Answer:
        message_id = new_id()
        answer = replace(answer, conversation_id=conversation_id, message_id=message_id)
        asked = Message(
            turn.id, conversation_id, turn.account.id, "user", turn.asked, turn.asked_at, parent_id=turn.parent_id
        )
        said = Message(
            message_id, conversation_id, turn.account.id, "assistant", answer.text, datetime.now(UTC),
            parent_id=turn.id, meta=codec.dumps(answer),
        )  # fmt: skip
        if turn.unread and self._late is not None:
            changes = Changes(last_activity=said.created_at, head=said.id)
            await self._late.append_unread(replace(asked, parent_id=asked.parent_id or None), said, **changes)
        else:
            as_it_was = time.monotonic() - turn.read_at < _AS_IT_WAS
            opened = turn.conversation if as_it_was else None
            await self._history.append_turn(turn.account, conversation_id, asked, said, opened)
        return answer


async def _to_the_end(work: Coroutine[None, None, Answer]) -> Answer:
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
