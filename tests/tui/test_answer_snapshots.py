"""What the parts of an answer look like. New pictures: pytest tests/tui/test_answer_snapshots.py --snapshot-update."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from multidb_chat.tui.widgets.completions import Completions
from tests.tui.driving import NARROW, WIDE, ask, exchanges, quiet, send, shown, until
from tests.tui.test_snapshots import State, app_of, welcome

FOUNDED = "When was the Kestrel observatory founded, and who founded it?"
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])


async def passage(pilot: Pilot[int]) -> None:
    await welcome(pilot)
    await ask(pilot, FOUNDED)
    await pilot.press("ctrl+o")
    await until(pilot, lambda: "Tickets cost 12 euros" in shown(pilot))


async def versions(pilot: Pilot[int]) -> None:
    """The second answer of two, rated, with the focus on it."""
    await welcome(pilot)
    first = await ask(pilot, FOUNDED)
    await send(pilot, "/retry")
    await until(pilot, lambda: exchanges(pilot) and exchanges(pilot)[0] is not first and exchanges(pilot)[0].ended)
    await until(pilot, lambda: quiet(pilot))
    await pilot.press("alt+up", "plus")
    await until(pilot, lambda: "You found this answer good" in shown(pilot))


async def editing(pilot: Pilot[int]) -> None:
    await welcome(pilot)
    await ask(pilot, f"@observatory.md {FOUNDED}")
    await pilot.press("alt+up", "e")
    await until(pilot, lambda: "stands beside the first one" in shown(pilot))


async def naming(pilot: Pilot[int]) -> None:
    await welcome(pilot)
    await pilot.press(*"What is in @")
    await until(pilot, lambda: pilot.app.screen.query_one(Completions).chosen is not None)
    await pilot.press("down")
    await pilot.pause()


async def feedback(pilot: Pilot[int]) -> None:
    await welcome(pilot)
    await send(pilot, "/my-feedback")
    await until(pilot, lambda: "You gave no feedback yet" in shown(pilot))


STATES: tuple[State, ...] = (passage, versions, editing, naming, feedback)


@SIZES
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_state_looks_as_it_did(snap_compare: Any, home: Path, state: State, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(home), run_before=state, terminal_size=size)


@pytest.mark.parametrize("theme", ["paper", "high-contrast"])
@pytest.mark.parametrize("state", [passage, versions], ids=lambda state: state.__name__)
def test_a_theme_looks_as_it_did(snap_compare: Any, home: Path, state: State, theme: str) -> None:
    app = app_of(home)
    app.theme = theme
    assert snap_compare(app, run_before=state, terminal_size=WIDE)
