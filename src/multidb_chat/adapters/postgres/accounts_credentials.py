"""Second factors, one-time codes and attempts in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import AsyncConnection

from multidb_chat.adapters.postgres.accounts_people import unknown_account
from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.errors import Violated
from multidb_chat.adapters.postgres.records import Table
from multidb_chat.domain.credentials import CodeKind, OneTimeCode, Pause, SecondFactor

# ruff: noqa: S608 - statements are put together from constants only

SECOND_FACTORS = Table("second_factors", SecondFactor, key="account_id")
CODES = Table("codes", OneTimeCode, key="account_id, kind, hash")

_GOOD = "account_id = %s AND kind = %s AND (expires_at IS NULL OR expires_at > %s)"

_REMOVE_SECOND_FACTOR = """
WITH codes_too AS (DELETE FROM codes WHERE account_id = %s AND kind = 'recovery')
DELETE FROM second_factors WHERE account_id = %s RETURNING account_id
"""

# Locks the row, made where there was none, and returns it as it was: who comes at the same time waits here.
_LOCK_ATTEMPTS = """
INSERT INTO attempts (key, count, last_at, not_before) VALUES (%(key)s, 0, %(at)s, %(at)s)
ON CONFLICT (key) DO UPDATE SET key = excluded.key
RETURNING count, last_at, not_before
"""

_COUNT_ATTEMPT = "UPDATE attempts SET count = %(count)s, last_at = %(at)s, not_before = %(ready)s WHERE key = %(key)s"

# A few rows that ended, whoever's they are; those that somebody else looks at are left to the next time.
_FORGET_ATTEMPTS = """
DELETE FROM attempts WHERE key IN (
    SELECT key FROM attempts WHERE last_at <= %(ended)s AND not_before <= %(at)s AND key <> %(key)s
    ORDER BY last_at LIMIT 100 FOR UPDATE SKIP LOCKED
)
"""

_TAKE_BACK = """
WITH gone AS (
    DELETE FROM attempts WHERE key = %(key)s AND (%(attempts)s::bigint IS NULL OR count <= %(attempts)s::bigint)
)
UPDATE attempts SET count = count - %(attempts)s::bigint, not_before = last_at
WHERE key = %(key)s AND count > %(attempts)s::bigint
"""


class Attempt(NamedTuple):
    """An attempt of whoever `key` stands for; a row of them ends `forget` after its last one."""

    key: str
    at: datetime
    forget: timedelta


async def put_second_factor(database: Database, factor: SecondFactor) -> None:
    """Add or replace a second factor; raises `NotFound`."""
    try:
        await database.apply(SECOND_FACTORS.put, *SECOND_FACTORS.row(factor))
    except Violated:
        raise unknown_account(factor.account_id) from None


async def second_factor(database: Database, account_id: str) -> SecondFactor | None:
    """Return an account's second factor."""
    rows = await database.fetch(SECOND_FACTORS.select + "WHERE account_id = %s", account_id)
    return SECOND_FACTORS.first(rows)


async def use_step(database: Database, account_id: str, step: int) -> bool:
    """Move the last step on; False when it is not later."""
    change = "UPDATE second_factors SET last_step = %s WHERE account_id = %s AND last_step < %s RETURNING last_step"
    return bool(await database.once(change, step, account_id, step))


async def remove_second_factor(database: Database, account_id: str) -> bool:
    """Remove a second factor and its recovery codes; False when there is none."""
    return bool(await database.once(_REMOVE_SECOND_FACTOR, account_id, account_id))


async def put_codes(database: Database, account_id: str, kind: CodeKind, codes: Sequence[OneTimeCode]) -> None:
    """Replace the account's codes of a kind; raises `NotFound`."""

    async def work(connection: AsyncConnection) -> None:
        await connection.execute("SELECT FROM accounts WHERE id = %s FOR NO KEY UPDATE", (account_id,))
        await connection.execute("DELETE FROM codes WHERE account_id = %s AND kind = %s", (account_id, kind))
        await connection.cursor().executemany(CODES.insert, [CODES.row(code) for code in codes])

    try:
        await database.write(work)
    except Violated:
        raise unknown_account(account_id) from None


async def use_code(database: Database, account_id: str, kind: CodeKind, code_hash: str, at: datetime) -> bool:
    """Remove a code that is good; False when there is none."""
    change = f"DELETE FROM codes WHERE {_GOOD} AND hash = %s RETURNING hash"
    return bool(await database.once(change, account_id, kind, at, code_hash))


async def codes_left(database: Database, account_id: str, kind: CodeKind, at: datetime) -> int:
    """Count the codes that are good."""
    return int((await database.fetch(f"SELECT count(*) FROM codes WHERE {_GOOD}", account_id, kind, at))[0][0])


async def admit(database: Database, attempt: Attempt, pause: Pause) -> datetime | None:
    """Count an attempt, or return the time to wait for; rows that ended are removed on the way."""

    async def work(connection: AsyncConnection) -> datetime | None:
        key, at, ended = attempt.key, attempt.at, attempt.at - attempt.forget
        cursor = await connection.execute(_LOCK_ATTEMPTS, {"key": key, "at": at})
        ((count, last_at, not_before),) = await cursor.fetchall()
        if not_before > at:
            return not_before  # type: ignore[no-any-return]
        number = 1 if last_at <= ended else count + 1
        ready = at + pause(number)
        await connection.execute(_COUNT_ATTEMPT, {"key": key, "count": number, "at": at, "ready": ready})
        await connection.execute(_FORGET_ATTEMPTS, {"key": key, "ended": ended, "at": at})
        return None

    return await database.write(work)


async def take_back(database: Database, key: str, attempts: int | None) -> None:
    """Count so many attempts less, and let nobody wait for them; a row without any goes."""
    await database.once(_TAKE_BACK, key=key, attempts=attempts)
