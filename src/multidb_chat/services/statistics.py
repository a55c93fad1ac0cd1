"""Figures of an account and of the installation: counted off the path of a turn, and derived from what is stored."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.cache import Cache, Count
from multidb_chat.domain.conversations import Conversations, Feedback
from multidb_chat.domain.errors import InvalidInput, StoreError
from multidb_chat.domain.library import Holdings, Library
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.statistics import (
    BOUNDS,
    CACHED,
    FAILED,
    MILLISECONDS,
    NOT_FOUND,
    TURNS,
    Day,
    Figures,
    SessionFigures,
    bucket,
)
from multidb_chat.domain.turns import Answer
from multidb_chat.services.accounts import utc_now

DAYS = 30
# What was counted is written together, so often (seconds); a process that is killed loses no more than that.
_EVERY = 1.0
# Counts that a cache which is away leaves waiting; the oldest go first.
_WAITING = 10_000
_PAGE = 500
_log = logging.getLogger(__name__)


class Statistics:
    """Counts turns and tells figures.

    `turn_ended` only remembers; a task writes what has gathered. The cache may lose all of it, so questions, documents
    and feedback are not counted but read where they are stored.
    """

    def __init__(
        self,
        cache: Cache,
        conversations: Conversations,
        library: Library,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._cache = cache
        self._conversations = conversations
        self._library = library
        self._clock = clock
        self._waiting: list[Count] = []
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._since = time.monotonic()
        self._session: Counter[str] = Counter()
        self._times: list[float] = []

    def turn_ended(self, account: Account, turn_id: str, answer: Answer | None, milliseconds: float) -> None:
        """Count a turn with its answer (None: it failed), once for each `turn_id`."""
        figures = {TURNS: 1}
        if answer is None:
            figures[FAILED] = 1
        else:
            figures |= {CACHED: int(answer.cached), NOT_FOUND: int(not answer.found)}
            figures |= {MILLISECONDS: round(milliseconds), bucket(_bound(milliseconds)): 1}
            self._times.append(milliseconds)
        self._session.update(figures)
        self._waiting.append(
            Count(f"turn:{turn_id}", account.id, self._clock(), {key: value for key, value in figures.items() if value})
        )
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_later())

    async def flush(self) -> None:
        """Write what has gathered; what the cache does not take waits for the next time."""
        counts, self._waiting = self._waiting, []
        if not counts:
            return
        try:
            await self._cache.count(counts)
        except StoreError as error:
            _log.warning("%d turns were not counted yet: %s", len(counts), error)
            self._waiting = (counts + self._waiting)[-_WAITING:]

    async def close(self) -> None:
        """Write what has gathered and end."""
        self._closing.set()
        if self._writing is not None:
            await self._writing
        await self.flush()

    def session(self) -> SessionFigures:
        """Return what this run of the program did."""
        from statistics import median  # loads fractions, decimals and random numbers

        return SessionFigures(
            time.monotonic() - self._since,
            self._session[TURNS],
            self._session[CACHED],
            self._session[NOT_FOUND],
            self._session[FAILED],
            median(self._times) if self._times else None,
            max(self._times, default=None),
        )

    async def of(self, account: Account, days: int = DAYS) -> Figures:
        """Return the account's own figures of the last days, today included. Raises `NotPermitted` or `StoreError`."""
        require(account, Permission.CHAT)
        first, last = self._span(days)
        held, asked, counted, feedback = await asyncio.gather(
            self._library.holdings(account.id),
            self._conversations.questions(first, account.id),
            self._counted(first, last, account.id),
            self._feedback_of(account.id, first),
        )
        return _figures(first, last, asked, counted, held, feedback)

    async def of_all(self, actor: Account, days: int = DAYS) -> Figures:
        """Return the figures of the whole installation. Raises `NotPermitted` or `StoreError`."""
        require(actor, Permission.READ_STATISTICS)
        first, last = self._span(days)
        held, asked, counted, feedback = await asyncio.gather(
            self._library.holdings(),
            self._conversations.questions(first),
            self._counted(first, last, ""),
            self._feedback_of_all(first, last),
        )
        return _figures(first, last, asked, counted, held, feedback)

    async def _write_later(self) -> None:
        while self._waiting and not self._closing.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), _EVERY)
            await self.flush()

    def _span(self, days: int) -> tuple[date, date]:
        if days < 1:
            raise InvalidInput("Figures are of one day or more.")
        last = self._clock().astimezone(UTC).date()
        return last - timedelta(days=days - 1), last

    async def _counted(self, first: date, last: date, account_id: str) -> Mapping[date, Mapping[str, int]]:
        """Return what was counted; nothing when the cache is away."""
        await self.flush()
        try:
            return await self._cache.days(first, last, account_id)
        except StoreError:
            return {}

    async def _feedback_of(self, account_id: str, first: date) -> list[Feedback]:
        found: list[Feedback] = []
        before = ""
        while page := await self._conversations.feedback(account_id, before, _PAGE):
            recent = [one for one in page if one.created_at.astimezone(UTC).date() >= first]
            found += recent
            if len(recent) < len(page):
                break
            before = page[-1].id
        return found

    async def _feedback_of_all(self, first: date, last: date) -> list[Feedback]:
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        return [one for day in days for one in await self._conversations.feedback_on(day)]


def _figures(
    first: date,
    last: date,
    asked: Mapping[date, int],
    counted: Mapping[date, Mapping[str, int]],
    held: Holdings,
    feedback: list[Feedback],
) -> Figures:
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return Figures(
        tuple(Day(day, asked.get(day, 0), counted.get(day, {})) for day in days),
        held.documents,
        held.size_bytes,
        sum(one.rating > 0 for one in feedback),
        sum(one.rating < 0 for one in feedback),
    )


def _bound(milliseconds: float) -> float:
    return next(bound for bound in BOUNDS if milliseconds <= bound)
