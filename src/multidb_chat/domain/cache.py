"""What may be lost at any time: cached answers and vectors, sessions, counters, notifications, rate limits.

Key patterns: `cache:faq:{hash}`, `cache:vector:{hash}`, `session:user:{id}`, `session:temp:{id}`,
`analytics:counter:{metric}`, `analytics:daily:{date}` (both also by account), `notifications:user:{id}`, `rate:{name}`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol

ANSWER_TTL = 3_600.0
SESSION_TTL = 86_400.0
ANALYTICS_TTL = 604_800.0
ANALYTICS_DAYS = 90


class Notification(NamedTuple):
    """A line in an account's inbox."""

    id: str
    account_id: str
    at: datetime
    title: str
    body: str = ""
    task_id: str | None = None


class Count(NamedTuple):
    """What one operation of an account adds to the figures of its day, by metric."""

    operation_id: str
    account_id: str
    at: datetime
    figures: Mapping[str, int]


class Cache(Protocol):
    """A store that may be flushed or killed at any time without a wrong result; nothing durable lives here.

    Times to live are seconds. Raises `StoreError` when the store cannot do its work; callers go on without it.
    """

    async def get(self, key: str) -> bytes | None:
        """Return the value, None when it is absent or its time is over."""

    async def put(self, key: str, value: bytes, ttl: float, account_id: str = "") -> None:
        """Store the value for `ttl` seconds (> 0); `account_id` says whose it is, so that it goes with the account."""

    async def delete(self, key: str) -> bool:
        """Remove the value; False when it was absent."""

    async def generation(self, *scopes: str) -> tuple[int, ...]:
        """Return each scope's generation. They are part of the keys made for the scopes.

        The same number until the scope is invalidated, and never again one from before, even after the store was
        emptied: a caller may still be at work on what it read before.
        """

    async def invalidate(self, scope: str) -> int:
        """Begin the next generation, so that all keys made for the scope before are never asked for again; return it.

        Its number is greater by one.
        """

    async def count(self, counts: Sequence[Count]) -> None:
        """Add to the counters and to the figures of the day (UTC), once for each operation, all of it or nothing.

        Both are kept for the account and, under the account "", for all of them together. An operation is remembered
        for `ANALYTICS_TTL`, a day's figures are kept for `ANALYTICS_DAYS`.
        """

    async def counters(self, account_id: str = "") -> Mapping[str, int]:
        """Return what was counted by metric: for an account, or for all together."""

    async def days(self, first: date, last: date, account_id: str = "") -> Mapping[date, Mapping[str, int]]:
        """Return the figures by metric of each day on which something was counted; `last` is included."""

    async def forget(self, account_id: str) -> None:
        """Remove what is kept for an account: its values, its inbox, its counters and figures.

        What it added to the figures of all accounts together stays.
        """

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
        """Drop what is over its time; return how many values went, operations and figures of days not counted."""
