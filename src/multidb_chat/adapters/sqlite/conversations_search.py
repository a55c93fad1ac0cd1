"""Searching the full text of conversations: pieces of work inside a transaction that the caller began."""

import sqlite3
from collections.abc import Sequence

from multidb_chat.adapters.sqlite.conversations_messages import CONVERSATIONS, MESSAGES
from multidb_chat.adapters.sqlite.conversations_words import account_word, conversation_word
from multidb_chat.adapters.sqlite.records import rows_at_most
from multidb_chat.domain.conversations import FoundConversation, Message

Connection = sqlite3.Connection


def search(
    connection: Connection, account_id: str, words: Sequence[str], limit: int, archived: bool
) -> list[FoundConversation]:
    """Return the account's conversations with all words, the latest id first, and a message of each."""
    if not words:
        return []
    with_word = " AND id IN (SELECT conversation_id FROM words WHERE words MATCH ?)"
    found = CONVERSATIONS.all(
        connection,
        "WHERE account_id = ? AND archived = ? AND deleted_at IS NULL"
        f"{with_word * len(words)} ORDER BY id DESC LIMIT ?",
        account_id,
        archived,
        *(f"place : {account_word(account_id)} AND {_text([word])}" for word in words),
        rows_at_most(limit),
    )
    return [FoundConversation(one, _message(connection, one.id, words)) for one in found]


def _message(connection: Connection, conversation_id: str, words: Sequence[str]) -> Message | None:
    for operator in (" AND ", " OR "):
        row = connection.execute(
            "SELECT message_id FROM words WHERE words MATCH ? AND message_id IS NOT NULL"
            " ORDER BY message_id DESC LIMIT 1",
            (f"place : {conversation_word(conversation_id)} AND {_text(words, operator)}",),
        ).fetchone()
        if row is not None:
            return MESSAGES.first(connection, "WHERE conversation_id = ? AND id = ?", conversation_id, row[0])
    return None


def _text(words: Sequence[str], operator: str = " AND ") -> str:
    """Return the condition on the text; in quotes, no word is syntax, and each is the beginning of one."""
    return f"text : ({operator.join(_quoted(word) for word in words)})"


def _quoted(word: str) -> str:
    doubled = word.replace('"', '""').replace("\x00", " ")
    return f'"{doubled}" *'
