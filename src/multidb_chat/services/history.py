"""An account's conversations: every access checks whose they are."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Unpack

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Changes, Conversation, Conversations, FoundConversation, Message
from multidb_chat.domain.errors import InvalidInput, NotFound
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean_line

if TYPE_CHECKING:
    from multidb_chat.services.audit import Recorder

TITLE_LIMIT = 80
UNTITLED = "Untitled conversation"
LAST = "last"
"""The reference to the conversation talked in last."""
DELETED_KEPT = timedelta(days=30)
_LATEST_AMONG = 1_000
_PAGE = 500
_MOST_WORDS = 8
_CANDIDATES = 3


class History:
    """The conversations of accounts.

    A conversation of somebody else is `NotFound`, in the same words as one that does not exist: an identifier that
    was guessed or leaked tells nothing. So is a deleted one, which stays for `kept` before it goes for good. All
    methods raise `NotPermitted` for a disabled account.
    """

    def __init__(
        self,
        conversations: Conversations,
        audit: "Callable[[], Recorder]",
        *,
        kept: timedelta = DELETED_KEPT,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._conversations = conversations
        self._audit = audit  # made when something is deleted: a question needs none
        self._kept = kept
        self._clock = clock

    async def start(self, account: Account, title: str) -> Conversation:
        """Begin a conversation; the title is made fit for a line, and made anew of the first question and answer."""
        require(account, Permission.CHAT)
        now = self._clock()
        conversation = Conversation(new_id(), account.id, _line(title) or UNTITLED, now, read_at=now)
        await self._conversations.put_conversation(conversation)
        return conversation

    async def open(self, account: Account, conversation_id: str) -> Conversation:
        """Return the conversation. Raises `NotFound`."""
        found = await self._own(account, conversation_id)
        if found.deleted_at is not None:
            raise _unknown(conversation_id)
        return found

    async def latest(self, account: Account) -> Conversation | None:
        """Return the conversation talked in last, of the 1,000 that began last and are not archived."""
        require(account, Permission.CHAT)
        found = await self._conversations.conversations(account.id, limit=_LATEST_AMONG)
        return max(found, key=lambda conversation: (conversation.last_activity, conversation.id), default=None)

    async def named(self, account: Account, reference: str, *, deleted: bool = False) -> Conversation:
        """Return the conversation with this identifier, or the beginning of it, or the one `LAST` talked in.

        Archived ones are found too; where `deleted`, deleted ones alone, and `LAST` is the one deleted last. Raises
        `NotFound`, or `InvalidInput` for the beginning of several.
        """
        require(account, Permission.CHAT)
        key = reference.strip().lower()
        if key == LAST:
            last = await (self._deleted_last(account) if deleted else self.latest(account))
            if last is None:
                raise NotFound("No conversation is deleted." if deleted else "There is no conversation yet.")
            return last
        found = [one for one in await self.all(account, deleted=deleted) if key and one.id.startswith(key)]
        if not found:
            raise _unknown(reference)
        exact = [one for one in found if one.id == key] or found
        if len(exact) > 1:
            names = ", ".join(f"{one.id} {one.title}" for one in exact[:_CANDIDATES])
            raise InvalidInput(f'"{clean_line(reference)}" begins several conversations: {names}; give more of it.')
        return exact[0]

    async def page(
        self, account: Account, conversation_id: str, before: str = "", limit: int = 50
    ) -> Sequence[Message]:
        """Return the messages just below the id `before` (empty: the latest ones), oldest first. Raises `NotFound`."""
        await self.open(account, conversation_id)
        return await self._conversations.messages(conversation_id, before, limit)

    async def append_turn(
        self,
        account: Account,
        conversation_id: str,
        question: Message,
        answer: Message,
        opened: Conversation | None = None,
    ) -> Conversation:
        """Store a question and its answer, which become the end of the branch that is shown; return the conversation.

        Both have their identifiers already, made in this order, so that doing it again changes nothing. `opened` is the
        conversation where it was read a moment ago, and with it the message that is answered to: then neither is read
        again. Raises `NotFound`, or `InvalidInput` for messages that don't belong to the account, the conversation or
        each other.
        """
        require(account, Permission.CHAT)
        if opened is not None and (opened.id, opened.account_id) == (conversation_id, account.id):
            conversation = opened
        else:
            conversation, _ = await asyncio.gather(
                self.open(account, conversation_id), self._check_parent(conversation_id, question.parent_id)
            )
        _check_turn(conversation, question, answer)
        changes = Changes(last_activity=answer.created_at, head=answer.id)
        if question.parent_id is None and conversation.head is None:
            from multidb_chat.services.titling import title_of

            changes["title"] = title_of(question, answer) or conversation.title
        # At once, since the store then makes them durable together; a head whose message is missing is passed over.
        _, changed = await asyncio.gather(
            self._conversations.append(question, answer),
            self._conversations.change_conversation(account.id, conversation_id, **changes),
        )
        if changed is None or changed.deleted_at is not None:  # while the messages went to the disk
            raise _unknown(conversation_id)
        return changed

    async def mark_read(self, account: Account, conversation_id: str) -> Conversation:
        """Remember that the account has seen all that was said. Raises `NotFound`."""
        conversation = await self.open(account, conversation_id)
        if not conversation.unread:
            return conversation
        return await self._changed(account, conversation_id, read_at=conversation.last_activity)

    async def rename(self, account: Account, conversation_id: str, title: str) -> Conversation:
        """Give the conversation another title, for good. Raises `NotFound`, or `InvalidInput` for an empty one."""
        line = _line(title)
        if not line:
            raise InvalidInput("A conversation needs a title with visible characters.")
        return await self._changed(account, conversation_id, title=line, renamed=True)

    async def archive(self, account: Account, conversation_id: str, archived: bool = True) -> Conversation:
        """Put the conversation away, or (`archived` False) take it out again. Raises `NotFound`."""
        return await self._changed(account, conversation_id, archived=archived)

    async def delete(self, account: Account, conversation_id: str) -> Conversation:
        """Hide the conversation everywhere; it goes for good with the first `expire_deleted` after `kept`.

        Recorded in the audit log. Raises `NotFound`.
        """
        await self.open(account, conversation_id)
        await self._audit().record(account, "conversation.delete", conversation_id)
        await self._conversations.change_conversation(account.id, conversation_id, deleted_at=self._clock())
        return await self._own(account, conversation_id)

    async def undelete(self, account: Account, conversation_id: str) -> Conversation:
        """Take a deletion back. Raises `NotFound` for what is not deleted, or gone for good."""
        found = await self._own(account, conversation_id)
        if found.deleted_at is None:
            raise NotFound(f"The conversation {clean_line(conversation_id)} is not deleted.")
        await self._audit().record(account, "conversation.undelete", conversation_id)
        await self._conversations.change_conversation(account.id, conversation_id, deleted_at=None)
        return await self.open(account, conversation_id)

    async def discard(self, account: Account, conversation_id: str) -> bool:
        """Remove for good a conversation in which nothing was said; False when something was. Raises `NotFound`."""
        await self.open(account, conversation_id)
        if await self._conversations.messages(conversation_id, limit=1):
            return False
        return await self._conversations.delete_conversation(conversation_id)

    async def expire_deleted(self, now: datetime) -> int:
        """Remove for good, with messages and feedback, what was deleted at least `kept` ago; return how many."""
        removed = 0
        while page := await self._conversations.deleted_conversations(now - self._kept, _PAGE):
            for conversation in page:
                removed += await self._conversations.delete_conversation(conversation.id)
        return removed

    async def list(
        self, account: Account, before: str = "", limit: int = 50, archived: bool = False, deleted: bool = False
    ) -> Sequence[Conversation]:
        """Return the account's conversations, the latest begun first, those with ids below `before`.

        Those that are archived, or deleted, are returned alone.
        """
        require(account, Permission.CHAT)
        return await self._conversations.conversations(account.id, before, limit, archived, deleted)

    async def all(self, account: Account, *, deleted: bool = False) -> Sequence[Conversation]:
        """Return all conversations of the account, archived ones too, or all deleted ones."""
        found: list[Conversation] = []
        for archived in (False,) if deleted else (False, True):
            before = ""
            while page := await self.list(account, before, _PAGE, archived, deleted):
                found += page
                before = page[-1].id
        return found

    async def search(
        self, account: Account, text: str, limit: int = 50, archived: bool = False
    ) -> Sequence[FoundConversation]:
        """Return the conversations whose titles and messages have all the words of the text, or their beginnings.

        The latest begun is first. Of many words, the first eight are looked for; no words find nothing.
        """
        require(account, Permission.CHAT)
        from multidb_chat.domain.words import words_of

        words = list(dict.fromkeys(words_of(clean_line(text))))[:_MOST_WORDS]
        return await self._conversations.search_conversations(account.id, words, limit, archived)

    async def _deleted_last(self, account: Account) -> Conversation | None:
        gone = await self.all(account, deleted=True)
        return max(gone, key=lambda one: (one.deleted_at or one.last_activity, one.id), default=None)

    async def _own(self, account: Account, conversation_id: str) -> Conversation:
        require(account, Permission.CHAT)
        found = await self._conversations.conversation(conversation_id)
        if found is None or found.account_id != account.id:
            raise _unknown(conversation_id)
        return found

    async def _changed(self, account: Account, conversation_id: str, **changes: Unpack[Changes]) -> Conversation:
        await self.open(account, conversation_id)
        changed = await self._conversations.change_conversation(account.id, conversation_id, **changes)
        if changed is None:
            raise _unknown(conversation_id)
        return changed

    async def _check_parent(self, conversation_id: str, parent_id: str | None) -> None:
        if parent_id is not None and await self._conversations.message(conversation_id, parent_id) is None:
            raise NotFound(f"There is no message {clean_line(parent_id)} in this conversation.")


def _check_turn(conversation: Conversation, question: Message, answer: Message) -> None:
    belongs = all(
        (message.conversation_id, message.account_id) == (conversation.id, conversation.account_id)
        for message in (question, answer)
    )
    if not belongs or answer.parent_id != question.id or not question.id < answer.id:
        raise InvalidInput("A turn is a question of this account in this conversation, and the answer to it.")


def _unknown(reference: str) -> NotFound:
    return NotFound(f"There is no conversation {clean_line(reference)}.")


def _line(title: str) -> str:
    line = clean_line(title)
    return line if len(line) <= TITLE_LIMIT else f"{line[: TITLE_LIMIT - 1]}…"
