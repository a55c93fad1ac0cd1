"""The memory of conversations: read for a turn without a read of its own, summed up beside the turns."""

import asyncio
import logging
from collections.abc import Sequence

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation, Conversations, Message
from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.domain.language import LanguageModel
from multidb_chat.domain.turns import Recalled, Rewording
from multidb_chat.services.modelled.asking import Asking
from multidb_chat.services.modelled.paying import Metering
from multidb_chat.services.modelled.rewriting import Rewriting
from multidb_chat.services.recalling import summing_up
from multidb_chat.services.recalling.reading import read_window
from multidb_chat.services.recalling.summary import Summary, as_message
from multidb_chat.services.recalling.window import PAGE, SUMMARY_SHARE, Window, window

_ROUNDS = 3  # summaries in a row, for a conversation that was long before a model wrote
_log = logging.getLogger(__name__)


class TalkMemory:
    """What a model gets of conversations within a `budget` of tokens, and the summaries of what no longer fits.

    With `rewrites`, it lets the model put follow-ups so that they stand alone. Without `sums_up` it uses the summaries
    that are there and makes none: the program ends with the turn.

    A summary is made beside the turns, after one; the next turn of this program stops it, since a model on this machine
    does one thing at a time, and it is begun anew after that.
    """

    page = PAGE
    """So many of the latest messages have to be read for `window`."""

    def __init__(
        self,
        conversations: Conversations,
        model: LanguageModel,
        meter: Metering,
        budget: int,
        rewrites: bool = False,
        sums_up: bool = True,
    ) -> None:
        self._conversations = conversations
        self._model = model
        self._meter = meter
        self._budget = budget
        self._rewrites = rewrites
        self._sums_up = sums_up
        self._running: set[asyncio.Task[None]] = set()

    def window(self, branch: Sequence[Message], around: Sequence[Message]) -> Window:
        """Return what is recalled of a branch; `around` are messages that may hold its summary."""
        return window(branch, around, self._budget)

    async def put(
        self, account: Account, turn_id: str, question: str, recalled: Recalled
    ) -> tuple[str, Rewording | None]:
        """Return a follow-up as the model puts it, empty where rules have to; and what that took, None for nothing."""
        if not self._rewrites or not recalled.turns or await self._meter.refusal(account):
            return "", None
        rewriting = Rewriting(self._model, question, recalled)
        try:
            standalone = await rewriting.standalone()
        finally:
            self._meter.count_later(account, f"{turn_id} rewording", rewriting.use)
        return standalone, Rewording(bool(standalone), rewriting.use)

    def stop(self) -> None:
        """Stop summing up: a turn begins, or the program ends."""
        for task in self._running:
            task.cancel()

    def turn_ended(self, account: Account, conversation_id: str) -> None:
        """Sum up what no longer fits, without being waited for."""
        if not self._sums_up:
            return
        task = asyncio.create_task(self._sum(account, conversation_id))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def settled(self) -> None:
        """Wait until nothing is being summed up."""
        if self._running:
            await asyncio.wait(self._running)

    async def close(self) -> None:
        """Stop summing up, and wait until that is over."""
        self.stop()
        await self.settled()

    async def _sum(self, account: Account, conversation_id: str) -> None:
        try:
            for _ in range(_ROUNDS):
                conversation = await self._conversations.conversation(conversation_id)
                if conversation is None or conversation.deleted_at or not await self._summed_up(account, conversation):
                    return
        except MultidbChatError as error:
            _log.warning("The conversation %s was not summed up: %s", conversation_id, error)

    async def _summed_up(self, account: Account, conversation: Conversation) -> bool:
        """Take older turns into a new summary; False where there was nothing to do. Raises `StoreError`."""
        seen = await read_window(self._conversations, conversation, self._budget)
        older = seen.to_sum_up()
        if not older or await self._meter.refusal(account):
            return False
        before, most = seen.recalled.summary, self._budget // SUMMARY_SHARE
        turns = [turn for turn, _ in older]
        asking = Asking(self._model, summing_up.prompt_for(before, turns, most))
        try:
            said = summing_up.fit(await asking.answer(summing_up.SECONDS), before, turns, most)
        finally:
            self._meter.count_later(account, f"{conversation.id} {older[-1][1]} summary", asking.use)
        count = len(turns) + (seen.summary.turns if seen.summary else 0)
        until = older[-1][1]
        made = (
            Summary(said, count, until, self._model.name)
            if said
            else Summary(summing_up.listed(before, turns, most), count, until, "")
        )
        await self._conversations.append(as_message(made, conversation.id, account.id))
        return True
