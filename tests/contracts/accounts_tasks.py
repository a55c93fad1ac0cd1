"""What every `Accounts` does with tasks."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from multidb_chat.domain.accounts import Accounts, Task
from tests.contracts.accounts_processes import NOW, OpenAccounts

MINUTE = timedelta(minutes=1)


def a_task(key: str = "t1", kind: str = "research", age: int = 0, account: str = "ada") -> Task:
    return Task(key, account, kind, {"question": f"what is {key}?"}, NOW - age * MINUTE)


async def claimed(accounts: Accounts, worker: str = "w1", now: datetime = NOW, kind: str = "research") -> Task | None:
    return await accounts.claim(worker, now, now + MINUTE, [kind])


class TasksContract:
    """A part of `AccountsContract`."""

    async def test_a_store_without_tasks_gives_none(self, accounts: Accounts):
        assert await accounts.task("t1") is None
        assert await accounts.tasks("ada") == []
        assert await claimed(accounts) is None
        assert await accounts.cancel_task("t1") is False
        assert await accounts.update_task(replace(a_task(), state="running", worker="w1")) is False

    async def test_the_oldest_task_of_the_kinds_is_claimed(self, accounts: Accounts):
        for task in (a_task("t1", age=1), a_task("t2", age=3), a_task("t3", "ingest", age=9), a_task("t4", age=3)):
            await accounts.enqueue(task)
        assert await accounts.claim("w1", NOW, NOW + MINUTE, []) is None
        assert await accounts.claim("w1", NOW, NOW + MINUTE, ["analyze"]) is None
        order = [await accounts.claim("w1", NOW, NOW + MINUTE, ["analyze", "research"]) for _ in range(4)]
        assert [task and task.id for task in order] == ["t2", "t4", "t1", None]
        assert order[0] == replace(
            a_task("t2", age=3), state="running", attempts=1, lease_until=NOW + MINUTE, worker="w1"
        )
        assert await accounts.task("t2") == order[0]

    async def test_a_task_is_enqueued_once_also_after_it_ended(self, accounts: Accounts):
        await accounts.enqueue(a_task())
        await accounts.enqueue(replace(a_task(), kind="ingest"))
        task = await claimed(accounts)
        assert task is not None
        await accounts.enqueue(a_task())
        assert await accounts.task("t1") == task
        await accounts.update_task(replace(task, state="done"))
        await accounts.enqueue(a_task())
        assert await claimed(accounts, now=NOW + 9 * MINUTE) is None

    async def test_a_lease_keeps_others_away_until_it_is_over(self, accounts: Accounts):
        await accounts.enqueue(a_task())
        first = await claimed(accounts)
        assert first is not None
        assert await claimed(accounts, "w2", NOW + MINUTE - timedelta(microseconds=1)) is None
        second = await claimed(accounts, "w2", NOW + MINUTE)
        assert second is not None
        assert (second.worker, second.attempts, second.lease_until) == ("w2", 2, NOW + 2 * MINUTE)
        assert await accounts.update_task(replace(first, state="done", result="late")) is False
        assert await accounts.task("t1") == second

    async def test_a_clock_going_back_frees_no_lease(self, accounts: Accounts):
        await accounts.enqueue(a_task())
        await claimed(accounts)
        assert await claimed(accounts, "w2", NOW - timedelta(days=400)) is None

    async def test_a_longer_lease_is_kept(self, accounts: Accounts):
        await accounts.enqueue(a_task())
        task = await claimed(accounts)
        assert task is not None
        assert await accounts.update_task(replace(task, progress=0.25, lease_until=NOW + 5 * MINUTE)) is True
        assert await claimed(accounts, "w2", NOW + 2 * MINUTE) is None
        assert await accounts.task("t1") == replace(task, progress=0.25, lease_until=NOW + 5 * MINUTE)

    async def test_a_worker_that_lost_a_task_and_claimed_it_again_holds_it_anew(self, accounts: Accounts):
        await accounts.enqueue(a_task())
        first = await claimed(accounts)
        second = await claimed(accounts, now=NOW + MINUTE)
        assert first is not None
        assert second is not None
        assert await accounts.update_task(replace(first, state="done", result="of the first try")) is False
        assert await accounts.update_task(replace(second, state="done", result="of the second")) is True
        assert await accounts.task("t1") == replace(second, state="done", result="of the second")

    async def test_an_update_stores_only_what_the_holder_may_say(self, accounts: Accounts):
        await accounts.enqueue(a_task())
        task = await claimed(accounts)
        assert task is not None
        told = replace(task, state="failed", result="no answer", progress=1.0, lease_until=None)
        assert await accounts.update_task(replace(told, kind="x", payload={}, account_id="bob")) is True
        assert await accounts.task("t1") == told
        assert await accounts.update_task(replace(told, state="done")) is False

    async def test_a_running_task_without_a_lease_is_free(self, accounts: Accounts):
        await accounts.enqueue(a_task())
        task = await claimed(accounts)
        assert task is not None
        assert await accounts.update_task(replace(task, lease_until=None)) is True
        again = await claimed(accounts, "w2")
        assert again is not None
        assert (again.worker, again.attempts) == ("w2", 2)

    async def test_a_task_given_back_is_claimed_again(self, accounts: Accounts):
        await accounts.enqueue(a_task())
        task = await claimed(accounts)
        assert task is not None
        assert await accounts.update_task(replace(task, state="queued", lease_until=None)) is True
        again = await claimed(accounts, "w2")
        assert again is not None
        assert (again.worker, again.attempts) == ("w2", 2)

    async def test_a_cancelled_task_is_neither_claimed_nor_finished(self, accounts: Accounts):
        for task in (a_task("t1", age=2), a_task("t2", age=1)):
            await accounts.enqueue(task)
        running = await claimed(accounts)
        assert running is not None
        assert [await accounts.cancel_task(key) for key in ("t1", "t2", "t1")] == [True, True, False]
        assert await accounts.update_task(replace(running, state="done")) is False
        assert await claimed(accounts, now=NOW + 9 * MINUTE) is None
        assert {task.state for task in await accounts.tasks("ada")} == {"cancelled"}

    async def test_a_finished_task_cannot_be_cancelled(self, accounts: Accounts):
        await accounts.enqueue(a_task())
        task = await claimed(accounts)
        assert task is not None
        await accounts.update_task(replace(task, state="done"))
        assert await accounts.cancel_task("t1") is False
        assert await accounts.task("t1") == replace(task, state="done")

    async def test_tasks_are_listed_latest_first(self, accounts: Accounts):
        for task in (a_task("t1", age=2), a_task("t2", age=1), a_task("t3", age=3), a_task("t4", account="bob")):
            await accounts.enqueue(task)
        assert [task.id for task in await accounts.tasks("ada")] == ["t2", "t1", "t3"]
        assert [task.id for task in await accounts.tasks("ada", 2)] == ["t2", "t1"]
        assert await accounts.tasks("ada", -1) == []

    async def test_workers_of_two_openings_never_claim_one_task_twice(
        self, accounts: Accounts, open_accounts: OpenAccounts
    ):
        names = [f"t{n:02}" for n in range(30)]
        async with open_accounts() as other:
            await asyncio.gather(*(accounts.enqueue(a_task(name)) for name in names))
            tasks = await asyncio.gather(*(claimed((accounts, other)[n % 2], f"w{n}") for n in range(40)))
            assert sorted(task.id for task in tasks if task) == names
