"""Background tasks of an account: asked for, looked at, cancelled, waited for; and what an administrator does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.permissions import Permission, may, require
from multidb_chat.domain.tasks import Task, Tasks, TaskState
from multidb_chat.domain.text import clean, clean_line
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.audit import Recorder

AWAITED = 1
"""The priority of a task that somebody sits and waits for."""
MAX_WORDS = 2_000
"""Characters of the longest description or topic."""
_RECENT = 1_000  # tasks among which a shortened id is looked for
_SHORTEST = 4


class Quota(Protocol):
    """What this needs of the plans."""

    async def take(self, account: Account, resource: Literal["tasks"], amount: int, operation_id: str) -> object:
        """Use some of the account's background tasks, once for each operation. Raises `QuotaExceeded`."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How often a waiting reader looks, in seconds; `sleep` is there for tests."""

    every: float = 0.25
    sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep


class TaskService:
    """The background tasks that an account may see, and those it may act on.

    Each method checks permission and ownership itself: a task of somebody else is `NotFound`, in the same words as one
    that does not exist. A `reference` is a task's id, or its first or last four or more characters.
    """

    def __init__(
        self,
        tasks: Tasks,
        quota: Quota,
        audit: Recorder,
        kinds: Sequence[str],
        *,
        clock: Callable[[], datetime] = utc_now,
        watch: Watch | None = None,
    ) -> None:
        self._tasks = tasks
        self._quota = quota
        self._audit = audit
        self._kinds = kinds
        self._clock = clock
        self._watch = watch or Watch()

    # For everybody

    async def submit(
        self,
        account: Account,
        kind: str,
        about: str,
        options: Mapping[str, str] | None = None,
        *,
        priority: int = 0,
        task_id: str = "",
    ) -> Task:
        """Queue a task about something and return it. With a `task_id` from `new_id`, repeating it changes nothing.

        One with a higher `priority` goes before older ones.
        Raises `NotPermitted` for a guest or a disabled account, `QuotaExceeded`, or `InvalidInput`.
        """
        require(account, Permission.RUN_TASKS)
        if kind not in self._kinds:
            raise InvalidInput(f"There is no kind of task named {clean_line(kind)!r}: use {' or '.join(self._kinds)}.")
        about = " ".join(clean(about).split())
        if len(about) > MAX_WORDS:
            raise InvalidInput(f"The description has {len(about):,} characters; {MAX_WORDS:,} are allowed.")
        payload = {**(options or {}), "about": about}
        task = Task(task_id or new_id(), account.id, kind, payload, self._clock(), priority=priority)
        await self._quota.take(account, "tasks", 1, f"task {task.id}")
        await self._tasks.enqueue(task)
        return task

    async def get(self, account: Account, reference: str) -> Task:
        """Return the account's task with its result. Raises `NotFound`, or `InvalidInput` when several are meant."""
        require(account, Permission.CHAT)
        return await self._meant(account.id, reference)

    async def list(
        self,
        account: Account,
        *,
        states: Sequence[TaskState] = (),
        kinds: Sequence[str] = (),
        after: Task | None = None,
        limit: int = 100,
    ) -> Sequence[Task]:
        """Return the account's tasks without their results, the latest first."""
        require(account, Permission.CHAT)
        return await self._tasks.tasks(account.id, states=states, kinds=kinds, after=after, limit=limit)

    async def cancel(self, account: Account, reference: str) -> Task:
        """Cancel a task that has not ended and return it. Raises `NotFound`, or `Conflict` when it has."""
        task = await self.get(account, reference)
        if not await self._tasks.cancel(task.id, self._clock()):
            raise Conflict(f"The task {short_id(task)} has ended already ({(await self._again(task)).state}).")
        await self._audit.record(account, "task.cancel", task.id, kind=task.kind)
        return await self._again(task)

    async def retry(self, account: Account, reference: str) -> Task:
        """Queue a failed or cancelled task anew; the account's own, or with `MANAGE_TASKS` anybody's.

        Raises `NotFound`, `NotPermitted`, or `Conflict` for a task in another state.
        """
        require(account, Permission.RUN_TASKS)
        task = await self._meant(None if may(account, Permission.MANAGE_TASKS) else account.id, reference)
        if not await self._tasks.retry(task.id):
            raise Conflict(f"The task {short_id(task)} is {task.state}; only a failed or cancelled one can be retried.")
        await self._audit.record(account, "task.retry", task.id, kind=task.kind)
        return await self._again(task)

    async def wait(self, account: Account, reference: str) -> AsyncIterator[Task]:
        """Yield the task now and whenever it changed, until it has ended; the last one has the result.

        Raises `NotFound`, also when it is removed meanwhile.
        """
        task = await self.get(account, reference)
        yield task
        while not task.ended:
            await self._watch.sleep(self._watch.every)
            now = await self.get(account, task.id)
            if now != task:
                task = now
                yield task

    # For administrators

    async def everybodys(
        self,
        account: Account,
        *,
        owner_id: str | None = None,
        states: Sequence[TaskState] = (),
        kinds: Sequence[str] = (),
        after: Task | None = None,
        limit: int = 100,
    ) -> Sequence[Task]:
        """Return tasks of all accounts, or of one, the latest first. Raises `NotPermitted`."""
        require(account, Permission.READ_TASKS)
        found = await self._tasks.tasks(owner_id, states=states, kinds=kinds, after=after, limit=limit)
        return [_without_words(task) for task in found]

    async def counts(self, account: Account) -> Mapping[TaskState, int]:
        """Return how many tasks there are in each state, of all accounts. Raises `NotPermitted`."""
        require(account, Permission.READ_TASKS)
        return await self._tasks.counts()

    async def purge(self, account: Account, ended_before: datetime, *, unread: bool = False) -> int:
        """Remove tasks of all accounts that ended before; with `unread` those too that nobody read yet.

        Raises `NotPermitted`.
        """
        require(account, Permission.MANAGE_TASKS)
        removed = await self._tasks.purge(ended_before, unread=unread)
        await self._audit.record(account, "task.purge", "", removed=str(removed), before=ended_before.isoformat())
        return removed

    async def _meant(self, owner_id: str | None, reference: str) -> Task:
        """Return the task of the owner (None: of anybody) with this id, or the one recent one it is a part of."""
        found = await self._tasks.task(reference)
        if found is None and len(reference) >= _SHORTEST:
            recent = await self._tasks.tasks(owner_id, limit=_RECENT)
            ids = [task.id for task in recent if task.id.startswith(reference) or task.id.endswith(reference)]
            if len(ids) > 1:
                raise InvalidInput(f"{clean_line(reference)} names several tasks: {', '.join(ids[:5])}.")
            found = await self._tasks.task(ids[0]) if ids else None
        if found is None or owner_id not in (None, found.account_id):
            raise _unknown(reference)
        return found

    async def _again(self, task: Task) -> Task:
        """Return the task as it is now."""
        return await self._tasks.task(task.id) or task


def short_id(task: Task) -> str:
    """Return the end of a task's id, which is enough to name it: ids made in the same minute begin alike."""
    return task.id[-8:]


def _without_words(task: Task) -> Task:
    """Return a task as others may see it: how it fares, not what it is about."""
    return replace(task, payload={}, step="", summary="")


def _unknown(reference: str) -> NotFound:
    return NotFound(f"There is no task {clean_line(reference)!r}. See: multidb-chat tasks list")
