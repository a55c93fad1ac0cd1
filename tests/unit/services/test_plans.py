"""The plans service on the embedded stores."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.accounts import Account, Subscription
from multidb_chat.domain.errors import InvalidInput, NotFound, NotPermitted, QuotaExceeded, StoreFull
from multidb_chat.domain.plans import DOCUMENTS, MESSAGES, STORAGE, TASKS, Limits, Usage
from multidb_chat.services.plans import Plans
from tests.contracts import processes
from tests.contracts.library import a_collection, a_content

NOW = datetime(2026, 1, 31, 22, tzinfo=UTC)
JANUARY = date(2026, 1, 1)
LIMITS = {"guest": Limits(2, 0, 0, 0), "free": Limits(3, 5, 1_000, 1), "pro": Limits(4), "enterprise": Limits()}
ADA = Account("ada", "user", "free", NOW, "ada@example.org")
GUEST = Account("gus", "guest", "free", NOW, expires_at=NOW + timedelta(days=1))
ADMIN = Account("root", "admin", "enterprise", NOW, "root@example.org")


class House:
    """The service on the stores of one folder, with a clock to be set."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.accounts = SqliteAccounts(folder / "accounts.db")
        self.library = SqliteLibrary(folder / "library.db")
        self.plans = Plans(self.accounts, self.library, limits=LIMITS, clock=lambda: self.now)

    async def close(self) -> None:
        await self.accounts.close()
        await self.library.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path)
    for account in (ADA, GUEST, ADMIN):
        await house.accounts.create_account(account)
    yield house
    await house.close()


async def used(house: House, account: Account, times: int, resource: str = MESSAGES) -> list[int]:
    start = house.now.timestamp()
    return [
        (await house.plans.take(account, resource, 1, f"{start} {resource} {n}")).usage.used  # type: ignore[arg-type]
        for n in range(times)
    ]


@pytest.mark.parametrize(("account", "limit", "plan"), [(ADA, 3, "free"), (GUEST, 2, "guest")])
async def test_each_plan_has_its_own_limit(house: House, account: Account, limit: int, plan: str):
    assert await used(house, account, limit) == list(range(1, limit + 1))
    with pytest.raises(QuotaExceeded, match=f"All {limit} messages a month .{plan}. are used.* 1 February 2026"):
        await house.plans.take(account, MESSAGES, 1, "more")


async def test_without_a_limit_a_use_is_counted_all_the_same(house: House):
    await asyncio.gather(*(house.plans.take(ADMIN, MESSAGES, 1, str(n)) for n in range(20)))
    assert await house.accounts.usage(ADMIN.id, JANUARY) == {"messages": 20}


async def test_a_repeated_operation_counts_once(house: House):
    for _ in range(5):
        assert (await house.plans.take(ADA, MESSAGES, 1, "a")).usage.used == 1


@pytest.mark.parametrize(
    ("now", "resets"),
    [
        (NOW, datetime(2026, 2, 1, tzinfo=UTC)),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
        (datetime(2026, 2, 1, 1, tzinfo=timezone(timedelta(hours=2))), datetime(2026, 2, 1, tzinfo=UTC)),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
    ],
)
async def test_the_quota_is_full_again_when_the_month_ends_in_utc(house: House, now: datetime, resets: datetime):
    house.now = now
    await used(house, ADA, 3)
    with pytest.raises(QuotaExceeded) as refused:
        await house.plans.take(ADA, MESSAGES, 1, "more")
    assert refused.value.resets_at == resets
    house.now = resets - timedelta(microseconds=1)
    with pytest.raises(QuotaExceeded):
        await house.plans.take(ADA, MESSAGES, 1, "more")
    house.now = resets
    assert (await house.plans.take(ADA, MESSAGES, 1, "more")).usage.used == 1


