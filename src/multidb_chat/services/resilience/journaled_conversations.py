"""`JournaledConversations`: the port `Conversations` that takes what is said while its store is away."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol, TypeVar, Unpack

from multidb_chat.domain.conversations import (
    META_LIMIT,
    Changes,
    Conversation,
    Conversations,
    Feedback,
    FoundConversation,
    KnowledgeEntry,
    KnowledgeVector,
    Link,
    Message,
)
from multidb_chat.domain.errors import InvalidInput, StoreUnavailable
from multidb_chat.domain.journal import Journal, JournalEntry
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.resilience import talk_entries as entries
from multidb_chat.services.resilience.recent import Recent

T = TypeVar("T")


class ClosableConversations(Conversations, Protocol):
    """Conversations with an end."""

    async def close(self) -> None:
        """Close the store."""


class JournaledConversations:
    """Writes what is said to the store, or to the journal while the store is away or something of it waits there.

    What waits is done in order by a `Replayer`, which `wake` tells of. Reads see what waits together with what the
    store says; while it is away, together with what this process has seen before. Knowledge, searches and lists over
    all accounts need the store. The store is closed with it.
    """

    def __init__(
        self,
        store: ClosableConversations,
        journal: Journal,
        wake: Callable[[], None] = lambda: None,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._journal = journal
        self._wake = wake
        self._clock = clock
        self._recent = Recent()
        self._looked = False

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()

    async def waits(self, conversation_id: str) -> bool:
        """Tell whether something that was said in the conversation is not in the store yet."""
        return bool(await self._lane(conversation_id))

    async def put_conversation(self, conversation: Conversation) -> None:
        entry = entries.of_conversation(conversation, self._clock())
        await self._written(entry, lambda: self._store.put_conversation(conversation))
        self._recent.saw(conversation)
        self._recent.saw_messages(conversation.id, ())

    async def change_conversation(
        self, account_id: str, conversation_id: str, **changes: Unpack[Changes]
    ) -> Conversation | None:
        waiting = await self._lane(conversation_id)
        if waiting:
            known = await self._known(conversation_id)
        else:
            try:
                found = await self._store.change_conversation(account_id, conversation_id, **changes)
            except StoreUnavailable:
                known = self._recent.conversation(conversation_id)
                if known is None:
                    raise
            else:
                self._recent.saw(found)
                return found
        known = entries.conversation_with(known, waiting)
        if known is None or known.account_id != account_id:
            return None
        await self._add(entries.of_changes(account_id, conversation_id, changes, self._clock()))
        self._recent.saw(changed := entries.changed(known, changes))
        return changed

    async def conversation(self, conversation_id: str) -> Conversation | None:
        known, waiting = await asyncio.gather(self._known(conversation_id), self._lane(conversation_id))
        return entries.conversation_with(known, waiting)

    async def conversations(
        self, account_id: str, before: str = "", limit: int = 50, archived: bool = False, deleted: bool = False
    ) -> list[Conversation]:
        waiting = await self._journal.of_account(entries.STORE, account_id)
        try:
            stored = await self._store.conversations(account_id, before, limit, archived, deleted)
        except StoreUnavailable:
            stored = self._recent.of(account_id)
            if not stored and not waiting:
                raise
        else:
            self._recent.saw(*stored)
            if not waiting:
                return stored
        found = {one.id: one for one in stored}
        for lane, of_lane in _by_lane(waiting).items():
            # What waits may belong to a conversation on another page, which was seen if it is known at all.
            one = entries.conversation_with(found.pop(lane, self._recent.conversation(lane)), of_lane)
            if one is not None:
                found[lane] = one
        return _page(found.values(), before, limit, archived, deleted)

    async def append(self, *messages: Message) -> None:
        if not messages:
            return
        if any(len(message.meta.encode("utf-8", "surrogatepass")) > META_LIMIT for message in messages):
            raise InvalidInput(f"A message's meta is at most {META_LIMIT} bytes long.")
        entry = entries.of_messages(messages, self._clock())
        await self._written(entry, lambda: self._store.append(*messages))
        self._recent.saw_messages(entry.lane, messages)

    async def append_unread(self, *messages: Message, **changes: Unpack[Changes]) -> None:
        """Keep messages of a conversation that cannot be read now, and changes of it.

        Whose it is is looked at when they go to the store; where it is not that of the account, they are refused.
        """
        first, at = messages[0], self._clock()
        await self._add(
            entries.of_messages(messages, at, entries.UNREAD),
            entries.of_changes(first.account_id, first.conversation_id, changes, at),
        )
        self._recent.saw_messages(first.conversation_id, messages)

    async def message(self, conversation_id: str, message_id: str) -> Message | None:
        found = await self._messages_named(
            conversation_id, [message_id], lambda: self._one(conversation_id, message_id)
        )
        return found[0] if found else None

    async def messages_named(self, conversation_id: str, message_ids: Sequence[str]) -> list[Message]:
        return await self._messages_named(
            conversation_id, message_ids, lambda: self._store.messages_named(conversation_id, message_ids)
        )

    async def messages(self, conversation_id: str, before: str = "", limit: int = 50) -> list[Message]:
        merged = await self._merged(conversation_id, lambda: self._store.messages(conversation_id, before, limit))
        page = [message for message in merged if not before or message.id < before]
        return page[max(len(page) - max(limit, 0), 0) :]

    async def outline(self, conversation_id: str) -> list[Link]:
        waiting = await self._lane(conversation_id)
        try:
            links = await self._store.outline(conversation_id)
        except StoreUnavailable:
            seen = self._recent.messages(conversation_id)
            if not waiting and seen is None:
                raise
            links = [_link(message) for message in seen or ()]
        added = [_link(message) for message in entries.messages_with([], waiting).values()]
        return [link for _, link in sorted({link.id: link for link in [*links, *added]}.items())]

    async def put_feedback(self, feedback: Feedback) -> None:
        if feedback.rating not in (-1, 0, 1):
            raise InvalidInput(f"A rating is -1, 0 or 1, not {feedback.rating}.")
        if feedback.message_id is not None and feedback.conversation_id is None:
            raise InvalidInput("Feedback on a message names its conversation, too.")
        await self._written(entries.of_feedback(feedback, self._clock()), lambda: self._store.put_feedback(feedback))

    async def feedback_to(self, account_id: str, conversation_id: str, message_ids: Sequence[str]) -> list[Feedback]:
        waiting = await self._lane(conversation_id)
        try:
            found = await self._store.feedback_to(account_id, conversation_id, message_ids)
        except StoreUnavailable:
            if not waiting and self._recent.messages(conversation_id) is None:
                raise
            found = []
        given = [entries.feedback_in(entry) for entry in waiting if entry.kind == entries.FEEDBACK]
        latest = {one.message_id: one for one in found}
        for one in given:
            before = latest.get(one.message_id)
            if one.account_id == account_id and one.message_id in message_ids and (not before or before.id < one.id):
                latest[one.message_id] = one
        return sorted(latest.values(), key=lambda one: one.id)

    async def delete_conversation(self, conversation_id: str) -> bool:
        waiting = await self._lane(conversation_id)
        seen = self._recent.conversation(conversation_id)
        if not waiting:
            try:
                found = await self._store.delete_conversation(conversation_id)
            except StoreUnavailable:
                if seen is None:
                    raise
            else:
                self._recent.forget(conversation_id)
                return found
        known = entries.conversation_with(seen, waiting)
        # Behind what waits: that may be on its way to the store right now.
        whose = waiting[0].account_id if known is None else known.account_id
        await self._add(entries.of_removal(conversation_id, whose, self._clock()))
        self._recent.forget(conversation_id)
        return known is not None

    async def erase(self, account_id: str) -> int:
        # The journal first: from then on it takes nothing of the account, and nothing of it is replayed.
        await self._journal.erase(account_id)
        self._recent.forget_account(account_id)
        return await self._store.erase(account_id)

    async def deleted_conversations(self, until: datetime, limit: int = 100) -> list[Conversation]:
        return await self._store.deleted_conversations(until, limit)

    async def search_conversations(
        self, account_id: str, words: Sequence[str], limit: int = 50, archived: bool = False
    ) -> list[FoundConversation]:
        return await self._store.search_conversations(account_id, words, limit, archived)

    async def idle_conversations(self, until: datetime, limit: int = 100) -> list[Conversation]:
        return await self._store.idle_conversations(until, limit)

    async def questions(self, first: date, account_id: str | None = None) -> Mapping[date, int]:
        return await self._store.questions(first, account_id)

    async def put_knowledge(self, entry: KnowledgeEntry) -> None:
        await self._store.put_knowledge(entry)

    async def knowledge(self, tenant_id: str, question_key: str) -> KnowledgeEntry | None:
        return await self._store.knowledge(tenant_id, question_key)

    async def knowledge_entry(self, tenant_id: str, entry_id: str) -> KnowledgeEntry | None:
        return await self._store.knowledge_entry(tenant_id, entry_id)

    async def knowledge_entries(self, tenant_id: str, after: str = "", limit: int = 100) -> list[KnowledgeEntry]:
        return await self._store.knowledge_entries(tenant_id, after, limit)

    async def knowledge_vectors(
        self, tenant_id: str, embedder: str, after: str = "", limit: int = 1000
    ) -> list[KnowledgeVector]:
        return await self._store.knowledge_vectors(tenant_id, embedder, after, limit)

    async def delete_knowledge(self, tenant_id: str, entry_id: str) -> bool:
        return await self._store.delete_knowledge(tenant_id, entry_id)

    async def count_use(self, tenant_id: str, entry_id: str) -> None:
        await self._store.count_use(tenant_id, entry_id)

    async def uses(self, tenant_id: str, entry_ids: Sequence[str]) -> dict[str, int]:
        return await self._store.uses(tenant_id, entry_ids)

    async def feedback(self, account_id: str, before: str = "", limit: int = 50) -> list[Feedback]:
        return await self._store.feedback(account_id, before, limit)

    async def feedback_on(self, day: date, limit: int = 1000) -> list[Feedback]:
        return await self._store.feedback_on(day, limit)

    async def _written(self, entry: JournalEntry, write: Callable[[], Awaitable[None]]) -> None:
        """Write to the store, or to the journal while that is away or something of the lane waits there."""
        if not await self._lane(entry.lane):
            try:
                await write()
            except StoreUnavailable:
                pass
            else:
                return
        await self._add(entry)

    async def _add(self, *added: JournalEntry) -> None:
        await self._journal.add(*added)
        self._wake()

    async def _lane(self, conversation_id: str) -> list[JournalEntry]:
        if not self._looked:  # what an earlier process left is done from the first use on
            self._looked = True
            self._wake()
        return await self._journal.lane(entries.STORE, conversation_id)

    async def _known(self, conversation_id: str) -> Conversation | None:
        """Return the conversation as the store has it or, while it is away, as it was seen last."""
        try:
            found = await self._store.conversation(conversation_id)
        except StoreUnavailable:
            seen = self._recent.conversation(conversation_id)
            begun = [e for e in await self._lane(conversation_id) if e.kind in (entries.CONVERSATION, entries.REMOVAL)]
            if seen is None and not begun:
                raise
            return seen
        self._recent.saw(found)
        return found

    async def _one(self, conversation_id: str, message_id: str) -> list[Message]:
        found = await self._store.message(conversation_id, message_id)
        return [] if found is None else [found]

    async def _messages_named(
        self, conversation_id: str, message_ids: Sequence[str], read: Callable[[], Awaitable[list[Message]]]
    ) -> list[Message]:
        wanted = set(message_ids)
        return [message for message in await self._merged(conversation_id, read) if message.id in wanted]

    async def _merged(self, conversation_id: str, read: Callable[[], Awaitable[list[Message]]]) -> list[Message]:
        """Return what the store says of a conversation, or what was seen of it, with what waits; in order of id."""
        stored, waiting = await asyncio.gather(_unless_away(read), self._lane(conversation_id))
        if isinstance(stored, StoreUnavailable):
            seen = self._recent.messages(conversation_id)
            if seen is None and not waiting:
                raise stored
            stored = seen or []
        else:
            self._recent.saw_messages(conversation_id, stored)
        if not waiting:
            return sorted(stored, key=lambda message: message.id)
        return [message for _, message in sorted(entries.messages_with(stored, waiting).items())]


async def _unless_away(read: Callable[[], Awaitable[T]]) -> T | StoreUnavailable:
    try:
        return await read()
    except StoreUnavailable as error:
        return error


def _by_lane(waiting: Iterable[JournalEntry]) -> dict[str, list[JournalEntry]]:
    lanes: dict[str, list[JournalEntry]] = {}
    for entry in waiting:
        lanes.setdefault(entry.lane, []).append(entry)
    return lanes


def _page(found: Iterable[Conversation], before: str, limit: int, archived: bool, deleted: bool) -> list[Conversation]:
    """Return the page that `Conversations.conversations` would."""
    wanted = [
        one
        for one in found
        if (not before or one.id < before)
        and ((one.deleted_at is not None) if deleted else (one.deleted_at is None and one.archived == archived))
    ]
    return sorted(wanted, key=lambda one: one.id, reverse=True)[: max(limit, 0)]


def _link(message: Message) -> Link:
    return Link(message.id, message.parent_id, message.role)
