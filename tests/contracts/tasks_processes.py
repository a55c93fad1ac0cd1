"""Who owns the tasks that are tested, how they look, and what other processes do to them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import NamedTuple

from multidb_chat.domain.accounts import Accounts
from multidb_chat.domain.tasks import Task, Tasks
from tests.contracts.accounts_processes import NOW
from tests.contracts.processes import say, starting_line

MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)


class Stores(NamedTuple):
    """A queue and the accounts that it lives beside."""

    accounts: Accounts
    tasks: Tasks


OpenTasks = Callable[[], AbstractAsyncContextManager[Stores]]


def a_task(key: str = "t1", kind: str = "research", age: int = 0, account: str = "ada") -> Task:
    return Task(key, account, kind, {"question": f"what is {key}?"}, NOW - age * MINUTE)


async def claim_all(open_tasks: OpenTasks, name: str) -> None:
    """Claim tasks until there are none; say which."""
    async with open_tasks() as (_, tasks):
        await tasks.unread("ada")
        starting_line()
        while task := await tasks.claim(name, NOW, NOW + MINUTE, ["research"]):
            say(task.id)


async def finish_all(open_tasks: OpenTasks, name: str, attempts: int) -> None:
    """Claim and finish what is free, with a lease that is over at once, in so many rounds; say what was finished."""
    async with open_tasks() as (_, tasks):
        await tasks.unread("ada")
        starting_line()
        for _ in range(attempts):
            claim = await tasks.claim(name, NOW, NOW, ["research"])
            if claim is not None and await tasks.finish(claim, NOW, name, claim.id):
                say(claim.id)


async def work_without_end(open_tasks: OpenTasks) -> None:
    """Enqueue, claim and finish tasks until somebody kills the process; say each that was acknowledged as finished."""
    async with open_tasks() as (_, tasks):
        number = 0
        while True:
            await tasks.enqueue(a_task(f"k{number}"))
            claim = await tasks.claim("w", NOW, NOW + MINUTE, ["research"])
            assert claim is not None
            assert await tasks.finish(claim, NOW, f"result of {claim.id}")
            say(claim.id)
            number += 1
