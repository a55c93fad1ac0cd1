"""Any order of calls, with time going by, leaves a `Tasks` in the same state as a plain dictionary."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from multidb_chat.domain.tasks import LOST, Task
from tests.contracts.accounts_processes import ADA, BOB, NOW
from tests.contracts.tasks_processes import Stores

OWNERS = st.sampled_from(["ada", "bob"])
KEYS = st.sampled_from(["1", "2", "3", "4"])
KINDS = st.sampled_from(["research", "analyze"])
MINUTES = st.integers(0, 20)
LATER = MINUTES.map(lambda minutes: NOW + timedelta(minutes=minutes))
WORKERS = st.sampled_from(["w1", "w2"])
SOME = st.none() | st.lists(KEYS, max_size=3)


class TasksMachine(RuleBasedStateMachine):
    """A backend gives `open`; opening again after closing finds what was stored."""

    def open(self) -> AbstractAsyncContextManager[Stores]:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.tasks: dict[str, Task] = {}
        self.seen: list[Task] = []  # every claim there was, to be used late

    @initialize()
    def begin(self) -> None:
        self.enter()
        for account in (ADA, BOB):
            self.runner.run(self.accounts.create_account(account))

    def enter(self) -> None:
        self.stack = AsyncExitStack()
        self.accounts, self.store = self.runner.run(self.stack.enter_async_context(self.open()))

    @rule()
    def open_again(self) -> None:
        self.runner.run(self.stack.aclose())
        self.enter()

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    @rule(
        key=KEYS, owner=OWNERS, kind=KINDS, minutes=MINUTES, priority=st.integers(-1, 1),
        not_before=st.none() | LATER, tries=st.integers(1, 2),
    )  # fmt: skip
    def enqueue(
        self, key: str, owner: str, kind: str, minutes: int, priority: int, not_before: datetime | None, tries: int
    ) -> None:
        made = NOW + timedelta(minutes=minutes)
        task = Task(key, owner, kind, {"by": owner}, made, priority=priority, not_before=not_before, max_attempts=tries)
        self.runner.run(self.store.enqueue(task))
        self.tasks.setdefault(key, task)

    @rule(worker=WORKERS, kinds=st.lists(KINDS, unique=True), now=LATER, length=st.integers(0, 10))
    def claim(self, worker: str, kinds: list[str], now: datetime, length: int) -> None:
        lease = now + timedelta(minutes=length)
        free = []
        for task in [task for task in self.tasks.values() if task.kind in kinds]:
            over = task.state == "running" and task.lease_until is not None and task.lease_until <= now
            if over and task.attempts >= task.max_attempts:
                self.tasks[task.id] = replace(task, state="failed", ended_at=now, lease_until=None, error=LOST)
            elif over or (task.state == "queued" and (task.not_before is None or task.not_before <= now)):
                free.append(task)
        claimed = None
        if free:
            first = min(free, key=lambda task: (-task.priority, task.created_at, task.id))
            claimed = replace(
                first, state="running", not_before=None, attempts=first.attempts + 1, claims=first.claims + 1,
                worker=worker, lease_until=lease, progress=0.0, step="",
            )  # fmt: skip
            self.tasks[first.id] = claimed
            self.seen.append(claimed)
        assert self.runner.run(self.store.claim(worker, now, lease, kinds)) == claimed

    def held(self, claim: Task) -> Task | None:
        current = self.tasks.get(claim.id)
        mine = current is not None and (current.state, current.worker, current.claims) == (
            "running", claim.worker, claim.claims,
        )  # fmt: skip
        return current if mine else None

    @rule(data=st.data(), at=LATER, retry_at=st.none() | LATER, word=st.sampled_from(["beat", "done", "fail", "back"]))
    def holder_says(self, data: st.DataObject, at: datetime, retry_at: datetime | None, word: str) -> None:
        if not self.seen:
            return
        claim = data.draw(st.sampled_from(self.seen[-4:]))
        held = self.held(claim)
        told: Task | None = None
        if word == "beat":
            call = self.store.heartbeat(claim, at, 0.5, word)
            told = held and replace(held, lease_until=at, progress=0.5, step=word)
        elif word == "done":
            call = self.store.finish(claim, at, "{}", word)
            told = held and replace(
                held, state="done", lease_until=None, progress=1.0, step="", result="{}", summary=word, error="",
                ended_at=at,
            )  # fmt: skip
        elif word == "fail":
            call = self.store.fail(claim, at, word, retry_at)
            told = held and replace(held, state="failed", lease_until=None, error=word, ended_at=at)
            if told and retry_at is not None:
                told = replace(told, state="queued", not_before=retry_at, ended_at=None)
        else:
            call = self.store.release(claim)
            told = held and replace(held, state="queued", lease_until=None, attempts=held.attempts - 1)
        assert self.runner.run(call) is (held is not None)
        if told:
            self.tasks[claim.id] = told

    @rule(key=KEYS, at=LATER)
    def cancel(self, key: str, at: datetime) -> None:
        active = key in self.tasks and not self.tasks[key].ended
        assert self.runner.run(self.store.cancel(key, at)) is active
        if active:
            self.tasks[key] = replace(
                self.tasks[key], state="cancelled", lease_until=None, not_before=None, ended_at=at
            )

    @rule(key=KEYS)
    def retry(self, key: str) -> None:
        possible = key in self.tasks and self.tasks[key].state in ("failed", "cancelled")
        assert self.runner.run(self.store.retry(key)) is possible
        if possible:
            self.tasks[key] = replace(
                self.tasks[key], state="queued", attempts=0, progress=0.0, step="", ended_at=None, read_at=None,
                cleared_at=None,
            )  # fmt: skip

    def in_inbox(self, owner: str, some: list[str] | None = None) -> list[Task]:
        return [
            task
            for task in self.tasks.values()
            if task.account_id == owner
            and task.state in ("done", "failed")
            and task.cleared_at is None
            and (some is None or task.id in some)
        ]

    @rule(owner=OWNERS, at=LATER, some=SOME)
    def mark_read(self, owner: str, at: datetime, some: list[str] | None) -> None:
        new = [task for task in self.in_inbox(owner, some) if task.read_at is None]
        assert self.runner.run(self.store.mark_read(owner, at, some)) == len(new)
        self.tasks |= {task.id: replace(task, read_at=at) for task in new}

    @rule(owner=OWNERS, at=LATER, some=SOME)
    def clear_inbox(self, owner: str, at: datetime, some: list[str] | None) -> None:
        going = self.in_inbox(owner, some)
        assert self.runner.run(self.store.clear_inbox(owner, at, some)) == len(going)
        self.tasks |= {task.id: replace(task, cleared_at=at) for task in going}

    @rule(before=LATER, unread=st.booleans())
    def purge(self, before: datetime, unread: bool) -> None:
        gone = [
            task.id
            for task in self.tasks.values()
            if task.ended_at is not None
            and task.ended_at < before
            and (unread or task.state == "cancelled" or task.read_at or task.cleared_at)
        ]
        assert self.runner.run(self.store.purge(before, unread=unread)) == len(gone)
        for key in gone:
            del self.tasks[key]

    @rule(owner=OWNERS)
    def delete_tasks(self, owner: str) -> None:
        gone = [task.id for task in self.tasks.values() if task.account_id == owner]
        assert self.runner.run(self.store.delete_tasks(owner)) == len(gone)
        for key in gone:
            del self.tasks[key]

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        self.runner.run(self.compare())

    async def compare(self) -> None:
        ordered = sorted(self.tasks.values(), key=lambda task: (task.created_at, task.id), reverse=True)
        assert await self.store.tasks() == [replace(task, result="") for task in ordered]
        assert [await self.store.task(task.id) for task in ordered] == ordered
        for owner in ("ada", "bob"):
            inbox = sorted(self.in_inbox(owner), key=lambda task: (task.ended_at, task.id), reverse=True)
            assert await self.store.inbox(owner) == [replace(task, result="") for task in inbox]
            assert await self.store.unread(owner) == sum(task.read_at is None for task in inbox)
