"""Background tasks in the app: asked for, followed, cancelled, told in the inbox, and read."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets import DataTable

from multidb_chat.bootstrap import Application, open_application
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.tasks import Task
from multidb_chat.services.tasks.handling import Outcome, Tell
from multidb_chat.services.tasks.reports import Report, dumps
from multidb_chat.services.tasks.worker import Pace, Worker
from multidb_chat.tui.app import ChatApp
from multidb_chat.tui.themes import NAMES
from tests.tui.driving import NARROW, PATIENCE, WIDE, app_over, area, lines, send, shown, toasts, until
from tests.tui.home import settings_in
from tests.tui.slowly import Held, Services
from tests.tui.test_contrast import unreadable

QUICK = Pace(lease=30, beat=0.02, poll=0.02)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again sooner than a person would want, so that nobody waits."""
    for place in ("screens.followed", "screens.report", "widgets.news"):
        monkeypatch.setattr(f"multidb_chat.tui.{place}.EVERY", 0.1)


def member_of(home: Path, **replaced: Callable[[Application], Any]) -> AbstractAsyncContextManager[Any]:
    """Open the services of a home for its local account, which may run tasks; what is named is made differently."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def opened() -> Any:
        async with open_application(settings_in(home)) as application:
            made = {"worker": quick_worker(application)} | {name: make(application) for name, make in replaced.items()}
            yield Services(application, **made)

    return opened()


def quick_worker(application: Application, **handlers: Any) -> Worker:
    """Return a worker that looks often."""
    own = {"analyze": application._analysis, "research": application._investigation}
    return Worker(application.tasks, application.accounts, own | handlers, application.inbox, pace=QUICK)


class HeldHandler:
    """A handler that tells how far it is and waits."""

    def __init__(self, held: Held) -> None:
        self.held = held

    async def __call__(self, task: Task, account: Account, tell: Tell) -> Outcome:
        tell(0.5, "reading the observatory's log")
        await self.held.wait()
        return Outcome("{}", "let go")


def app_of(home: Path, held: Held | None = None) -> ChatApp:
    """Return the app for a member; with a `held`, every research waits there."""
    if held is None:
        return app_over(lambda: member_of(home))
    handler = HeldHandler(held)
    return app_over(lambda: member_of(home, worker=lambda real: quick_worker(real, research=lambda: handler)))


def app(pilot: Pilot[int]) -> ChatApp:
    assert isinstance(pilot.app, ChatApp)
    return pilot.app


async def opened(pilot: Pilot[int]) -> Any:
    """Wait for the services and return them."""
    return await app(pilot)._serving.prepared()


async def ended(pilot: Pilot[int], count: int = 1) -> None:
    """Wait until so many tasks are in the inbox."""
    services = await opened(pilot)

    async def there() -> bool:
        return len(await services.inbox.letters(services.account)) >= count

    async with asyncio.timeout(PATIENCE):
        while not await there():
            await pilot.pause(0.02)


async def test_a_research_runs_behind_the_chat_and_its_report_is_read_from_the_inbox(home: Path) -> None:
    async with app_of(home).run_test(size=WIDE) as pilot:
        await opened(pilot)
        await send(pilot, "/research the Kestrel observatory")
        await until(pilot, lambda: "is under way" in toasts(pilot))
        await until(pilot, lambda: "✉ 1 unread, F9" in shown(pilot))
        await until(pilot, lambda: "research: the Kestrel observatory: " in toasts(pilot))
        await send(pilot, "/notifications")
        await until(pilot, lambda: "Inbox · 1, 1 unread" in shown(pilot))
        assert "●" in shown(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "Searched in: documents" in shown(pilot))
        await pilot.press("s")
        await until(pilot, lambda: "characters" in shown(pilot))
        await pilot.press("o")
        await until(pilot, lambda: "Next citation" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "characters" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "Inbox · 1" in shown(pilot) and "unread" not in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)
        await until(pilot, lambda: "✉" not in shown(pilot))


async def test_an_analysis_counts_the_documents(home: Path) -> None:
    async with app_of(home).run_test(size=WIDE) as pilot:
        await opened(pilot)
        await send(pilot, "/analyze churn in #documents ")  # behind the space, Enter takes no completion
        await ended(pilot)
        await send(pilot, "/tasks")
        await until(pilot, lambda: "● done" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "Analysis: churn in documents" in shown(pilot))
        assert "What you asked about: churn" in shown(pilot)


async def test_a_report_is_saved_as_a_document_if_wished(home: Path) -> None:
    async with app_of(home).run_test(size=WIDE) as pilot:
        services = await opened(pilot)
        await send(pilot, "/research the Kestrel observatory --save studies")
        await ended(pilot)
        found = await services.documents.resolve(services.account, ["studies"])
        (document,) = await services.documents.list(services.account, found)
        assert document.title == "Research: the Kestrel observatory"
        await send(pilot, "/tasks")
        await until(pilot, lambda: "● done" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "Saved in the collection studies" in shown(pilot))


async def test_a_running_task_shows_its_progress_and_is_cancelled(home: Path) -> None:
    held = Held()
    async with app_of(home, held).run_test(size=WIDE) as pilot:
        await opened(pilot)
        await send(pilot, "/research tea")
        await held.reached.wait()
        await send(pilot, "/tasks")
        await until(pilot, lambda: "50%" in shown(pilot) and "reading the observatory's log" in shown(pilot))
        assert "Tasks · 1, 1 to do" in shown(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "It is running." in shown(pilot))
        await pilot.press("escape")
        await pilot.press("c")
        await until(pilot, lambda: "– cancelled" in shown(pilot))
        await until(pilot, lambda: held.left == "cancelled")
        await pilot.press("c")
        await until(pilot, lambda: "has ended already" in toasts(pilot))
        held.go.set()
        await pilot.press("r")
        await until(pilot, lambda: "● done" in shown(pilot))


async def test_leaving_the_app_gives_a_running_task_back(home: Path) -> None:
    held = Held()
    async with app_of(home, held).run_test(size=WIDE) as pilot:
        await opened(pilot)
        await send(pilot, "/research tea")
        await held.reached.wait()
    assert held.left == "cancelled"
    async with open_application(settings_in(home)) as application:
        (task,) = await application.task_service.list(application.account)
        assert (task.state, task.attempts) == ("queued", 0)


async def test_a_task_that_failed_says_why(home: Path) -> None:
    async with app_of(home).run_test(size=WIDE) as pilot:
        services = await opened(pilot)
        await services.task_service.submit(services.account, "research", "tea", {"collections": "nowhere"})
        await until(pilot, lambda: "failed" in toasts(pilot))
        await pilot.press("f9")
        await until(pilot, lambda: "✗ failed: There is no collection" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "It failed" in shown(pilot) and "There is no collection" in shown(pilot))


async def test_the_inbox_is_cleared_line_by_line_and_whole(home: Path) -> None:
    async with app_of(home).run_test(size=WIDE) as pilot:
        await opened(pilot)
        for topic in ("tea", "coffee", "milk"):
            await send(pilot, f"/research {topic}")
        await ended(pilot, 3)
        await pilot.press("f9")
        await until(pilot, lambda: "Inbox · 3, 3 unread" in shown(pilot))
        await pilot.press("x")
        await until(pilot, lambda: "Inbox · 2" in shown(pilot))
        await pilot.press("m")
        await until(pilot, lambda: "Inbox · 2" in shown(pilot) and "●" not in shown(pilot))
        await pilot.press("X")
        await until(pilot, lambda: "Your inbox is empty." in shown(pilot))
        await pilot.press("t")
        await until(pilot, lambda: "Tasks · 3" in shown(pilot))


async def test_notifications_clear_empties_the_inbox(home: Path) -> None:
    async with app_of(home).run_test(size=WIDE) as pilot:
        await opened(pilot)
        await send(pilot, "/notifications clear")
        await until(pilot, lambda: "The inbox was empty." in toasts(pilot))
        await send(pilot, "/research tea")
        await ended(pilot)
        await send(pilot, "/notifications clear")
        await until(pilot, lambda: "1 cleared" in toasts(pilot))
        await until(pilot, lambda: "✉" not in shown(pilot))
        await send(pilot, "/notifications of yesterday")
        await until(pilot, lambda: "knows only clear" in toasts(pilot))


async def test_without_a_topic_nothing_is_researched(home: Path) -> None:
    async with app_of(home).run_test(size=NARROW) as pilot:
        services = await opened(pilot)
        await send(pilot, "/research ?")
        await until(pilot, lambda: "Say what to find out" in toasts(pilot))
        await send(pilot, "/research tea #nowhere")
        await until(pilot, lambda: "There is no collection" in toasts(pilot))
        assert await services.task_service.list(services.account) == []


@pytest.mark.parametrize("command", ["/research tea", "/analyze"])
async def test_a_guest_is_told_how_to_register(home: Path, command: str) -> None:
    from tests.tui.driving import app_in

    async with app_in(home).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: app(pilot)._serving.opened is not None)
        await send(pilot, command)
        await until(pilot, lambda: "/register" in toasts(pilot))


async def test_empty_screens_say_what_to_do(home: Path) -> None:
    async with app_of(home).run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+b")
        await until(pilot, lambda: "/research TOPIC" in shown(pilot))
        await pilot.press("i")
        await until(pilot, lambda: "Your inbox is empty." in shown(pilot))
        await until(
            pilot, lambda: lines(pilot)[-1].split() == ["Esc", "Back", "t", "Tasks", "^P", "Actions", "F1", "Help"]
        )
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)


async def test_many_changes_keep_the_cursor_where_it_was(home: Path) -> None:
    held = Held()
    async with app_of(home, held).run_test(size=WIDE) as pilot:
        services = await opened(pilot)
        for topic in ("tea", "coffee", "milk"):
            await services.task_service.submit(services.account, "research", topic)
        await pilot.press("ctrl+b")
        await until(pilot, lambda: "Tasks · 3" in shown(pilot))
        await pilot.press("down", "down")
        held.go.set()
        await until(pilot, lambda: shown(pilot).count("● done") == 3)
        assert pilot.app.screen.query_one(DataTable).cursor_row == 2


@pytest.mark.parametrize(("bell", "sent"), [("off", ""), ("bell", "\a"), ("desktop", "\x1b]9;research: tea: ")])
async def test_the_end_of_a_task_rings_where_that_is_switched_on(
    home: Path, monkeypatch: pytest.MonkeyPatch, bell: str, sent: str
) -> None:
    chat = ChatApp(lambda: member_of(home), bell=bell)
    async with chat.run_test(size=NARROW) as pilot:
        services = await opened(pilot)
        written: list[str] = []
        assert chat._driver is not None
        monkeypatch.setattr(chat._driver, "write", written.append)
        monkeypatch.setattr(chat, "bell", lambda: written.append("\a"))
        await services.task_service.submit(services.account, "research", "tea\x1b]0;stolen\x07")
        await until(pilot, lambda: "research: tea" in toasts(pilot))
        rung = [piece for piece in written if piece in ("\a",) or piece.startswith("\x1b]9;")]
        assert len(rung) == (1 if sent else 0)
        assert all(piece.startswith(sent) for piece in rung)
        assert all("\x1b" not in piece[4:] for piece in rung)


REPORT = Report(
    "Research: customer churn",
    """# Research: customer churn

