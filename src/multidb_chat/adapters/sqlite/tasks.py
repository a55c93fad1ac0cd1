"""`SqliteTasks`: the port `Tasks` in the accounts' SQLite file."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from multidb_chat.adapters.sqlite import tasks_tables as queue
from multidb_chat.adapters.sqlite.accounts_schema import SCHEMA
from multidb_chat.adapters.sqlite.database import Database
from multidb_chat.adapters.sqlite.tasks_tables import TASKS
from multidb_chat.domain.tasks import Task, TaskState


class SqliteTasks:
    """The port `Tasks` in the file `path` of `SqliteAccounts`; the port's docstrings specify it.

    An account that is deleted takes its tasks with it. Text is any Unicode, NUL included; lone surrogates are refused
    with `InvalidInput`, in questions too.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, "accounts", SCHEMA)

    async def close(self) -> None:
        """Finish what is being written and close the file."""
        await self._database.close()

    async def enqueue(self, task: Task) -> None:
        await self._database.write(lambda c: queue.enqueue(c, task))

    async def claim(self, worker: str, now: datetime, lease_until: datetime, kinds: Sequence[str]) -> Task | None:
        if not await self._database.read(lambda c: queue.any_free(c, now, kinds)):
            return None  # a waiting worker asks often, and would hold up everybody who writes
        return await self._database.write(lambda c: queue.claim(c, worker, now, lease_until, kinds))

    async def heartbeat(self, claim: Task, lease_until: datetime, progress: float, step: str = "") -> bool:
        return await self._database.write(lambda c: queue.heartbeat(c, claim, lease_until, progress, step))

    async def finish(self, claim: Task, at: datetime, result: str, summary: str = "") -> bool:
        return await self._database.write(lambda c: queue.finish(c, claim, at, result, summary))

    async def fail(self, claim: Task, at: datetime, error: str, retry_at: datetime | None = None) -> bool:
        return await self._database.write(lambda c: queue.fail(c, claim, at, error, retry_at))

    async def release(self, claim: Task) -> bool:
        return await self._database.write(lambda c: queue.release(c, claim))

    async def cancel(self, task_id: str, at: datetime) -> bool:
        return await self._database.write(lambda c: queue.cancel(c, task_id, at))

    async def retry(self, task_id: str) -> bool:
        return await self._database.write(lambda c: queue.retry(c, task_id))

    async def task(self, task_id: str) -> Task | None:
        return await self._database.read(lambda c: TASKS.first(c, "WHERE id = ?", task_id))

    async def tasks(
        self,
        account_id: str | None = None,
        *,
        states: Sequence[TaskState] = (),
        kinds: Sequence[str] = (),
        after: Task | None = None,
        limit: int = 100,
    ) -> list[Task]:
        return await self._database.read(lambda c: queue.page(c, account_id, states, kinds, after, limit))

    async def counts(self, account_id: str | None = None) -> Mapping[TaskState, int]:
        return await self._database.read(lambda c: queue.counts(c, account_id))

    async def inbox(self, account_id: str, limit: int = 100) -> list[Task]:
        return await self._database.read(lambda c: queue.inbox(c, account_id, limit))

    async def unread(self, account_id: str) -> int:
        return await self._database.read(lambda c: queue.unread(c, account_id))

    async def mark_read(self, account_id: str, at: datetime, task_ids: Sequence[str] | None = None) -> int:
        return await self._database.write(lambda c: queue.mark_read(c, account_id, at, task_ids))

    async def clear_inbox(self, account_id: str, at: datetime, task_ids: Sequence[str] | None = None) -> int:
        return await self._database.write(lambda c: queue.clear_inbox(c, account_id, at, task_ids))

    async def purge(self, ended_before: datetime, *, unread: bool = False) -> int:
        return await self._database.write(lambda c: queue.purge(c, ended_before, unread))

    async def delete_tasks(self, account_id: str) -> int:
        return await self._database.write(lambda c: queue.delete_of(c, account_id))