async def test_a_subscription_counts_while_it_runs_and_of_several_the_latest(house: House):
    day = timedelta(days=1)
    for key, plan, starts, ends in (
        ("1", "pro", NOW - day, NOW + 2 * day),
        ("2", "enterprise", NOW, NOW + day),
        ("3", "enterprise", NOW + 9 * day, None),
    ):
        await house.accounts.put_subscription(Subscription(key, ADA.id, plan, starts, ends))  # type: ignore[arg-type]
    standing = []
    for at in (NOW, NOW + day, NOW + 2 * day, NOW + 9 * day):
        house.now = at
        now = await house.plans.usage_of(ADA)
        standing.append((now.plan, now.until))
    assert standing == [
        ("enterprise", NOW + day), ("pro", NOW + 2 * day), ("free", None), ("enterprise", None)
    ]  # fmt: skip


async def test_a_plan_that_ends_leaves_what_was_used_of_the_month(house: House):
    await house.plans.subscribe(ADMIN, ADA.id, "pro", NOW + timedelta(hours=1))
    assert await used(house, ADA, 4) == [1, 2, 3, 4]
    house.now += timedelta(hours=1)
    with pytest.raises(QuotaExceeded, match="All 3 messages"):
        await house.plans.take(ADA, MESSAGES, 1, "more")


async def test_only_who_may_manage_plans_gives_one(house: House):
    for actor in (ADA, GUEST, replace(ADMIN, role="support"), replace(ADMIN, disabled_at=NOW)):
        with pytest.raises(NotPermitted):
            await house.plans.subscribe(actor, ADA.id, "pro")
    with pytest.raises(NotFound):
        await house.plans.subscribe(ADMIN, "nobody", "pro")
    with pytest.raises(InvalidInput, match="registering"):
        await house.plans.subscribe(ADMIN, GUEST.id, "pro")
    with pytest.raises(InvalidInput, match="over"):
        await house.plans.subscribe(ADMIN, ADA.id, "pro", NOW)
    assert (await house.plans.usage_of(ADA)).plan == "free"


async def test_who_may_read_usage_sees_the_plans_that_count_now(house: House):
    await house.plans.subscribe(ADMIN, ADA.id, "pro", NOW + timedelta(hours=1))
    assert await house.plans.plans_of(ADMIN, [ADA, GUEST]) == {ADA.id: "pro", GUEST.id: "guest"}
    house.now += timedelta(hours=1)
    assert await house.plans.plans_of(ADMIN, [ADA]) == {ADA.id: "free"}
    with pytest.raises(NotPermitted):
        await house.plans.plans_of(ADA, [ADA])


async def test_the_last_day_of_a_subscription_is_the_one_before_it_ends(house: House):
    await house.plans.subscribe(ADMIN, ADA.id, "pro", datetime(2099, 1, 1, tzinfo=UTC))
    assert (await house.plans.usage_of(ADA)).last_day == date(2098, 12, 31)
    with pytest.raises(InvalidInput, match="2001-12-31 is over"):
        await house.plans.subscribe(ADMIN, ADA.id, "pro", datetime(2002, 1, 1, tzinfo=UTC))


async def test_only_who_may_read_usage_sees_that_of_others_also_of_a_disabled_account(house: House):
    for actor in (ADA, GUEST):
        with pytest.raises(NotPermitted):
            await house.plans.usage_for(actor, ADMIN.id)
    await used(house, ADA, 1)
    await house.accounts.update_account(replace(ADA, disabled_at=NOW))
    assert (await house.plans.usage_for(ADMIN, ADA.id)).of(MESSAGES).used == 1
    with pytest.raises(NotFound):
        await house.plans.usage_for(ADMIN, "nobody")


async def test_usage_tells_of_every_resource_what_is_used_and_left_and_when_it_begins_anew(house: House):
    await used(house, ADA, 2)
    await used(house, ADA, 1, TASKS)
    await house.library.create_collection(a_collection(owner=ADA.id))
    await house.library.put_documents([a_content(size_bytes=900)])
    february = datetime(2026, 2, 1, tzinfo=UTC)
    standing = await house.plans.usage_of(ADA)
    assert standing.usage == (
        Usage(MESSAGES, 2, 3, february),
        Usage(DOCUMENTS, 0, 5, february),
        Usage(STORAGE, 900, 1_000, None),
        Usage(TASKS, 1, 1, february),
    )
    assert [(usage.left, usage.is_low) for usage in standing.usage] == [
        (1, False), (5, False), (100, True), (0, True)
    ]  # fmt: skip
    assert [line.split(" ")[0] for line in await house.plans.warnings(ADA)] == ["100", "0"]


