"""How background tasks look in a shell: one by one, as a list, while they run, and their reports."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.session import closed_after
from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.domain.tasks import Task
from multidb_chat.domain.text import clean_line
from multidb_chat.services.tasks.inbox import Letter, title_of
from multidb_chat.services.tasks.reports import Report, loads
from multidb_chat.services.tasks.service import short_id

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

    from multidb_chat.bootstrap import Application

STATE_STYLE = {"queued": "faint", "running": "fair", "done": "good", "failed": "bad", "cancelled": "faint"}
NO_TASKS = 'There are no background tasks. Begin one: multidb-chat research "customer churn"'
NO_LETTERS = "The inbox is empty. What ends in the background is told here."


async def follow(
    console: Console,
    application: "Application",
    task: Task,
    as_json: bool,
    output: str = "-",
    *,
    cancels: bool = False,
    redraws: bool = True,
) -> Exit:
    """Work on the queue until the task has ended, show how far it is and what came of it; return the exit code.

    `cancels`: whoever interrupts this does not want the task any more. Without `redraws` there is no bar.
    """
    service, account = application.task_service, application.account
    working = asyncio.create_task(application.worker.run(lanes=2))  # its own task is not kept by a longer one
    try:
        with _bar(console, redraws) as bar:
            states = service.wait(account, task.id)
            async with closed_after(states):
                async for task in states:
                    bar(task)
    except asyncio.CancelledError:
        if cancels:
            with suppress(MultidbChatError):
                await service.cancel(account, task.id)
            console.tell("Stopped; the task is cancelled.")
        raise
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    await application.inbox.mark_read(account, [task.id])
    return ended(console, task, as_json, output)


def queued(console: Console, task: Task, as_json: bool) -> Exit:
    """Tell that a task waits, and who will do it."""
    if as_json:
        console.write_json(task_record(task))
    else:
        console.write("queued ", Styled(short_id(task), "strong"))
        console.tell(
            "It is done while the app is open or multidb-chat tasks work runs; see it: multidb-chat tasks show "
            f"{short_id(task)}"
        )
    return Exit.DONE


def ended(console: Console, task: Task, as_json: bool, output: str = "-") -> Exit:
    """Write the report of a task that has ended, or why there is none; return the exit code."""
    report = report_of(task)
    if as_json:
        console.write_json(task_record(task) | {"report": report and report_record(report)})
    elif report is not None:
        _write_report(console, report, output)
    if task.state == "failed":
        console.error(f"the task {short_id(task)} failed: {task.error}")
    elif task.state == "cancelled":
        console.complain(f"the task {short_id(task)} was cancelled")
    if report is None:
        return Exit.PARTLY
    return Exit.DONE if report.found else Exit.NOTHING


def _write_report(console: Console, report: Report, output: str) -> None:
    if output != "-":
        from pathlib import Path

        from multidb_chat.domain.errors import InvalidInput

        try:
            Path(output).expanduser().write_text(report.markdown, encoding="utf-8", errors="replace")
        except OSError as error:
            raise InvalidInput(f"{output} cannot be written: {error.strerror}") from error
        console.tell("wrote ", Styled(clean_line(output), "strong"))
    else:
        # On a pipe, a report on nothing is none.
        (console.write if report.found or console.out_is_terminal else console.tell)(report.markdown.rstrip("\n"))
    if report.document_id:
        console.tell(f"Saved in the collection {clean_line(report.collection)} as {report.document_id[:8]}.")


def show(console: Console, task: Task, as_json: bool, output: str) -> Exit:
    """Write what is known of a task, and its report when it is done."""
    if task.state == "done":
        return ended(console, task, as_json, output)
    if as_json:
        console.write_json(task_record(task) | {"report": None})
        return Exit.DONE
    for key, value in task_record(task).items():
        if value not in (None, "", 0, {}):
            shown = ", ".join(f"{name}={text}" for name, text in value.items()) if isinstance(value, dict) else value
            console.write(Styled(f"{key.replace('_', ' '):<14}", "faint"), clean_line(str(shown)))
    return Exit.DONE


def list_tasks(console: Console, tasks: Sequence[Task], as_json: bool) -> Exit:
    """Write tasks in a table, the latest first."""
    if as_json:
        console.write_json({"tasks": [task_record(task) for task in tasks]})
        return Exit.DONE
    if not tasks:
        console.tell(NO_TASKS)
    widest = max((len(title_of(task)) for task in tasks), default=0)
    for task in tasks:
        title = title_of(task)
        console.write(
            f"{short_id(task)}  ",
            Styled(f"{task.state:<9}", STATE_STYLE[task.state]),
            "  ",
            Styled(_fitted(title, min(widest, 40)), "strong"),
            f"  {_when(task.created_at)}  ",
            clean_line(_news(task)),
        )
    return Exit.DONE


def list_letters(console: Console, letters: Sequence[Letter], as_json: bool) -> Exit:
    """Write an inbox, the latest first."""
    if as_json:
        console.write_json({"notifications": [letter_record(letter) for letter in letters]})
        return Exit.DONE
    if not letters:
        console.tell(NO_LETTERS)
    for letter in letters:
        console.write(
            Styled("  " if letter.read else "* ", "mark"),
            f"{letter.task_id[-8:]}  ",
            Styled(clean_line(letter.title), "strong"),
            f"  {_when(letter.at)}  ",
            Styled(letter.summary, "bad" if letter.failed else "faint"),
        )
    if letters:
        console.tell(Styled("See one: multidb-chat tasks show ID", "faint"))
    return Exit.DONE


def task_record(task: Task) -> dict[str, Any]:
    """Return a task as JSON values, without its result; times are ISO 8601 in UTC."""
    return {
        "id": task.id,
        "kind": task.kind,
        "about": task.payload.get("about", ""),
        "options": {key: value for key, value in task.payload.items() if key != "about"},
        "state": task.state,
        "progress": round(task.progress, 3),
        "step": task.step,
        "attempts": task.attempts,
        "summary": task.summary,
        "error": task.error,
        "created_at": _iso(task.created_at),
        "not_before": _iso(task.not_before),
        "ended_at": _iso(task.ended_at),
    }


def report_record(report: Report) -> dict[str, Any]:
    """Return a report as JSON values."""
    from dataclasses import asdict

    return asdict(report)


def letter_record(letter: Letter) -> dict[str, Any]:
    """Return a line of the inbox as JSON values."""
    return {
        "task": letter.task_id,
        "at": _iso(letter.at),
        "title": letter.title,
        "summary": letter.summary,
        "failed": letter.failed,
        "read": letter.read,
    }


def report_of(task: Task) -> Report | None:
    """Return the report of a done task, None for any other."""
    return loads(task.result) if task.state == "done" else None


def _news(task: Task) -> str:
    if task.state == "running":
        return f"{task.progress:.0%} {task.step}"
    if task.state == "queued" and task.not_before is not None:
        return f"again from {_when(task.not_before)}: {task.error}"
    return task.error if task.state == "failed" else task.summary


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _when(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def _fitted(text: str, width: int) -> str:
    return f"{text if len(text) <= width else text[: width - 1] + '…':<{width}}"


@contextmanager
def _bar(console: Console, redraws: bool) -> "Iterator[Any]":
    """Give what shows a task's progress: a bar on a terminal that is taken away at the end, nothing elsewhere."""
    if not (redraws and console.full_terminal) or console.quiet:
        yield lambda task: None
        return
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, Progress, TextColumn

    columns: list[ProgressColumn] = [
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[step]}", style="dim", markup=False),
    ]
    rich = RichConsole(stderr=True, no_color=not console.err_coloured, highlight=False)
    with Progress(*columns, console=rich, transient=True) as progress:
        line = progress.add_task("", total=1.0, step="waiting for its turn")

        def show_state(task: Task) -> None:
            waiting = f"trying again from {_when(task.not_before)}: {task.error}" if task.not_before else ""
            step = task.step or waiting or ("waiting for its turn" if task.state == "queued" else "beginning")
            progress.update(line, completed=task.progress, step=clean_line(step)[:60])

        yield show_state
