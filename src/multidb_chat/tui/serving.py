"""The services' life behind the screens: opened after the first paint, prepared, and closed in order at the end."""

import asyncio
import logging
from collections.abc import Callable

from textual.message import Message

from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.domain.text import clean_line
from multidb_chat.tui.messages import Preparing, ServicesFailed, ServicesPrepared, ServicesReady
from multidb_chat.tui.services import OpenServices, Services

_log = logging.getLogger(__name__)


def told(error: Exception) -> str:
    """Return an error as one line for the user; what nobody foresaw is logged with its traceback."""
    if isinstance(error, MultidbChatError):
        return clean_line(str(error))
    _log.error("unexpected", exc_info=error)
    return clean_line(f"Something unexpected happened ({type(error).__name__}: {error}).")[:300]


class Serving:
    """Opens the services in a task of its own and tells how far they are with messages.

    A task, not a worker: workers are cancelled when the app leaves, and stores must be closed in order.
    """

    def __init__(self, open_services: OpenServices, tell: Callable[[Message], object]) -> None:
        self._open_services = open_services
        self._tell = tell
        self._services: Services | None = None
        self._settled = asyncio.Event()
        self._prepared = asyncio.Event()
        self._leaving = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.failure: Exception | None = None
        """Why the services could not be opened, or not be closed."""

    def start(self) -> None:
        """Begin to open, once."""
        if not self._leaving.is_set() and self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Close the services; what still opens or prepares is given up."""
        self._leaving.set()
        if self._task is not None:
            if self._services is None:
                self._task.cancel()
            await asyncio.wait({self._task})

    @property
    def opened(self) -> Services | None:
        """The services, where they are open already."""
        return self._services

    async def services(self) -> Services:
        """Return the services as soon as they are open. Raises the error that kept them from opening.

        Whoever needs them before the first paint is over, as a command typed ahead does, lets them open.
        """
        self.start()
        await self._settled.wait()
        if self._services is None:
            raise self.failure or RuntimeError("the services are closed")
        return self._services

    async def prepared(self) -> Services:
        """Return the services as soon as the handbook can be searched too, or could not be read."""
        services = await self.services()
        await self._prepared.wait()
        return services

    async def _run(self) -> None:
        try:
            # Composing imports what the services are made of, which takes longer than a key may wait for its letter.
            manager = await asyncio.to_thread(self._open_services)
            async with manager as services:
                await asyncio.to_thread(_compose, services)
                self._services = services
                self._settled.set()
                self._tell(ServicesReady())
                await self._serve(services)
        except Exception as error:  # noqa: BLE001 - it is told on the screen, and raised by whoever started the app
            self.failure = error
            self._tell(ServicesFailed(told(error)))
        finally:
            self._settled.set()
            self._prepared.set()

    async def _serve(self, services: Services) -> None:
        behind = {asyncio.create_task(self._prepare(services)), asyncio.create_task(self._work(services))}
        try:
            await self._leaving.wait()
        finally:
            for task in behind:
                task.cancel()
            await asyncio.wait(behind)

    async def _work(self, services: Services) -> None:
        """Do background tasks while the app is open; what is not done when it leaves goes back into the queue."""
        await self._prepared.wait()
        await services.worker.run(lanes=2)  # a long one keeps no short one waiting

    async def _prepare(self, services: Services) -> None:
        problem = ""
        try:
            first = not await services.documents.resolve(services.account, [])
            self._tell(Preparing("Reading the handbook for the first time" if first else "Getting ready"))
            await services.prepare()
        except Exception as error:  # noqa: BLE001 - the user's own documents can be asked without it
            problem = told(error)
        self._prepared.set()
        self._tell(ServicesPrepared(problem))


def _compose(services: Services) -> None:
    assert all(
        (
            services.documents,
            services.history,
            services.branches,
            services.narrowing,
            services.feedback,
            services.one_off,
            services.task_service,
            services.inbox,
            services.worker,
            services.chat,
        )
    )
