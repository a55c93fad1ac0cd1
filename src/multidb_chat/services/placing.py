"""Where a turn belongs, and where it may look: its conversation, what the question leans on, and its collections."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation, Conversations, Message
from multidb_chat.domain.errors import MultidbChatError, NotFound, StoreError, StoreUnavailable
from multidb_chat.domain.turns import Recalled, Rewording
from multidb_chat.services.kept_answers import KeptAnswers
from multidb_chat.services.side_by_side import Begin
from multidb_chat.services.turn import Turn, branch_of, past_turn, spoken

if TYPE_CHECKING:
    from multidb_chat.services.recalling.window import Window

BEGINNING = ""
"""The `parent_id` of a question that answers to nothing: another first question of its conversation."""
_PAST = 8  # messages that are looked at for what a follow-up leans on


class Pinned(Protocol):
    """What a turn needs of what accounts want remembered."""

    async def all(self, account: Account) -> tuple[str, ...]:
        """Return the account's facts."""


class Memory(Protocol):
    """What a turn needs of the memory of conversations."""

    @property
    def page(self) -> int:
        """So many of the latest messages have to be read for `window`."""

    def window(self, branch: Sequence[Message], around: Sequence[Message]) -> "Window":
        """Return what is recalled of a branch."""

    async def put(
        self, account: Account, turn_id: str, question: str, recalled: Recalled
    ) -> tuple[str, Rewording | None]:
        """Return a follow-up as the model puts it, empty where rules have to."""

    def stop(self) -> None:
        """Stop summing up."""

    def turn_ended(self, account: Account, conversation_id: str) -> None:
        """Sum up what no longer fits."""


class Placing:
    """Settles where turns belong.

    `pinned` are the facts and `memory` the conversations that a model gets, None where none writes; `may_be_late`: a
    journal keeps turns.
    """

    def __init__(
        self,
        conversations: Conversations,
        kept: KeptAnswers,
        pinned: Pinned | None,
        memory: Memory | None,
        may_be_late: bool,
    ) -> None:
        self._conversations = conversations
        self._kept = kept
        self._pinned = pinned
        self._memory = memory
        self._past = _PAST if memory is None else memory.page
        self._may_be_late = may_be_late

    async def place(self, turn: Turn, limit: int, begin: Begin) -> str:
        """Settle where the turn belongs and where it may look; return what to tell where it cannot be saved.

        Raises `NotFound` for what is not the account's.
        """
        unsaved, scope = "", begin(self._kept.scope(turn))
        facts = begin(self._facts(turn, self._pinned)) if self._pinned is not None else None
        try:
            turn.standalone = await self._standalone(turn)
        except StoreError as error:
            turn.standalone = turn.wording
            turn.unread = self._may_be_late and isinstance(error, StoreUnavailable)
            if not turn.unread:
                turn.conversation_id = None
                unsaved = f"This turn is not saved, and earlier ones are not known: {error}"
        if facts is not None:
            turn.facts = await facts
        try:
            turn.scope = await scope
        except StoreError as error:
            turn.away = error
        else:
            turn.key = self._kept.key(turn, turn.scope, limit)
        return unsaved

    async def reword(self, turn: Turn, limit: int) -> None:
        """Let a model put the question so that it stands alone, where one does that."""
        if self._memory is None or not turn.recalled.turns:
            return
        with turn.timed("conversation"):
            put, turn.rewording = await self._memory.put(turn.account, turn.id, turn.wording, turn.recalled)
        if put:
            turn.standalone = put
            turn.key = self._kept.key(turn, turn.scope, limit) if turn.scope is not None else ""

    async def _facts(self, turn: Turn, pinned: Pinned) -> tuple[str, ...]:
        """Return what a model is to know of the account; nothing where that cannot be read now."""
        with suppress(MultidbChatError):
            return await pinned.all(turn.account)
        return ()

    async def _standalone(self, turn: Turn) -> str:
        """Return the question with what it leaves out taken from the turns that led here, and settle its parent.

        Raises `NotFound` for another account's conversation, a deleted one, or an unknown parent.
        """
        if turn.conversation_id is None:
            return turn.wording
        conversation, latest = await asyncio.gather(
            self._conversations.conversation(turn.conversation_id),
            self._conversations.messages(turn.conversation_id, limit=self._past),
        )
        if conversation is None or conversation.account_id != turn.account.id or conversation.deleted_at is not None:
            raise NotFound(f"There is no conversation {turn.conversation_id}.")
        turn.conversation, turn.read_at = conversation, time.monotonic()
        branch, around = await self._led_here(turn, conversation, latest)
        turn.parent_id = branch[-1].id if branch else None
        if not branch:
            return turn.wording
        from multidb_chat.services.follow_up import may_lean, standalone

        if self._memory is not None and may_lean(turn.wording):
            turn.recalled = self._memory.window(branch, around).recalled
        last = next((past for message in reversed(branch) if (past := past_turn(message)) is not None), None)
        return turn.wording if last is None else standalone(turn.wording, [last])

    async def _led_here(
        self, turn: Turn, conversation: Conversation, latest: Sequence[Message]
    ) -> tuple[list[Message], Sequence[Message]]:
        """Return the messages that the question answers to, as far as they matter, oldest first; and those around."""
        if turn.parent_id == BEGINNING:
            return [], ()
        parent_id = turn.parent_id or conversation.head
        if parent_id is None or any(message.id == parent_id for message in latest):
            return branch_of(spoken(latest), parent_id), latest
        parent = await self._conversations.message(conversation.id, parent_id)
        if parent is not None:
            around = [*await self._conversations.messages(conversation.id, parent_id, self._past), parent]
            return branch_of(spoken(around), parent_id), around
        if turn.parent_id is not None:
            raise NotFound(f"There is no message {turn.parent_id} in this conversation.")
        return branch_of(spoken(latest), None), latest
