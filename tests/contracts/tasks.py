"""What every `Tasks` does, written once: a backend's test class gives the fixture `open_tasks`."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from multidb_chat.domain.accounts import Accounts
from multidb_chat.domain.errors import InvalidInput, NotFound
from multidb_chat.domain.tasks import LOST, Task, Tasks
from tests.contracts.accounts_people import HOSTILE
from tests.contracts.accounts_processes import ADA, BOB, NOW
from tests.contracts.tasks_inbox import InboxContract
from tests.contracts.tasks_processes import INSTANT, MINUTE, OpenTasks, Stores, a_task
from tests.contracts.tasks_races import TaskRacesContract


async def claimed(tasks: Tasks, worker: str = "w1", now: datetime = NOW, *kinds: str) -> Task | None:
    return await tasks.claim(worker, now, now + MINUTE, kinds or ["research"])


async def running(tasks: Tasks, task: Task) -> Task:
    """Enqueue and claim a task."""
    await tasks.enqueue(task)
    claim = await claimed(tasks)
    assert claim is not None
    assert claim.id == task.id
    return claim


class TasksContract(InboxContract, TaskRacesContract):
    """Give it a fixture `open_tasks`: a picklable function that opens the same, at first empty, stores."""

    @pytest.fixture
    async def stores(self, open_tasks: OpenTasks) -> AsyncIterator[Stores]:
        """Stores that know Ada and Bob."""
        async with open_tasks() as stores:
            await stores.accounts.create_account(ADA)
            await stores.accounts.create_account(BOB)
            yield stores

    @pytest.fixture
    def tasks(self, stores: Stores) -> Tasks:
        return stores.tasks

    @pytest.fixture
    def accounts(self, stores: Stores) -> Accounts:
        return stores.accounts

    async def test_a_store_without_tasks_gives_none(self, tasks: Tasks):
        ghost = replace(a_task(), state="running", worker="w1", attempts=1, claims=1)
        assert await tasks.task("t1") is None
        assert await tasks.tasks() == []
        assert await tasks.counts() == {}
        assert await claimed(tasks) is None
        assert await tasks.cancel("t1", NOW) is False
        assert await tasks.retry("t1") is False
        assert await tasks.heartbeat(ghost, NOW, 0.5) is False
        assert await tasks.finish(ghost, NOW, "") is False
        assert await tasks.fail(ghost, NOW, "") is False
        assert await tasks.release(ghost) is False
        assert await tasks.purge(NOW, unread=True) == 0
        assert await tasks.delete_tasks("ada") == 0

    async def test_a_task_of_an_unknown_account_is_refused(self, tasks: Tasks):
        with pytest.raises(NotFound):
            await tasks.enqueue(a_task(account="eve"))
        assert await tasks.task("t1") is None

    async def test_a_task_comes_back_as_it_was_enqueued(self, tasks: Tasks):
        task = replace(a_task(), priority=-3, not_before=NOW + MINUTE, max_attempts=2)
        await tasks.enqueue(task)
        assert await tasks.task("t1") == task

    async def test_a_deleted_account_takes_its_tasks_with_it(self, tasks: Tasks, accounts: Accounts):
        claim = await running(tasks, a_task())
        await tasks.enqueue(a_task("t2"))
        await accounts.delete_account("ada")
        await accounts.create_account(ADA)
        assert await tasks.tasks() == []
        assert await tasks.heartbeat(claim, NOW, 0.5) is False

    # Claiming

    async def test_the_oldest_task_of_the_kinds_is_claimed(self, tasks: Tasks):
        for task in (a_task("t1", age=1), a_task("t2", age=3), a_task("t3", "ingest", age=9), a_task("t4", age=3)):
            await tasks.enqueue(task)
        assert await tasks.claim("w1", NOW, NOW + MINUTE, []) is None
        assert await claimed(tasks, "w1", NOW, "analyze") is None
        order = [await claimed(tasks, "w1", NOW, "analyze", "research") for _ in range(4)]
        assert [task and task.id for task in order] == ["t2", "t4", "t1", None]
        assert order[0] == replace(
            a_task("t2", age=3), state="running", attempts=1, claims=1, lease_until=NOW + MINUTE, worker="w1"
        )
        assert await tasks.task("t2") == order[0]

    async def test_a_higher_priority_goes_before_an_older_task(self, tasks: Tasks):
        for key, age, priority in (("low", 9, -1), ("old", 5, 0), ("new", 1, 0), ("high", 0, 7)):
            await tasks.enqueue(replace(a_task(key, age=age), priority=priority))
        order = [await claimed(tasks) for _ in range(4)]
        assert [task and task.id for task in order] == ["high", "old", "new", "low"]

    async def test_a_task_waits_for_its_time(self, tasks: Tasks):
        await tasks.enqueue(replace(a_task("t1", age=9), not_before=NOW + MINUTE))
        assert await claimed(tasks, now=NOW + MINUTE - INSTANT) is None
        claim = await claimed(tasks, now=NOW + MINUTE)
        assert claim is not None
        assert (claim.id, claim.not_before) == ("t1", None)

    async def test_a_task_is_enqueued_once_also_after_it_ended(self, tasks: Tasks):
        await tasks.enqueue(a_task())
        await tasks.enqueue(replace(a_task(), kind="ingest"))
        claim = await claimed(tasks)
        assert claim is not None
        await tasks.enqueue(a_task())
        assert await tasks.task("t1") == claim
        await tasks.finish(claim, NOW, "")
        await tasks.enqueue(a_task())
        assert await claimed(tasks, now=NOW + 9 * MINUTE) is None

    async def test_a_lease_keeps_others_away_until_it_is_over(self, tasks: Tasks):
        first = await running(tasks, a_task())
        assert await claimed(tasks, "w2", NOW + MINUTE - INSTANT) is None
        second = await claimed(tasks, "w2", NOW + MINUTE)
        assert second is not None
        assert (second.worker, second.attempts, second.lease_until) == ("w2", 2, NOW + 2 * MINUTE)
        assert await tasks.finish(first, NOW, "late") is False
        assert await tasks.task("t1") == second

    async def test_a_clock_going_back_frees_no_lease(self, tasks: Tasks):
        await running(tasks, a_task())
        assert await claimed(tasks, "w2", NOW - timedelta(days=400)) is None

    async def test_a_task_whose_last_try_was_lost_is_failed_instead_of_claimed(self, tasks: Tasks):
        lost = await running(tasks, replace(a_task(), max_attempts=2))
        second = await claimed(tasks, "w2", NOW + MINUTE)
        assert second is not None
        await tasks.enqueue(a_task("t2"))
        following = await claimed(tasks, "w3", NOW + 2 * MINUTE)
        assert following is not None
        assert following.id == "t2"
        assert await tasks.task("t1") == replace(
            second, state="failed", error=LOST, lease_until=None, ended_at=NOW + 2 * MINUTE
        )
        assert await tasks.finish(lost, NOW, "") is False
        assert await tasks.finish(second, NOW, "") is False

    async def test_only_the_asked_kinds_are_failed_for_being_lost(self, tasks: Tasks):
        await running(tasks, replace(a_task(), max_attempts=1))
        assert await claimed(tasks, "w2", NOW + MINUTE, "analyze") is None
        task = await tasks.task("t1")
        assert task is not None
        assert task.state == "running"

    # What the holder says

    async def test_a_heartbeat_keeps_a_task_and_tells_how_far_it_is(self, tasks: Tasks):
        claim = await running(tasks, a_task())
        assert await tasks.heartbeat(claim, NOW + 5 * MINUTE, 0.25, "reading a.md") is True
        assert await claimed(tasks, "w2", NOW + 2 * MINUTE) is None
        kept = replace(claim, progress=0.25, step="reading a.md", lease_until=NOW + 5 * MINUTE)
        assert await tasks.task("t1") == kept
        again = await claimed(tasks, "w2", NOW + 5 * MINUTE)
        assert again is not None
        assert (again.progress, again.step) == (0.0, "")

    async def test_a_worker_that_lost_a_task_and_claimed_it_again_holds_it_anew(self, tasks: Tasks):
        first = await running(tasks, a_task())
        second = await claimed(tasks, now=NOW + MINUTE)
        assert second is not None
        assert await tasks.heartbeat(first, NOW + 9 * MINUTE, 0.5) is False
        assert await tasks.finish(first, NOW, "of the first try") is False
        assert await tasks.finish(second, NOW, "of the second") is True
        task = await tasks.task("t1")
        assert task is not None
        assert task.result == "of the second"

    async def test_a_finished_task_has_its_result_and_ends(self, tasks: Tasks):
        claim = await running(tasks, a_task())
        await tasks.heartbeat(claim, NOW + MINUTE, 0.9, "almost")
        assert await tasks.finish(replace(claim, kind="x", payload={}, account_id="bob"), NOW, "{}", "12 found") is True
        ended = replace(
            claim, state="done", lease_until=None, progress=1.0, result="{}", summary="12 found", ended_at=NOW
        )
        assert await tasks.task("t1") == ended
        assert await tasks.finish(claim, NOW, "again") is False
        assert await tasks.fail(claim, NOW, "too late") is False
        assert await tasks.heartbeat(claim, NOW + MINUTE, 0.1) is False
        assert await tasks.release(claim) is False
        assert await tasks.task("t1") == ended

    async def test_a_failed_try_is_repeated_from_its_time_on(self, tasks: Tasks):
        claim = await running(tasks, a_task())
        assert await tasks.fail(claim, NOW, "away", NOW + 3 * MINUTE) is True
        assert await tasks.task("t1") == replace(
            claim, state="queued", lease_until=None, error="away", not_before=NOW + 3 * MINUTE
        )
        assert await claimed(tasks, "w2", NOW + 3 * MINUTE - INSTANT) is None
        again = await claimed(tasks, "w2", NOW + 3 * MINUTE)
        assert again is not None
        assert (again.attempts, again.claims, again.error) == (2, 2, "away")
        assert await tasks.finish(again, NOW, "") is True
        task = await tasks.task("t1")
        assert task is not None
        assert task.error == ""

    async def test_a_task_that_failed_for_good_is_not_claimed(self, tasks: Tasks):
        claim = await running(tasks, a_task())
        assert await tasks.fail(claim, NOW, "no such collection") is True
        assert await claimed(tasks, now=NOW + 9 * MINUTE) is None
        assert await tasks.task("t1") == replace(
            claim, state="failed", lease_until=None, error="no such collection", ended_at=NOW
        )

    async def test_a_released_task_is_claimed_again_with_all_its_tries(self, tasks: Tasks):
        claim = await running(tasks, replace(a_task(), max_attempts=1))
        assert await tasks.release(claim) is True
        assert await tasks.release(claim) is False
        again = await claimed(tasks)
        assert again is not None
        assert (again.worker, again.attempts, again.claims) == ("w1", 1, 2)
        assert await tasks.finish(claim, NOW, "of the first claim") is False
        assert await tasks.finish(again, NOW, "") is True

    # What the owner says

    async def test_a_cancelled_task_is_neither_claimed_nor_finished(self, tasks: Tasks):
        claim = await running(tasks, a_task("t1", age=2))
        await tasks.enqueue(a_task("t2", age=1))
        assert [await tasks.cancel(key, NOW) for key in ("t1", "t2", "t1")] == [True, True, False]
        assert await tasks.heartbeat(claim, NOW + MINUTE, 0.5) is False
        assert await tasks.finish(claim, NOW, "") is False
        assert await claimed(tasks, now=NOW + 9 * MINUTE) is None
        assert await tasks.task("t1") == replace(claim, state="cancelled", lease_until=None, ended_at=NOW)

    async def test_a_finished_task_cannot_be_cancelled(self, tasks: Tasks):
        claim = await running(tasks, a_task())
        await tasks.finish(claim, NOW, "")
        task = await tasks.task("t1")
        assert await tasks.cancel("t1", NOW + MINUTE) is False
        assert await tasks.task("t1") == task

    @pytest.mark.parametrize("state", ["failed", "cancelled"])
    async def test_what_did_not_come_to_its_end_can_be_tried_again(self, tasks: Tasks, state: str):
        claim = await running(tasks, replace(a_task(), max_attempts=1))
        if state == "failed":
            await tasks.fail(claim, NOW, "away")
        else:
            await tasks.cancel("t1", NOW)
        await tasks.mark_read("ada", NOW)
        await tasks.clear_inbox("ada", NOW)
        assert await tasks.retry("t1") is True
        assert await tasks.retry("t1") is False
        error = "away" if state == "failed" else ""
        assert await tasks.task("t1") == replace(claim, state="queued", attempts=0, lease_until=None, error=error)
        again = await claimed(tasks)
        assert again is not None
        assert (again.attempts, again.claims) == (1, 2)
        assert await tasks.retry("t1") is False
        await tasks.finish(again, NOW, "")
        assert await tasks.retry("t1") is False

    # Listing

    async def test_tasks_are_listed_latest_first_page_by_page(self, tasks: Tasks):
        for task in (a_task("t1", age=2), a_task("t2", age=1), a_task("t3", age=2), a_task("t4", account="bob")):
            await tasks.enqueue(task)
        everything = await tasks.tasks()
        assert [task.id for task in everything] == ["t4", "t2", "t3", "t1"]
        assert [task.id for task in await tasks.tasks("ada")] == ["t2", "t3", "t1"]
        assert [task.id for task in await tasks.tasks("ada", limit=2)] == ["t2", "t3"]
        assert [task.id for task in await tasks.tasks(after=everything[1], limit=1)] == ["t3"]
        assert [task.id for task in await tasks.tasks("ada", after=everything[2])] == ["t1"]
        assert await tasks.tasks(after=everything[3]) == []
        assert await tasks.tasks("ada", limit=-1) == []
        assert await tasks.tasks("eve") == []

    async def test_a_list_is_narrowed_by_state_and_kind(self, tasks: Tasks):
        await tasks.fail(await running(tasks, a_task("t1", age=3)), NOW, "broken")
        await tasks.finish(await running(tasks, a_task("t2", age=2)), NOW, "")
        await tasks.enqueue(a_task("t3", "analyze", age=1))
        await tasks.enqueue(a_task("t4", "research", account="bob"))
        assert [task.id for task in await tasks.tasks(states=["failed"])] == ["t1"]
        assert [task.id for task in await tasks.tasks(states=["failed", "queued"])] == ["t4", "t3", "t1"]
        assert [task.id for task in await tasks.tasks(kinds=["analyze", "ingest"])] == ["t3"]
        assert [task.id for task in await tasks.tasks("ada", states=["queued"], kinds=["research"])] == []
        assert await tasks.counts() == {"failed": 1, "done": 1, "queued": 2}
        assert await tasks.counts("ada") == {"failed": 1, "done": 1, "queued": 1}

    # Removing

    async def test_purging_removes_what_ended_before_and_was_seen(self, tasks: Tasks):
        for key in ("seen", "cleared", "new", "late"):
            await tasks.finish(await running(tasks, a_task(key)), NOW if key != "late" else NOW + MINUTE, "")
        await tasks.enqueue(a_task("waiting", age=99))
        await tasks.enqueue(a_task("cancelled"))
        await tasks.cancel("cancelled", NOW)
        await tasks.mark_read("ada", NOW, ["seen", "late"])
        await tasks.clear_inbox("ada", NOW, ["cleared"])
        assert await tasks.purge(NOW) == 0
        assert await tasks.purge(NOW + INSTANT) == 3
        assert {task.id for task in await tasks.tasks()} == {"new", "late", "waiting"}
        assert await tasks.purge(NOW + INSTANT, unread=True) == 1
        assert {task.id for task in await tasks.tasks()} == {"late", "waiting"}

    async def test_all_tasks_of_an_account_can_be_deleted(self, tasks: Tasks):
        claim = await running(tasks, a_task())
        await tasks.enqueue(a_task("t2"))
        await tasks.enqueue(a_task("t3", account="bob"))
        assert await tasks.delete_tasks("ada") == 2
        assert await tasks.delete_tasks("ada") == 0
        assert [task.id for task in await tasks.tasks()] == ["t3"]
        assert await tasks.finish(claim, NOW, "") is False

    # Hostile text

    @pytest.mark.parametrize("text", HOSTILE, ids=ascii)
    async def test_any_text_comes_back_exactly_or_is_refused_cleanly(self, tasks: Tasks, text: str):
        task = replace(a_task(f"task {text}", text), payload={f"key{text}": text})
        try:
            await tasks.enqueue(task)
        except InvalidInput:
            assert await tasks.tasks() == []
            return
        claim = await tasks.claim(text, NOW, NOW + MINUTE, [text])
        assert claim is not None
        assert await tasks.heartbeat(claim, NOW + MINUTE, 0.5, text) is True
        assert await tasks.finish(claim, NOW, text, text) is True
        assert await tasks.task(task.id) == replace(
            claim, state="done", lease_until=None, progress=1.0, result=text, summary=text, ended_at=NOW
        )

    @pytest.mark.parametrize("text", ["\ud800", "\x00"], ids=ascii)
    async def test_asking_for_hostile_text_finds_nothing(self, tasks: Tasks, text: str):
        for ask in (
            tasks.task(text),
            tasks.tasks(text),
            tasks.tasks(kinds=[text]),
            tasks.inbox(text),
            tasks.unread(text),
            tasks.claim("w", NOW, NOW, [text]),
        ):
            try:
                assert not await ask
            except InvalidInput:
                continue
