"""Accounts and their subscriptions in PostgreSQL."""

from dataclasses import replace
from datetime import datetime

from psycopg import AsyncConnection

from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.errors import Violated
from multidb_chat.adapters.postgres.records import Table
from multidb_chat.domain.accounts import Account, Subscription
from multidb_chat.domain.errors import Conflict, NotFound

# ruff: noqa: S608 - statements are put together from constants only

ACCOUNTS = Table("accounts", Account, more=("email_key",))
SUBSCRIPTIONS = Table("subscriptions", Subscription)

DELETING = 9.5
"""Seconds that it may take to remove an account, with every use that was ever counted for it."""

_SUBSCRIBER = (
    f"SELECT {', '.join(f'a.{name}' for name in ACCOUNTS.columns.split(', '))},"
    f" {', '.join(f's.{name}' for name in SUBSCRIPTIONS.columns.split(', '))}"
    " FROM accounts a LEFT JOIN subscriptions s ON s.account_id = a.id WHERE a.id = %s"
    " ORDER BY s.starts_at DESC, s.id DESC"
)


async def create(database: Database, account: Account) -> None:
    """Add an account; raises `Conflict`."""
    try:
        await database.once(ACCOUNTS.insert, *ACCOUNTS.row(account), _email_key(account.email))
    except Violated:
        raise Conflict("There is an account with this identifier or e-mail address already.") from None


async def by_id(database: Database, account_id: str) -> Account | None:
    """Return the account."""
    return ACCOUNTS.first(await database.fetch(ACCOUNTS.select + "WHERE id = %s", account_id))


async def by_email(database: Database, email: str) -> Account | None:
    """Return the account with this address."""
    return ACCOUNTS.first(await database.fetch(ACCOUNTS.select + "WHERE email_key = %s", _email_key(email)))


async def update(database: Database, account: Account) -> Account:
    """Replace an account at the version it was read; raises `NotFound` or `Conflict`."""
    updated = replace(account, version=account.version + 1)

    async def work(connection: AsyncConnection) -> None:
        values = [*ACCOUNTS.row(updated), _email_key(account.email), account.id, account.version]
        done = await connection.execute(ACCOUNTS.update + "WHERE id = %s AND version = %s", values)
        if not done.rowcount:
            known = await connection.execute("SELECT FROM accounts WHERE id = %s", (account.id,))
            if not known.rowcount:
                raise unknown_account(account.id)
            raise Conflict("The account was changed meanwhile; read it again and repeat the change.")

    try:
        await database.write(work)
    except Violated:
        raise Conflict("Another account has this e-mail address.") from None
    return updated


async def page(database: Database, after: str, limit: int) -> list[Account]:
    """Return accounts behind an id."""
    clauses = "WHERE id > %s ORDER BY id LIMIT %s"
    return ACCOUNTS.records(await database.fetch(ACCOUNTS.select + clauses, after, max(limit, 0)))


async def leaving(database: Database, at: datetime, limit: int) -> list[Account]:
    """Return accounts that were erased, and guests whose time was over by then."""
    clauses = "WHERE erased_at IS NOT NULL OR (role = 'guest' AND expires_at <= %s) ORDER BY id LIMIT %s"
    return ACCOUNTS.records(await database.fetch(ACCOUNTS.select + clauses, at, max(limit, 0)))


async def delete(database: Database, account_id: str) -> bool:
    """Remove an account with all that refers to it, which may be much; False when it is unknown."""

    async def work(connection: AsyncConnection) -> bool:
        done = await connection.execute("DELETE FROM accounts WHERE id = %s", (account_id,))
        return done.rowcount > 0

    return await database.write(work, seconds=DELETING)


async def put_subscription(database: Database, subscription: Subscription) -> None:
    """Add or replace a subscription; raises `NotFound`."""
    try:
        await database.apply(SUBSCRIPTIONS.put, *SUBSCRIPTIONS.row(subscription))
    except Violated:
        raise unknown_account(subscription.account_id) from None


async def subscriptions(database: Database, account_id: str) -> list[Subscription]:
    """Return an account's subscriptions, the latest start first."""
    clauses = "WHERE account_id = %s ORDER BY starts_at DESC, id DESC"
    return SUBSCRIPTIONS.records(await database.fetch(SUBSCRIPTIONS.select + clauses, account_id))


async def subscriber(database: Database, account_id: str) -> tuple[Account, list[Subscription]] | None:
    """Return an account with its subscriptions, by one statement: every question of a user needs both."""
    rows = await database.fetch(_SUBSCRIBER, account_id)
    if not rows:
        return None
    plans = [row[ACCOUNTS.width :] for row in rows]
    return ACCOUNTS.record(rows[0][: ACCOUNTS.width]), SUBSCRIPTIONS.records(
        [row for row in plans if row[0] is not None]
    )


def unknown_account(account_id: str) -> NotFound:
    """Return the error for an account that does not exist."""
    return NotFound(f"There is no account {account_id!r}.")


def _email_key(email: str | None) -> str | None:
    return None if email is None else email.casefold()