Searched in: documents. Of 12 questions, 9 could be answered, in the words of 4 documents.

## Customer churn

Customer churn was 6.4 percent: 118 customers left during 2019. [1]

| Year | Churn |  |
| --- | --: | --- |
| 2019 | 6.4 | ███████████ |
| 2020 | 8.1 | ██████████████ |

## What the documents do not say

Nothing in the documents supports an answer to these:

- **Why**: nearest is the annual report 2021, People.
""",
    True,
)


class Frozen:
    """The real task service or inbox, whose times are of one day."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def list(self, *given: Any, **named: Any) -> list[Task]:
        day = datetime(2026, 1, 2, 9, tzinfo=UTC)
        found = await self._real.list(*given, **named)
        return [replace(task, created_at=day - timedelta(minutes=n)) for n, task in enumerate(found)]

    async def letters(self, *given: Any, **named: Any) -> Any:
        day = datetime(2026, 1, 2, 9, tzinfo=UTC)
        found = await self._real.letters(*given, **named)
        return [replace(letter, at=day - timedelta(minutes=n)) for n, letter in enumerate(found)]


def snapped(home: Path) -> ChatApp:
    """Return the app with a task in every state, and nobody who works."""

    class Idle:
        async def run(self, lanes: int = 1) -> None:
            await asyncio.Event().wait()

    return app_over(
        lambda: member_of(
            home,
            worker=lambda real: Idle(),
            task_service=lambda real: Frozen(real.task_service),
            inbox=lambda real: Frozen(real.inbox),
        )
    )


