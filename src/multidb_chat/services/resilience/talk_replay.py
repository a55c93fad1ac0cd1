"""What waits of conversations, done in their store: at least once, never twice to be seen, and nothing brought back."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from multidb_chat.domain.conversations import Changes, Conversation, Conversations, Message
from multidb_chat.domain.errors import InvalidInput, MultidbChatError, NotFound
from multidb_chat.domain.journal import JournalEntry
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.resilience import talk_entries as entries
from multidb_chat.services.resilience.replaying import WAITING, Outcome

OLDEST = timedelta(days=5)
"""Half of `gc_grace_seconds`, for which Cassandra and ScyllaDB remember a deletion (10 days is their default).

What is older could bring back what was deleted meanwhile (ScyllaDB, "Repair and gc_grace_seconds"), so it is refused.
"""
_AT_ONCE = 50


class TalkReplay:
    """Does the entries of one lane of conversations."""

    def __init__(self, store: Conversations, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._clock = clock

    async def __call__(self, lane: Sequence[JournalEntry]) -> AsyncIterator[Outcome]:
        """Do the entries in order and yield what became of them. Raises what `WAITING` names."""
        if self._clock() - lane[0].at > OLDEST:  # all of it, since what follows may build on it
            yield Outcome(tuple(entry.seq for entry in lane), f"It waited for more than {OLDEST.days} days.")
            return
        for some in _steps(lane):
            async for outcome in self._together(some):
                yield outcome

    async def _together(self, some: Sequence[JournalEntry]) -> AsyncIterator[Outcome]:
        """Do entries in one call or, where the store refuses that, each alone."""
        try:
            await self._do(some)
        except NotFound:  # it was deleted or erased meanwhile, and does not come back
            yield Outcome(tuple(entry.seq for entry in some))
        except WAITING:
            raise
        except MultidbChatError as error:
            if len(some) == 1:
                yield Outcome((some[0].seq,), str(error))
                return
            for entry in some:
                async for outcome in self._together([entry]):
                    yield outcome
        else:
            yield Outcome(tuple(entry.seq for entry in some))

    async def _do(self, some: Sequence[JournalEntry]) -> None:
        first = some[0]
        match first.kind:
            case entries.CONVERSATION:
                await self._begin(entries.conversation_in(first))
            case entries.CHANGE:
                await self._change(first, entries.merged(map(entries.changes_in, some)))
            case entries.MESSAGES | entries.UNREAD:
                await self._append(first, [message for entry in some for message in entries.messages_in(entry)])
            case entries.FEEDBACK:
                await self._store.put_feedback(entries.feedback_in(first))
            case entries.REMOVAL:
                await self._remove(first)
            case kind:
                raise InvalidInput(f"This version of the program does not know what {kind!r} is.")

    async def _begin(self, conversation: Conversation) -> None:
        """Add a conversation; one that is there already (it was added, and only the answer was lost) stays as it is."""
        stored = await self._store.conversation(conversation.id)
        if stored is None or stored.account_id != conversation.account_id:
            await self._store.put_conversation(conversation)

    async def _change(self, entry: JournalEntry, changes: Changes) -> None:
        """Change a conversation; where something was said since, what is shown is what was said last."""
        if "head" in changes and "last_activity" in changes:
            stored = await self._store.conversation(entry.lane)
            if stored is not None and stored.last_activity > changes["last_activity"]:
                del changes["head"]
        await self._store.change_conversation(entry.account_id, entry.lane, **changes)

    async def _append(self, first: JournalEntry, messages: Sequence[Message]) -> None:
        conversation = await self._owned(first)
        head, *rest = messages
        if first.kind == entries.UNREAD and head.parent_id is None:  # what it answers to was not known
            head = replace(head, parent_id=conversation.head)
        await self._store.append(head, *rest)

    async def _remove(self, entry: JournalEntry) -> None:
        await self._owned(entry)
        await self._store.delete_conversation(entry.lane)

    async def _owned(self, entry: JournalEntry) -> Conversation:
        """Return the conversation. Raises `NotFound` where it is gone, `InvalidInput` where it is not the account's."""
        stored = await self._store.conversation(entry.lane)
        if stored is None:
            raise NotFound(f"There is no conversation {entry.lane!r} any more.")
        if stored.account_id != entry.account_id:
            raise InvalidInput(f"The conversation {entry.lane!r} is not the account's.")
        return stored


def _steps(lane: Sequence[JournalEntry]) -> Iterator[Sequence[JournalEntry]]:
    """Yield the entries of a lane as they are done: messages and plain changes between two others together.

    Messages come in any order, so those go first; changes are merged. Both save most of the exchanges with a server.
    """
    for (plain, _), group in groupby(lane, lambda entry: (_is_plain(entry), entry.account_id)):
        some = list(group)
        if not plain:
            yield from ([entry] for entry in some)
            continue
        said = [entry for entry in some if entry.kind == entries.MESSAGES]
        yield from (said[at : at + _AT_ONCE] for at in range(0, len(said), _AT_ONCE))
        if changes := [entry for entry in some if entry.kind == entries.CHANGE]:
            yield changes


def _is_plain(entry: JournalEntry) -> bool:
    """Tell whether an entry adds messages, or changes what does not depend on what was changed before."""
    if entry.kind == entries.CHANGE:
        return "renamed" not in entries.changes_in(entry)
    return entry.kind == entries.MESSAGES
