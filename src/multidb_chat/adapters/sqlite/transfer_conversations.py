"""Conversations and messages that are carried: with the words by which they are found.

Every function is a piece of work inside a transaction that the caller began.
"""

from collections.abc import Sequence

from multidb_chat.adapters.sqlite import conversations_words as words
from multidb_chat.adapters.sqlite.conversations_messages import CONVERSATIONS as STORED
from multidb_chat.adapters.sqlite.transfer_rows import Connection, PlainRows
from multidb_chat.domain.transfer import Key, Row, Table
from multidb_chat.domain.transfer_tables import CONVERSATIONS, FEEDBACK, MESSAGES


def rows_of(table: Table) -> PlainRows:
    """Return how the rows of a table lie in the conversations' file."""
    if table is FEEDBACK:
        return PlainRows(table, unique=("id",))
    return _SPECIAL.get(table.name, PlainRows)(table)


class ConversationRows(PlainRows):
    """Conversations; their titles are found by words."""

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Add or replace conversations, and index their titles."""
        for row in rows:
            if self._put(connection, row):
                words.index_title(connection, self.table.made(row))

    def remove(self, connection: Connection, keys: Sequence[Key]) -> None:
        """Remove conversations with their messages and all their words."""
        for (conversation_id,) in keys:
            words.forget(connection, str(conversation_id))
        super().remove(connection, keys)


class MessageRows(PlainRows):
    """Messages, which are found by words."""

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Add or replace messages, and index their words."""
        there = {self.table.key_of(row) for row in self.find(connection, [self.table.key_of(row) for row in rows])}
        for row in rows:
            if not self._put(connection, row):
                continue
            message = self.table.made(row)
            if self.table.key_of(row) in there:
                words.forget_message(connection, message.conversation_id, message.id)
            owner = STORED.first(connection, "WHERE id = ?", message.conversation_id)
            assert owner is not None  # the row refers to it
            words.index_message(connection, message, owner.account_id)

    def remove(self, connection: Connection, keys: Sequence[Key]) -> None:
        """Remove messages and their words."""
        for conversation_id, message_id in keys:
            words.forget_message(connection, str(conversation_id), str(message_id))
        super().remove(connection, keys)


_SPECIAL = {CONVERSATIONS.name: ConversationRows, MESSAGES.name: MessageRows}
