"""A worker: what it makes of handlers that succeed, fail, hang, are cancelled, or run somewhere else too."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput, QuotaExceeded, StoreFull, StoreUnavailable
from multidb_chat.domain.tasks import Task
from multidb_chat.services.tasks.handling import Outcome, Tell
from multidb_chat.services.tasks.worker import Pace
from tests.unit.services.tasks.working import ADA, GUEST, NOW, Handling, Place, quickly


def raising(error: Exception) -> Handling:
    async def work(task: Task, account: Account, tell: Tell) -> Outcome:
        raise error

    return Handling(work)


class Hanging:
    """A handler that says how far it is and then waits to be let go, or cancelled."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cancelled = False

    async def __call__(self, task: Task, account: Account, tell: Tell) -> Outcome:
        tell(0.25, "reading\x1b[31m tea.md")
        self.entered.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return Outcome("{}", "let go")


async def until(place: Place, task: Task, state: str) -> Task:
    while (now := await place.now(task)).state != state:
        await asyncio.sleep(0.001)
    return now


async def test_without_work_there_is_nothing_to_do(place: Place):
    assert await place.worker(research=Handling(quickly)).step() is False


async def test_a_task_is_done_and_its_owner_is_told(place: Place):
    task = await place.a_task()
    assert await place.worker(research=Handling(quickly)).step() is True
    done = await place.now(task)
    assert (done.state, done.result, done.summary, done.progress) == ("done", "result for ada", "about tea", 1.0)
    (letter,) = await place.inbox.letters(ADA)
    assert (letter.task_id, letter.title, letter.summary, letter.failed) == (
        task.id, "research: tea", "about tea", False,
    )  # fmt: skip
    assert [line.task_id for line in await place.cache.notifications("ada")] == [task.id]


async def test_only_tasks_of_the_kinds_it_has_handlers_for_are_claimed(place: Place):
    task = await place.a_task(kind="analyze")
    assert await place.worker(research=Handling(quickly)).step() is False
    assert (await place.now(task)).state == "queued"


@pytest.mark.parametrize("error", [StoreUnavailable("library", "away"), StoreFull("library", "full"), KeyError("x")])
async def test_a_try_that_failed_is_repeated_later_and_later_and_then_given_up(place: Place, error: Exception):
    handling = raising(error)
    worker = place.worker(research=handling)
    task = await place.a_task(max_attempts=4)
    waited = []
    while (now := await place.now(task)).state == "queued":
        place.clock.now = now.not_before or place.clock.now
        assert await worker.step() is True
        failed = await place.now(task)
        if failed.not_before is not None:
            waited.append((failed.not_before - place.clock.now).total_seconds())
            assert await worker.step() is False
            assert await place.inbox.letters(ADA) == []
    assert waited == [10, 20, 40]
    assert len(handling.begun) == 4
    assert now.state == "failed"
    assert now.error == str(error) if not isinstance(error, KeyError) else "KeyError" in now.error
    (letter,) = await place.inbox.letters(ADA)
    assert letter.failed
    assert letter.summary == now.error


def test_waiting_doubles_up_to_an_hour():
    pace = Pace(backoff=10, longest=3_600)
    waits = [pace.wait_after(attempts).total_seconds() for attempts in range(1, 12)]
    assert waits == [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]


@pytest.mark.parametrize("error", [InvalidInput("no such collection"), QuotaExceeded("no documents left")])
async def test_what_another_try_would_not_mend_fails_at_once(place: Place, error: Exception):
    task = await place.a_task()
    await place.worker(research=raising(error)).step()
    failed = await place.now(task)
    assert (failed.state, failed.error, failed.attempts) == ("failed", str(error), 1)


async def test_a_hostile_error_is_one_clean_line(place: Place):
    task = await place.a_task()
    await place.worker(research=raising(InvalidInput("bad\x1b[2J\nname \ud800" + "x" * 9_000))).step()
    error = (await place.now(task)).error
    assert error.startswith("bad name x")
    assert len(error) <= 500


async def test_a_disabled_account_has_nothing_run(place: Place):
    task = await place.a_task()
    await place.accounts.update_account(replace(ADA, disabled_at=NOW))
    handling = Handling(quickly)
    await place.worker(research=handling).step()
    assert handling.begun == []
    assert (await place.now(task)).state == "failed"


