"""Who is in the stores of accounts that are tested, and what other processes do to them."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta

from multidb_chat.domain.accounts import Account, Accounts
from multidb_chat.domain.audit import AuditEntry
from multidb_chat.domain.errors import QuotaExceeded
from tests.contracts.processes import say, starting_line

OpenAccounts = Callable[[], AbstractAsyncContextManager[Accounts]]

NOW = datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)
PERIOD = date(2026, 2, 1)
ADA = Account("ada", "user", "free", NOW, "ada@example.org")
BOB = Account("bob", "guest", "free", NOW, expires_at=NOW + timedelta(days=1))


async def take_many(open_accounts: OpenAccounts, name: str, times: int, limit: int) -> None:
    """Try to take so often, one after the other; say the figure each taking gave."""
    async with open_accounts() as accounts:
        await accounts.account("ada")
        starting_line()
        for n in range(times):
            try:
                say(str(await accounts.take("ada", "messages", PERIOD, 1, limit, f"{name}-{n}")))
            except QuotaExceeded:
                continue


async def audit_many(open_accounts: OpenAccounts, name: str, times: int) -> None:
    """Append entries; say their numbers."""
    async with open_accounts() as accounts:
        await accounts.account("ada")
        starting_line()
        for n in range(times):
            say(str((await accounts.append_audit(AuditEntry(NOW, name, "counted", str(n)))).seq))


async def create_without_end(open_accounts: OpenAccounts) -> None:
    """Create accounts, several at a time, until somebody kills the process; say each that was acknowledged."""
    async with open_accounts() as accounts:

        async def create(lane: int) -> None:
            number = 0
            while True:
                key = f"{lane}-{number}"
                await accounts.create_account(Account(key, "user", "free", NOW))
                await accounts.take(key, "messages", PERIOD, number + 1, None, "first")
                say(key)
                number += 1

        await asyncio.gather(*map(create, range(8)))
