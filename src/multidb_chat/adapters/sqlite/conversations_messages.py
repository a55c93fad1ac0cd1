"""Conversations and their messages in the conversations' file.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3
from datetime import UTC, date, datetime, time

from multidb_chat.adapters.sqlite.records import Table, below, micros, moment, rows_at_most
from multidb_chat.domain.conversations import META_LIMIT, Conversation, Message
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound

CONVERSATIONS = Table("conversations", Conversation)
MESSAGES = Table("messages", Message)

# ruff: noqa: S608 - statements are put together from constants only

Connection = sqlite3.Connection
_DAY = 86_400_000_000  # microseconds


def put(connection: Connection, conversation: Conversation) -> None:
    """Add a conversation or replace what may change of it; raises `Conflict` when it is somebody else's."""
    stored = CONVERSATIONS.insert(
        connection,
        conversation,
        "ON CONFLICT (id) DO UPDATE SET"
        " title = excluded.title, last_activity = excluded.last_activity, archived = excluded.archived"
        " WHERE account_id = excluded.account_id",
    )
    if not stored:
        raise Conflict(f"The conversation {conversation.id!r} belongs to another account.")


def page_of(connection: Connection, account_id: str, before: str, limit: int, archived: bool) -> list[Conversation]:
    """Return the account's conversations below an id, the latest id first."""
    return CONVERSATIONS.all(
        connection,
        "WHERE account_id = ? AND archived = ? AND id < ? ORDER BY id DESC LIMIT ?",
        account_id,
        archived,
        below(before),
        rows_at_most(limit),
    )


def delete(connection: Connection, conversation_id: str) -> bool:
    """Remove a conversation, its messages and the feedback on them; False when it is unknown."""
    statement = "DELETE FROM feedback WHERE conversation_id = ? AND message_id IS NOT NULL"
    connection.execute(statement, (conversation_id,))
    return connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,)).rowcount > 0


def append(connection: Connection, message: Message) -> None:
    """Add a message once; raises `NotFound` or `InvalidInput`."""
    if len(message.meta.encode()) > META_LIMIT:
        raise InvalidInput(f"A message's meta is at most {META_LIMIT} bytes long.")
    try:
        MESSAGES.insert(connection, message, "ON CONFLICT DO NOTHING")
    except sqlite3.IntegrityError:
        raise NotFound(f"There is no conversation {message.conversation_id!r}.") from None


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
