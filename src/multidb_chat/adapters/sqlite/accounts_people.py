"""Accounts, their subscriptions, sessions and usage in the accounts' file.

Every function is a piece of work inside a transaction that the caller began.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar

from multidb_chat.adapters.sqlite.records import Table, breaks_reference, micros, rows_at_most
from multidb_chat.domain.accounts import Account, Session, Subscription
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound, QuotaExceeded

ACCOUNTS = Table("accounts", Account)
SUBSCRIPTIONS = Table("subscriptions", Subscription)
SESSIONS = Table("sessions", Session)

Connection = sqlite3.Connection
T = TypeVar("T")


def create(connection: Connection, account: Account) -> None:
    """Add an account; raises `Conflict`."""
    try:
        ACCOUNTS.insert(connection, account, email_key=_email_key(account.email))
    except sqlite3.IntegrityError:
        raise Conflict("There is an account with this identifier or e-mail address already.") from None


def update(connection: Connection, account: Account) -> Account:
    """Replace an account at the version it was read; raises `NotFound` or `Conflict`."""
    updated = replace(account, version=account.version + 1)
    email_key = _email_key(account.email)
    try:
        if ACCOUNTS.replace(
            connection, updated, "id = ? AND version = ?", account.id, account.version, email_key=email_key
        ):
            return updated
    except sqlite3.IntegrityError:
        raise Conflict("Another account has this e-mail address.") from None
    if ACCOUNTS.first(connection, "WHERE id = ?", account.id) is None:
        raise unknown_account(account.id)
    raise Conflict("The account was changed meanwhile; read it again and repeat the change.")


def by_email(connection: Connection, email: str) -> Account | None:
    """Return the account with this address."""
    return ACCOUNTS.first(connection, "WHERE email_key = ?", _email_key(email))


def delete(connection: Connection, account_id: str) -> bool:
    """Remove an account with all that refers to it; False when it is unknown."""
    return connection.execute("DELETE FROM accounts WHERE id = ?", (account_id,)).rowcount > 0


def put_subscription(connection: Connection, subscription: Subscription) -> None:
    """Add or replace a subscription; raises `NotFound`."""
    _put(connection, SUBSCRIPTIONS, subscription, subscription.id, subscription.account_id)


def subscriptions(connection: Connection, account_id: str) -> list[Subscription]:
    """Return an account's subscriptions, the latest start first."""
    return SUBSCRIPTIONS.all(connection, "WHERE account_id = ? ORDER BY starts_at DESC, id DESC", account_id)


def subscriber(connection: Connection, account_id: str) -> tuple[Account, list[Subscription]] | None:
    """Return an account with its subscriptions."""
    account = ACCOUNTS.first(connection, "WHERE id = ?", account_id)
    return None if account is None else (account, subscriptions(connection, account_id))


def put_session(connection: Connection, session: Session) -> None:
    """Add or replace a session; raises `NotFound`."""
    _put(connection, SESSIONS, session, session.id, session.account_id)


def end_sessions(connection: Connection, account_id: str, at: datetime, session_ids: Sequence[str] | None) -> int:
    """End the account's sessions of these ids (None: all) that are not ended; return how many."""
    rows = connection.execute("SELECT id FROM sessions WHERE account_id = ? AND ended_at IS NULL", (account_id,))
    ending = {row[0] for row in rows}
    if session_ids is not None:
        ending.intersection_update(session_ids)
    connection.executemany("UPDATE sessions SET ended_at = ? WHERE id = ?", [(micros(at), key) for key in ending])
    return len(ending)


def rotate_session(connection: Connection, session: Session, expected: str) -> bool:
    """Replace a session that has not ended and was not rotated meanwhile; tell whether it was replaced."""
    return SESSIONS.replace(
        connection, session, "id = ? AND refresh_hash = ? AND ended_at IS NULL", session.id, expected
    )


def take(
    connection: Connection, account_id: str, resource: str, period: date, amount: int, limit: int | None, operation: str
) -> int:
    """Count a use once for its operation, within the limit; return the present figure.

    Raises `NotFound`, `InvalidInput` or `QuotaExceeded`, and the caller takes back what was done before it.
    """
    if amount < 1:
        raise InvalidInput(f"One or more of {resource} can be used, not {amount}.")
    key = (account_id, period.isoformat(), resource)
    try:
        new = connection.execute("INSERT INTO operations VALUES (?, ?) ON CONFLICT DO NOTHING", (account_id, operation))
        if not new.rowcount:
            return _used(connection, key)
        row = connection.execute(
            "INSERT INTO usage SELECT ?1, ?2, ?3, ?4 WHERE ?5 IS NULL OR ?4 <= ?5"
            " ON CONFLICT DO UPDATE SET used = used + ?4 WHERE ?5 IS NULL OR used + ?4 <= ?5 RETURNING used",
            (*key, amount, limit),
        ).fetchone()
    except sqlite3.IntegrityError as error:
        if breaks_reference(error):
            raise unknown_account(account_id) from None
        raise InvalidInput(f"{amount} more of {resource} is too much to be counted.") from None
    if row is None:
        raise QuotaExceeded(f"The limit of {limit} {resource} is reached: {_used(connection, key)} are used.")
    return int(row[0])


def usage(connection: Connection, account_id: str, period: date) -> dict[str, int]:
    """Return the figures of the period."""
    query = "SELECT resource, used FROM usage WHERE account_id = ? AND period = ?"
    return dict(connection.execute(query, (account_id, period.isoformat())))


def page(connection: Connection, after: str, limit: int) -> list[Account]:
    """Return accounts behind an id."""
    return ACCOUNTS.all(connection, "WHERE id > ? ORDER BY id LIMIT ?", after, rows_at_most(limit))


def leaving(connection: Connection, at: datetime, limit: int) -> list[Account]:
    """Return accounts that were erased, and guests whose time was over by then."""
    clauses = "WHERE erased_at IS NOT NULL OR (role = 'guest' AND expires_at <= ?) ORDER BY id LIMIT ?"
    return ACCOUNTS.all(connection, clauses, micros(at), rows_at_most(limit))


def unknown_account(account_id: str) -> NotFound:
    """Return the error for an account that does not exist."""
    return NotFound(f"There is no account {account_id!r}.")


def _put(connection: Connection, table: Table[T], record: T, key: str, account_id: str) -> None:
    try:
        if not table.replace(connection, record, "id = ?", key):
            table.insert(connection, record)
    except sqlite3.IntegrityError:
        raise unknown_account(account_id) from None


def _used(connection: Connection, key: tuple[str, str, str]) -> int:
    query = "SELECT used FROM usage WHERE account_id = ? AND period = ? AND resource = ?"
    row = connection.execute(query, key).fetchone()
    return int(row[0]) if row else 0


def _email_key(email: str | None) -> str | None:
    return None if email is None else email.casefold()
