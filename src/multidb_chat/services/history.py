"""An account's conversations: every access checks whose they are."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation, Conversations, Message
from multidb_chat.domain.errors import InvalidInput, NotFound
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean_line

TITLE_LIMIT = 80
UNTITLED = "Untitled conversation"
_LATEST_AMONG = 1_000


class History:
    """The conversations of accounts.

    A conversation of somebody else is `NotFound`, in the same words as one that does not exist: an identifier that
    was guessed or leaked tells nothing.
    """

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    async def start(self, account: Account, title: str) -> Conversation:
        """Begin a conversation; the title is made fit for a line."""
        require(account, Permission.CHAT)
        conversation = Conversation(new_id(), account.id, _line(title) or UNTITLED, datetime.now(UTC))
        await self._conversations.put_conversation(conversation)
        return conversation

    async def open(self, account: Account, conversation_id: str) -> Conversation:
        """Return the conversation. Raises `NotFound`."""
        require(account, Permission.CHAT)
        found = await self._conversations.conversation(conversation_id)
        if found is None or found.account_id != account.id:
            raise NotFound(f"There is no conversation {clean_line(conversation_id)}.")
        return found

    async def latest(self, account: Account) -> Conversation | None:
        """Return the conversation talked in last, of the 1,000 that began last and are not archived."""
        require(account, Permission.CHAT)
        found = await self._conversations.conversations(account.id, limit=_LATEST_AMONG)
        return max(found, key=lambda conversation: (conversation.last_activity, conversation.id), default=None)

    async def page(
        self, account: Account, conversation_id: str, before: str = "", limit: int = 50
    ) -> Sequence[Message]:
        """Return the messages just below the id `before` (empty: the latest ones), oldest first. Raises `NotFound`."""
        await self.open(account, conversation_id)
        return await self._conversations.messages(conversation_id, before, limit)

    async def append_turn(
        self, account: Account, conversation_id: str, question: Message, answer: Message
    ) -> Conversation:
        """Store a question and its answer, and that the conversation was talked in; return the conversation.

        Both have their identifiers already, made in this order, so that doing it again changes nothing. Raises
        `NotFound`, or `InvalidInput` for messages that don't belong to the account, the conversation or each other.
        """
        conversation = await self.open(account, conversation_id)
        _check_turn(conversation, question, answer)
        if question.parent_id is not None:
            await self._check_parent(conversation_id, question.parent_id)
        await self._conversations.append(question)
        await self._conversations.append(answer)
        # Read again: it may have been renamed, archived or deleted while the messages went to the disk.
        conversation = await self.open(account, conversation_id)
        if answer.created_at > conversation.last_activity:
            conversation = replace(conversation, last_activity=answer.created_at)
            await self._conversations.put_conversation(conversation)
        return conversation

    async def rename(self, account: Account, conversation_id: str, title: str) -> Conversation:
        """Give the conversation another title. Raises `NotFound`, or `InvalidInput` for an empty one."""
        line = _line(title)
        if not line:
            raise InvalidInput("A conversation needs a title with visible characters.")
        return await self._changed(account, conversation_id, title=line)

    async def archive(self, account: Account, conversation_id: str, archived: bool = True) -> Conversation:
        """Put the conversation away, or (`archived` False) take it out again. Raises `NotFound`."""
        return await self._changed(account, conversation_id, archived=archived)

    async def delete(self, account: Account, conversation_id: str) -> None:
        """Remove the conversation with its messages and their feedback. Raises `NotFound`."""
        await self.open(account, conversation_id)
        await self._conversations.delete_conversation(conversation_id)

    async def list(
        self, account: Account, before: str = "", limit: int = 50, archived: bool = False
    ) -> Sequence[Conversation]:
        """Return the account's conversations, the latest begun first, those with ids below `before`."""
        require(account, Permission.CHAT)
        return await self._conversations.conversations(account.id, before, limit, archived)

    async def _changed(
        self, account: Account, conversation_id: str, title: str | None = None, archived: bool | None = None
    ) -> Conversation:
        found = await self.open(account, conversation_id)
        changed = replace(
            found,
            title=found.title if title is None else title,
            archived=found.archived if archived is None else archived,
        )
        await self._conversations.put_conversation(changed)
        return changed

    async def _check_parent(self, conversation_id: str, parent_id: str) -> None:
        if await self._conversations.message(conversation_id, parent_id) is None:
            raise NotFound(f"There is no message {clean_line(parent_id)} in this conversation.")


def _check_turn(conversation: Conversation, question: Message, answer: Message) -> None:
    belongs = all(
        (message.conversation_id, message.account_id) == (conversation.id, conversation.account_id)
        for message in (question, answer)
    )
    if not belongs or answer.parent_id != question.id or not question.id < answer.id:
        raise InvalidInput("A turn is a question of this account in this conversation, and the answer to it.")


def _line(title: str) -> str:
    line = clean_line(title)
    return line if len(line) <= TITLE_LIMIT else f"{line[: TITLE_LIMIT - 1]}…"
