"""Stores on servers that freeze, break off and come back, behind their guards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import pytest

from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.services.resilience.breaker import FAILURES, LONGEST, Breaker
from multidb_chat.services.resilience.guard import Guard
from multidb_chat.services.resilience.guarded import Port, guarded
from multidb_chat.services.resilience.ports import ACCOUNTS, CACHE, CONVERSATIONS, LIBRARY
from tests.adapters.mongo.opening import own_database
from tests.adapters.postgres.opening import own_schema
from tests.adapters.redis.opening import with_prefix
from tests.adapters.scylla.opening import Keyspace, own_url
from tests.faults.proxy import Proxy
from tests.servers import needs, own_name, url_of


class Clock:
    """Seconds that pass for a breaker when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Served:
    """A store on a server behind a proxy and a guard, and a call that reads next to nothing of it."""

    proxy: Proxy
    breaker: Breaker
    clock: Clock
    read: Callable[[], Awaitable[object]]

    async def closed_again(self) -> None:
        """Call until the breaker is closed; the pauses between its probes go by at once."""
        for _ in range(100):
            with suppress(StoreUnavailable):
                await self.read()
            if self.breaker.state == "closed":
                return
            self.clock.seconds += LONGEST
            await asyncio.sleep(0.05)
        pytest.fail(self.breaker.told())


@asynccontextmanager
async def served(name: str, url: str, port: Port, open_store: Callable[[str], object], call: str, *arguments: object):
    clock = Clock()
    breaker = Breaker(name, clock=clock)
    async with Proxy(url) as proxy:
        quick = replace(port, deadline=0.3, deadlines={})
        store: object = guarded(open_store(proxy.url), quick, Guard(breaker))
        slow: object = guarded(store._store, port, Guard(Breaker(name)))  # type: ignore[attr-defined]
        await getattr(slow, call)(*arguments)  # makes its tables, which takes longer
        try:
            yield Served(proxy, breaker, clock, lambda: getattr(store, call)(*arguments))
        finally:
            proxy.thaw()
            await store.close()  # type: ignore[attr-defined]


@asynccontextmanager
async def redis() -> AsyncIterator[Served]:
    from multidb_chat.adapters.redis.cache import RedisCache

    url = with_prefix(url_of("redis"), f"{own_name()}:")
    async with served("cache", url, CACHE, RedisCache, "get", "key") as one:
        yield one


@asynccontextmanager
async def postgres() -> AsyncIterator[Served]:
    from multidb_chat.adapters.postgres.accounts import PostgresAccounts
    from multidb_chat.adapters.postgres.database import Database

    with own_schema() as url:
        plain = f"{url}&sslmode=disable"
        async with served(
            "accounts", plain, ACCOUNTS, lambda at: PostgresAccounts(Database(at)), "account", "ada"
        ) as one:
            yield one


@asynccontextmanager
async def mongodb() -> AsyncIterator[Served]:
    from multidb_chat.adapters.mongo.library import MongoLibrary

    async with own_database() as url, served("library", url, LIBRARY, MongoLibrary, "version") as one:
        yield one


# The cluster has one node here, whose address the driver takes from the URL: it stays behind the proxy.
@asynccontextmanager
async def scylla() -> AsyncIterator[Served]:
    from multidb_chat.adapters.scylla.conversations import ScyllaConversations

    keyspace = Keyspace(own_url())
    try:
        url, opened = keyspace.url, ScyllaConversations
        async with served("conversations", url, CONVERSATIONS, opened, "conversation", "c1") as one:
            yield one
    finally:
        keyspace.drop()


STORES = [
    pytest.param(redis, marks=needs("redis"), id="redis"),
    pytest.param(postgres, marks=needs("postgres"), id="postgres"),
    pytest.param(scylla, marks=needs("scylla"), id="scylla"),
    pytest.param(mongodb, marks=needs("mongodb"), id="mongodb"),
]


@pytest.mark.parametrize("open_served", STORES)
async def test_a_frozen_store_is_given_up_in_time_and_used_again_when_it_thaws(open_served):
    async with open_served() as store:
        await asyncio.gather(*(store.read() for _ in range(3)))
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        store.proxy.freeze()
        outcomes = await asyncio.gather(*(store.read() for _ in range(FAILURES)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
        assert ticks > FAILURES, "the loop stood still"
        ticking.cancel()
        before = store.proxy.connections
        for _ in range(100):
            with pytest.raises(StoreUnavailable, match="away since"):
                await store.read()
        assert store.proxy.connections == before, "a store that is away was asked"
        store.proxy.thaw()
        await store.closed_again()
        await store.read()


@pytest.mark.parametrize("open_served", STORES)
async def test_a_store_that_breaks_off_is_said_to_be_away_and_used_again(open_served):
    async with open_served() as store:
        store.proxy.refuse()
        outcomes = [await _outcome(store.read()) for _ in range(3 * FAILURES)]
        assert set(outcomes) == {StoreUnavailable}
        store.proxy.admit()
        await store.closed_again()


# A cluster of one node is away for half a second when its connection breaks: `tests/adapters/scylla/test_faults.py`.
@pytest.mark.parametrize("open_served", [store for store in STORES if store.id != "scylla"])
async def test_connections_that_break_now_and_then_are_no_outage(open_served):
    async with open_served() as store:
        outcomes = []
        for n in range(40):
            store.clock.seconds += 3.0
            if n % 4 == 0:
                store.proxy.reset()
            outcomes.append(await _outcome(store.read()))
        assert set(outcomes) <= {None, StoreUnavailable}
        assert outcomes.count(None) >= 30
        assert store.breaker.state == "closed"


async def _outcome(call: Awaitable[object]) -> type[Exception] | None:
    try:
        await call
    except Exception as error:
        return type(error)
    return None
