"""A loop in a thread of its own: what is done beside the answers goes on while the main thread waits for a line.

The main thread reads, since Ctrl-C and the line editor of the terminal are its alone: what is typed can be dropped, and
no thread is left behind that reads for ever.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """Does work in a loop that runs in another thread; see `running_loop`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work, and return or raise what comes of it.

        Ctrl-C cancels it, and is raised as `KeyboardInterrupt` when that has ended it; a second one waits for nothing.
        """
        tasks: list[asyncio.Task[T]] = []
        ended: Future[None] = Future()

        def begin() -> None:
            if not tasks:
                tasks.append(self._loop.create_task(work))
                tasks[0].add_done_callback(lambda _: ended.set_result(None))

        def stop() -> None:
            begin()  # Ctrl-C may come before it was asked for
            tasks[0].cancel()

        try:
            self._loop.call_soon_threadsafe(begin)
            ended.result()
        except KeyboardInterrupt:
            self._loop.call_soon_threadsafe(stop)
            ended.result()
            if tasks[0].cancelled():
                raise
        return tasks[0].result()


@contextmanager
def running_loop() -> Iterator[Loop]:
    """Yield a loop that runs for as long as the block lasts; what is not done by then is cancelled."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = Thread(target=loop.run_forever, name="loop")
        thread.start()
        try:
            yield Loop(loop)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
