"""The statistics service on the embedded stores."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.adapters.sqlite.cache import SqliteCache
from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Conversation, Feedback, Message
from multidb_chat.domain.errors import InvalidInput, NotPermitted, StoreUnavailable
from multidb_chat.domain.statistics import BOUNDS, CACHED, FAILED, NOT_FOUND, TURNS, Day, Figures, bucket
from multidb_chat.domain.turns import Answer
from multidb_chat.services.statistics import Statistics
from tests.contracts.library import a_collection, a_content

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
TODAY = NOW.date()
ADA = Account("ada", "user", "free", NOW)
BOB = Account("bob", "user", "free", NOW)
ADMIN = Account("root", "admin", "free", NOW)
FOUND = Answer("Why?", "Why?", "So.", True)
NOTHING = Answer("Why?", "Why?", "Nothing.", False)
KEPT = Answer("Why?", "Why?", "So.", True, cached=True)


class House:
    """The service on the stores of one folder, with a clock to be set."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.cache = SqliteCache(folder / "cache.db", lambda: self.now.timestamp())
        self.conversations = SqliteConversations(folder / "conversations.db")
        self.library = SqliteLibrary(folder / "library.db")
        self.statistics = self.counting()

    def counting(self, cache: Any = None) -> Statistics:
        return Statistics(cache or self.cache, self.conversations, self.library, clock=lambda: self.now)

    async def close(self) -> None:
        await self.statistics.close()
        for store in (self.cache, self.conversations, self.library):
            await store.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path)
    yield house
    await house.close()


async def test_turns_are_told_by_day_for_their_account_and_for_all(house: House):
    for number, (account, answer, took) in enumerate(
        [(ADA, FOUND, 30.0), (ADA, KEPT, 3.0), (ADA, NOTHING, 70.0), (ADA, None, 5.0), (BOB, FOUND, 30.0)]
    ):
        house.statistics.turn_ended(account, str(number), answer, took)
    house.now += timedelta(days=1)
    house.statistics.turn_ended(ADA, "tomorrow", KEPT, 1.0)
    own = await house.statistics.of(ADA, 2)
    assert [(day.day, day.of(TURNS)) for day in own.days] == [(TODAY, 4), (TODAY + timedelta(1), 1)]
    assert [own.total(metric) for metric in (TURNS, CACHED, NOT_FOUND, FAILED)] == [5, 2, 1, 1]
    assert own.hit_rate == 0.5
    assert sum(own.histogram.values()) == 4
    assert (await house.statistics.of_all(ADMIN, 2)).total(TURNS) == 6
    assert (await house.statistics.of(BOB, 2)).total(TURNS) == 1


async def test_a_turn_counts_once_however_often_it_is_told(house: House):
    for _ in range(3):
        house.statistics.turn_ended(ADA, "turn", FOUND, 1.0)
        await house.statistics.flush()
    assert (await house.statistics.of(ADA)).total(TURNS) == 1


async def test_what_has_gathered_is_written_when_the_program_ends(house: House):
    ending = house.counting()
    ending.turn_ended(ADA, "turn", FOUND, 1.0)
    await ending.close()
    assert (await house.cache.counters("ada"))[TURNS] == 1


class Unwilling:
    """A cache that is away as long as it is told so."""

    def __init__(self, cache: SqliteCache) -> None:
        self.cache = cache
        self.away = True

    def __getattr__(self, name: str) -> Any:
        if self.away:
            raise StoreUnavailable("cache", "away")
        return getattr(self.cache, name)


async def test_a_cache_that_is_away_loses_nothing_as_long_as_the_program_runs(house: House):
    cache = Unwilling(house.cache)
    counting = house.counting(cache)
    counting.turn_ended(ADA, "turn", FOUND, 1.0)
    assert (await counting.of(ADA)).total(TURNS) == 0
    cache.away = False
    assert (await counting.of(ADA)).total(TURNS) == 1
    await counting.close()


async def test_questions_documents_and_feedback_are_told_without_the_cache(house: House):
    for account, count in ((ADA, 2), (BOB, 1)):
        talk = Conversation(f"talk of {account.id}", account.id, "Talk", NOW)
        await house.conversations.put_conversation(talk)
        for number in range(count):
            key = f"{account.id} {number}"
            await house.conversations.append(Message(key, talk.id, account.id, "user", "Why?", NOW))
            await house.conversations.put_feedback(Feedback(key, account.id, 1 if number else -1, "", NOW))
        await house.library.create_collection(a_collection(account.id, account.id))
        await house.library.put_documents([a_content(collection=account.id, size_bytes=5)])
    own = await house.counting(Unwilling(house.cache)).of(ADA, 1)
    assert own == Figures((Day(TODAY, 2),), 1, 5, 1, 1)
    assert await house.statistics.of_all(ADMIN, 1) == Figures((Day(TODAY, 3),), 2, 10, 1, 2)
    house.now += timedelta(days=1)
    assert await house.statistics.of(ADA, 1) == Figures((Day(TODAY + timedelta(1), 0),), 1, 5)


async def test_only_staff_sees_the_figures_of_all(house: House):
    for actor in (ADA, Account("gus", "guest", "free", NOW)):
        with pytest.raises(NotPermitted):
            await house.statistics.of_all(actor)
    with pytest.raises(InvalidInput):
        await house.statistics.of(ADA, 0)


async def test_the_session_knows_its_own_turns_alone(house: House):
    house.statistics.turn_ended(ADA, "1", FOUND, 10.0)
    await house.statistics.flush()
    other = house.counting()
    assert other.session().turns == 0
    assert (other.session().median, other.session().slowest) == (None, None)
    for number, took in enumerate((4.0, 8.0, 6.0)):
        other.turn_ended(ADA, f"other {number}", KEPT, took)
    session = other.session()
    assert (session.turns, session.cached, session.median, session.slowest) == (3, 3, 6.0, 8.0)
    await other.close()


async def test_counting_waits_for_nothing(house: House):
    never = asyncio.Event()

    class Stuck:
        async def count(self, _: object) -> None:
            await never.wait()

    counting = house.counting(Stuck())
    for number in range(100):
        counting.turn_ended(ADA, str(number), FOUND, 1.0)
    assert counting.session().turns == 100
    never.set()
    await counting.close()


@given(times=st.lists(st.floats(0, 20_000), min_size=1, max_size=50), share=st.floats(0.01, 1))
def test_a_share_of_the_turns_is_within_the_bucket_that_holds_it(times: list[float], share: float):
    counts: dict[str, int] = {}
    for took in times:
        name = bucket(next(bound for bound in BOUNDS if took <= bound))
        counts[name] = counts.get(name, 0) + 1
    told = Figures((Day(date.min, 0, counts),)).within(share)
    exact = sorted(times)[max(0, -(-int(share * len(times) * 1e9) // 10**9) - 1)]
    low, high = next((low, bound) for low, bound in zip((0.0, *BOUNDS), BOUNDS, strict=False) if exact <= bound)
    assert told is not None
    assert low <= told <= (low if high == inf else high) or abs(told - exact) < 1e-6


def test_without_turns_there_is_neither_time_nor_rate():
    assert Figures(()).within(0.5) is None
    assert Figures(()).hit_rate is None
