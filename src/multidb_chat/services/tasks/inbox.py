"""The inbox: tasks that ended, until they are cleared. The truth are the tasks; the cache only brings news sooner."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.cache import Cache, Notification
from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.tasks import Task, Tasks
from multidb_chat.domain.text import clean_line
from multidb_chat.services.accounts import utc_now

_NEWS = 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """A line in the inbox: which task ended, how, and whether that was read."""

    task_id: str
    at: datetime
    title: str
    summary: str
    failed: bool
    read: bool


class Inbox:
    """What an account is told about its tasks that ended.

    Whoever looks gets the tasks themselves, so nothing is lost with the cache, which may be flushed at any time; only
    `news`, the hint that something has just ended, comes from there first.
    """

    def __init__(self, tasks: Tasks, cache: Cache, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._tasks = tasks
        self._cache = cache
        self._clock = clock

    async def letters(self, account: Account, limit: int = 100) -> list[Letter]:
        """Return what was not cleared, the latest first."""
        require(account, Permission.CHAT)
        return [letter_of(task) for task in await self._tasks.inbox(account.id, limit)]

    async def unread(self, account: Account) -> int:
        """Return how many were not read."""
        require(account, Permission.CHAT)
        return await self._tasks.unread(account.id)

    async def mark_read(self, account: Account, task_ids: Sequence[str] | None = None) -> int:
        """Mark these (None: all) as read; return how many were not."""
        require(account, Permission.CHAT)
        return await self._tasks.mark_read(account.id, self._clock(), task_ids)

    async def clear(self, account: Account, task_ids: Sequence[str] | None = None) -> int:
        """Take these (None: all) out of the inbox; the tasks and their results stay. Return how many there were."""
        require(account, Permission.CHAT)
        cleared = await self._tasks.clear_inbox(account.id, self._clock(), task_ids)
        if task_ids is None:
            with suppress(StoreError):
                await self._cache.clear_notifications(account.id)
        return cleared

    async def news(self, account: Account, after: datetime) -> list[Letter]:
        """Return what ended behind a moment, the oldest first, for a short notice; from the cache where it is there."""
        require(account, Permission.CHAT)
        try:
            told = await self._cache.notifications(account.id, _NEWS)
            recent = dict.fromkeys(line.task_id for line in told if line.task_id and line.at > after)
            tasks = [task for key in recent if (task := await self._tasks.task(key)) is not None]
        except StoreError:
            tasks = await self._tasks.inbox(account.id, _NEWS)
        mine = [task for task in tasks if task.account_id == account.id and task.cleared_at is None]
        return [letter_of(task) for task in reversed(mine) if task.ended_at is not None and task.ended_at > after]

    async def announce(self, task: Task) -> None:
        """Tell the owner that a task ended. The id is that of the claim that ended it, so that it is told once."""
        letter = letter_of(task)
        key = f"{task.id}.{task.claims}"
        try:
            await self._cache.notify(
                Notification(key, task.account_id, letter.at, letter.title, letter.summary, task.id)
            )
        except StoreError as error:  # it is in the inbox all the same
            _log.info("Nobody was told at once that a task ended: %s", error)


def letter_of(task: Task) -> Letter:
    """Return what is told about a task that ended."""
    failed = task.state == "failed"
    summary = task.error if failed else task.summary
    return Letter(
        task.id, task.ended_at or task.created_at, title_of(task), clean_line(summary), failed, task.read_at is not None
    )


def title_of(task: Task) -> str:
    """Return what a task is called: its kind and what it is about."""
    about = clean_line(task.payload.get("about", ""))
    return f"{task.kind}: {about}" if about else task.kind
