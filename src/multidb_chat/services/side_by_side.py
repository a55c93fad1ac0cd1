"""Work that is begun before its result is wanted, beside other work."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Begin:
    """Begins work in the running loop, at once."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[Any]] = set()

    def __call__(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Begin the work; its failure is raised by whoever awaits it."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        return task


@asynccontextmanager
async def side_by_side() -> AsyncIterator[Begin]:
    """Yield what begins work; what nobody has awaited by the end is cancelled, and its failure passed over."""
    begin = Begin()
    try:
        yield begin
    finally:
        for task in begin.tasks:
            task.cancel()
        if begin.tasks:
            await asyncio.wait(begin.tasks)
        for task in begin.tasks:
            if not task.cancelled():
                task.exception()  # looked at, so that nobody is told that it never was
