"""Conversations and their messages in the conversations' file.

Every function is a piece of work inside a transaction that the caller began.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from multidb_chat.adapters.sqlite import conversations_words as words
from multidb_chat.adapters.sqlite import erased
from multidb_chat.adapters.sqlite.records import Table, below, micros, moment, rows_at_most
from multidb_chat.domain.conversations import META_LIMIT, Conversation, Link, Message
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound

CONVERSATIONS = Table("conversations", Conversation)
MESSAGES = Table("messages", Message)

# ruff: noqa: S608 - statements are put together from constants only

Connection = sqlite3.Connection
_DAY = 86_400_000_000  # microseconds
_AT_ONCE = 20  # conversations removed in one transaction, since others wait for it

# Everything but the owner and where it was forked from.
_REPLACED = ("title", "last_activity", "archived", "renamed", "head", "read_at", "deleted_at")
_REPLACING = (
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _REPLACED)}"
    " WHERE account_id = excluded.account_id"
)
# How a field is set that depends on what is stored; the others are set to what is given.
_SETTING = {
    "title": "title = CASE WHEN renamed AND NOT :renamed THEN title ELSE :title END",
    "last_activity": "last_activity = max(last_activity, :last_activity)",
    "read_at": "read_at = max(coalesce(read_at, :read_at), :read_at)",
}


def put(connection: Connection, conversation: Conversation) -> None:
    """Add a conversation or replace what may change of it; raises `Conflict` when it is somebody else's."""
    erased.refuse(connection, conversation.account_id)
    stored = CONVERSATIONS.insert(connection, conversation, _REPLACING)
    if not stored:
        raise Conflict(f"The conversation {conversation.id!r} belongs to another account.")
    words.index_title(connection, conversation)


def change(
    connection: Connection, account_id: str, conversation_id: str, changes: Mapping[str, Any]
) -> Conversation | None:
    """Set some fields of the account's conversation; None when there is none."""
    values = {name: micros(value) if isinstance(value, datetime) else value for name, value in changes.items()}
    settings = ", ".join(_SETTING.get(name, f"{name} = :{name}") for name in values) or "id = id"
    where = "WHERE id = :of_id AND account_id = :of_account"
    values = {"renamed": False} | values | {"of_id": conversation_id, "of_account": account_id}
    connection.execute(f"UPDATE conversations SET {settings} {where}", values)
    changed = CONVERSATIONS.first(connection, "WHERE id = ? AND account_id = ?", conversation_id, account_id)
    if changed is not None and "title" in changes:
        words.index_title(connection, changed)
    return changed


def page_of(connection: Connection, account_id: str, before: str, limit: int, archived: bool) -> list[Conversation]:
    """Return the account's conversations below an id that are not deleted, the latest id first."""
    clauses = "WHERE account_id = ? AND archived = ? AND deleted_at IS NULL AND id < ? ORDER BY id DESC LIMIT ?"
    return CONVERSATIONS.all(connection, clauses, account_id, archived, below(before), rows_at_most(limit))


def deleted_page(connection: Connection, account_id: str, before: str, limit: int) -> list[Conversation]:
    """Return the account's deleted conversations below an id, the latest id first."""
    clauses = "WHERE account_id = ? AND deleted_at IS NOT NULL AND id < ? ORDER BY id DESC LIMIT ?"
    return CONVERSATIONS.all(connection, clauses, account_id, below(before), rows_at_most(limit))


def deleted_until(connection: Connection, until: datetime, limit: int) -> list[Conversation]:
    """Return what was deleted until then, the earliest first."""
    clauses = "WHERE deleted_at <= ? ORDER BY deleted_at, id LIMIT ?"
    return CONVERSATIONS.all(connection, clauses, micros(until), rows_at_most(limit))


def delete(connection: Connection, conversation_id: str) -> bool:
    """Remove a conversation, its messages and the feedback on them; False when it is unknown."""
    statement = "DELETE FROM feedback WHERE conversation_id = ? AND message_id IS NOT NULL"
    connection.execute(statement, (conversation_id,))
    words.forget(connection, conversation_id)
    return connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,)).rowcount > 0


def idle_until(connection: Connection, until: datetime, limit: int) -> list[Conversation]:
    """Return the conversations in which nothing was said since then, the earliest first."""
    clauses = "WHERE last_activity <= ? ORDER BY last_activity, id LIMIT ?"
    return CONVERSATIONS.all(connection, clauses, micros(until), rows_at_most(limit))


def delete_some(connection: Connection, account_id: str) -> int:
    """Remove a few of the account's conversations for good; return how many, 0 when there are none left."""
    query = "SELECT id FROM conversations WHERE account_id = ? LIMIT ?"
    found = connection.execute(query, (account_id, _AT_ONCE)).fetchall()
    return sum(delete(connection, row[0]) for row in found)


def append(connection: Connection, messages: Sequence[Message]) -> None:
    """Add messages of one conversation once; raises `NotFound` or `InvalidInput`."""
    for account_id in {message.account_id for message in messages}:
        erased.refuse(connection, account_id)
    owners = {key: _owner(connection, key) for key in {message.conversation_id for message in messages}}
    for message in messages:
        if len(message.meta.encode()) > META_LIMIT:
            raise InvalidInput(f"A message's meta is at most {META_LIMIT} bytes long.")
        if MESSAGES.insert(connection, message, "ON CONFLICT DO NOTHING"):
            words.index_message(connection, message, owners[message.conversation_id])


def _owner(connection: Connection, conversation_id: str) -> str:
    conversation = CONVERSATIONS.first(connection, "WHERE id = ?", conversation_id)
    if conversation is None:
        raise NotFound(f"There is no conversation {conversation_id!r}.")
    return conversation.account_id


def page(connection: Connection, conversation_id: str, before: str, limit: int) -> list[Message]:
    """Return the messages just below an id, oldest first."""
    clauses = "WHERE conversation_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
    return MESSAGES.all(connection, clauses, conversation_id, below(before), rows_at_most(limit))[::-1]


def questions(connection: Connection, first: date, account_id: str | None) -> dict[date, int]:
    """Return how many questions there are by day, along an index that holds all it takes."""
    begin = micros(datetime.combine(first, time(), UTC))
    whose, parameters = ("", (begin,)) if account_id is None else (" AND account_id = ?", (begin, account_id))
    rows = connection.execute(
        f"SELECT created_at / {_DAY}, count(*) FROM messages"
        f" WHERE role = 'user' AND created_at >= ?{whose} GROUP BY 1 ORDER BY 1",
        parameters,
    )
    return {moment(day * _DAY).date(): count for day, count in rows}


def named(connection: Connection, conversation_id: str, message_ids: Sequence[str]) -> list[Message]:
    """Return the messages with these ids, in order of id."""
    clauses = "WHERE conversation_id = ? AND id IN (SELECT value FROM json_each(?)) ORDER BY id"
    return MESSAGES.all(connection, clauses, conversation_id, json.dumps(list(message_ids)))


def outline(connection: Connection, conversation_id: str) -> list[Link]:
    """Return where the messages hang, in order of id."""
    query = "SELECT id, parent_id, role FROM messages WHERE conversation_id = ? ORDER BY id"
    return [Link(*row) for row in connection.execute(query, (conversation_id,))]
