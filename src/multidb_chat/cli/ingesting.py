"""How adding documents looks: a bar while it goes on, a summary and what could not be read at the end."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.session import closed_after
from multidb_chat.domain.text import clean_line
from multidb_chat.services.ingesting.events import Failure, FileStarted, Finished, IngestEvent, Progress
from multidb_chat.services.ingesting.wording import figures_of, summary_of

if TYPE_CHECKING:
    from rich.progress import ProgressColumn


class Bar(Protocol):
    """Shows how far it is."""

    def show(self, event: IngestEvent) -> None:
        """Show what an event tells."""


async def follow(console: Console, events: AsyncIterator[IngestEvent], as_json: bool) -> Exit:
    """Show a run of ingestion as it goes on and what came of it; return the exit code."""
    finished = await followed(console, events)
    if as_json:
        console.write_json(asdict(finished))
    elif not console.quiet:
        console.write(summary_of(finished))
    if not as_json:
        _list_failures(console, finished.failures)
    return exit_of(finished)


def exit_of(finished: Finished) -> Exit:
    """Return the exit code of a run."""
    if finished.failed and not finished.documents and all(failure.refused for failure in finished.failures):
        return Exit.REFUSED
    return Exit.PARTLY if finished.failed else Exit.DONE


async def followed(console: Console, events: AsyncIterator[IngestEvent]) -> Finished:
    """Show a run of ingestion as it goes on; return its figures."""
    finished = Finished()
    shown: AbstractContextManager[Bar | None] = nullcontext()
    if console.full_terminal and not console.quiet:
        shown = bar_on(console)
    try:
        with shown as bar:
            async with closed_after(events):
                async for event in events:
                    if isinstance(event, Finished):
                        finished = event
                    elif bar is not None:
                        bar.show(event)
    except asyncio.CancelledError:
        console.tell("Stopped. What was added stays; the same command again completes the rest.")
        raise
    return finished


def _list_failures(console: Console, failures: tuple[Failure, ...]) -> None:
    for failure in failures:
        part = f" ({clean_line(failure.name)})" if failure.name else ""
        console.complain(
            Styled("refused: " if failure.refused else "not read: ", "bad"),
            f"{clean_line(failure.source)}{part}: {clean_line(failure.reason)}",
        )


@contextmanager
def bar_on(console: Console) -> Iterator[Bar]:
    """Give a progress bar on standard error that is taken away at the end."""
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns: list[ProgressColumn] = [
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[figures]}", markup=False),
        TextColumn("{task.fields[at]}", style="dim", markup=False),
    ]
    rich = RichConsole(stderr=True, no_color=not console.err_coloured, highlight=False)
    with RichProgress(*columns, console=rich, transient=True) as progress:
        yield _RichBar(progress)


class _RichBar:
    def __init__(self, progress: object) -> None:
        from rich.progress import Progress as RichProgress

        assert isinstance(progress, RichProgress)
        self._progress = progress
        self._task = progress.add_task("", total=1.0, figures="looking for files", at="")

    def show(self, event: IngestEvent) -> None:
        """Move the bar."""
        match event:
            case FileStarted(source=source):
                self._progress.update(self._task, at=clean_line(source.rpartition("/")[2])[:40])
            case Progress():
                self._progress.update(self._task, completed=event.fraction, figures=figures_of(event))
