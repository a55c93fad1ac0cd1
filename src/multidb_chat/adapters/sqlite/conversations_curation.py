"""Knowledge entries and feedback in the conversations' file.

Every function is a piece of work inside a transaction that the caller began.
"""

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from multidb_chat.adapters.sqlite import erased
from multidb_chat.adapters.sqlite.records import Table, below, micros, rows_at_most
from multidb_chat.domain.conversations import Feedback, KnowledgeEntry, KnowledgeVector
from multidb_chat.domain.errors import Conflict, InvalidInput

KNOWLEDGE = Table("knowledge", KnowledgeEntry)
FEEDBACK = Table("feedback", Feedback)

Connection = sqlite3.Connection


def put_knowledge(connection: Connection, entry: KnowledgeEntry) -> None:
    """Add or replace an entry unless a newer version is stored; raises `Conflict`."""
    stored = KNOWLEDGE.first(connection, "WHERE tenant_id = ? AND id = ?", entry.tenant_id, entry.id)
    try:
        if stored is None:
            KNOWLEDGE.insert(connection, entry)
        elif stored.version <= entry.version:
            KNOWLEDGE.replace(connection, entry, "tenant_id = ? AND id = ?", entry.tenant_id, entry.id)
    except sqlite3.IntegrityError:
        raise Conflict(f"Another entry answers the question {entry.question_key!r} already.") from None


def knowledge_page(connection: Connection, tenant_id: str, after: str, limit: int) -> list[KnowledgeEntry]:
    """Return the tenant's entries behind an id."""
    clauses = "WHERE tenant_id = ? AND id > ? ORDER BY id LIMIT ?"
    return KNOWLEDGE.all(connection, clauses, tenant_id, after, rows_at_most(limit))


def vectors_page(
    connection: Connection, tenant_id: str, embedder: str, after: str, limit: int
) -> list[KnowledgeVector]:
    """Return what comparing needs of the tenant's entries behind an id; answers are not read."""
    query = (
        "SELECT id, question_key, question, vector FROM knowledge"
        " WHERE tenant_id = ? AND id > ? AND embedder = ? AND vector != x'' ORDER BY id LIMIT ?"
    )
    return [
        KnowledgeVector(*row) for row in connection.execute(query, (tenant_id, after, embedder, rows_at_most(limit)))
    ]


def delete_knowledge(connection: Connection, tenant_id: str, entry_id: str) -> bool:
    """Remove an entry and its counter; False when it is unknown."""
    statement = "DELETE FROM knowledge WHERE tenant_id = ? AND id = ?"
    return connection.execute(statement, (tenant_id, entry_id)).rowcount > 0


def count_use(connection: Connection, tenant_id: str, entry_id: str) -> None:
    """Add one to an entry's counter; a use of an entry that is gone by now is nobody's."""
    statement = "UPDATE knowledge SET uses = uses + 1 WHERE tenant_id = ? AND id = ?"
    connection.execute(statement, (tenant_id, entry_id))


def uses(connection: Connection, tenant_id: str, entry_ids: Sequence[str]) -> dict[str, int]:
    """Return the counters of these entries."""
    query = "SELECT uses FROM knowledge WHERE tenant_id = ? AND id = ?"
    rows = {entry_id: connection.execute(query, (tenant_id, entry_id)).fetchone() for entry_id in entry_ids}
    return {entry_id: int(row[0]) if row else 0 for entry_id, row in rows.items()}


def put_feedback(connection: Connection, feedback: Feedback) -> None:
    """Add feedback once, in place of what the account said of the message before; raises `InvalidInput`.

    A replay of what was replaced since does nothing: its id is lower than the stored one's.
    """
    if feedback.rating not in (-1, 0, 1):
        raise InvalidInput(f"A rating is -1, 0 or 1, not {feedback.rating}.")
    if feedback.message_id is not None and feedback.conversation_id is None:
        raise InvalidInput("Feedback on a message names its conversation, too.")
    erased.refuse(connection, feedback.account_id)
    if FEEDBACK.first(connection, "WHERE id = ?", feedback.id) is not None:
        return
    if feedback.message_id is not None:
        connection.execute(
            "DELETE FROM feedback WHERE account_id = ? AND message_id = ? AND id < ?",
            (feedback.account_id, feedback.message_id, feedback.id),
        )
    FEEDBACK.insert(connection, feedback, "ON CONFLICT DO NOTHING")


def delete_feedback(connection: Connection, account_id: str) -> None:
    """Remove all feedback of an account."""
    connection.execute("DELETE FROM feedback WHERE account_id = ?", (account_id,))


def feedback_page(connection: Connection, account_id: str, before: str, limit: int) -> list[Feedback]:
    """Return the account's feedback below an id, the latest id first."""
    clauses = "WHERE account_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
    return FEEDBACK.all(connection, clauses, account_id, below(before), rows_at_most(limit))


def feedback_to(
    connection: Connection, account_id: str, conversation_id: str, message_ids: Sequence[str]
) -> list[Feedback]:
    """Return what the account said of these messages of a conversation, by order of id."""
    clauses = (
        "WHERE account_id = ? AND conversation_id = ? AND message_id IN (SELECT value FROM json_each(?)) ORDER BY id"
    )
    return FEEDBACK.all(connection, clauses, account_id, conversation_id, json.dumps(list(message_ids)))


def feedback_of_day(connection: Connection, day: date, limit: int) -> list[Feedback]:
    """Return the feedback given on a day (UTC), oldest first."""
    begin = micros(datetime.combine(day, time(), UTC))
    end = begin + timedelta(days=1) // timedelta(microseconds=1)
    clauses = "WHERE created_at >= ? AND created_at < ? ORDER BY created_at, id LIMIT ?"
    return FEEDBACK.all(connection, clauses, begin, end, rows_at_most(limit))
