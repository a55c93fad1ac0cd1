"""Calls that end in time, whatever the driver does.

`asyncio.timeout` does not free a call of a frozen server: the driver, when it is cancelled, first tries to cancel the
statement on that same server and waits for it (psycopg issue 1371). So each call runs as a task of its own; whoever
waits for it stops waiting at the deadline, and the task ends in the background, with its connection.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Calls:
    """The calls that run, those that nobody waits for any more included."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._left: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run the work as a task that may outlive whoever waits for it."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._over)
        return task

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work returns, or raise what it raises; `TimeoutError` at the deadline.

        At the deadline, or when the caller is cancelled, the work is cancelled and not waited for.
        """
        task = self.begin(work)
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            over = task.done()
            if not over:
                self._left.add(task)
                task.cancel()
        if not over:
            raise TimeoutError
        return task.result()

    async def finish(self, seconds: float) -> None:
        """Wait so long for the calls that somebody waits for, then end all that run.

        What is cancelled a second time lets go of its connection at once.
        """
        if awaited := self._running - self._left:
            await asyncio.wait(awaited, timeout=seconds)
        if late := list(self._running):
            for task in late:
                task.cancel()
            await asyncio.wait(late, timeout=1)

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._left.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, although nobody may wait for it
