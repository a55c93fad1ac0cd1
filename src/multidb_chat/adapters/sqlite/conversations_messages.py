"""Conversations and their messages in the conversations' file.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3

from multidb_chat.adapters.sqlite.records import Table, below, rows_at_most
from multidb_chat.domain.conversations import META_LIMIT, Conversation, Message
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound

CONVERSATIONS = Table("conversations", Conversation)
MESSAGES = Table("messages", Message)

Connection = sqlite3.Connection


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
