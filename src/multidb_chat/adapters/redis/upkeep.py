"""`RedisUpkeep`: the port `Upkeep` for a cache on Redis. It changes nothing, and looks at no key by itself."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from multidb_chat.adapters.redis.address import parse
from multidb_chat.adapters.redis.failures import STORE
from multidb_chat.adapters.redis.server import DEADLINE, Server
from multidb_chat.adapters.redis.values import encoded
from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.upkeep import StoreReport

_OLDEST = (6, 2)
Info = Mapping[str, Any]


class RedisUpkeep:
    """Looks after the cache on the server at `url`, like `RedisCache` of the same arguments."""

    store = STORE
    on_server = True

    def __init__(self, url: str, deadline: float = DEADLINE) -> None:
        self._address = parse(url)
        self._deadline = deadline

    async def report(self) -> StoreReport:
        """Return what the server says of itself; the keys are all of its database. Raises `StoreError`."""
        async with self._opened() as (server, info):
            prefix = encoded(self._address.prefix)
            keys = info.get(f"db{self._address.database}", {"keys": 0})["keys"]
            accounts = await server.read("ZCARD", prefix + b"accounts")
            days = await server.read("ZCARD", prefix + b"analytics:days")
            records = {"keys": keys, "accounts with values": accounts, "days of figures": days}
            place = f"Redis {info['redis_version']} at {self._address.place}/{self._address.database}"
            size = int(info["used_memory"])
            return StoreReport(STORE, place, size_bytes=size, records=records, on_server=True, notes=_notes(info))

    async def problems(self) -> list[str]:
        """Tell of a server that does not answer, or that is too old."""
        try:
            async with self._opened() as (_, info):
                version = str(info["redis_version"])
        except StoreError as error:
            return [str(error)]
        if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
            return [f"Redis at {self._address.place} is of version {version}: it has to be 6.2 or newer"]
        return []

    async def obstacle(self) -> str:
        """Ask the server whether it takes writes."""
        try:
            async with self._opened() as (_, info):
                pass
        except StoreError as error:
            return str(error)
        if info["role"] != "master":
            return f"The Redis server {self._address.place} is a replica and takes no writes: name its master."
        full = 0 < info["maxmemory"] <= info["used_memory"] and info["maxmemory_policy"] == "noeviction"
        return f"The Redis server {self._address.place} has no memory left, and drops nothing." if full else ""

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[Server, Info]]:
        server = Server(self._address, self._deadline)
        try:
            yield server, await server.read("INFO")
        finally:
            await server.close()


def _notes(info: Info) -> tuple[str, ...]:
    """Return what about the server's memory is not as docs/servers.md advises."""
    policy = str(info["maxmemory_policy"])
    if not info["maxmemory"]:
        return ("Redis has no maxmemory: what the cache keeps may take all memory of its machine.",)
    if policy.startswith("allkeys"):
        return (f"Redis may drop figures and inboxes too (maxmemory-policy {policy}): set volatile-lru.",)
    if policy == "noeviction":
        return ("Redis keeps nothing more when its memory is full (maxmemory-policy noeviction): set volatile-lru.",)
    return ()
