"""What the list of conversations looks like. New pictures: pytest THIS_FILE --snapshot-update."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.driving import NARROW, WIDE, app_over, area, quiet, shown, until
from tests.tui.talks import SOME, guest_with

State = Callable[[Pilot[int]], Awaitable[None]]


@pytest.fixture(autouse=True)
def _one_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


async def listed(pilot: Pilot[int]) -> None:
    await until(pilot, lambda: pilot.app._serving._prepared.is_set())
    await pilot.press("f5")
    await until(pilot, lambda: "Conversations · " in shown(pilot))


async def found(pilot: Pilot[int]) -> None:
    await listed(pilot)
    await pilot.press("slash", *"churn")
    await until(pilot, lambda: "Answer 3: churn" in shown(pilot))


async def renaming(pilot: Pilot[int]) -> None:
    await listed(pilot)
    await pilot.press("end", "r")
    await until(pilot, lambda: pilot.app.screen.query_one("#rename").has_focus)


async def opened(pilot: Pilot[int]) -> None:
    await listed(pilot)
    await pilot.press("end", "enter")
    await until(pilot, lambda: "Question 3?" in shown(pilot) and area(pilot).has_focus)
    await until(pilot, lambda: quiet(pilot))


STATES: tuple[State, ...] = (listed, found, renaming, opened)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_the_list_looks_as_it_did(snap_compare: Any, home: Path, state: State, size: tuple[int, int]) -> None:
    app = app_over(lambda: guest_with(home, *SOME))
    assert snap_compare(app, run_before=state, terminal_size=size)


@pytest.mark.parametrize("theme", ["paper", "high-contrast"])
def test_the_list_in_a_theme_looks_as_it_did(snap_compare: Any, home: Path, theme: str) -> None:
    app = app_over(lambda: guest_with(home, *SOME))
    app.theme = theme
    assert snap_compare(app, run_before=found, terminal_size=WIDE)


def test_the_list_without_conversations_looks_as_it_did(snap_compare: Any, home: Path) -> None:
    app = app_over(lambda: guest_with(home))
    assert snap_compare(app, run_before=listed, terminal_size=NARROW)
