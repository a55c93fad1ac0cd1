"""What is looked at while servers are away: how long each guarded call took, and whether the loop kept turning."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from multidb_chat.bootstrap import Application
from multidb_chat.services.resilience.guard import DEADLINE, Guard

STORES = ("accounts", "conversations", "library", "cache")
_TICK = 0.01


class Call(NamedTuple):
    """A call of a store that ended after `seconds` and may take `deadline`."""

    store: str
    seconds: float
    deadline: float

    @property
    def beyond(self) -> float:
        """The seconds by which it outlived its deadline; below zero for one that did not."""
        return self.seconds - self.deadline


def watched(application: Application) -> list[Call]:
    """Return a list that every guarded call from now on is added to when it ends."""
    calls: list[Call] = []
    for store in STORES:
        guard = application._guard(store)
        guard.call = _timed(guard, store, calls)  # type: ignore[method-assign]
    return calls


def _timed(guard: Guard, store: str, calls: list[Call]) -> Callable[..., Awaitable[Any]]:
    call = guard.call

    async def timed(
        work: Callable[[], Coroutine[Any, Any, Any]], *, deadline: float = DEADLINE, again: bool = False
    ) -> Any:
        begin = time.monotonic()
        try:
            return await call(work, deadline=deadline, again=again)
        finally:
            calls.append(Call(store, time.monotonic() - begin, deadline))

    return timed


@dataclass
class Lag:
    """By how many seconds the loop was late, each time it was asked to come back after a hundredth of a second."""

    late: list[float] = field(default_factory=list)

    def share(self, share: float) -> float:
        """Return the lag that this share of all stays below."""
        return sorted(self.late)[min(int(share * len(self.late)), len(self.late) - 1)]


@contextmanager
def lag() -> Iterator[Lag]:
    """Measure the lag of the running loop within the block."""
    seen = Lag()

    async def tick() -> None:
        while True:
            begin = time.monotonic()
            await asyncio.sleep(_TICK)
            seen.late.append(time.monotonic() - begin - _TICK)

    ticking = asyncio.create_task(tick())
    try:
        yield seen
    finally:
        ticking.cancel()
