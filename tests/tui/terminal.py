"""A terminal for tests: a program runs in it, and what it shows is read as a person does."""

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import get_character_cell_size

pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
if not hasattr(pexpect, "spawn"):
    pytest.skip("there are no pseudo-terminals here", allow_module_level=True)

PATIENCE = 60.0  # seconds: how long a busy machine may take for one thing
# What stands at the beginning of a piece (ECMA-48): a string with its end, a control sequence, or a single character.
PIECE = re.compile(
    "\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)|\x1b\\[([0-?]*)[ -/]*([@-~])|\x1b[ -/]*[0-OQ-WYZ\\\\`-~]|[^\x1b]",
    re.DOTALL,
)


class Picture:
    """The letters that are on a terminal, and where its cursor is. It knows what Textual draws with."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.column = self.row = 0
        self._begun = ""
        self._cells = [[" "] * columns for _ in range(rows)]

    @property
    def lines(self) -> list[str]:
        """The lines, from the top."""
        return ["".join(cells) for cells in self._cells]

    def draw(self, text: str) -> None:
        """Draw what a program wrote; the beginning of a sequence waits for its end."""
        text, at = self._begun + text, 0
        while at < len(text) and (piece := PIECE.match(text, at)) is not None:
            at = piece.end()
            if piece[2] in ("H", "f"):
                row, _, column = piece[1].partition(";")
                self.row, self.column = int(row or 1) - 1, int(column or 1) - 1
            elif piece[2] == "J":
                self._cells = [[" "] * self.columns for _ in range(self.rows)]
            elif not piece[0].startswith("\x1b"):
                self._put(piece[0])
        self._begun = text[at:]

    def _put(self, letter: str) -> None:
        if letter == "\r":
            self.column = 0
        elif letter == "\n":
            self.row = min(self.row + 1, self.rows - 1)
        elif letter >= " ":
            width = get_character_cell_size(letter)
            if self.column + width <= self.columns and width:
                self._cells[self.row][self.column : self.column + width] = [letter] + [""] * (width - 1)
            self.column += width


class Terminal:
    """The program in a terminal of its own; `wait` is for what is on it."""

    def __init__(self, home: Path, columns: int, rows: int, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MULTIDB_CHAT_", "NO_COLOR"))}
        kept |= {"MULTIDB_CHAT_HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"} | environment
        self.picture = Picture(columns, rows)
        self._child: Any = pexpect.spawn(
            sys.executable, ["-m", "multidb_chat"], env=kept, dimensions=(rows, columns), encoding="utf-8",
        )  # fmt: skip

    @property
    def text(self) -> str:
        """What is on it, line by line."""
        return "\n".join(line.rstrip() for line in self.picture.lines)

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Read until something is true of it."""
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, f"{what} did not come; there is:\n{self.text}"
            try:
                self.picture.draw(self._child.read_nonblocking(1 << 16, timeout=0.5))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                raise AssertionError(f"the program ended before {what} came; there is:\n{self.text}") from None

    def wait(self, *texts: str, without: str = "") -> None:
        """Read until all of these are on it, and the other one is not."""
        here = " and ".join(texts) + (f" without {without}" if without else "")
        self.until(lambda: all(one in self.text for one in texts) and not (without and without in self.text), here)

    def press(self, keys: str) -> None:
        """Send keys."""
        self._child.send(keys)

    def fill(self, label: str, value: str) -> None:
        """Write into the field below a label of a form as soon as the cursor is there, and go on."""
        self.until(lambda: re.search(f"{label}[^\n]*\n[^\n]*│ +▌", self.text), f"the cursor below {label!r}")
        self.press(f"{value}\r")

    def leave(self) -> int:
        """Leave with Ctrl+Q and return the exit code."""
        self.press("\x11")
        self._child.expect(pexpect.EOF, timeout=PATIENCE)
        self._child.close()
        assert self._child.signalstatus is None
        return int(self._child.exitstatus)
