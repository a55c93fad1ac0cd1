"""How long one turn may wait for stores, all its calls together.

Only the time counts in which a call waits: a language model that takes a minute leaves the answer as much time to be
stored as one that takes none.
"""

import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

TURN = 10.0
"""Seconds that a turn may wait for stores."""


class Budget:
    """Seconds of waiting that are left; calls that wait at the same time use them up once."""

    def __init__(self, seconds: float = TURN, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._spent = 0.0
        self._waiting = 0
        self._since = 0.0

    @property
    def left(self) -> float:
        """The seconds that are left, 0 or more."""
        waited = self._clock() - self._since if self._waiting else 0.0
        return max(self.seconds - self._spent - waited, 0.0)

    def begin_anew(self) -> None:
        """Give back what was used up, to all that wait."""
        self._spent, self._since = 0.0, self._clock()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Use the budget up for as long as the block takes."""
        if not self._waiting:
            self._since = self._clock()
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._spent += self._clock() - self._since


_budget: ContextVar[Budget | None] = ContextVar("budget", default=None)


def current() -> Budget | None:
    """Return the budget of the turn that is running here, None outside a turn."""
    return _budget.get()


async def limited(events: AsyncGenerator[T, None], budget: Budget) -> AsyncGenerator[T, None]:
    """Yield what `events` yields, its work between two of them on the budget.

    The reader's own work is not: a generator runs in the context of whoever reads it, so the budget is laid down there
    for each step and taken away before the event is handed out.
    """
    async with aclosing(events):
        while True:
            token = _budget.set(budget)
            try:
                event = await anext(events)
            except StopAsyncIteration:
                return
            finally:
                _budget.reset(token)
            yield event
