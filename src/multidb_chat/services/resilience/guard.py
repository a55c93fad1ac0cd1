"""`Guard`: what stands around every call of a store on a server - a deadline, a breaker, and a retry where it is safe.

A call that is late is left alone: the caller hears at once, and the call is cancelled behind its back, since a driver
may take seconds to let go of a server that is frozen.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.services.resilience import budget as turn
from multidb_chat.services.resilience.breaker import Breaker

T = TypeVar("T")

DEADLINE = 3.0
"""Seconds that one call may take, its retry included; longer than the adapters' own limits, which know more."""
RETRIED = 0.1
"""At most this share of the calls is tried again, so that retries do not keep a store down that is coming back."""
_SAVED = 5.0  # retries that may be saved up
_PAUSE = 0.05  # seconds before a retry, on average
_LOOK = 0.05  # seconds between two looks whether a store is made


class Guard:
    """Guards one store in one process. `chance` is 0 to 1.

    `making` tells whether the store is there and its tables are being made, which happens once in its life and takes
    longer than a call may: calls wait for it, beyond their deadlines and the budget of a turn.
    """

    def __init__(self, breaker: Breaker, *, chance: Callable[[], float] = random.random) -> None:
        self.breaker = breaker
        self.making: Callable[[], bool] = lambda: False
        self._chance = chance
        self._retries = 1.0
        self._late: set[asyncio.Task[Any]] = set()

    async def call(
        self, work: Callable[[], Coroutine[Any, Any, T]], *, deadline: float = DEADLINE, again: bool = False
    ) -> T:
        """Do the work within the deadline and what the running turn may still wait; return its result.

        `again`: doing it twice is the same as once, so that it may be tried again when the store fails at once. Raises
        what the work raises, and `StoreUnavailable` when the store is away or too slow.
        """
        budget = turn.current()
        if budget is None:
            return await self._tried(work, deadline, again, counts=True)
        with budget.waiting():
            if not budget.left:
                raise StoreUnavailable(self.breaker.store, f"The stores took more than {budget.seconds:g} s together.")
            return await self._tried(work, min(deadline, budget.left), again, counts=budget.left >= deadline)

    async def _tried(self, work: Callable[[], Coroutine[Any, Any, T]], deadline: float, again: bool, counts: bool) -> T:
        """Do the work, twice where that is safe and there is time. `counts`: being late is the store's fault."""
        clock = asyncio.get_running_loop().time
        end = clock() + deadline
        self._retries = min(self._retries + RETRIED, _SAVED)
        try:
            return await self._once(work, deadline, counts)
        except StoreUnavailable:
            pause = 2 * _PAUSE * self._chance()
            if not again or self._retries < 1 or self.breaker.state != "closed" or clock() + pause >= end:
                raise
            self._retries -= 1
        await asyncio.sleep(pause)
        return await self._once(work, end - clock(), counts)

    async def _once(self, work: Callable[[], Coroutine[Any, Any, T]], seconds: float, counts: bool) -> T:
        ticket = self.breaker.admit()
        try:
            result = await self._in_time(work, seconds)
        except _Late as late:
            error = StoreUnavailable(self.breaker.store, str(late))
            if counts:
                self.breaker.failed(ticket, str(error))
            else:
                self.breaker.dropped(ticket)
            raise error from None
        except StoreUnavailable as error:
            self.breaker.failed(ticket, str(error))
            raise
        except Exception:
            self.breaker.succeeded(ticket)
            raise
        except BaseException:
            self.breaker.dropped(ticket)
            raise
        self.breaker.succeeded(ticket)
        return result

    async def _in_time(self, work: Callable[[], Coroutine[Any, Any, T]], seconds: float) -> T:
        task = asyncio.create_task(work())
        try:
            await asyncio.wait({task}, timeout=seconds)
            if not task.done() and self.making():
                await self._made(task)
                await asyncio.wait({task}, timeout=seconds)
        except asyncio.CancelledError:
            self._leave(task)
            raise
        if task.done():
            return task.result()
        self._leave(task)
        raise _Late(f"The {self.breaker.store} store did not answer within {seconds:.1f} s.")

    async def _made(self, task: "asyncio.Task[Any]") -> None:
        while not task.done() and self.making():
            await asyncio.wait({task}, timeout=_LOOK)
        if (budget := turn.current()) is not None:
            budget.begin_anew()

    def _leave(self, task: "asyncio.Task[Any]") -> None:
        """Cancel a call that nobody waits for, and let it end when it can."""
        task.cancel()
        self._late.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: "asyncio.Task[Any]") -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that nobody is told that it never was

    async def close(self) -> None:
        """Wait a moment for calls that were left alone, so that a store is not closed under them."""
        if self._late:
            await asyncio.wait(self._late, timeout=1.0)


class _Late(Exception):
    """The call did not end in time."""
