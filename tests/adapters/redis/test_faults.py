"""A Redis server that hangs, breaks or refuses: every call ends in time, with an error of the domain."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from multidb_chat.adapters.redis import connecting
from multidb_chat.adapters.redis.cache import RedisCache
from multidb_chat.domain.errors import InvalidSetting, StoreCorrupt, StoreError, StoreFull, StoreUnavailable
from tests.adapters.redis.opening import PATIENT, Place, with_prefix
from tests.adapters.redis.processes import Started, free_port, needs_program, told
from tests.contracts.cache import NOON, a_count, a_line
from tests.faults.proxy import Proxy
from tests.servers import needs, url_of

Call = Callable[[RedisCache], Awaitable[object]]
CALLS: dict[str, Call] = {
    "get": lambda cache: cache.get("key"),
    "put": lambda cache: cache.put("key", b"value", 60, "ada"),
    "put for nobody": lambda cache: cache.put("key", b"value", 60),
    "delete": lambda cache: cache.delete("key"),
    "generation": lambda cache: cache.generation("papers"),
    "invalidate": lambda cache: cache.invalidate("papers"),
    "count": lambda cache: cache.count([a_count()]),
    "counters": lambda cache: cache.counters(),
    "counters of one": lambda cache: cache.counters("ada"),
    "days": lambda cache: cache.days(NOON.date(), NOON.date()),
    "forget": lambda cache: cache.forget("ada"),
    "notify": lambda cache: cache.notify(a_line()),
    "notifications": lambda cache: cache.notifications("ada"),
    "clear_notifications": lambda cache: cache.clear_notifications("ada"),
    "take_rate": lambda cache: cache.take_rate("r", 1, 10, 100.0),
    "purge": lambda cache: cache.purge(),
}


@pytest.fixture
async def open_cache() -> AsyncIterator["OpenAt"]:
    opened: list[RedisCache] = []

    def open_cache(url: str, deadline: float = PATIENT) -> RedisCache:
        opened.append(RedisCache(url, deadline=deadline))
        return opened[-1]

    yield open_cache
    for cache in opened:
        await cache.close()


OpenAt = Callable[..., RedisCache]


class TestBehindAProxy:
    pytestmark = needs("redis")

    @pytest.fixture
    async def place(self) -> AsyncIterator[Place]:
        async with Place(url_of("redis")) as place:
            yield place

    @pytest.fixture
    async def proxy(self, place: Place) -> AsyncIterator[Proxy]:
        async with Proxy(place.url) as proxy:
            yield proxy

    @pytest.fixture
    def cache(self, proxy: Proxy, open_cache: OpenAt) -> RedisCache:
        return open_cache(proxy.url)

    async def test_every_call_ends_where_the_server_is_frozen(self, proxy: Proxy, open_cache: OpenAt):
        cache = open_cache(proxy.url, 1.0)
        await cache.put("key", b"value", 60)
        proxy.freeze()
        outcomes = await asyncio.gather(*(call(cache) for call in CALLS.values()), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * len(CALLS)
        assert "does not answer in time" in str(outcomes[0])
        proxy.thaw()
        assert await cache.get("key") is not None

    async def test_a_frozen_server_keeps_nobody_beyond_the_deadline(self, proxy: Proxy, open_cache: OpenAt):
        cache = open_cache(proxy.url, 1.0)
        await cache.get("key")
        proxy.freeze()
        async with asyncio.timeout(10):  # left to itself, the driver tries for a minute
            calls = [cache.get(f"key-{n}") for n in range(3 * connecting.CONNECTIONS)]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}

    async def test_calls_that_are_cancelled_mix_up_no_replies(self, cache: RedisCache, proxy: Proxy):
        for n in range(40):
            await cache.put(f"key-{n}", b"%d" % n, 60)
        proxy.delay = 0.002
        for n in range(300):
            call = asyncio.create_task(cache.get(f"key-{n % 40}"))
            await asyncio.sleep((n % 10) / 1_000)
            call.cancel()
        proxy.delay = 0.0
        for _ in range(3):
            found = await asyncio.gather(*(cache.get(f"key-{n}") for n in range(40)))
            assert found == [b"%d" % n for n in range(40)]

    async def test_calls_that_are_cancelled_together_leave_all_connections_to_others(
        self, cache: RedisCache, proxy: Proxy
    ):
        proxy.delay = 0.05
        for _ in range(5):
            calls = [asyncio.create_task(cache.get("key")) for _ in range(3 * connecting.CONNECTIONS)]
            await asyncio.sleep(0.08)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        proxy.delay = 0.0
        assert (
            await asyncio.gather(*(cache.get("key") for _ in range(connecting.CONNECTIONS)))
            == [None] * connecting.CONNECTIONS
        )

    async def test_a_count_whose_reply_is_lost_counts_once(self, cache: RedisCache, proxy: Proxy):
        await cache.counters()
        proxy.swallow_reply(to=b"turn-1")
        with pytest.raises(StoreUnavailable):
            await cache.count([a_count("turn-1")])
        await cache.count([a_count("turn-1")])
        assert await cache.counters() == {"turns": 1}

    async def test_a_write_whose_reply_is_lost_is_not_sent_again(self, cache: RedisCache, proxy: Proxy):
        (begun,) = await cache.generation("papers")
        await cache.invalidate("essays")  # the server knows the script from here on
        proxy.swallow_reply(to=b"papers")
        with pytest.raises(StoreUnavailable):
            await cache.invalidate("papers")
        assert await cache.generation("papers") == (begun + 1,)

    async def test_a_read_is_tried_again_when_its_connection_breaks(self, cache: RedisCache, proxy: Proxy):
        await cache.put("key", b"value", 60)
        proxy.truncate_reply(3, to=b"GET")
        assert await cache.get("key") == b"value"
        proxy.reset()
        assert await cache.get("key") == b"value"

    async def test_a_connection_that_broke_while_it_was_idle_costs_no_write(self, cache: RedisCache, proxy: Proxy):
        await cache.put("key", b"value", 60)
        proxy.reset()
        await asyncio.sleep(0.05)  # until the client's side has heard of it
        await cache.put("key", b"other", 60)
        assert await cache.get("key") == b"other"

    @pytest.mark.parametrize("name", CALLS)
    async def test_every_call_tells_of_a_server_that_refuses(self, cache: RedisCache, proxy: Proxy, name: str):
        proxy.refuse()
        with pytest.raises(StoreUnavailable) as raised:
            await CALLS[name](cache)
        assert str(raised.value).count("\n") == 0
        assert str(proxy.port) in str(raised.value)


class TestWhatAServerAnswers:
    pytestmark = needs_program

    async def failure(self, cache: RedisCache, call: Call = CALLS["put"]) -> StoreError:
        with pytest.raises(StoreError) as raised:
            await call(cache)
        assert raised.value.store == "cache"
        assert "secret" not in str(raised.value)
        return raised.value

    async def test_a_full_memory(self, started: Started, open_cache: OpenAt):
        redis = await started("maxmemory 1", "maxmemory-policy noeviction")
        for name in ("put", "put for nobody", "count", "notify"):
            error = await self.failure(open_cache(redis.url), CALLS[name])
            assert isinstance(error, StoreFull)
            assert "volatile-lru" in str(error)
        assert await open_cache(redis.url).get("key") is None

    async def test_a_replica(self, started: Started, open_cache: OpenAt):
        master = await started("repl-diskless-sync-delay 0")
        replica = await started(f"replicaof 127.0.0.1 {master.port}")
        while "master_link_status:up" not in str(await told(replica.url, "INFO", "replication")):
            await asyncio.sleep(0.05)
        for name in ("put", "count", "generation"):
            error = await self.failure(open_cache(replica.url), CALLS[name])
            assert isinstance(error, StoreUnavailable)
            assert "is a replica" in str(error)

    async def test_passwords(self, started: Started, open_cache: OpenAt):
        redis = await started("requirepass right")
        assert "wants a password" in str(await self.failure(open_cache(redis.url)))
        wrong = open_cache(f"redis://:secret@127.0.0.1:{redis.port}")
        assert "refuses the user or the password" in str(await self.failure(wrong))
        right = open_cache(f"redis://:right@127.0.0.1:{redis.port}")
        await right.put("key", b"value", 60)

    async def test_a_password_where_none_is_wanted(self, started: Started, open_cache: OpenAt):
        redis = await started()
        cache = open_cache(f"redis://:secret@127.0.0.1:{redis.port}")
        assert "refuses the user or the password" in str(await self.failure(cache))

    async def test_a_user_without_rights(self, started: Started, open_cache: OpenAt):
        redis = await started("user chat on >secret ~* -@all +ping +get")
        cache = open_cache(f"redis://chat:secret@127.0.0.1:{redis.port}")
        assert await cache.get("key") is None
        for name in ("put", "put for nobody", "count"):
            assert "docs/servers.md" in str(await self.failure(cache, CALLS[name]))

    async def test_a_database_that_is_not_there(self, started: Started, open_cache: OpenAt):
        redis = await started()
        assert "refuses a command" in str(await self.failure(open_cache(f"redis://127.0.0.1:{redis.port}/99")))

    async def test_names_that_something_else_uses(self, started: Started, open_cache: OpenAt):
        redis = await started()
        await told(redis.url, "RPUSH", "generations", "of something else")
        error = await self.failure(open_cache(redis.url), CALLS["generation"])
        assert isinstance(error, StoreCorrupt)
        assert "?prefix=" in str(error)

    async def test_a_cluster(self, started: Started, open_cache: OpenAt):
        redis = await started("cluster-enabled yes", f"cluster-port {free_port()}")
        assert "Cluster" in str(await self.failure(open_cache(redis.url)))

    async def test_no_more_clients(self, started: Started, open_cache: OpenAt):
        redis = await started("maxclients 1")
        first, second = open_cache(redis.url), open_cache(redis.url)
        await first.get("key")
        assert isinstance(await self.failure(second), StoreUnavailable)

    async def test_a_frozen_process(self, started: Started, open_cache: OpenAt):
        redis = await started()
        cache = open_cache(redis.url, 0.5)
        await cache.get("key")
        redis.freeze()
        for name in ("get", "put"):
            assert "does not answer in time" in str(await self.failure(cache, CALLS[name]))
        assert "does not answer in time" in str(await self.failure(open_cache(redis.url, 0.5)))
        redis.thaw()
        await cache.put("key", b"value", 60)


# What cannot be had from a server of a test's own without waiting: it is said by a server that says nothing else.
@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        ("-LOADING Redis is loading the dataset in memory", StoreUnavailable, "is loading"),
        ("-MOVED 3999 127.0.0.1:6381", StoreUnavailable, "Cluster"),
        ("-ASK 3999 127.0.0.1:6381", StoreUnavailable, "Cluster"),
        ("-MASTERDOWN Link with MASTER is down", StoreUnavailable, "lost its master"),
        ("-MISCONF Redis is configured to save RDB snapshots, but it's currently unable", StoreFull, "disk"),
        ("-NOREPLICAS Not enough good replicas to write.", StoreUnavailable, "replicas"),
        ("-BUSY Redis is busy running a script.", StoreUnavailable, "busy"),
        ("-ERR Error running script: @user_script: 1: -OOM command not allowed", StoreFull, "memory"),
        ("-ERR unknown command 'EVALSHA'", StoreError, "6.2 or newer"),
        ("HTTP/1.1 400 Bad Request", StoreUnavailable, "does not answer as Redis does"),
        ("", StoreUnavailable, "broke the connection"),
    ],
)
async def test_what_is_answered_is_told(open_cache: OpenAt, line: str, kind: type[StoreError], text: str):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line and await reader.read(65_536):
            writer.write(line.encode() + b"\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        with pytest.raises(kind, match=text):
            await open_cache(f"redis://127.0.0.1:{port}").put("key", b"value", 60)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("redis://127.0.0.1:PORT", "refuses connections"),
        ("redis://no-such-host.invalid", "cannot be found"),
        ("redis+sentinel://127.0.0.1:PORT/0?service=m", "not known to any Sentinel"),
        ("rediss://127.0.0.1:1?ssl_ca_certs=/nowhere/ca.pem", "cannot be reached"),
    ],
)
async def test_a_server_that_is_not_there(open_cache: OpenAt, url: str, text: str):
    with pytest.raises(StoreUnavailable, match=text):
        await open_cache(url.replace("PORT", str(free_port()))).put("key", b"value", 60)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("redis://:secret@h:6379/x", "number of a database"),
        ("redis://:secret@h:6379?db=1", "mean nothing here: db"),
        ("redis://:secret@h:6379?ssl_ca_certs=x", "mean nothing here: ssl_ca_certs"),
        ("redis+sentinel://:secret@h", "service=NAME"),
        ("redis+sentinel://h?service=m&sentinel_auth=other", "sentinel_auth"),
        ("redis://:secret@:6379", "no host"),
        ("memcached://h", "begins with"),
    ],
)
def test_a_url_that_says_nothing_is_refused_without_its_password(url: str, text: str):
    with pytest.raises(InvalidSetting, match=text) as raised:
        RedisCache(url)
    assert "secret" not in str(raised.value)


def test_a_server_is_shown_without_its_password():
    address = connecting.Address((("h", 1),), password="secret")
    assert "secret" not in repr(address) + address.place
    assert with_prefix("redis://h", "p:") == "redis://h?prefix=p:"
