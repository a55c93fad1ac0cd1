"""A queue with a clock that only sleeping moves, and handlers that do what a test tells them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.adapters.sqlite.cache import SqliteCache
from multidb_chat.adapters.sqlite.tasks import SqliteTasks
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.tasks import Task
from multidb_chat.services.tasks.handling import Handler, Outcome, Tell
from multidb_chat.services.tasks.inbox import Inbox
from multidb_chat.services.tasks.service import TaskService, Watch
from multidb_chat.services.tasks.worker import Pace, Worker
from tests.unit.services.recording import Recorder

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = Account("ada", "user", "enterprise", NOW, "ada@example.org")
BOB = Account("bob", "user", "free", NOW, "bob@example.org")
GUEST = Account("guest", "guest", "free", NOW)
ADMIN = Account("root", "admin", "enterprise", NOW, "root@example.org")


@dataclass
class Clock:
    """A clock that only sleeping moves."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0.001)  # the stores' threads and the other tasks have their turn


class Quota:
    """Counts what is taken."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, int, str]] = []

    async def take(self, account: Account, resource: str, amount: int, operation_id: str) -> object:
        self.taken.append((account.id, resource, amount, operation_id))
        return None


@dataclass
class Handling:
    """A handler that runs a function and counts how often it began."""

    work: Callable[[Task, Account, Tell], Awaitable[Outcome]]
    begun: list[str] = field(default_factory=list)

    async def __call__(self, task: Task, account: Account, tell: Tell) -> Outcome:
        self.begun.append(task.id)
        return await self.work(task, account, tell)


async def quickly(task: Task, account: Account, tell: Tell) -> Outcome:
    """Do a task at once."""
    tell(0.5, "half way")
    return Outcome(f"result for {account.id}", f"about {task.payload['about']}")


class Place:
    """Everything that background tasks need, on real stores."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.accounts = SqliteAccounts(folder / "accounts.db")
        self.tasks = SqliteTasks(folder / "accounts.db")
        self.cache = SqliteCache(folder / "cache.db")
        self.inbox = Inbox(self.tasks, self.cache, clock=self.clock)
        self.quota = Quota()
        self.audit = Recorder()
        kinds = ("analyze", "research")
        watch = Watch(0.1, self.clock.sleep)
        self.service = TaskService(self.tasks, self.quota, self.audit, kinds, clock=self.clock, watch=watch)

    async def people(self) -> None:
        for account in (ADA, BOB, GUEST, ADMIN):
            await self.accounts.create_account(account)

    async def close(self) -> None:
        for store in (self.cache, self.tasks, self.accounts):
            await store.close()

    def worker(self, **handlers: Handler) -> Worker:
        """Return a worker for these kinds."""
        made: Mapping[str, Callable[[], Handler]] = {kind: _always(handler) for kind, handler in handlers.items()}
        pace = Pace(lease=60, beat=2, poll=1, backoff=10, longest=3_600)
        return Worker(self.tasks, self.accounts, made, self.inbox, pace=pace, clock=self.clock, sleep=self.clock.sleep)

    async def a_task(self, about: str = "tea", account: Account = ADA, kind: str = "research", **more: object) -> Task:
        """Queue a task directly."""
        task = Task(new_id(), account.id, kind, {"about": about}, self.clock.now, **more)  # type: ignore[arg-type]
        await self.tasks.enqueue(task)
        return task

    async def now(self, task: Task) -> Task:
        """Return the task as it is."""
        found = await self.tasks.task(task.id)
        assert found is not None
        return found


def _always(handler: Handler) -> Callable[[], Handler]:
    return lambda: handler
