"""What every `Tasks` does with the inbox of tasks that ended."""

from dataclasses import replace

from multidb_chat.domain.tasks import Task, Tasks
from tests.contracts.accounts_processes import NOW
from tests.contracts.tasks_processes import MINUTE, a_task


async def ended(tasks: Tasks, key: str, minute: int = 0, account: str = "ada", error: str = "") -> Task:
    """Enqueue a task and end it at that minute."""
    await tasks.enqueue(a_task(key, account=account))
    claim = await tasks.claim("w", NOW, NOW + MINUTE, ["research"])
    assert claim is not None
    at = NOW + minute * MINUTE
    assert await (tasks.fail(claim, at, error) if error else tasks.finish(claim, at, "{}"))
    task = await tasks.task(key)
    assert task is not None
    return replace(task, result="")  # as lists show it


class InboxContract:
    """A part of `TasksContract`."""

    async def test_an_inbox_is_empty_at_first(self, tasks: Tasks):
        assert await tasks.inbox("ada") == []
        assert await tasks.unread("ada") == 0
        assert await tasks.mark_read("ada", NOW) == 0
        assert await tasks.clear_inbox("ada", NOW) == 0

    async def test_done_and_failed_tasks_are_in_the_inbox_the_latest_ended_first(self, tasks: Tasks):
        late = await ended(tasks, "t1", 5)
        early = await ended(tasks, "t2", 1, error="broken")
        same = await ended(tasks, "t3", 1)
        await ended(tasks, "t4", account="bob")
        await tasks.enqueue(a_task("queued"))
        await tasks.enqueue(a_task("cancelled"))
        await tasks.cancel("cancelled", NOW)
        assert await tasks.inbox("ada") == [late, same, early]
        assert await tasks.inbox("ada", 1) == [late]
        assert await tasks.inbox("ada", -1) == []
        assert await tasks.unread("ada") == 3
        assert await tasks.unread("bob") == 1

    async def test_what_was_read_stays_in_the_inbox(self, tasks: Tasks):
        one, other = await ended(tasks, "t1"), await ended(tasks, "t2", 1)
        assert await tasks.mark_read("ada", NOW + MINUTE, ["t1", "t1", "nothing"]) == 1
        assert await tasks.mark_read("ada", NOW + 2 * MINUTE, ["t1"]) == 0
        assert await tasks.mark_read("ada", NOW, []) == 0
        assert await tasks.unread("ada") == 1
        assert await tasks.inbox("ada") == [other, replace(one, read_at=NOW + MINUTE)]
        assert await tasks.mark_read("ada", NOW + 3 * MINUTE) == 1
        assert await tasks.unread("ada") == 0

    async def test_what_was_cleared_is_out_of_the_inbox_and_still_listed(self, tasks: Tasks):
        await ended(tasks, "t1")
        other = await ended(tasks, "t2", 1)
        assert await tasks.clear_inbox("ada", NOW, ["t1", "nothing"]) == 1
        assert await tasks.inbox("ada") == [other]
        assert await tasks.unread("ada") == 1
        await tasks.mark_read("ada", NOW)
        assert await tasks.clear_inbox("ada", NOW) == 1
        assert await tasks.clear_inbox("ada", NOW) == 0
        assert await tasks.inbox("ada") == []
        assert len(await tasks.tasks("ada", states=["done"])) == 2

    async def test_nobody_reads_or_clears_the_inbox_of_another(self, tasks: Tasks):
        task = await ended(tasks, "t1")
        assert await tasks.mark_read("bob", NOW, ["t1"]) == 0
        assert await tasks.clear_inbox("bob", NOW, ["t1"]) == 0
        assert await tasks.inbox("ada") == [task]

    async def test_a_task_that_is_tried_again_comes_into_the_inbox_anew(self, tasks: Tasks):
        await ended(tasks, "t1", error="broken")
        await tasks.mark_read("ada", NOW)
        await tasks.retry("t1")
        assert await tasks.inbox("ada") == []
        claim = await tasks.claim("w", NOW, NOW + MINUTE, ["research"])
        assert claim is not None
        await tasks.finish(claim, NOW + 2 * MINUTE, "{}")
        assert [task.id for task in await tasks.inbox("ada")] == ["t1"]
        assert await tasks.unread("ada") == 1
