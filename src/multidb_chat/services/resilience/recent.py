"""What this process has seen of conversations: served while their store is away, bounded, gone with the process."""

from collections import OrderedDict
from collections.abc import Iterable

from multidb_chat.domain.conversations import Conversation, Message

CONVERSATIONS = 500
MESSAGES = 200
"""So many conversations are remembered, and the latest so many messages of each."""


class Recent:
    """The conversations seen last with their latest messages, each as it was when it was seen."""

    def __init__(self) -> None:
        self._conversations: OrderedDict[str, Conversation] = OrderedDict()
        self._messages: OrderedDict[str, dict[str, Message]] = OrderedDict()

    def conversation(self, conversation_id: str) -> Conversation | None:
        """Return a conversation as it was seen last."""
        return self._conversations.get(conversation_id)

    def of(self, account_id: str) -> list[Conversation]:
        """Return the account's conversations that were seen."""
        return [one for one in self._conversations.values() if one.account_id == account_id]

    def messages(self, conversation_id: str) -> list[Message] | None:
        """Return the messages of a conversation that were seen; None where nobody has looked."""
        seen = self._messages.get(conversation_id)
        return None if seen is None else list(seen.values())

    def saw(self, *conversations: Conversation | None) -> None:
        """Remember conversations."""
        for one in conversations:
            if one is not None:
                self._conversations[one.id] = one
                self._conversations.move_to_end(one.id)
        while len(self._conversations) > CONVERSATIONS:
            self._conversations.popitem(last=False)

    def saw_messages(self, conversation_id: str, messages: Iterable[Message]) -> None:
        """Remember messages of a conversation, or that there are none."""
        kept = self._messages.setdefault(conversation_id, {})
        self._messages.move_to_end(conversation_id)
        kept |= {message.id: message for message in messages}
        for id_ in sorted(kept)[:-MESSAGES]:
            del kept[id_]
        while len(self._messages) > CONVERSATIONS:
            self._messages.popitem(last=False)

    def forget(self, conversation_id: str) -> None:
        """Forget a conversation."""
        self._conversations.pop(conversation_id, None)
        self._messages.pop(conversation_id, None)

    def forget_account(self, account_id: str) -> None:
        """Forget all of an account."""
        for one in self.of(account_id):
            self.forget(one.id)
        for conversation_id, messages in list(self._messages.items()):
            if any(message.account_id == account_id for message in messages.values()):
                del self._messages[conversation_id]
