"""`RedisCache`: the port `Cache` on a Redis server that may be flushed, restarted or killed at any time."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from multidb_chat.adapters.redis import scripts
from multidb_chat.adapters.redis.address import parse
from multidb_chat.adapters.redis.server import DEADLINE, Argument, Server
from multidb_chat.adapters.redis.values import (
    MOMENT,
    encoded,
    packed,
    packed_line,
    place_of,
    unpacked,
    unpacked_line,
)
from multidb_chat.domain.cache import ANALYTICS_DAYS, ANALYTICS_TTL, Count, Notification
from multidb_chat.domain.errors import InvalidInput
from multidb_chat.domain.ids import new_id

INBOX = 1_000
_LONGEST = 10 * 365 * 86_400.0  # seconds; what is to be kept for longer is kept for as long
_LARGEST = 2**53  # above, a script cannot count exactly
# Places of a rate are kept this much longer than their window, since `now` is the caller's clock and not the server's.
_SLACK = 60.0


class RedisCache:
    """The port `Cache` on the Redis server at `url` (see `address`); the port's docstrings specify it.

    Connects at the first call. A call ends within `deadline` seconds whatever the server does. `clock` gives epoch
    seconds: it says which days' figures are kept; values, operations and places end by the server's own clock.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time, deadline: float = DEADLINE) -> None:
        address = parse(url)
        self._server = Server(address, deadline)
        self._prefix = encoded(address.prefix)
        self._clock = clock

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    async def get(self, key: str) -> bytes | None:
        found = await self._server.read("GET", self._prefix + encoded(key))
        return None if found is None else unpacked(found)

    async def put(self, key: str, value: bytes, ttl: float, account_id: str = "") -> None:
        if not ttl > 0:
            raise InvalidInput(f"A value must be kept for more than {ttl} seconds.")
        data, milliseconds = packed(value, account_id), math.ceil(min(ttl, _LONGEST) * 1_000)
        if account_id:
            await self._run(scripts.PUT_OWNED, encoded(key), data, milliseconds, encoded(account_id))
        else:
            await self._server.write("SET", self._prefix + encoded(key), data, "PX", milliseconds)

    async def delete(self, key: str) -> bool:
        return bool(await self._server.write("DEL", self._prefix + encoded(key)))

    async def generation(self, *scopes: str) -> tuple[int, ...]:
        return tuple(int(one) for one in await self._ask(scripts.GENERATION, *map(encoded, scopes)))

    async def invalidate(self, scope: str) -> int:
        return int(await self._run(scripts.INVALIDATE, encoded(scope)))

    async def count(self, counts: Sequence[Count]) -> None:
        arguments = [argument for one in counts for argument in self._counted(one)]
        await self._run(scripts.COUNT, int(ANALYTICS_TTL), self._oldest().toordinal(), *arguments)

    async def counters(self, account_id: str = "") -> Mapping[str, int]:
        if account_id:
            home = encoded(f"account:{account_id}:counters")
            return _figures((await self._server.read("HGETALL", self._prefix + home)).items())
        return _figures(_paired(await self._ask(scripts.COUNTERS)))

    async def days(self, first: date, last: date, account_id: str = "") -> Mapping[date, Mapping[str, int]]:
        home = encoded(f"account:{account_id}:" if account_id else "analytics:")
        found = await self._ask(scripts.DAYS, home, first.toordinal(), last.toordinal())
        return {date.fromisoformat(day.decode()): _figures(_paired(figures)) for day, figures in found if figures}

    async def forget(self, account_id: str) -> None:
        if account_id:
            await self._run(scripts.FORGET, encoded(account_id))

    async def notify(self, notification: Notification) -> None:
        account, line = encoded(notification.account_id), encoded(notification.id)
        place, says = place_of(notification), packed_line(notification)
        await self._run(scripts.NOTIFY, account, line, place, says, INBOX, MOMENT)

    async def notifications(self, account_id: str, limit: int = 50) -> list[Notification]:
        if limit <= 0:
            return []
        found = await self._ask(scripts.NOTIFICATIONS, encoded(account_id), limit, MOMENT)
        lines = (unpacked_line(account_id, place, says) for place, says in found)
        return [line for line in lines if line is not None]

    async def clear_notifications(self, account_id: str) -> int:
        return int(await self._run(scripts.CLEAR_NOTIFICATIONS, encoded(account_id)))

    async def take_rate(self, name: str, limit: int, window: float, now: float) -> float:
        if limit <= 0:
            return window
        kept = math.ceil((window + _SLACK) * 1_000)
        return float(await self._run(scripts.TAKE_RATE, encoded(name), limit, repr(window), repr(now), new_id(), kept))

    async def purge(self) -> int:
        """Drop what Redis does not drop by itself: names of what is gone. The values that are over went already: 0."""
        while await self._run(scripts.PURGE, self._oldest().toordinal()):
            pass
        return 0

    async def _run(self, script: scripts.Script, *arguments: Argument) -> Any:
        return await self._server.run(script, self._prefix, *arguments)

    async def _ask(self, script: scripts.Script, *arguments: Argument) -> Any:
        return await self._server.ask(script, self._prefix, *arguments)

    def _oldest(self) -> date:
        return datetime.fromtimestamp(self._clock(), UTC).date() - timedelta(days=ANALYTICS_DAYS)

    def _counted(self, one: Count) -> list[Argument]:
        day = one.at.astimezone(UTC).date()
        end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=ANALYTICS_DAYS + 1)
        kept = math.ceil(end.timestamp() - self._clock())
        head: list[Argument] = [
            encoded(one.operation_id),
            encoded(one.account_id),
            day.isoformat(),
            day.toordinal(),
            kept,
        ]
        figures = one.figures.items()
        if any(abs(amount) >= _LARGEST for amount in one.figures.values()):
            raise InvalidInput("A number is too large to be counted.")
        return [*head, len(figures), *(part for metric, amount in figures for part in (encoded(metric), amount))]


def _figures(found: Iterable[tuple[bytes, bytes]]) -> dict[str, int]:
    return {metric.decode("utf-8", "surrogatepass"): int(total) for metric, total in found}


def _paired(found: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
    """Return what a script gives of a hash, names and values one after the other, in pairs."""
    return zip(found[::2], found[1::2], strict=True)
