"""A cache under a prefix of its own on a real server, and time that goes by for it."""

from types import TracebackType
from typing import Self

from redis.asyncio import Redis

from multidb_chat.adapters.redis.cache import RedisCache
from tests.contracts.cache_machine import START
from tests.servers import own_name

PATIENT = 20.0  # seconds that a call may take where its time is not what is tested


class Place:
    """Some keys of a server. Its clock is the caches' own, and time goes by for Redis by shortening what keys live."""

    def __init__(self, url: str) -> None:
        self._server_url = url
        self.prefix = f"{own_name()}:"
        self.url = with_prefix(url, self.prefix)
        self.now = START
        self.redis = Redis.from_url(url, protocol=2)
        self._opened: list[RedisCache] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for cache in self._opened:
            await cache.close()
        if keys := await self.keys():
            await self.redis.delete(*keys)
        await self.redis.aclose()

    async def open_cache(self) -> RedisCache:
        """Open the cache once more."""
        self._opened.append(RedisCache(self.url, lambda: self.now, PATIENT))
        return self._opened[-1]

    async def keys(self) -> list[bytes]:
        """Return the names of all keys of this place."""
        return [key async for key in self.redis.scan_iter(match=f"{self.prefix}*", count=1_000)]

    async def pass_time(self, seconds: float) -> None:
        """Let time go by: each key has so much less to live."""
        self.now += seconds
        for key in await self.keys():
            left = await self.redis.pttl(key)
            if left > 0:
                await self.redis.pexpire(key, left - round(seconds * 1_000))


def with_prefix(url: str, prefix: str) -> str:
    """Return the URL of a server with what all keys begin with."""
    return f"{url}{'&' if '?' in url else '?'}prefix={prefix}"
