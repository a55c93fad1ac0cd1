"""The real program as a shell runs it, in homes that are copied from one that is prepared once."""

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Program, unsafe

LIGHTHOUSE = "Who paints the lighthouse?"
PAINTER = "Mats Berg paints it every third summer."
TEXTS = {
    "lighthouse.txt": f"A lighthouse stands on the island. {PAINTER}\n",
    "otters.md": "# Otters\n\nTwo otters live in the river Fyris. The older otter is called Ludvig.\n",
    "tides.html": "<title>Tides</title><h1>Tides</h1><p>The tide at Brest is seven metres high in March.</p>",
}
STORES = ("accounts", "conversations", "library")

# Permissions bind root no more than they bind the system, unless it lets go of the two capabilities that say so.
UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


def error_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that the program said of an error; it said nothing else, and gave nothing."""
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("error: "), done.stderr
    assert not unsafe(done.stderr)
    return done.stderr


def answers(program: Program, *arguments: str, **environ: str) -> str:
    """Ask who paints the lighthouse, look that the answer is right, and return what was said beside it."""
    done = program("ask", LIGHTHOUSE, *arguments, **environ)
    assert done.returncode == 0, done.stderr
    assert PAINTER in done.stdout
    return done.stderr


def unprivileged(program: Program, *arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command line with permissions that bind."""
    if UNPRIVILEGED and (shutil.which("setpriv") is None or subprocess.run([*UNPRIVILEGED, "true"]).returncode):
        pytest.skip("this is root, whom permissions do not bind, and setpriv is not here")
    done = subprocess.run(
        [*UNPRIVILEGED, *program.line(*arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=program.environ(**environ),
        timeout=120,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def started(program: Program, *arguments: str | Path, **environ: str) -> subprocess.Popen[str]:
    """Start a command line in a process group of its own."""
    return subprocess.Popen(
        program.line(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=program.environ(**environ),
        start_new_session=True,
    )


def killed(process: subprocess.Popen[str]) -> None:
    """`kill -9` the program alone: what it started has to end by itself."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def assert_whole(home: Path) -> None:
    """Look that every database below the folder is what it should be."""
    for path in sorted(home.rglob("*.sqlite")):
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == [], path
        connection.close()


def mount(*arguments: str | Path) -> None:
    """Mount something or skip the test, since not everybody may."""
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """Give a disk of its own, of so many bytes (`4m`)."""
    place.mkdir()
    mount("-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", place)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def fill(disk: Path) -> Path:
    """Leave not one byte; return the file to remove for space."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            for size in (65_536, 512, 1):
                while file.write(b"x" * size):
                    pass
        except OSError:
            pass
    return ballast
