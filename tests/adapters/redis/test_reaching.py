"""Ways to a Redis server: with TLS, as a user with the least rights, and by Sentinels that name the master."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from multidb_chat.adapters.redis.cache import RedisCache
from multidb_chat.adapters.redis.upkeep import RedisUpkeep
from multidb_chat.domain.errors import StoreUnavailable
from tests.adapters.redis.opening import PATIENT
from tests.adapters.redis.processes import RedisProcess, Started, free_port, needs_program, told
from tests.adapters.redis.test_faults import CALLS
from tests.certificates import Certificates, needs_openssl
from tests.contracts.cache import a_count, a_line

pytestmark = needs_program
SERVERS = Path(__file__).parents[3] / "docs" / "servers.md"
OpenAt = Callable[..., RedisCache]
T = TypeVar("T")


@pytest.fixture
async def open_cache() -> AsyncIterator[OpenAt]:
    opened: list[RedisCache] = []

    def open_cache(url: str, deadline: float = PATIENT) -> RedisCache:
        opened.append(RedisCache(url, deadline=deadline))
        return opened[-1]

    yield open_cache
    for cache in opened:
        await cache.close()


async def works(cache: RedisCache) -> None:
    """Make every call there is."""
    for call in CALLS.values():
        await call(cache)
    await cache.put("key", b"value", 60)
    assert await cache.get("key") == b"value"


class RedisCertificates(Certificates):
    def options(self, port: int, name: str = "server", clients: str = "no") -> tuple[str, ...]:
        """Return the lines of a server's file that listens with TLS alone."""
        files = (f"tls-cert-file {self.folder}/{name}.pem", f"tls-key-file {self.folder}/{name}.key")
        known = (f"tls-ca-cert-file {self.folder}/ca.pem", f"tls-auth-clients {clients}")
        return ("bind 127.0.0.1", "port 0", f"tls-port {port}", *files, *known)

    def url(self, port: int) -> str:
        return f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={self.folder}/ca.pem"


@needs_openssl
class TestTls:
    @pytest.fixture(scope="class")
    def certificates(self, tmp_path_factory: pytest.TempPathFactory) -> RedisCertificates:
        return RedisCertificates(tmp_path_factory.mktemp("certificates"))

    async def start(self, started: Started, certificates: RedisCertificates, **options: str) -> int:
        port = free_port()
        await started(*certificates.options(port, **options), port=port)
        return port

    async def test_a_server_whose_certificate_is_trusted(
        self, started: Started, open_cache: OpenAt, certificates: RedisCertificates
    ):
        await works(open_cache(certificates.url(await self.start(started, certificates))))

    async def test_a_server_whose_certificate_nobody_signed_who_is_trusted(
        self, started: Started, open_cache: OpenAt, certificates: RedisCertificates
    ):
        port = await self.start(started, certificates)
        with pytest.raises(StoreUnavailable, match="certificate that is not trusted"):
            await open_cache(f"rediss://127.0.0.1:{port}").get("key")

    async def test_a_server_with_the_certificate_of_another(
        self, started: Started, open_cache: OpenAt, certificates: RedisCertificates
    ):
        port = await self.start(started, certificates, name="other")
        with pytest.raises(StoreUnavailable, match="certificate that is not trusted"):
            await open_cache(certificates.url(port)).get("key")

    async def test_a_server_that_wants_a_certificate_too(
        self, started: Started, open_cache: OpenAt, certificates: RedisCertificates
    ):
        port = await self.start(started, certificates, clients="yes")
        folder = certificates.folder
        own = f"&ssl_certfile={folder}/client.pem&ssl_keyfile={folder}/client.key"
        await works(open_cache(certificates.url(port) + own))
        with pytest.raises(StoreUnavailable):
            await open_cache(certificates.url(port)).get("key")

    async def test_tls_where_there_is_none_and_none_where_there_is(
        self, started: Started, open_cache: OpenAt, certificates: RedisCertificates
    ):
        plain, port = await started(), await self.start(started, certificates)
        with pytest.raises(StoreUnavailable):
            await open_cache(certificates.url(plain.port), 1.0).get("key")  # the server waits for the rest of a line
        with pytest.raises(StoreUnavailable):
            await open_cache(f"redis://127.0.0.1:{port}", 1.0).get("key")


def the_rule() -> list[str]:
    """Return the rule for the program's user that the operations page gives."""
    found = re.search(r"^ACL SETUSER (multidb-chat .*)$", SERVERS.read_text("utf-8"), re.M)
    assert found, "docs/servers.md says which rule the user needs"
    return found[1].split()


