"""What every `Tasks` does when several openings and several processes use it at once, or one of them is killed."""

import asyncio

from multidb_chat.domain.tasks import Tasks
from tests.contracts import processes
from tests.contracts.accounts_processes import NOW
from tests.contracts.tasks_processes import MINUTE, OpenTasks, a_task, claim_all, finish_all, work_without_end


class TaskRacesContract:
    """A part of `TasksContract`."""

    async def test_workers_of_two_openings_never_claim_one_task_twice(self, tasks: Tasks, open_tasks: OpenTasks):
        names = [f"t{n:02}" for n in range(30)]
        async with open_tasks() as (_, other):
            await asyncio.gather(*(tasks.enqueue(a_task(name)) for name in names))
            claims = await asyncio.gather(
                *((tasks, other)[n % 2].claim(f"w{n}", NOW, NOW + MINUTE, ["research"]) for n in range(40))
            )
            assert sorted(claim.id for claim in claims if claim) == names

    async def test_of_many_ends_of_one_task_one_counts(self, tasks: Tasks, open_tasks: OpenTasks):
        await tasks.enqueue(a_task())
        claim = await tasks.claim("w1", NOW, NOW + MINUTE, ["research"])
        assert claim is not None
        async with open_tasks() as (_, other):
            ends = await asyncio.gather(
                tasks.finish(claim, NOW, "done"),
                other.cancel("t1", NOW),
                tasks.fail(claim, NOW, "broken"),
                other.finish(claim, NOW, "done again"),
                tasks.cancel("t1", NOW),
            )
        assert ends.count(True) == 1

    async def test_processes_never_claim_one_task_twice(self, tasks: Tasks, open_tasks: OpenTasks):
        names = [f"task-{n:02}" for n in range(60)]
        await asyncio.gather(*(tasks.enqueue(a_task(name)) for name in names))
        said = processes.race([processes.start(claim_all, open_tasks, f"p{n}") for n in range(3)])
        assert sorted(word for words in said for word in words) == names
        for number, words in enumerate(said):
            for key in words:
                task = await tasks.task(key)
                assert task is not None
                assert (task.state, task.worker, task.attempts) == ("running", f"p{number}", 1)

    async def test_processes_that_take_work_from_each_other_finish_each_task_once(
        self, tasks: Tasks, open_tasks: OpenTasks
    ):
        names = [f"task-{n:02}" for n in range(20)]
        await asyncio.gather(*(tasks.enqueue(a_task(name)) for name in names))
        said = processes.race([processes.start(finish_all, open_tasks, f"p{n}", 60) for n in range(3)])
        finished = sorted(word for words in said for word in words)
        assert finished == sorted(set(finished))
        done = await tasks.tasks(states=["done"])
        assert sorted(task.id for task in done) == finished
        for number, words in enumerate(said):
            results = [await tasks.task(key) for key in words]
            assert all(task is not None and task.result == f"p{number}" for task in results)

    async def test_a_killed_process_leaves_all_it_acknowledged(self, tasks: Tasks, open_tasks: OpenTasks):
        finished = processes.killed_after(processes.start(work_without_end, open_tasks), 40)
        assert len(finished) >= 40
        for key in finished:
            task = await tasks.task(key)
            assert task is not None
            assert (task.state, task.result) == ("done", f"result of {key}")
        unfinished = await tasks.tasks(states=["queued", "running"])
        assert len(unfinished) <= 1
        if unfinished:
            claim = await tasks.claim("heir", NOW + MINUTE, NOW + 2 * MINUTE, ["research"])
            assert claim is not None
            assert claim.id == unfinished[0].id
