"""The real services, held up or broken at one place."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from multidb_chat.bootstrap import Application
from multidb_chat.domain.turns import AnswerToken, TurnCompleted, TurnEvent
from tests.tui.home import guest_of


class Held:
    """A place where work waits until it is let go; `reached` tells that it got there, `left` how it went away.

    When it is cancelled, it takes `farewell` seconds more, as a turn does that is just being stored.
    """

    def __init__(self, farewell: float = 0.0) -> None:
        self.farewell = farewell
        self.reached = asyncio.Event()
        self.go = asyncio.Event()
        self.left = ""

    async def wait(self) -> None:
        self.reached.set()
        try:
            await self.go.wait()
            self.left = "let go"
        except asyncio.CancelledError:
            await asyncio.sleep(self.farewell)
            self.left = "cancelled"
            raise


class HeldChat:
    """The real chat service; its stream waits before the first event for which `here` is true, or raises there."""

    def __init__(
        self, chat: Any, here: Callable[[TurnEvent], bool], held: Held | None = None, error: Exception | None = None
    ) -> None:
        self._chat, self._here, self._held, self._error = chat, here, held, error
        self.closed = 0

    async def respond(self, *given: Any, **named: Any) -> AsyncIterator[TurnEvent]:
        try:
            async for event in self._chat.respond(*given, **named):
                if self._here(event):
                    if self._error is not None:
                        raise self._error
                    if self._held is not None and not self._held.go.is_set():
                        await self._held.wait()
                yield event
        finally:
            self.closed += 1


class Services:
    """The services of an application; what is given by name replaces its own."""

    def __init__(self, application: Application, **replaced: Any) -> None:
        self._application = application
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._application, name)


@asynccontextmanager
async def services_of(home: Path, replace: Callable[[Application], dict[str, Any]]) -> AsyncIterator[Any]:
    """Open the services of a home, with those replaced that `replace` returns for them."""
    async with guest_of(home) as application:
        yield Services(application, **replace(application))


def is_token(event: TurnEvent) -> bool:
    """Whether the answer begins or goes on."""
    return isinstance(event, AnswerToken)


def is_end(event: TurnEvent) -> bool:
    """Whether the turn is complete."""
    return isinstance(event, TurnCompleted)


def is_any(event: TurnEvent) -> bool:
    """Whether there is an event at all."""
    return True
