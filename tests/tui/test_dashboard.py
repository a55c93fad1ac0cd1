"""The dashboard and the other commands about what was used: how they look, and that they follow what happens."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from multidb_chat.bootstrap import Application
from multidb_chat.domain.plans import DOCUMENTS, MESSAGES, STORAGE, TASKS, Standing, Usage
from multidb_chat.domain.statistics import CACHED, FAILED, NOT_FOUND, TURNS, Day, Figures, bucket
from multidb_chat.services.figures_wording import figure_rows, usage_rows
from multidb_chat.tui.app import ChatApp
from multidb_chat.tui.screens.dashboard import DashboardScreen
from multidb_chat.tui.screens.figures import FiguresScreen
from multidb_chat.tui.themes import THEMES
from tests.tui.driving import NARROW, WIDE, app_in, app_over, area, ask, prepared, send, shown, toasts, until
from tests.tui.slowly import services_of

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
FOUNDED = "Who founded the Kestrel observatory?"
BUSY = Standing(
    "free",
    datetime(2026, 6, 1, tzinfo=UTC),
    (
        Usage(MESSAGES, 812, 1_000, MARCH),
        Usage(DOCUMENTS, 35, 1_000, MARCH),
        Usage(STORAGE, 498_000_000, 500_000_000, None),
        Usage(TASKS, 50, 50, MARCH),
    ),
)
NEW = Standing("enterprise", None, tuple(Usage(name, 0, None, MARCH) for name in (MESSAGES, DOCUMENTS, STORAGE, TASKS)))


def a_day(number: int) -> Day:
    """Return a day of February 2026 with a few more questions than the last, but for weekends."""
    day = date(2026, 2, 1) + timedelta(days=number - 1)
    turns = 0 if day.weekday() > 4 else 10 + number % 7 * 6
    times = {
        bucket(50.0): turns // 3,
        bucket(200.0): turns // 2,
        bucket(500.0): turns // 8,
        bucket(2_000.0): turns // 20,
    }
    return Day(
        day, turns, {TURNS: turns, CACHED: turns * number // 60, NOT_FOUND: turns // 9, FAILED: turns // 30} | times
    )


FIGURES = Figures(tuple(a_day(number) for number in range(1, 29)), 35, 498_000_000, 41, 6)
NOTHING = Figures(tuple(Day(date(2026, 2, number), 0) for number in range(1, 29)))


class Fixed:
    """The real services, which tell the same figures at any time."""

    def __init__(self, standing: Standing, figures: Figures) -> None:
        self._standing = standing
        self._figures = figures

    async def usage_of(self, account: object) -> Standing:
        return self._standing

    async def of(self, account: object, days: int = 30) -> Figures:
        return self._figures


def app_with(home: Path, standing: Standing, figures: Figures) -> ChatApp:
    """Return the app over an installation with these figures."""

    def replaced(real: Application) -> dict[str, Any]:
        fixed = Fixed(standing, figures)
        return {"plans": fixed, "statistics": fixed}

    return app_over(lambda: services_of(home, replaced))


async def dashboard(pilot: Pilot[int]) -> None:
    await prepared(pilot)
    await pilot.press("f8")
    await until(pilot, lambda: "plan " in shown(pilot))


LOOKS = {
    "narrow": (NARROW, "ink", BUSY, FIGURES),
    "wide": (WIDE, "ink", BUSY, FIGURES),
    "paper": (NARROW, "paper", BUSY, FIGURES),
    "high-contrast": (WIDE, "high-contrast", BUSY, FIGURES),
    "empty": (NARROW, "ink", NEW, NOTHING),
}


@pytest.mark.parametrize("look", LOOKS)
def test_the_dashboard_looks_as_it_did(snap_compare: Any, home: Path, look: str) -> None:
    size, theme, standing, figures = LOOKS[look]

    async def run_before(pilot: Pilot[int]) -> None:
        pilot.app.theme = theme
        await dashboard(pilot)

    assert snap_compare(app_with(home, standing, figures), terminal_size=size, run_before=run_before)


class Alone(App[None]):
    """The box of figures without the chat behind it, which changes more often."""

    def on_mount(self) -> None:
        self.register_theme(THEMES[0])
        self.theme = THEMES[0].name
        sections = [("Plan", usage_rows(BUSY)), ("Last 28 days", figure_rows(FIGURES))]
        self.push_screen(FiguresScreen("Your figures", sections))


def test_figures_in_words_look_as_they_did(snap_compare: Any) -> None:
    assert snap_compare(Alone(), terminal_size=NARROW)


async def test_figures_in_words_are_shown_over_the_chat(home: Path) -> None:
    async with app_with(home, BUSY, FIGURES).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        await send(pilot, "/stats")
        await until(pilot, lambda: "812 used, 188 of 1,000 left, new on 1 March" in shown(pilot))
        assert "half within 133 ms, 95 % within 479 ms" in shown(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)


async def test_the_dashboard_follows_what_happens_and_changes_its_span(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        await dashboard(pilot)
        await until(pilot, lambda: "Nothing was asked in the last 30 days" in shown(pilot))
        assert "50 of 50 left" in shown(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)
        await ask(pilot, FOUNDED)
        await ask(pilot, FOUNDED)
        await send(pilot, "/dashboard")
        await until(pilot, lambda: "48 of 50 left" in shown(pilot))
        assert "2 questions · 50 % from the cache" in shown(pilot)
        assert "Questions a day" in shown(pilot)
        for days in (90, 7, 30):
            await pilot.press("d")
            await until(pilot, lambda days=days: f"Last {days} days" in shown(pilot))  # type: ignore[misc]
        services = await pilot.app._serving.services()
        await services.plans.take(services.account, MESSAGES, 1, "elsewhere")
        await pilot.press("r")
        await until(pilot, lambda: "47 of 50 left" in shown(pilot))


async def test_the_dashboard_fits_other_sizes_and_themes(home: Path) -> None:
    async with app_with(home, BUSY, FIGURES).run_test(size=NARROW) as pilot:
        await dashboard(pilot)
        assert "From the cache, %" not in shown(pilot)
        await pilot.resize_terminal(200, 50)
        await until(pilot, lambda: "From the cache, %" in shown(pilot))
        await pilot.resize_terminal(40, 8)
        await until(pilot, lambda: pilot.app.screen.size.width == 40)
        await pilot.resize_terminal(*NARROW)
        pilot.app.theme = "paper"
        await until(pilot, lambda: "Questions a day" in shown(pilot))


async def test_what_cannot_be_read_is_said_on_the_dashboard(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        services = await pilot.app._serving.services()
        await services.accounts.delete_account(services.account.id)
        await pilot.press("f8")
        await until(pilot, lambda: "does not exist any more" in shown(pilot))
        assert isinstance(pilot.app.screen, DashboardScreen)


async def test_the_session_tells_its_own_questions(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await send(pilot, "/session-stats")
        await until(pilot, lambda: "still being opened" in toasts(pilot))
        await prepared(pilot)
        await send(pilot, "/session-stats")
        await until(pilot, lambda: "nothing answered yet" in shown(pilot))
        await pilot.press("escape")
        await ask(pilot, FOUNDED)
        await ask(pilot, FOUNDED)
        await send(pilot, "/session-stats")
        await until(pilot, lambda: "This session" in shown(pilot))
        assert "1 (50 %)" in shown(pilot)


async def test_cleared_answers_are_made_anew(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await ask(pilot, FOUNDED)
        assert (await ask(pilot, FOUNDED)).answer.cached
        await send(pilot, "/clear-cache")
        await until(pilot, lambda: "made anew" in toasts(pilot))
        assert not (await ask(pilot, FOUNDED)).answer.cached


async def test_the_chat_shows_when_little_is_left_and_what_happens_then(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        await prepared(pilot)
        assert not pilot.app._chat.quota.display
        services = await pilot.app._serving.services()
        await services.plans.take(services.account, MESSAGES, 39, "many")
        await ask(pilot, FOUNDED)
        await until(pilot, lambda: "messages left (guest); then questions are refused until 1 " in shown(pilot))
        assert "10 of 50 messages left" in toasts(pilot)
        await services.plans.take(services.account, MESSAGES, 10, "rest")
        refused = await ask(pilot, FOUNDED)
        assert "All 50 messages a month (guest) are used; you can go on from 1 " in shown(pilot)
        assert refused.answer is None
