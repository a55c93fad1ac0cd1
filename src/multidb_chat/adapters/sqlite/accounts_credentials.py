"""Second factors, one-time codes and attempts in the accounts' file.

Every function is a piece of work inside a transaction that the caller began; as there is one writing transaction at a
time, in all processes together, what a function read still holds when it writes.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from multidb_chat.adapters.sqlite.accounts_people import unknown_account
from multidb_chat.adapters.sqlite.records import Table, micros, moment
from multidb_chat.domain.credentials import CodeKind, OneTimeCode, Pause, SecondFactor

SECOND_FACTORS = Table("second_factors", SecondFactor)
CODES = Table("codes", OneTimeCode)

Connection = sqlite3.Connection


def put_second_factor(connection: Connection, factor: SecondFactor) -> None:
    """Add or replace a second factor; raises `NotFound`."""
    try:
        if not SECOND_FACTORS.replace(connection, factor, "account_id = ?", factor.account_id):
            SECOND_FACTORS.insert(connection, factor)
    except sqlite3.IntegrityError:
        raise unknown_account(factor.account_id) from None


def use_step(connection: Connection, account_id: str, step: int) -> bool:
    """Move the last step on; False when it is not later."""
    statement = "UPDATE second_factors SET last_step = ?1 WHERE account_id = ?2 AND last_step < ?1"
    return connection.execute(statement, (step, account_id)).rowcount > 0


def remove_second_factor(connection: Connection, account_id: str) -> bool:
    """Remove a second factor and its recovery codes; False when there is none."""
    connection.execute("DELETE FROM codes WHERE account_id = ? AND kind = 'recovery'", (account_id,))
    return connection.execute("DELETE FROM second_factors WHERE account_id = ?", (account_id,)).rowcount > 0


def put_codes(connection: Connection, account_id: str, kind: CodeKind, codes: Sequence[OneTimeCode]) -> None:
    """Replace the account's codes of a kind; raises `NotFound`."""
    connection.execute("DELETE FROM codes WHERE account_id = ? AND kind = ?", (account_id, kind))
    try:
        for code in codes:
            CODES.insert(connection, code)
    except sqlite3.IntegrityError:
        raise unknown_account(account_id) from None


def use_code(connection: Connection, account_id: str, kind: CodeKind, code_hash: str, at: datetime) -> bool:
    """Remove a code that is good; False when there is none."""
    statement = (
        "DELETE FROM codes WHERE account_id = ? AND kind = ? AND hash = ? AND (expires_at IS NULL OR expires_at > ?)"
    )
    return connection.execute(statement, (account_id, kind, code_hash, micros(at))).rowcount > 0


def codes_left(connection: Connection, account_id: str, kind: CodeKind, at: datetime) -> int:
    """Count the codes that are good."""
    query = "SELECT count(*) FROM codes WHERE account_id = ? AND kind = ? AND (expires_at IS NULL OR expires_at > ?)"
    return int(connection.execute(query, (account_id, kind, micros(at))).fetchone()[0])


def admit(connection: Connection, key: str, at: datetime, pause: Pause, forget: timedelta) -> datetime | None:
    """Count an attempt, or return the time to wait for; rows that ended are removed on the way."""
    connection.execute("DELETE FROM attempts WHERE last_at <= ? AND not_before <= ?", (micros(at - forget), micros(at)))
    row = connection.execute("SELECT count, not_before FROM attempts WHERE key = ?", (key,)).fetchone()
    count, not_before = row or (0, 0)
    if not_before > micros(at):
        return moment(not_before)
    connection.execute(
        "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?)",
        (key, count + 1, micros(at), micros(at + pause(count + 1))),
    )
    return None


def take_back(connection: Connection, key: str, attempts: int | None) -> None:
    """Count so many attempts less, and let nobody wait for them."""
    if attempts is not None:
        connection.execute("UPDATE attempts SET count = count - ?, not_before = last_at WHERE key = ?", (attempts, key))
    connection.execute("DELETE FROM attempts WHERE key = ? AND (? OR count <= 0)", (key, attempts is None))
