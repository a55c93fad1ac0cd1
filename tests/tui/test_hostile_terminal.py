"""Ten thousand payloads in a real terminal: whatever documents, answers and pastes hold, only the app acts on it.

All that the app writes is taken apart. Its escape sequences have the shapes that it uses for innocent words, too, and
no control character stands outside of them. Each payload has a marker, so that it is seen that they were drawn.
"""

import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.tui.hostile_program import marker, payloads

pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
if not hasattr(pexpect, "spawn"):
    pytest.skip("there are no pseudo-terminals here", allow_module_level=True)

ROOT = Path(__file__).parents[2]
# A whole program in a terminal: beside few others, its screens come as fast as they are read.
pytestmark = pytest.mark.watching
PATIENCE, AGAIN = 120, 20  # seconds
ANSWERS, EACH = 8, 1_250  # an answer fits on the screen: what has gone by before the next frame is not drawn
PASTED = 250
# One escape sequence (ECMA-48): a string with its end, a CSI with its final, or another one with its final.
SEQUENCE = re.compile(
    "\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)|\x1b\\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-Z\\\\^-~]|\x1b", re.DOTALL
)
CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
OWN_LETTERS = {"0", "1", "2", "3", "4", "7", "9", "39", "49"}  # styles of letters, besides colours
COLOUR = re.compile("[34]8;(?:2;\\d+;\\d+;\\d+|5;\\d+)")


def shapes(text: str) -> set[str]:
    """Return the escape sequences in a text with their numbers left out."""
    return {re.sub("[0-9;]+", "0", sequence) for sequence in SEQUENCE.findall(text)}


def styles(text: str) -> set[str]:
    """Return the styles of letters that are set in a text, colours left out."""
    sequences = re.findall("\x1b\\[([0-9;]*)m", text)
    return {style for found in sequences for style in COLOUR.sub("", found).split(";")} - {""}


class Talk:
    """The program in a terminal large enough to show a whole answer, and all that came from it."""

    def __init__(self, home: Path) -> None:
        environment = os.environ | {"TERM": "xterm-256color", "LANG": "C.UTF-8", "COLORTERM": "truecolor"}
        self._child = pexpect.spawn(
            sys.executable, ["-m", "tests.tui.hostile_program", str(home)], env=environment, cwd=str(ROOT),
            dimensions=(160, 300), timeout=60, encoding="utf-8", codec_errors="replace",
        )  # fmt: skip
        self._pieces: list[str] = []
        self._unseen = ""

    @property
    def text(self) -> str:
        """All that was read."""
        return "".join(self._pieces)

    def wait_for(self, pattern: str, again: str = "") -> None:
        """Read until the pattern comes behind what was waited for before; `again` is sent where it is late."""
        end = time.monotonic() + PATIENCE
        asking = time.monotonic() + AGAIN
        while (found := re.search(pattern, self._unseen)) is None:
            assert time.monotonic() < end, f"{pattern} did not come"
            if again and time.monotonic() > asking:
                self.send(again)
                asking += AGAIN
            self._unseen = self._unseen[-200:]  # enough for any pattern: looking through all of it again takes long
            with suppress(pexpect.TIMEOUT):
                self._pieces.append(self._child.read_nonblocking(1 << 16, timeout=1))
                self._unseen += self._pieces[-1]
        self._unseen = self._unseen[found.end() :]

    def send(self, text: str) -> None:
        self._child.send(text)

    def leave(self) -> None:
        self.send("\x11")
        self._child.expect(pexpect.EOF)
        self._pieces.append(self._child.before)
        self._child.close()
        assert self._child.exitstatus == 0


def ask(talk: Talk, kind: str, first: int) -> None:
    talk.send("\x0c")
    talk.wait_for(r"\x1b\[[0-9;]*mAsk your documents")  # the screen is empty
    talk.send(f"{kind} {first} {EACH}\r")
    # In the panel, whose numbers are letters of another style: the turn is over when its sources are there. What was
    # drawn in two parts is drawn anew where the panel goes and comes (F2).
    talk.wait_for(rf"\[99\] (?:\x1b\[[0-9;]*m)+end of {first}", "\x1bOQ\x1bOQ")


def test_ten_thousand_payloads_do_nothing(home: Path) -> None:
    talk = Talk(home)
    talk.wait_for("Ask your documents")
    ask(talk, "innocent", 90_000)
    own = shapes(talk.text)
    innocent = len(talk.text)
    for number in range(ANSWERS):
        ask(talk, "hostile", number * EACH)
    # Terminals take escapes out of what is pasted (xterm: allowPasteControls); all other controls they pass on.
    pasted = " ".join(payloads(70_000, PASTED, hostile=True)).replace("\x1b", "")
    talk.send(f"\x1b[200~{pasted}\x1b[201~")
    talk.wait_for(marker(70_000 + PASTED - 1))
    talk.send("\x0f")  # the passage behind the first citation, and what is around it
    talk.wait_for(f"{marker(61_000 + 299)}|as they were cited")
    talk.send("q")
    talk.send("\x1bOR")  # F3: the documents
    talk.wait_for(marker(50_149))
    talk.leave()
    text = talk.text[innocent:]
    leaving = {shape for shape in shapes(text) if re.fullmatch("\x1b\\[[?<>=]?0?[a-z]", shape)}
    assert shapes(text) - own - leaving == set()
    assert styles(text) <= OWN_LETTERS
    assert not CONTROL.search(SEQUENCE.sub("", text).replace("\r", ""))
    drawn = set(re.findall("p[0-9a-f]+q", SEQUENCE.sub("", text)))
    # Some markers are cut in two at the end of a line, or belong to Markdown that is not shown; the box shows 8 lines.
    for first, count, share in ((0, ANSWERS * EACH, 0.7), (50_000, 150, 0.7), (70_000, PASTED, 0.3)):
        seen = sum(marker(first + number) in drawn for number in range(count))
        assert seen >= share * count, f"{seen} of {count} from {first}"