async def every_state(pilot: Pilot[int]) -> None:
    """Make a task in every state."""
    services = await opened(pilot)
    now, account, tasks = datetime.now(UTC) - timedelta(hours=1), services.account, services._application.tasks
    topics = ("customer churn in the reports of the last three years", "tea", "coffee", "the observatory", "milk")
    made = [await services.task_service.submit(account, "research", topic) for topic in topics]
    await services.task_service.submit(account, "analyze", "")
    claims = [await tasks.claim("w", now + timedelta(hours=2), now + timedelta(days=9), ["research"]) for _ in range(4)]
    await tasks.finish(claims[0], now, dumps(REPORT), "9 questions answered, 3 not, from 4 documents")
    await tasks.fail(claims[1], now + timedelta(seconds=1), 'There is no collection named "tea".')
    await tasks.heartbeat(claims[2], now + timedelta(days=9), 0.4, "Problems and risks")
    await tasks.finish(claims[3], now + timedelta(seconds=2), "{}", "4 questions answered, 2 not, from 1 document")
    await tasks.cancel(made[4].id, now)
    await tasks.mark_read(account.id, now, [made[0].id])


async def tasks_screen(pilot: Pilot[int]) -> None:
    await every_state(pilot)
    await pilot.press("ctrl+b")
    await until(pilot, lambda: "Tasks · 6, 2 to do" in shown(pilot))


