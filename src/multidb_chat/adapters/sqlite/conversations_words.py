"""The full text of conversations in the conversations' file, written with what it is made of.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3

from multidb_chat.domain.conversations import Conversation, Message
from multidb_chat.domain.words import spaced

Connection = sqlite3.Connection


def index_title(connection: Connection, conversation: Conversation) -> None:
    """Make the title of the conversation what is found."""
    place = conversation_word(conversation.id)
    connection.execute(
        "DELETE FROM words WHERE rowid IN (SELECT rowid FROM words WHERE words MATCH ? AND message_id IS NULL)",
        (f"place : {place}",),
    )
    _insert(connection, conversation.title, conversation.account_id, conversation.id, None)


def index_message(connection: Connection, message: Message, account_id: str) -> None:
    """Make the words of a new message be found by the account that the conversation belongs to."""
    _insert(connection, message.body, account_id, message.conversation_id, message.id)


def forget(connection: Connection, conversation_id: str) -> None:
    """Remove all words of the conversation."""
    connection.execute(
        "DELETE FROM words WHERE rowid IN (SELECT rowid FROM words WHERE words MATCH ?)",
        (f"place : {conversation_word(conversation_id)}",),
    )


def forget_message(connection: Connection, conversation_id: str, message_id: str) -> None:
    """Remove the words of a message."""
    connection.execute(
        "DELETE FROM words WHERE rowid IN (SELECT rowid FROM words WHERE words MATCH ? AND message_id = ?)",
        (f"place : {conversation_word(conversation_id)}", message_id),
    )


def _insert(connection: Connection, text: str, account_id: str, conversation_id: str, message_id: str | None) -> None:
    connection.execute(
        "INSERT INTO words (text, place, conversation_id, message_id) VALUES (?, ?, ?, ?)",
        (spaced(text), f"{account_word(account_id)} {conversation_word(conversation_id)}", conversation_id, message_id),
    )


def account_word(account_id: str) -> str:
    """Return the word that stands for the account; like the migration, which makes it of `hex`."""
    return f"a{account_id.encode().hex()}"


def conversation_word(conversation_id: str) -> str:
    """Return the word that stands for the conversation."""
    return f"c{conversation_id.encode().hex()}"