async def test_a_guest_has_nothing_run(place: Place):
    task = await place.a_task(account=GUEST)
    await place.worker(research=Handling(quickly)).step()
    assert (await place.now(task)).state == "failed"


async def test_a_running_task_is_kept_and_tells_how_far_it_is(place: Place):
    handler, task = Hanging(), await place.a_task()
    step = asyncio.create_task(place.worker(research=handler).step())
    while (now := await place.now(task)).progress == 0:
        await asyncio.sleep(0.001)
    assert (now.progress, now.step) == (0.25, "reading tea.md")
    while place.clock.now < NOW + timedelta(seconds=150):  # longer than the lease
        await asyncio.sleep(0.001)
    assert await place.worker(research=Handling(quickly)).step() is False
    handler.go_on.set()
    assert await step is True
    assert (await place.now(task)).summary == "let go"


async def test_a_cancelled_task_is_stopped_while_it_runs(place: Place):
    handler, task = Hanging(), await place.a_task()
    step = asyncio.create_task(place.worker(research=handler).step())
    await handler.entered.wait()
    await place.service.cancel(ADA, task.id)
    assert await step is True
    assert handler.cancelled
    assert (await place.now(task)).state == "cancelled"
    assert await place.inbox.letters(ADA) == []


async def test_a_task_that_another_worker_took_over_is_let_go(place: Place):
    handler, task = Hanging(), await place.a_task()
    step = asyncio.create_task(place.worker(research=handler).step())
    await handler.entered.wait()
    later = NOW + timedelta(days=1)
    taken = await place.tasks.claim("another", later, later, ["research"])
    assert taken is not None
    assert await step is True
    assert handler.cancelled
    assert (await place.now(task)).worker == "another"


async def test_a_worker_that_is_ended_gives_its_task_back_unharmed(place: Place):
    handler, task = Hanging(), await place.a_task(max_attempts=1)
    running = asyncio.create_task(place.worker(research=handler).run())
    await handler.entered.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert handler.cancelled
    back = await place.now(task)
    assert (back.state, back.attempts, back.lease_until) == ("queued", 0, None)
    await place.worker(research=Handling(quickly)).step()
    assert (await place.now(task)).state == "done"


async def test_several_lanes_work_side_by_side(place: Place):
    first, second = Hanging(), Hanging()
    one, other = await place.a_task("a"), await place.a_task("b", kind="analyze")
    running = asyncio.create_task(place.worker(research=first, analyze=second).run(lanes=2))
    await asyncio.gather(first.entered.wait(), second.entered.wait())
    for handler, task in ((first, one), (second, other)):
        handler.go_on.set()
        await until(place, task, "done")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_worker_goes_on_after_a_store_was_away(place: Place, monkeypatch: pytest.MonkeyPatch):
    claim, trouble = place.tasks.claim, iter(range(3))

    async def sometimes(*arguments: object) -> Task | None:
        if next(trouble, None) is not None:
            raise StoreUnavailable("accounts", "The accounts store does not answer.")
        return await claim(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(place.tasks, "claim", sometimes)
    task = await place.a_task()
    running = asyncio.create_task(place.worker(research=Handling(quickly)).run())
    await until(place, task, "done")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_worker_goes_on_after_something_unforeseen(place: Place, monkeypatch: pytest.MonkeyPatch):
    claim, trouble = place.tasks.claim, iter(range(2))

    async def sometimes(*arguments: object) -> Task | None:
        if next(trouble, None) is not None:
            raise RuntimeError("nobody foresaw this")
        return await claim(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(place.tasks, "claim", sometimes)
    task = await place.a_task()
    running = asyncio.create_task(place.worker(research=Handling(quickly)).run())
    await until(place, task, "done")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_an_end_that_could_not_be_stored_is_made_up_for(place: Place, monkeypatch: pytest.MonkeyPatch):
    async def full(*_: object) -> bool:
        raise StoreFull("accounts", "No space left.")

    task, handling = await place.a_task(), Handling(quickly)
    worker = place.worker(research=handling)
    with monkeypatch.context() as patch:
        patch.setattr(place.tasks, "finish", full)
        assert await worker.step() is True
    assert (await place.now(task)).state == "running"
    place.clock.now += timedelta(minutes=10)
    assert await worker.step() is True
    assert (await place.now(task)).state == "done"
    assert len(handling.begun) == 2
    assert len(await place.inbox.letters(ADA)) == 1