async def report_screen(pilot: Pilot[int]) -> None:
    await tasks_screen(pilot)
    await pilot.press("ctrl+end", "enter")
    await until(pilot, lambda: "Searched in" in shown(pilot))


async def inbox_screen(pilot: Pilot[int]) -> None:
    await every_state(pilot)
    await pilot.press("f9")
    await until(pilot, lambda: "Inbox · 3, 2 unread" in shown(pilot))


@pytest.mark.parametrize("theme", ["ink", "paper"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("state", [tasks_screen, inbox_screen, report_screen], ids=["tasks", "inbox", "report"])
def test_a_screen_looks_as_it_did(
    snap_compare: Any, home: Path, monkeypatch: pytest.MonkeyPatch, state: Any, size: tuple[int, int], theme: str
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    chat = snapped(home)
    chat.theme = theme
    assert snap_compare(chat, run_before=state, terminal_size=size)


@pytest.mark.parametrize("theme", NAMES)
async def test_every_text_of_the_screens_can_be_read_in_every_theme_and_size(home: Path, theme: str) -> None:
    chat = snapped(home)
    chat.theme = theme
    least = 7.0 if theme == "high-contrast" else 4.5
    async with chat.run_test(size=WIDE) as pilot:
        await report_screen(pilot)
        for key, words in (("", "Searched in"), ("escape", "Tasks · 6"), ("i", "Inbox · 3")):
            if key:
                await pilot.press(key)
            for size in ((40, 12), NARROW, (200, 50), WIDE):
                await pilot.resize_terminal(*size)
                await until(pilot, lambda words=words: words in shown(pilot))
                assert {cell_len(line) for line in lines(pilot)} == {size[0]}
            assert unreadable(pilot, least) == set()