async def test_nobody_without_a_usable_account_uses_anything(house: House):
    await house.accounts.update_account(replace(ADA, disabled_at=NOW))
    house.now += timedelta(days=1)
    for account in (ADA, GUEST, replace(ADA, id="nobody")):
        with pytest.raises(NotPermitted):
            await house.plans.take(account, MESSAGES, 1, "a")
        with pytest.raises(NotPermitted):
            await house.plans.usage_of(account)
    assert await house.accounts.usage(ADA.id, JANUARY) == {}


def test_a_missing_limit_is_told_at_once(house: House):
    with pytest.raises(KeyError, match="enterprise"):
        Plans(house.accounts, house.library, limits={"guest": Limits(), "free": Limits(), "pro": Limits()})


class FullAccounts(SqliteAccounts):
    """A store whose disk is full: it is read, and takes nothing."""

    async def take(self, *arguments: object) -> int:  # type: ignore[override]
        raise StoreFull("accounts", "No space is left.")


async def test_what_cannot_be_counted_is_allowed_only_where_there_is_no_limit(house: House, tmp_path: Path):
    full = FullAccounts(tmp_path / "accounts.db")
    plans = Plans(full, house.library, limits=LIMITS, clock=lambda: NOW)
    assert (await plans.take(ADMIN, MESSAGES, 1, "first")).usage.limit is None
    with pytest.raises(StoreFull):
        await plans.take(ADA, MESSAGES, 1, "second")
    await full.close()


@given(limit=st.integers(0, 300), amounts=st.lists(st.integers(1, 40), max_size=40))
def test_each_share_is_told_once_however_it_is_reached(limit: int, amounts: list[int]):
    total, told = 0, []
    for amount in amounts:
        if total + amount <= limit:
            total += amount
            usage = Usage(MESSAGES, total, limit, None)
            told += [usage] if usage.crosses(amount) else []
    assert len(told) <= 2
    assert all(usage.is_low for usage in told)
    assert limit or not Usage(MESSAGES, 0, 0, None).is_low
    assert bool(told) == (limit > 0 and total > 0 and total >= 0.8 * limit)


async def race(folder: Path, name: str, times: int) -> None:
    """Take at once, in a process of its own; say what each taking that went through gave."""
    house = House(folder)
    try:
        await house.plans.usage_of(ADA)
        processes.starting_line()
        outcomes = await asyncio.gather(
            *(house.plans.take(ADA, MESSAGES, 1, f"{name} {n}") for n in range(times)), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, QuotaExceeded):
                continue
            assert not isinstance(outcome, BaseException)
            processes.say(str(outcome.usage.used))
    finally:
        await house.close()


async def test_five_hundred_at_once_on_a_limit_of_a_hundred_give_exactly_a_hundred(house: House):
    plans = Plans(house.accounts, house.library, limits=LIMITS | {"free": Limits(100)}, clock=lambda: NOW)
    outcomes = await asyncio.gather(*(plans.take(ADA, MESSAGES, 1, str(n)) for n in range(500)), return_exceptions=True)
    went = [outcome.usage.used for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert sorted(went) == list(range(1, 101))
    assert sum(isinstance(outcome, QuotaExceeded) for outcome in outcomes) == 400


async def test_racing_processes_take_no_more_than_the_limit(house: House, tmp_path: Path):
    started = [processes.start(race, tmp_path, name, 250) for name in ("one", "other")]
    said = await asyncio.to_thread(processes.race, started)
    assert sorted(int(word) for words in said for word in words) == [1, 2, 3]
    assert await house.accounts.usage(ADA.id, JANUARY) == {"messages": 3}
