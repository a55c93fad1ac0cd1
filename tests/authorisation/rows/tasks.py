"""Background tasks and the inbox: one's own, and for staff how everybody's fare."""

from typing import Any

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.tasks import Task
from multidb_chat.services.tasks.requests import Request
from tests.authorisation.world import CANARY, DONE, NOW, REFUSED, Row, World, for_staff, own


async def _task(world: World, state: str = "queued") -> Task:
    """Queue a task of the owner's that tells the secret, and end it."""
    task = Task(new_id(), world.owner.id, "research", {"about": CANARY}, NOW)
    tasks = world.app.tasks
    await tasks.enqueue(task)
    if state == "cancelled":
        await tasks.cancel(task.id, NOW)
    if state == "done":
        claim = await tasks.claim("worker", NOW, NOW, ["research"])
        assert claim is not None
        await tasks.finish(claim, NOW, CANARY, CANARY)
        ended = await tasks.task(task.id)
        assert ended is not None
        await world.app.inbox.announce(ended)
    return task


async def _get(world: World, account: Account) -> Any:
    return await world.app.task_service.get(account, (await _task(world)).id)


async def _list(world: World, account: Account) -> Any:
    await _task(world)
    return await world.app.task_service.list(account)


async def _cancel(world: World, account: Account) -> Any:
    return await world.app.task_service.cancel(account, (await _task(world)).id)


async def _retry(world: World, account: Account) -> Any:
    return await world.app.task_service.retry(account, (await _task(world, "cancelled")).id)


async def _wait(world: World, account: Account) -> Any:
    task = await _task(world, "cancelled")
    return [state async for state in world.app.task_service.wait(account, task.id)]


async def _everybodys(world: World, account: Account) -> Any:
    await _task(world)
    return await world.app.task_service.everybodys(account)


async def _letters(world: World, account: Account) -> Any:
    await _task(world, "done")
    return await world.app.inbox.letters(account)


async def _unread(world: World, account: Account) -> Any:
    await _task(world, "done")
    unread = await world.app.inbox.unread(account)
    assert unread == (account.id == world.owner.id)
    return unread


async def _mark_read(world: World, account: Account) -> Any:
    task = await _task(world, "done")
    marked = await world.app.inbox.mark_read(account, [task.id])
    assert marked == (account.id == world.owner.id)
    return marked


async def _clear(world: World, account: Account) -> Any:
    task = await _task(world, "done")
    cleared = await world.app.inbox.clear(account, [task.id])
    assert cleared == (account.id == world.owner.id)
    return cleared


async def _news(world: World, account: Account) -> Any:
    from datetime import timedelta

    await _task(world, "done")
    return await world.app.inbox.news(account, NOW - timedelta(days=1))


ROWS = {
    "TaskService.submit": own(
        lambda world, account: world.app.task_service.submit(account, "research", "tea"), guest=REFUSED
    ),
    "TaskService.get": Row(_get),
    "TaskService.list": own(_list),
    "TaskService.cancel": Row(_cancel),
    "TaskService.retry": Row(_retry, guest=REFUSED, admin=DONE),
    "TaskService.wait": Row(_wait),
    "TaskService.everybodys": for_staff(_everybodys, support=DONE),
    "TaskService.counts": for_staff(lambda world, account: world.app.task_service.counts(account), support=DONE),
    "TaskService.purge": for_staff(lambda world, account: world.app.task_service.purge(account, NOW)),
    "Inbox.letters": own(_letters),
    "Inbox.unread": own(_unread),
    "Inbox.mark_read": own(_mark_read),
    "Inbox.clear": own(_clear),
    "Inbox.news": own(_news),
    "Request.options": Row(
        lambda world, account: Request("tea", (world.collection.id,)).options(account, world.app.documents)
    ),
}
