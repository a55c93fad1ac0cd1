"""Background tasks of an account: submitting, finding, cancelling, retrying, waiting, and who may do what."""

import asyncio
from datetime import timedelta

import pytest

from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted, QuotaExceeded
from multidb_chat.domain.ids import new_id
from multidb_chat.services.tasks.requests import Request, read_request
from multidb_chat.services.tasks.service import AWAITED, MAX_WORDS, short_id
from tests.unit.services.tasks.working import ADA, ADMIN, BOB, GUEST, NOW, Handling, Place, quickly


async def test_a_submitted_task_waits_in_the_queue_and_was_counted(place: Place):
    task = await place.service.submit(ADA, "research", " the\n tea \x1b[31mtrade ", {"save": "reports"})
    assert task.payload == {"about": "the tea trade", "save": "reports"}
    assert await place.service.get(ADA, task.id) == task
    assert place.quota.taken == [("ada", "tasks", 1, f"task {task.id}")]


async def test_submitting_with_the_same_id_again_changes_nothing(place: Place):
    key = new_id()
    await place.service.submit(ADA, "research", "tea", task_id=key)
    await place.service.submit(ADA, "research", "tea", task_id=key)
    assert [task.id for task in await place.service.list(ADA)] == [key]
    assert {operation for *_, operation in place.quota.taken} == {f"task {key}"}


async def test_a_task_that_somebody_waits_for_goes_first(place: Place):
    await place.service.submit(ADA, "research", "tea")
    awaited = await place.service.submit(ADA, "research", "coffee", priority=AWAITED)
    handling = Handling(quickly)
    await place.worker(research=handling).step()
    assert handling.begun == [awaited.id]


@pytest.mark.parametrize(
    ("typed", "about", "collections", "save"),
    [
        ("customer churn", "customer churn", (), ""),
        (
            " churn in #reports and #board-minutes ",
            "churn in reports and board-minutes",
            ("reports", "board-minutes"),
            "",
        ),
        ("churn --save", "churn", (), "reports"),
        ("churn --save studies", "churn", (), "studies"),
        ("churn #a #a --save=studies ", "churn a a", ("a",), "studies"),
        ("c# and f#", "c# and f#", (), ""),
        ("how to --save money", "how to", (), "money"),
        ("--save", "", (), "reports"),
        ("", "", (), ""),
    ],
)
def test_what_is_typed_is_understood(typed: str, about: str, collections: tuple[str, ...], save: str):
    assert read_request(typed) == Request(about, collections, save)


async def test_what_the_quota_refuses_is_not_queued(place: Place, monkeypatch: pytest.MonkeyPatch):
    async def refuse(*_: object) -> object:
        raise QuotaExceeded("All background tasks of the month are used.")

    monkeypatch.setattr(place.quota, "take", refuse)
    with pytest.raises(QuotaExceeded):
        await place.service.submit(ADA, "research", "tea")
    assert await place.service.list(ADA) == []


async def test_a_guest_runs_nothing_in_the_background(place: Place):
    with pytest.raises(NotPermitted, match="register"):
        await place.service.submit(GUEST, "research", "tea")
    assert place.quota.taken == []


@pytest.mark.parametrize(("kind", "about"), [("brew", "tea"), ("research", "x" * (MAX_WORDS + 1))])
async def test_an_unknown_kind_or_an_endless_description_is_refused(place: Place, kind: str, about: str):
    with pytest.raises(InvalidInput):
        await place.service.submit(ADA, kind, about)


async def test_a_task_is_found_by_both_ends_of_its_id(place: Place):
    one = await place.a_task()
    assert (await place.service.get(ADA, one.id[:12])).id == one.id
    assert (await place.service.get(ADA, short_id(one))).id == one.id
    await place.a_task()
    with pytest.raises(InvalidInput, match="several"):
        await place.service.get(ADA, one.id[:8])
    for unknown in ("", one.id[-3:], "00000000", "\ud800"):
        with pytest.raises((NotFound, InvalidInput)):
            await place.service.get(ADA, unknown)


async def test_a_task_of_somebody_else_does_not_exist(place: Place):
    task = await place.a_task()
    for reference in (task.id, short_id(task)):
        for call in (place.service.get, place.service.cancel, place.service.retry):
            with pytest.raises(NotFound):
                await call(BOB, reference)
        with pytest.raises(NotFound):
            await anext(aiter(place.service.wait(BOB, reference)))
    assert await place.service.list(BOB) == []
    assert (await place.now(task)).state == "queued"


async def test_cancelling_is_recorded_and_happens_once(place: Place):
    task = await place.a_task()
    assert (await place.service.cancel(ADA, task.id)).state == "cancelled"
    with pytest.raises(Conflict, match="cancelled"):
        await place.service.cancel(ADA, task.id)
    assert place.audit.records == [("ada", "task.cancel", task.id)]


async def test_a_cancelled_task_can_be_retried_and_a_queued_one_not(place: Place):
    task = await place.a_task()
    with pytest.raises(Conflict, match="queued"):
        await place.service.retry(ADA, task.id)
    await place.service.cancel(ADA, task.id)
    assert (await place.service.retry(ADA, short_id(task))).state == "queued"


async def test_waiting_shows_each_change_until_the_end(place: Place):
    task = await place.a_task()
    states = []
    async for now in place.service.wait(ADA, task.id):
        states.append(now.state)
        if now.state == "queued":
            await place.worker(research=Handling(quickly)).step()
    assert states == ["queued", "done"]
    assert now.result == "result for ada"


async def test_waiting_ends_when_the_task_is_removed(place: Place):
    task = await place.a_task()
    waiting = aiter(place.service.wait(ADA, task.id))
    await anext(waiting)
    await place.tasks.delete_tasks("ada")
    with pytest.raises(NotFound):
        await asyncio.wait_for(anext(waiting), 30)


async def test_an_administrator_sees_how_all_tasks_fare_but_not_what_they_are_about(place: Place):
    await place.a_task("secret tea")
    await place.a_task("secret coffee", account=BOB, kind="analyze")
    found = await place.service.everybodys(ADMIN)
    assert [(task.account_id, task.kind) for task in found] == [("bob", "analyze"), ("ada", "research")]
    assert "secret" not in repr(found)
    assert [task.account_id for task in await place.service.everybodys(ADMIN, owner_id="bob")] == ["bob"]
    assert await place.service.counts(ADMIN) == {"queued": 2}
    for call in (place.service.everybodys(ADA), place.service.counts(ADA), place.service.purge(ADA, NOW)):
        with pytest.raises(NotPermitted):
            await call


async def test_an_administrator_retries_and_purges_what_failed(place: Place):
    task = await place.a_task()
    await place.tasks.cancel(task.id, NOW)
    assert (await place.service.retry(ADMIN, short_id(task))).state == "queued"
    await place.tasks.cancel(task.id, NOW)
    assert await place.service.purge(ADMIN, NOW) == 0
    assert await place.service.purge(ADMIN, NOW + timedelta(days=1)) == 1
    assert [action for _, action, _ in place.audit.records] == ["task.retry", "task.purge", "task.purge"]
