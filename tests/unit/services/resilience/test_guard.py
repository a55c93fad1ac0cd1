"""The guard: a call ends in time, failures are counted, little is tried again, a turn has one budget."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

import pytest

from multidb_chat.domain.errors import Conflict, StoreFull, StoreUnavailable
from multidb_chat.services.resilience.breaker import FAILURES, Breaker
from multidb_chat.services.resilience.budget import Budget, current, limited
from multidb_chat.services.resilience.guard import Guard


class Store:
    """Fails, hangs or answers, as it is told to, and counts how often it was called."""

    def __init__(self) -> None:
        self.calls = 0
        self.ending: BaseException | None = None
        self.failures = 0
        self.frozen = False
        self.cancelled = asyncio.Event()

    async def work(self) -> str:
        self.calls += 1
        if self.frozen:
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()
        if self.ending is not None and self.failures:
            self.failures -= 1
            raise self.ending
        return "done"

    def fails(self, error: BaseException, times: int = 1_000) -> None:
        self.ending, self.failures = error, times


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def guard() -> Guard:
    return Guard(Breaker("library"), chance=lambda: 0.0)


AWAY = StoreUnavailable("library", "mongo:27017 refuses connections.")


async def refused(work: Coroutine[Any, Any, object]) -> str:
    with pytest.raises(StoreUnavailable) as error:
        await work
    return str(error.value)


async def test_what_the_store_says_is_handed_through(guard: Guard, store: Store):
    assert await guard.call(store.work) == "done"
    store.fails(Conflict("taken"))
    with pytest.raises(Conflict, match="taken"):
        await guard.call(store.work)


async def test_a_frozen_call_ends_at_its_deadline_although_it_cannot_be_cancelled(guard: Guard):
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    assert "did not answer within 0.1 s" in await refused(guard.call(stubborn, deadline=0.05))
    released.set()
    await guard.close()


async def test_a_call_waits_for_a_store_that_is_being_made_beyond_its_deadline_and_the_budget_of_the_turn(guard: Guard):
    made = asyncio.Event()
    guard.making = lambda: not made.is_set()

    async def making() -> str:
        await made.wait()
        return "done"

    async def turn() -> AsyncGenerator[str, None]:
        yield await guard.call(making, deadline=0.01)
        assert (budget := current()) is not None
        assert budget.left > 1

    later = asyncio.get_running_loop().call_later(0.3, made.set)
    async with asyncio.timeout(30):
        assert [found async for found in limited(turn(), Budget(1.1))] == ["done"]
    assert later.when() <= asyncio.get_running_loop().time()
    assert guard.breaker.state == "closed"


async def test_a_store_that_freezes_once_it_is_made_is_not_waited_for(guard: Guard, store: Store):
    guard.making = lambda: store.calls > 0 and not late.is_set()
    late = asyncio.Event()
    asyncio.get_running_loop().call_later(0.1, late.set)
    store.frozen = True
    async with asyncio.timeout(30):
        assert "did not answer" in await refused(guard.call(store.work, deadline=0.01))


async def test_a_late_call_is_cancelled_behind_the_callers_back(guard: Guard, store: Store):
    store.frozen = True
    await refused(guard.call(store.work, deadline=0.01))
    await store.cancelled.wait()


async def test_whoever_is_cancelled_takes_the_call_along_and_counts_as_no_failure(guard: Guard, store: Store):
    store.frozen = True
    for _ in range(2 * FAILURES):
        call = asyncio.create_task(guard.call(store.work))
        while store.calls == 0:
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await store.cancelled.wait()
        store.calls = 0
        store.cancelled.clear()
    assert guard.breaker.state == "closed"


async def test_a_store_that_is_away_is_not_asked_any_more(guard: Guard, store: Store):
    store.fails(AWAY)
    for _ in range(FAILURES):
        assert await refused(guard.call(store.work)) == str(AWAY)
    assert str(AWAY) in await refused(guard.call(store.work))
    assert store.calls == FAILURES


@pytest.mark.parametrize("error", [Conflict("taken"), StoreFull("library", "full"), ValueError("a fault of ours")])
async def test_what_does_not_say_that_the_store_is_away_never_opens_the_breaker(
    guard: Guard, store: Store, error: Exception
):
    store.fails(error)
    for _ in range(2 * FAILURES):
        with pytest.raises(type(error)):
            await guard.call(store.work)
    assert guard.breaker.state == "closed"


async def test_only_what_may_be_done_twice_is_tried_again(guard: Guard, store: Store):
    store.fails(AWAY, times=1)
    assert await guard.call(store.work, again=True) == "done"
    store.fails(AWAY, times=1)
    await refused(guard.call(store.work))
    assert store.calls == 3


async def test_at_most_a_tenth_of_the_calls_is_tried_again(guard: Guard, store: Store):
    store.fails(AWAY)
    for _ in range(200):
        guard.breaker = Breaker("library")  # as if each process had one
        await refused(guard.call(store.work, again=True))
    assert store.calls <= 200 * 1.1 + 1


async def test_the_calls_of_a_turn_together_wait_no_longer_than_its_budget(guard: Guard, store: Store):
    store.frozen = True
    budget = Budget(0.05)

    async def turn() -> AsyncGenerator[str, None]:
        yield await refused(guard.call(store.work, deadline=60))
        yield await refused(guard.call(store.work, deadline=60))

    first, second = [event async for event in limited(turn(), budget)]
    assert "did not answer" in first
    assert "took more than 0.05 s together" in second
    assert (store.calls, budget.left) == (1, 0)
    assert guard.breaker.state == "closed"


async def test_what_happens_between_the_stores_and_outside_the_turn_uses_nothing_up(guard: Guard, store: Store):
    budget = Budget(0.01)

    async def turn() -> AsyncGenerator[str, None]:
        assert current() is budget
        await asyncio.sleep(0.02)
        yield await guard.call(store.work)

    async for event in limited(turn(), budget):
        assert event == "done"
        assert current() is None
    assert budget.left > 0