def url_of_user(redis: RedisProcess, prefix: str = "chat:") -> str:
    password = next(part[1:] for part in the_rule() if part.startswith(">"))
    return f"redis://multidb-chat:{password}@127.0.0.1:{redis.port}/0?prefix={prefix}"


async def test_the_rule_of_the_operations_page_is_enough(started: Started, open_cache: OpenAt):
    redis = await started()
    await told(redis.url, "ACL", "SETUSER", *the_rule())
    cache = open_cache(url_of_user(redis))
    await works(cache)
    for n in range(1_001):
        await cache.notify(a_line(n))
    await RedisUpkeep(url_of_user(redis), PATIENT).report()
    with pytest.raises(StoreUnavailable, match="does not let this user"):
        await open_cache(url_of_user(redis, "other:")).get("key")


async def test_without_any_of_its_commands_the_rule_is_not_enough(started: Started, open_cache: OpenAt):
    redis = await started()
    commands = [part for part in the_rule() if part.startswith("+")]
    # Connections are tried with a PING after a while, and HDEL is for lines beyond the thousandth.
    for command in sorted({*commands} - {"+ping", "+hdel"}):
        await told(redis.url, "FLUSHALL")
        await told(redis.url, "SCRIPT", "FLUSH")
        await told(redis.url, "ACL", "SETUSER", *(part for part in the_rule() if part != command))
        with pytest.raises(StoreUnavailable, match="does not let this user"):
            await works(open_cache(url_of_user(redis)))


async def again(call: Callable[[], Awaitable[T]]) -> T:
    """Return what a call returns as soon as the new master has been found: reads and writes find it each by itself."""
    while True:
        try:
            return await call()
        except StoreUnavailable:
            await asyncio.sleep(0.1)


class TestSentinel:
    @pytest.fixture
    async def servers(self, started: Started) -> tuple[RedisProcess, RedisProcess]:
        master = await started("requirepass right", "masterauth right", "repl-diskless-sync-delay 0")
        replica = await started(
            f"replicaof 127.0.0.1 {master.port}",
            "requirepass right",
            "masterauth right",
            "replica-announce-ip 127.0.0.1",
        )
        return master, replica

    @pytest.fixture
    async def sentinels(self, started: Started, servers: tuple[RedisProcess, RedisProcess]) -> list[RedisProcess]:
        watched = (
            f"sentinel monitor chat 127.0.0.1 {servers[0].port} 1",
            "sentinel auth-pass chat right",
            "sentinel down-after-milliseconds chat 300",
            "sentinel failover-timeout chat 2000",
        )
        sentinels = [await started(*watched, sentinel=True) for _ in range(2)]
        for sentinel in sentinels:
            while str(servers[1].port) not in str(await told(sentinel.url, "SENTINEL", "REPLICAS", "chat")):
                await asyncio.sleep(0.1)
        return sentinels

    async def test_the_master_is_found_whichever_sentinel_is_away_and_followed(
        self,
        servers: tuple[RedisProcess, RedisProcess],
        sentinels: list[RedisProcess],
        open_cache: OpenAt,
    ):
        hosts = f"127.0.0.1:{free_port()},127.0.0.1:{sentinels[0].port},127.0.0.1:{sentinels[1].port}"
        cache = open_cache(f"redis+sentinel://:right@{hosts}/0?service=chat")
        await works(cache)
        (before,) = await cache.generation("papers")
        servers[0].kill()
        await again(lambda: cache.count([a_count("after")]))
        (after,) = await again(lambda: cache.generation("papers"))
        assert after > before, "another server is another run, whatever of the last writes it has got"
        await works(cache)

    async def test_a_name_that_the_sentinels_do_not_know(self, sentinels: list[RedisProcess], open_cache: OpenAt):
        cache = open_cache(f"redis+sentinel://:right@127.0.0.1:{sentinels[0].port}/0?service=other")
        with pytest.raises(StoreUnavailable, match=r"not known to any Sentinel .*\?service="):
            await cache.get("key")

    async def test_sentinels_that_want_a_password_too(
        self, started: Started, servers: tuple[RedisProcess, RedisProcess], open_cache: OpenAt
    ):
        watched = (f"sentinel monitor chat 127.0.0.1 {servers[0].port} 1", "sentinel auth-pass chat right")
        sentinel = await started(*watched, "requirepass right", sentinel=True)
        url = f"redis+sentinel://:right@127.0.0.1:{sentinel.port}/0?service=chat"
        await works(open_cache(f"{url}&sentinel_auth=same"))
        with pytest.raises(StoreUnavailable):
            await open_cache(url).get("key")
