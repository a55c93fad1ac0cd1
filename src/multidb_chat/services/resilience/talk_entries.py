"""What is written of conversations, as entries of the journal: there and back, and what a conversation is with them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, TypeVar

from multidb_chat.domain.conversations import Changes, Conversation, Feedback, Message
from multidb_chat.domain.journal import JournalEntry

T = TypeVar("T")

STORE = "conversations"
CONVERSATION, CHANGE, MESSAGES, UNREAD, FEEDBACK, REMOVAL = (
    "conversation", "change", "messages", "unread messages", "feedback", "removal",
)  # fmt: skip
"""`UNREAD` are messages of a conversation that could not be read, so that nobody has looked yet whose it is."""
_TIMES = frozenset({"last_activity", "read_at", "deleted_at", "created_at"})


def of_conversation(conversation: Conversation, at: datetime) -> JournalEntry:
    """Return the entry that adds a conversation."""
    return _entry(conversation.id, conversation.account_id, CONVERSATION, asdict(conversation), at)


def of_changes(account_id: str, conversation_id: str, changes: Changes, at: datetime) -> JournalEntry:
    """Return the entry that changes a conversation of the account."""
    return _entry(conversation_id, account_id, CHANGE, changes, at)


def of_messages(messages: Sequence[Message], at: datetime, kind: str = MESSAGES) -> JournalEntry:
    """Return the entry that adds messages of one conversation."""
    first = messages[0]
    return _entry(first.conversation_id, first.account_id, kind, [asdict(message) for message in messages], at)


def of_feedback(feedback: Feedback, at: datetime) -> JournalEntry:
    """Return the entry that adds feedback; what is about no conversation is a lane of its own."""
    lane = feedback.conversation_id or f"feedback {feedback.id}"
    return _entry(lane, feedback.account_id, FEEDBACK, asdict(feedback), at)


def of_removal(conversation_id: str, account_id: str, at: datetime) -> JournalEntry:
    """Return the entry that removes a conversation for good."""
    return _entry(conversation_id, account_id, REMOVAL, {}, at)


def conversation_in(entry: JournalEntry) -> Conversation:
    """Return the conversation that an entry adds."""
    return _record(Conversation, json.loads(entry.payload))


def changes_in(entry: JournalEntry) -> Changes:
    """Return what an entry changes."""
    changes: Changes = _timed(json.loads(entry.payload))  # type: ignore[assignment]
    return changes


def messages_in(entry: JournalEntry) -> list[Message]:
    """Return the messages that an entry adds, none for another kind of entry."""
    if entry.kind not in (MESSAGES, UNREAD):
        return []
    return [_record(Message, values) for values in json.loads(entry.payload)]


def feedback_in(entry: JournalEntry) -> Feedback:
    """Return the feedback that an entry adds."""
    return _record(Feedback, json.loads(entry.payload))


def conversation_with(base: Conversation | None, entries: Iterable[JournalEntry]) -> Conversation | None:
    """Return what a conversation is once the entries of its lane are done; None where it is unknown or removed."""
    for entry in entries:
        if entry.kind == CONVERSATION:
            base = base or conversation_in(entry)
        elif entry.kind == REMOVAL:
            base = None
        elif entry.kind == CHANGE and base is not None and base.account_id == entry.account_id:
            base = changed(base, changes_in(entry))
    return base


def changed(conversation: Conversation, changes: Changes) -> Conversation:
    """Return the conversation with the changes, as `Conversations.change_conversation` makes them."""
    values: dict[str, Any] = dict(changes)
    if conversation.renamed and not values.get("renamed"):
        values.pop("title", None)
    for name in ("last_activity", "read_at"):
        before = getattr(conversation, name)
        if name in values and before is not None:
            values[name] = max(before, values[name])
    return replace(conversation, **values)


def merged(several: Iterable[Changes]) -> Changes:
    """Return one change that does what several do one after the other, none of which names `renamed`."""
    all_: dict[str, Any] = {}
    for changes in several:
        for name, value in changes.items():
            all_[name] = max(all_.get(name, value), value) if name in ("last_activity", "read_at") else value
    return all_  # type: ignore[return-value]


def messages_with(base: Iterable[Message], entries: Iterable[JournalEntry]) -> dict[str, Message]:
    """Return messages by id: those given, which are immutable, and those that the entries of the lane add."""
    found = {message.id: message for message in base}
    for entry in entries:
        if entry.kind == REMOVAL:
            found.clear()
        for message in messages_in(entry):
            found.setdefault(message.id, message)
    return found


def _entry(lane: str, account_id: str, kind: str, payload: object, at: datetime) -> JournalEntry:
    # Half a character is refused by the journal, as by every store.
    return JournalEntry(
        STORE, lane, account_id, kind, json.dumps(payload, default=datetime.isoformat, ensure_ascii=False), at
    )


def _record(record: type[T], values: Mapping[str, Any]) -> T:
    """Return a record; what a newer version of the program added to it is left out."""
    known = {field.name for field in fields(record)}  # type: ignore[arg-type]
    return record(**{name: value for name, value in _timed(values).items() if name in known})


def _timed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name in _TIMES and value is not None else value
        for name, value in values.items()
    }
