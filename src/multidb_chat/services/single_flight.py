"""Equal work that is wanted at the same time is done once: the first caller does it, the others wait for what it makes.

Within one process. The name and the idea are those of Go's golang.org/x/sync/singleflight; other than there, one that
fails or is cancelled takes nobody with it: the next in line does the work.
"""

import asyncio
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds that anybody waits for somebody else's work before doing it too."""


class SingleFlight(Generic[T]):
    """Who makes what at this time, by key. What was made is handed over and not remembered."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._made: dict[str, tuple[str, asyncio.Future[T | None]]] = {}

    def leads(self, key: str, who: str) -> bool:
        """Tell whether it is `who` that is to make it: the first that asks while nobody makes it."""
        if key not in self._made:
            self._made[key] = who, asyncio.get_running_loop().create_future()
        return self._made[key][0] == who

    def end(self, key: str, who: str, made: T | None = None) -> None:
        """Hand over what `who` has made (None: it was not made); nothing happens where somebody else makes it."""
        if key in self._made and self._made[key][0] == who:
            self._made.pop(key)[1].set_result(made)

    async def made(self, key: str, who: str) -> T | None:
        """Return what somebody else makes; None when `who` is to make it now, as nobody does or it takes too long."""
        if self.leads(key, who):
            return None
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while not self.leads(key, who):
                    made = await asyncio.shield(self._made[key][1])
                    if made is not None:
                        return made
        return None
