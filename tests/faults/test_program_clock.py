"""A clock that goes back, between runs and within one: order and freshness do not hang on it."""

from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.faults.program import answers, assert_whole

# Shifts the clock of a Python process by CLOCK_SHIFT seconds, and by CLOCK_STEP more with each look at it.
CLOCK = """
import datetime, os, time
shift, step = float(os.environ.get("CLOCK_SHIFT", 0)), float(os.environ.get("CLOCK_STEP", 0))
true, true_ns, class_ = time.time, time.time_ns, datetime.datetime
def moved():
    global shift
    shift += step
    return shift
class Moved(class_):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)
time.time = lambda: true() + moved()
time.time_ns = lambda: true_ns() + int(moved() * 1e9)
datetime.datetime = Moved
"""
DAY, YEARS = 86_400, 1_000_000_000


@pytest.fixture
def moved(program: Program, tmp_path: Path) -> Program:
    """The program with a clock that can be moved."""
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(CLOCK)
    return Program(program.home, {"PYTHONPATH": str(tmp_path / "clock")})


def test_between_runs_the_clock_may_go_back_and_forth(moved: Program, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    for time, name in ((0, "Ludvig"), (-YEARS, "Selma"), (DAY, "Hjalmar"), (0, "Tove")):
        note.write_text(f"The captain of the ferry is called {name}.")
        done = moved("docs", "add", note, CLOCK_SHIFT=str(time))
        assert done.returncode == 0, done.stderr
        assert "1 added" in done.stdout or "1 replaced" in done.stdout
        asked = moved("ask", "--continue", "What is the captain of the ferry called?", CLOCK_SHIFT=str(time))
        assert asked.returncode == 0, asked.stderr
        assert name in asked.stdout, "an answer of another time"
        assert "note:" not in asked.stderr
    assert_whole(moved.home)


def test_within_a_run_the_clock_may_go_back(moved: Program, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.txt").write_text(f"Lake {number} is {number + 3} metres deep.")
    backwards = {"CLOCK_STEP": "-60"}
    assert moved("docs", "add", folder, **backwards).stdout.startswith("8 added")
    assert moved("docs", "add", folder, **backwards).stdout.startswith("8 unchanged")
    assert "6 metres" in moved("ask", "How deep is lake 3?", **backwards).stdout
    assert "note:" not in answers(moved, "--no-cache", **backwards)
    follow = moved("ask", "--continue", "Who paints the lighthouse?", **backwards)
    assert follow.returncode == 0, follow.stderr
    assert_whole(moved.home)
