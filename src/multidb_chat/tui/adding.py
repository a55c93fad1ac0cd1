"""Documents that are being added while one goes on chatting: one run after the other, whichever screen is shown."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.tui.serving import Serving, told

if TYPE_CHECKING:  # not needed before something is added
    from multidb_chat.services.ingesting.events import Failure, FileDone, Finished, IngestEvent, Progress

KEPT = 500


@dataclass(slots=True)
class Addition:
    """One run: what is added where, how far it is, which file is `reading`, and what came of those that are `done`.

    Of these the last are kept, and of all of them what could not be read.
    """

    inputs: Sequence[str]
    collection: str
    shared: bool | None = None
    state: Literal["waiting", "running", "done", "stopped", "failed"] = "waiting"
    progress: "Progress | None" = None
    finished: "Finished | None" = None
    problem: str = ""
    reading: str = ""
    done: int = 0
    recent: "deque[FileDone]" = field(default_factory=lambda: deque(maxlen=KEPT))
    failures: "list[Failure]" = field(default_factory=list)


class Additions:
    """All runs of this program. `listeners` are called with a run whenever it got on."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self.listeners: list[Callable[[Addition], object]] = []
        self._task: asyncio.Task[None] | None = None
        self.runs: list[Addition] = []
        """Those that were asked for, in order."""

    @property
    def running(self) -> Addition | None:
        """The run that goes on now."""
        return next((run for run in self.runs if run.state == "running"), None)

    @property
    def latest(self) -> Addition | None:
        """The run that goes on now, or else the one that ended last."""
        begun = [run for run in self.runs if run.state != "waiting"]
        return begun[-1] if begun else None

    def add(self, inputs: Sequence[str], collection: str, shared: bool | None = None) -> Addition:
        """Add files, folders, patterns and addresses to a collection, which is made if there is none of this name."""
        run = Addition(list(inputs), collection, shared)
        self.runs.append(run)
        if self._task is None or self._task.done():
            # A task, not a worker: it goes on when its screen is left, and ends in order when the app is.
            self._task = asyncio.create_task(self._run_all())
        return run

    async def cancel(self) -> bool:
        """Stop what goes on and what waits; what was stored stays. False when there was nothing."""
        if self._task is None or self._task.done():
            return False
        self._task.cancel()
        await asyncio.wait({self._task})
        for run in self.runs:
            if run.state == "waiting":
                run.state = "stopped"
        if (latest := self.latest) is not None:
            self._changed(latest)
        return True

    def _changed(self, run: Addition) -> None:
        for listener in list(self.listeners):
            listener(run)

    async def _run_all(self) -> None:
        while (run := next((run for run in self.runs if run.state == "waiting"), None)) is not None:
            run.state = "running"
            self._changed(run)
            try:
                await self._run(run)
                run.state = "done"
            except asyncio.CancelledError:
                run.state = "stopped"
                raise
            except Exception as error:  # noqa: BLE001 - told where the run is shown, and the next one begins
                run.state, run.problem = "failed", told(error)
            self._changed(run)

    async def _run(self, run: Addition) -> None:
        services = await self._serving.prepared()
        ingestion = await asyncio.to_thread(lambda: services.ingestion)  # imports what reads and embeds
        account = services.account
        try:
            target = await services.documents.ensure_collection(account, run.collection, shared=run.shared)
            # Closed here: a run that is stopped ends before the services are closed below it.
            async with aclosing(cast("Any", ingestion.add(account, target, list(run.inputs)))) as events:
                async for event in events:
                    self._take(run, event)
        except StoreUnavailable as error:
            if error.store != "library" or not services.spools:
                raise
            kept = await services.spool.keep(account, run.collection, run.shared, list(run.inputs))
            run.problem = kept.told(error)

    def _take(self, run: Addition, event: "IngestEvent") -> None:
        from multidb_chat.services.ingesting.events import FileDone, FileStarted, Finished, Progress

        match event:
            case FileStarted(source=source):
                run.reading = source
            case FileDone(failures=failures):
                run.done += 1
                run.recent.append(event)
                run.failures += failures
            case Progress():
                run.progress = event
            case Finished():
                run.finished = event
        self._changed(run)
