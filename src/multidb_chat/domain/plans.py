"""What a plan allows in a billing month, and what was used of it. A billing month is a calendar month in UTC."""

from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Literal, NamedTuple

from multidb_chat.domain.accounts import Plan

Resource = Literal["messages", "documents", "storage", "tasks", "tokens", "cost"]
Tier = Literal["guest"] | Plan

MESSAGES: Resource = "messages"
DOCUMENTS: Resource = "documents"
STORAGE: Resource = "storage"
TASKS: Resource = "tasks"
TOKENS: Resource = "tokens"
COST: Resource = "cost"
RESOURCES: tuple[Resource, ...] = (MESSAGES, DOCUMENTS, STORAGE, TASKS, TOKENS, COST)
OF_MODELS = frozenset({TOKENS, COST})
"""What language models alone use: there is nothing to say of it as long as none was used and no limit is set."""

WARN_AT = (0.8, 0.95)
"""Shares of a limit at which its owner is told, before it runs out."""


class Limits(NamedTuple):
    """What a plan allows, None where there is no limit.

    Messages, documents added, background tasks and tokens of language models are counted by billing month; `storage`
    (bytes of the documents that are in the library) is what is there now. What tokens cost (millionths of a US dollar,
    as far as it is known) is counted and not limited.
    """

    messages: int | None = None
    documents: int | None = None
    storage: int | None = None
    tasks: int | None = None
    tokens: int | None = None

    def of(self, resource: Resource) -> int | None:
        """Return the limit of one resource."""
        limit: int | None = None if resource == COST else getattr(self, resource)
        return limit


class Usage(NamedTuple):
    """What is used of one resource. `resets_at` is when the month is over, None for what does not begin anew."""

    resource: Resource
    used: int
    limit: int | None
    resets_at: datetime | None

    @property
    def share(self) -> float | None:
        """The used part of the limit (1.0: all of it), None where there is no limit."""
        if self.limit is None:
            return None
        return self.used / self.limit if self.limit else 1.0

    @property
    def left(self) -> int | None:
        """What may still be used, None where there is no limit."""
        return None if self.limit is None else max(self.limit - self.used, 0)

    @property
    def is_low(self) -> bool:
        """Whether the first share of `WARN_AT` is reached; what a plan has nothing of does not run out."""
        return bool(self.limit) and self.share is not None and self.share >= WARN_AT[0]

    def crosses(self, amount: int) -> bool:
        """Tell whether the last `amount` that was used reached a share of `WARN_AT`: true once for each of them."""
        if self.limit is None:
            return False
        return any(self.used - amount < ceil(share * self.limit) <= self.used for share in WARN_AT)


class Standing(NamedTuple):
    """The plan that counts for an account now, and what is used of it; `until` is when a subscription ends.

    What only language models use is there when some was used or is limited.
    """

    plan: Tier
    until: datetime | None
    usage: tuple[Usage, ...]

    @property
    def last_day(self) -> date | None:
        """The last day of the subscription (UTC), None where it has no end."""
        return last_day(self.until) if self.until else None

    def of(self, resource: Resource) -> Usage:
        """Return what is used of one resource."""
        return next(usage for usage in self.usage if usage.resource == resource)


def month_of(at: datetime) -> date:
    """Return the first day of the billing month that a time belongs to."""
    return at.astimezone(UTC).date().replace(day=1)


def month_end(month: date) -> datetime:
    """Return when the billing month that begins on this day is over."""
    following = (month + timedelta(days=31)).replace(day=1)
    return datetime(following.year, following.month, 1, tzinfo=UTC)


def last_day(ends_at: datetime) -> date:
    """Return the last day (UTC) of what ends at this moment, which itself no longer belongs to it."""
    return (ends_at.astimezone(UTC) - timedelta(microseconds=1)).date()
