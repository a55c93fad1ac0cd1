"""What a language model would get of a conversation now, for whoever wants to see it."""

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation, Conversations
from multidb_chat.services.history import History
from multidb_chat.services.recalling.window import PAGE, Window, window
from multidb_chat.services.turn import branch_of, spoken
from multidb_chat.services.wording import counted


class Recollection:
    """Shows what is recalled of an account's conversations within a `budget` of tokens; 0 recalls nothing."""

    def __init__(self, history: History, conversations: Conversations, budget: int) -> None:
        self._history = history
        self._conversations = conversations
        self._budget = budget

    async def of(self, account: Account, conversation_id: str) -> Window:
        """Return what is recalled of the branch that is shown. Raises `NotFound` for another account's conversation."""
        conversation = await self._history.open(account, conversation_id)
        return await read_window(self._conversations, conversation, self._budget)


async def read_window(conversations: Conversations, conversation: Conversation, budget: int) -> Window:
    """Return what a model gets of the branch of a conversation that is shown. Raises `StoreError`."""
    latest = await conversations.messages(conversation.id, limit=PAGE)
    return window(branch_of(spoken(latest), conversation.head), latest, budget)


def recalled_rows(seen: Window) -> list[tuple[str, str]]:
    """Return what is recalled in words, each with its heading."""
    if not seen.budget:
        return [("Conversation", "models get nothing of it (model.memory_tokens is 0)")]
    rows = []
    if seen.summary is not None:
        by = f"by {seen.summary.model}" if seen.summary.model else "by rules"
        rows.append(("Summary", f"{seen.summary.text} ({counted(seen.summary.turns, 'turn')}, {by})"))
    rows.append(("In their words", f"the latest {counted(len(seen.turns), 'turn')}" if seen.turns else "no turn yet"))
    if seen.left_out:
        rows.append(("Left out", f"{counted(len(seen.left_out), 'turn')} before, until they are summed up"))
    rows.append(("Used", f"about {seen.used:,} of {seen.budget:,} tokens"))
    return rows
