"""The program in a real terminal: what reaches it, and how it is left behind."""

import os
import re
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.tui.home import furnish

pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
if not hasattr(pexpect, "spawn"):
    pytest.skip("there are no pseudo-terminals here", allow_module_level=True)

ROWS, COLUMNS = 24, 80
# A whole program in a terminal: beside few others, its screens come as fast as they are read.
pytestmark = pytest.mark.watching
PATIENCE = 30
EVIL = (
    "# Zorblax\x1b]0;owned-title\x07 manual\n\nThe Zorblax device is switched on by turning the brass key "
    "\x1b]52;c;ZXZpbA==\x07 \x1b[31;5mtwice\x1b[0m \x9b2J and \x1bP+q544e\x1b\\ waiting \x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\.\n"
)
# What the text above would do: title, clipboard, blinking, and any C1 control, in UTF-8 or as a byte of its own.
PAYLOADS = (b"\x1b]0;", b"\x1b]52", b"\x1b]8;", b"\x1b[31;5m", b"\x1bP+q", b"\x9b2J")
C1 = re.compile(rb"\xc2[\x80-\x9f]")


def start(home: Path, **environment: str) -> Any:
    """Start the program in a terminal of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MULTIDB_CHAT_", "NO_COLOR"))}
    kept |= {"MULTIDB_CHAT_HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"} | environment
    return pexpect.spawn(sys.executable, ["-m", "multidb_chat"], env=kept, dimensions=(ROWS, COLUMNS), timeout=PATIENCE)


def talk(home: Path, question: str, answer: bytes) -> bytes:
    """Ask in the app, wait for the answer, look at the documents, leave; return all that reached the terminal."""
    child = start(home)
    received = bytearray()

    def wait_for(text: bytes) -> None:
        child.expect_exact(text)
        received.extend(child.before + child.after)

    wait_for(b"what everybody here may see")  # nobody used the program here before
    child.send("g")
    wait_for(b"Ask your documents")
    child.send(question + "\r")
    wait_for(answer)
    child.send("/docs\r")
    wait_for(b"Documents \xc2\xb7 ")
    child.send("\x1b")
    time.sleep(0.5)  # a lone escape is one only when nothing follows it
    child.send("/quit\r")
    child.expect(pexpect.EOF)
    received.extend(child.before)
    child.close()
    assert (child.exitstatus, child.signalstatus) == (0, None)
    return bytes(received)


def test_asking_and_leaving_restores_the_terminal_with_code_0(home: Path) -> None:
    received = talk(home, "Who founded the Kestrel observatory?", b"Lindqvist.")
    assert received.count(b"\x1b[?1049h") == received.count(b"\x1b[?1049l") == 1  # the other screen and back
    for mode in (b"1000", b"1003", b"1006", b"2004"):  # mouse, bracketed paste
        assert received.rfind(b"\x1b[?%sl" % mode) > received.rfind(b"\x1b[?%sh" % mode)
    assert received.rfind(b"\x1b[?25h") > received.rfind(b"\x1b[?25l")  # the cursor


async def test_no_control_sequence_of_a_document_reaches_the_terminal(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evil"
    folder.mkdir()
    (folder / "zorblax.md").write_text(EVIL, encoding="utf-8")
    await furnish(home, [folder])
    received = talk(home, "How is the Zorblax device switched on?", b"brass key")
    for payload in PAYLOADS:
        assert payload not in received
    assert not C1.search(received)
    assert b"owned-title" not in received


def test_without_colours_there_are_none(home: Path) -> None:
    child = start(home, NO_COLOR="1")
    child.expect_exact(b"what everybody here may see")
    child.send("\x11")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    coloured = re.findall(rb"\x1b\[(?:[0-9;]*;)?[34]8;2;(\d+);(\d+);(\d+)", child.before)
    assert all(red == green == blue for red, green, blue in coloured)


def test_a_store_that_cannot_be_opened_ends_with_its_line_and_code(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.rmtree(home, ignore_errors=True)
    (home / "data").mkdir(parents=True)
    (home / "data" / "accounts.sqlite").write_bytes(b"no database at all, but long enough to be taken for one" * 100)
    child = start(home)
    child.expect_exact(b"damaged")  # on the screen
    child.send("\x11")
    child.expect_exact(b"\x1b[?1049l")
    child.expect_exact(b"error: ")  # and behind it, where it stays
    child.expect(pexpect.EOF)
    assert b"accounts.sqlite" in child.before
    child.close()
    assert child.exitstatus == 5


def test_the_second_start_goes_straight_on_as_a_guest(home: Path) -> None:
    talk(home, "Who founded the Kestrel observatory?", b"Lindqvist.")
    child = start(home)
    child.expect_exact(b"Ask your documents")
    child.send("\x11")
    child.expect(pexpect.EOF)
    assert b"what everybody here may see" not in child.before
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("signals", [[signal.SIGCONT], [signal.SIGSTOP, signal.SIGCONT]])
def test_the_terminal_is_read_once_after_the_program_was_stopped_and_goes_on(
    home: Path, signals: list[signal.Signals]
) -> None:
    child = start(home)
    child.expect_exact(b"what everybody here may see")
    if len(threads_reading(child.pid)) != 1:
        pytest.skip("what other processes wait for cannot be seen here")
    for number in signals:
        os.kill(child.pid, number)
    child.expect_exact(b"\x1b[?1049h")  # the app's own screen, again
    end = time.monotonic() + PATIENCE
    while len(threads_reading(child.pid)) != 1:
        assert time.monotonic() < end, "more than one thread reads the terminal"
    child.send("g")
    child.expect_exact(b"Ask your documents")
    child.send("\x11")
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, child.signalstatus) == (0, None)


def test_a_terminal_that_is_closed_ends_the_program(home: Path) -> None:
    child = start(home)
    child.expect_exact(b"what everybody here may see")
    os.close(child.child_fd)
    end = time.monotonic() + PATIENCE
    while child.isalive():
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.05)
    child.closed = True


def threads_reading(pid: int) -> set[str]:
    """Return the threads that wait in `select` within a second, as only those do that read a terminal."""
    found, end = set(), time.monotonic() + 1
    while time.monotonic() < end:
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                if (task / "syscall").read_text().split()[0] in ("23", "270"):  # select, pselect6 (x86-64)
                    found.add(task.name)
        time.sleep(0.02)
    return found
