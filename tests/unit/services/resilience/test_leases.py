"""A few messages while the accounts are away: never more than was left, counted exactly when they are back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.adapters.sqlite.journal import SqliteJournal
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import QuotaExceeded, StoreUnavailable
from multidb_chat.domain.plans import MESSAGES, TASKS, Limits
from multidb_chat.services.plans import Plans, Taken
from multidb_chat.services.resilience.guarded import guarded
from multidb_chat.services.resilience.leases import LIFE, STORE, Leases, UseReplay
from multidb_chat.services.resilience.ports import ACCOUNTS
from multidb_chat.services.resilience.replaying import Replayer
from tests.unit.services.resilience.outages import Switch

NOW = datetime(2026, 1, 31, 22, tzinfo=UTC)
MONTH = date(2026, 1, 1)
LIMITS = {"guest": Limits(2), "free": Limits(30), "pro": Limits(6), "enterprise": Limits()}
ADA = Account("ada", "user", "free", NOW)
PRO = Account("pro", "user", "pro", NOW)
BIG = Account("big", "user", "enterprise", NOW)


@dataclass
class House:
    """The plans service of one process, its accounts behind a switch."""

    accounts: SqliteAccounts
    switch: Switch
    journal: SqliteJournal
    replayer: Replayer
    plans: Plans
    now: list[datetime]
    count: int = 0

    async def take(self, account: Account = ADA) -> Taken:
        self.count += 1
        return await self.plans.take(account, MESSAGES, 1, f"turn {self.count}")

    async def used(self, account: Account = ADA) -> int:
        return (await self.accounts.usage(account.id, MONTH)).get(MESSAGES, 0)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    accounts, library = SqliteAccounts(tmp_path / "accounts.db"), SqliteLibrary(tmp_path / "library.db")
    for account in (ADA, PRO, BIG):
        await accounts.create_account(account)
    switch, journal, now = Switch("accounts"), SqliteJournal(tmp_path / "journal.db"), [NOW]
    store = guarded(accounts, ACCOUNTS, switch)
    replayer = Replayer(journal, STORE, UseReplay(store, MESSAGES))
    leases = Leases(journal, lambda: None, lambda: now[0])
    plans = Plans(store, library, limits=LIMITS, leases=leases, clock=lambda: now[0])
    yield House(accounts, switch, journal, replayer, plans, now)
    for one in (accounts, library, journal):
        await one.close()


async def test_whoever_was_counted_just_now_goes_on_for_ten_messages_that_are_counted_later(house: House):
    await house.take()
    house.switch.away = True
    told = [(await house.take()).warning for _ in range(10)]
    assert (
        told[0] == "Your plan cannot be read now: this question is counted later, and 9 more can be asked until it can."
    )
    assert told[-1].endswith("and none more can be asked until it can.")
    with pytest.raises(StoreUnavailable):
        await house.take()
    house.switch.away = False
    assert await house.used() == 1
    assert await house.replayer.drain()
    assert await house.used() == 11
    assert (await house.take()).usage.used == 12


async def test_nobody_goes_on_without_a_lease_or_with_an_old_one(house: House):
    house.switch.away = True
    with pytest.raises(StoreUnavailable):
        await house.take()
    house.switch.away = False
    await house.take()
    house.switch.away = True
    house.now[0] += LIFE
    with pytest.raises(StoreUnavailable):
        await house.take()
    assert await house.used() == 1


async def test_a_lease_is_never_more_than_what_is_left_of_the_quota(house: House):
    for _ in range(4):
        await house.take(PRO)
    house.switch.away = True
    await house.take(PRO)
    await house.take(PRO)
    with pytest.raises(StoreUnavailable):
        await house.take(PRO)
    house.switch.away = False
    await house.replayer.drain()
    assert await house.used(PRO) == 6
    with pytest.raises(QuotaExceeded):
        await house.take(PRO)


async def test_a_message_whose_counting_was_not_heard_of_is_counted_once(house: House):
    await house.take()
    house.switch.lost = True
    await house.take()
    house.switch.lost = False
    await house.replayer.drain()
    await house.replayer.drain()
    assert await house.used() == 2


async def test_where_nothing_limits_the_messages_they_are_counted_all_the_same(house: House):
    house.switch.away = True
    with pytest.raises(StoreUnavailable):
        await house.take(BIG)
    house.switch.away = False
    await house.take(BIG)
    house.switch.away = True
    for _ in range(3):
        await house.take(BIG)
    house.switch.away = False
    await house.replayer.drain()
    assert await house.used(BIG) == 4


async def test_what_an_account_that_is_gone_has_used_is_dropped(house: House):
    await house.take()
    house.switch.away = True
    await house.take()
    await house.accounts.delete_account(ADA.id)
    house.switch.away = False
    assert await house.replayer.drain()
    assert (await house.journal.backlog(STORE)).refused == 0


async def test_only_messages_go_on(house: House):
    await house.take()
    house.switch.away = True
    with pytest.raises(StoreUnavailable):
        await house.plans.take(ADA, TASKS, 1, "task")
    house.now[0] += timedelta(seconds=1)
    await house.take()
