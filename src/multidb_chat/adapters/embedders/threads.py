"""The threads that an embedder works on: a question never queues behind passages, and passages give way to all else."""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, get_native_id
from typing import TypeVar

from multidb_chat.domain.errors import StoreUnavailable

_LOW_PRIORITY = 10  # of 19: about a tenth of the time of a thread that wants the same processor

T = TypeVar("T")


class Threads:
    """`passages` threads for passages, and one for questions; closed, they refuse."""

    def __init__(self, passages: int) -> None:
        self.passages = ThreadPoolExecutor(passages, "embed-passages", initializer=_give_way)
        self.questions = ThreadPoolExecutor(1, thread_name_prefix="embed-question")
        self._closed = Event()

    @property
    def closed(self) -> bool:
        """Whether what goes on shall stop."""
        return self._closed.is_set()

    async def run(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        """Do the work on one of the pools and return its result. Raises `StoreUnavailable` when closed."""
        if self.closed:
            raise StoreUnavailable("embedder", "the embedder is closed")
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    async def close(self) -> None:
        """Refuse what comes, and wait until what goes on has seen `closed`."""
        self._closed.set()
        for pool in (self.passages, self.questions):
            await asyncio.to_thread(pool.shutdown)


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _give_way() -> None:
    """Let everything else go first on the processors: somebody may be typing while documents are added.

    On Linux a priority is a thread's own (sched(7)); elsewhere it would be the whole process's, and stays as it is.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _LOW_PRIORITY)
