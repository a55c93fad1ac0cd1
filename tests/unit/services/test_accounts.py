"""The accounts service on the embedded stores."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import NotPermitted
from multidb_chat.services.accounts import LOCAL_ACCOUNT_ID, AccountService

NOW = datetime(2026, 1, 31, 22, tzinfo=UTC)


class House:
    """The service on the store of one folder, with a clock to be set."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.accounts = SqliteAccounts(folder / "accounts.db")
        self.service = AccountService(self.accounts, clock=lambda: self.now)

    async def close(self) -> None:
        await self.accounts.close()


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[Callable[[], House]]:
    houses: list[House] = []

    def open_house() -> House:
        houses.append(House(tmp_path))
        return houses[-1]

    yield open_house
    for house in houses:
        await house.close()


@pytest.fixture
def house(open_house: Callable[[], House]) -> House:
    return open_house()


async def test_the_local_account_is_made_once_and_kept(house: House):
    first = await house.service.local_account()
    house.now += timedelta(days=1)
    assert await house.service.local_account() == first
    assert first == Account(LOCAL_ACCOUNT_ID, "user", "enterprise", NOW)
    assert await house.accounts.list_accounts() == [first]


async def test_two_openings_that_start_at_once_make_one_local_account(open_house: Callable[[], House]):
    houses = [open_house() for _ in range(4)]
    for number, house in enumerate(houses):
        house.now += timedelta(seconds=number)
    made = await asyncio.gather(*(house.service.local_account() for house in houses))
    assert len(set(made)) == 1
    assert await houses[0].accounts.list_accounts() == made[:1]


async def test_guests_are_different_and_live_for_a_day(house: House):
    one, other = await house.service.guest(), await house.service.guest()
    assert one.id != other.id
    assert (one.role, one.email, one.expires_at) == ("guest", None, NOW + timedelta(days=1))
    assert await house.accounts.account(one.id) == one


async def test_a_disabled_account_may_nothing(house: House):
    account = await house.service.local_account()
    await house.accounts.update_account(replace(account, disabled_at=NOW))
    with pytest.raises(NotPermitted, match="disabled"):
        await house.service.check(account)


async def test_an_expired_guest_may_nothing(house: House):
    guest = await house.service.guest()
    house.now += timedelta(days=1)
    with pytest.raises(NotPermitted, match="over"):
        await house.service.check(guest)


async def test_a_removed_account_may_nothing(house: House):
    guest = await house.service.guest()
    await house.accounts.delete_account(guest.id)
    with pytest.raises(NotPermitted, match="not exist"):
        await house.service.check(guest)
