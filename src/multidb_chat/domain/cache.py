"""What may be lost at any time: cached answers and vectors, sessions, counters, notifications, rate limits.

Key patterns: `cache:faq:{hash}`, `cache:vector:{hash}`, `session:user:{id}`, `session:temp:{id}`,
`analytics:counter:{metric}`, `analytics:daily:{date}`, `notifications:user:{id}`, `rate:{name}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

ANSWER_TTL = 3_600.0
SESSION_TTL = 86_400.0
ANALYTICS_TTL = 604_800.0


@dataclass(frozen=True, slots=True)
class Notification:
    """A line in an account's inbox."""

    id: str
    account_id: str
    at: datetime
    title: str
    body: str = ""
    task_id: str | None = None


class Cache(Protocol):
    """A store that may be flushed or killed at any time without a wrong result; nothing durable lives here.

    Times to live are seconds. Raises `StoreError` when the store cannot do its work; callers go on without it.
    """

    async def get(self, key: str) -> bytes | None:
        """Return the value, None when it is absent or its time is over."""

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """Store the value for `ttl` seconds (> 0)."""

    async def delete(self, key: str) -> bool:
        """Remove the value; False when it was absent."""

    async def generation(self, scope: str) -> int:
        """Return the scope's generation, 0 at first. It is part of the keys made for the scope."""

    async def invalidate(self, scope: str) -> int:
        """Begin a new generation, so that all keys made for the scope before are never asked for again; return it."""

    async def count(self, metric: str, operation_id: str, amount: int = 1, at: datetime | None = None) -> int:
        """Add to a counter and to its figure for the day (UTC) once for each `operation_id`; return the counter.

        The operation is remembered for `ANALYTICS_TTL`.
        """

    async def counter(self, metric: str) -> int:
        """Return the counter, 0 when it was never counted."""

    async def daily(self, day: date) -> Mapping[str, int]:
        """Return the day's figures by metric."""

    async def notify(self, notification: Notification) -> None:
        """Put a line into the account's inbox; the same id again changes nothing. The latest 1,000 are kept."""

    async def notifications(self, account_id: str, limit: int = 50) -> list[Notification]:
        """Return the latest lines, newest first."""

    async def clear_notifications(self, account_id: str) -> int:
        """Empty the inbox; return how many lines there were."""

    async def take_rate(self, name: str, limit: int, window: float, now: float) -> float:
        """Take one of `limit` places in the sliding window of `window` seconds at `now` (epoch seconds).

        Return 0.0 when taken, otherwise after how many seconds to try again; a refused try takes no place.
        """

    async def purge(self) -> int:
        """Drop what is over its time; return how many values went."""
