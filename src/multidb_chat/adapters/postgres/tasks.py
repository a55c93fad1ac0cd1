"""`PostgresTasks`: the port `Tasks` beside the accounts on a PostgreSQL server."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from multidb_chat.adapters.postgres import tasks_tables as queue
from multidb_chat.adapters.postgres.database import Database
from multidb_chat.adapters.postgres.errors import Violated
from multidb_chat.adapters.postgres.tasks_tables import TASKS
from multidb_chat.domain.errors import NotFound
from multidb_chat.domain.tasks import LOST, Task, TaskState
from multidb_chat.domain.text import clean_line

REMOVING = 60.0
"""Seconds that removing tasks may take, which may be many, each with a long result."""


class PostgresTasks:
    """The port `Tasks` in the database of `PostgresAccounts`; the port's docstrings specify it.

    An account that is deleted takes its tasks with it. Text is any Unicode, NUL included; lone surrogates are refused
    with `InvalidInput`, in questions too.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close(self) -> None:
        """Finish what is being written and close the database, for all that share it."""
        await self._database.close()

    async def enqueue(self, task: Task) -> None:
        try:
            await self._database.apply(queue.ENQUEUE, *TASKS.row(task))
        except Violated:
            raise NotFound(f"There is no account {clean_line(task.account_id)}.") from None

    async def claim(self, worker: str, now: datetime, lease_until: datetime, kinds: Sequence[str]) -> Task | None:
        times = {"now": now, "kinds": list(kinds)}
        if not await self._database.fetch(queue.ANY_FREE, **times):
            return None  # a waiting worker asks often, and a transaction takes three round trips
        wanted = {**times, "worker": worker, "lease_until": lease_until, "lost": LOST}
        return TASKS.first(await self._database.once(queue.CLAIM, **wanted))

    async def heartbeat(self, claim: Task, lease_until: datetime, progress: float, step: str = "") -> bool:
        return await self._said(claim, queue.HEARTBEAT, lease_until=lease_until, progress=progress, step=step)

    async def finish(self, claim: Task, at: datetime, result: str, summary: str = "") -> bool:
        return await self._said(claim, queue.FINISH, at=at, result=result, summary=summary)

    async def fail(self, claim: Task, at: datetime, error: str, retry_at: datetime | None = None) -> bool:
        if retry_at is None:
            return await self._said(claim, queue.FAIL, at=at, error=error)
        return await self._said(claim, queue.TRY_AGAIN, retry_at=retry_at, error=error)

    async def release(self, claim: Task) -> bool:
        return await self._said(claim, queue.RELEASE)

    async def cancel(self, task_id: str, at: datetime) -> bool:
        return await self._change(queue.CANCEL, id=task_id, at=at) > 0

    async def retry(self, task_id: str) -> bool:
        return await self._change(queue.RETRY, id=task_id) > 0

    async def task(self, task_id: str) -> Task | None:
        return TASKS.first(await self._database.fetch(queue.TASK, id=task_id))

    async def tasks(
        self,
        account_id: str | None = None,
        *,
        states: Sequence[TaskState] = (),
        kinds: Sequence[str] = (),
        after: Task | None = None,
        limit: int = 100,
    ) -> list[Task]:
        given: dict[str, Any] = {} if account_id is None else {"account_id": account_id}
        given |= {name: list(values) for name, values in (("states", states), ("kinds", kinds)) if values}
        if after is not None:
            given |= {"created_at": after.created_at, "id": after.id}
        rows = await self._database.fetch(queue.page(given), **given, limit=max(limit, 0))
        return TASKS.records(rows)

    async def counts(self, account_id: str | None = None) -> Mapping[TaskState, int]:
        return dict(await self._database.fetch(queue.COUNTS, account_id=account_id))

    async def inbox(self, account_id: str, limit: int = 100) -> list[Task]:
        rows = await self._database.fetch(queue.INBOX, account_id=account_id, limit=max(limit, 0))
        return TASKS.records(rows)

    async def unread(self, account_id: str) -> int:
        return int((await self._database.fetch(queue.UNREAD, account_id=account_id))[0][0])

    async def mark_read(self, account_id: str, at: datetime, task_ids: Sequence[str] | None = None) -> int:
        return await self._change(queue.MARK_READ, account_id=account_id, at=at, ids=_listed(task_ids))

    async def clear_inbox(self, account_id: str, at: datetime, task_ids: Sequence[str] | None = None) -> int:
        return await self._change(queue.CLEAR_INBOX, account_id=account_id, at=at, ids=_listed(task_ids))

    async def purge(self, ended_before: datetime, *, unread: bool = False) -> int:
        return await self._change(queue.PURGE, REMOVING, before=ended_before, unread=unread)

    async def delete_tasks(self, account_id: str) -> int:
        return await self._change(queue.DELETE_OF, REMOVING, account_id=account_id)

    async def _said(self, claim: Task, change: str, **values: Any) -> bool:
        """Make a change that only the holder of a task may."""
        return await self._change(change, id=claim.id, worker=claim.worker, claims=claim.claims, **values) > 0

    async def _change(self, change: str, seconds: float | None = None, **values: Any) -> int:
        """Make a change once, which may take so many `seconds` (None: the usual); return how many rows it changed."""

        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(change, values)).rowcount

        return await self._database.write(work, seconds)


def _listed(task_ids: Sequence[str] | None) -> list[str] | None:
    return None if task_ids is None else list(task_ids)
