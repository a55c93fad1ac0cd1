"""Log-ins in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from multidb_chat.adapters.postgres.accounts_people import unknown_account
from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.errors import Violated
from multidb_chat.adapters.postgres.records import Table
from multidb_chat.domain.accounts import Session

SESSIONS = Table("sessions", Session)

_END = """
UPDATE sessions SET ended_at = %s
WHERE account_id = %s AND ended_at IS NULL AND (%s::text[] IS NULL OR id = ANY(%s::text[]))
RETURNING id
"""


async def put(database: Database, session: Session) -> None:
    """Add or replace a session; raises `NotFound`."""
    try:
        await database.apply(SESSIONS.put, *SESSIONS.row(session))
    except Violated:
        raise unknown_account(session.account_id) from None


async def by_id(database: Database, session_id: str) -> Session | None:
    """Return the session."""
    return SESSIONS.first(await database.fetch(SESSIONS.select + "WHERE id = %s", session_id))


async def of(database: Database, account_id: str) -> list[Session]:
    """Return an account's sessions, the latest first."""
    clauses = "WHERE account_id = %s ORDER BY created_at DESC, id DESC"
    return SESSIONS.records(await database.fetch(SESSIONS.select + clauses, account_id))


async def rotate(database: Database, session: Session, expected: str) -> bool:
    """Replace a session that has not ended and was not rotated meanwhile; tell whether it was replaced."""
    change = SESSIONS.update + "WHERE id = %s AND refresh_hash = %s AND ended_at IS NULL RETURNING id"
    return bool(await database.once(change, *SESSIONS.row(session), session.id, expected))


async def end(database: Database, account_id: str, at: datetime, session_ids: Sequence[str] | None) -> int:
    """End the account's sessions of these ids (None: all) that are not ended; return how many."""
    ids = None if session_ids is None else list(session_ids)
    return len(await database.once(_END, at, account_id, ids, ids))
