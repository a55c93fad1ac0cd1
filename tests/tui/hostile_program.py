"""The app over services that say what the question asks for: innocent words, or payloads that act on a terminal.

Started by `test_hostile_terminal` in a terminal of its own.
"""

import functools
import random
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from multidb_chat.domain.library import Document
from multidb_chat.domain.turns import Answer, AnswerToken, Citation, TurnCompleted, TurnEvent, TurnStarted
from multidb_chat.services.documents import Passage
from multidb_chat.tui.app import ChatApp
from tests.tui.slowly import services_of

# What acts on a terminal, in shapes that the app itself never writes: strings (title, clipboard, links, messages),
# erasing, scrolling, margins, reports, blinking and hidden letters, resets; C0, C1 in both forms; text that hides.
ACTS = (
    "\x1b]0;{0}\x07", "\x1b]2;{0}\x1b\\", "\x1b]52;c;{0}\x07", "\x1b]8;;http://{0}\x1b\\", "\x1b]9;{0}\x07",
    "\x1b]1337;File={0}\x07", "\x1bP+q{0}\x1b\\", "\x1b_G{0}\x1b\\", "\x1b^{0}\x1b\\", "\x1bX{0}\x1b\\",
    "\x1b[3J", "\x1b[1K", "\x1b[4S", "\x1b[2T", "\x1b[3L", "\x1b[2M", "\x1b[4@", "\x1b[5P", "\x1b[6X", "\x1b[2;9r",
    "\x1b[6n", "\x1b[21t", "\x1b[5;8m", "\x1b[53m", "\x1b[!p", "\x1bc", "\x1b7", "\x1b#8", "\x1b(0", "\x1b",
    "\x9b31m", "\x9d0;{0}\x9c", "\x90q{0}\x9c", "\x85", "\x00", "\x05", "\x07", "\x08", "\x0b", "\x0c", "\x0e", "\x0f",
    "\x18", "\x7f", "\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041",
)  # fmt: skip
WORDS = ("sail", "wind", "[b]", "[/]", "[@click=app.quit]", "*", "`", "é", "図")


def marker(number: int) -> str:
    """Return the word by which a payload is known on the screen."""
    return f"p{number:x}q"


def payload(number: int, hostile: bool) -> str:
    """Return one payload: its marker with two things that act around it, and now and then a word."""
    chosen = random.Random(number)
    acts = [chosen.choice(ACTS).format(number) if hostile else "" for _ in range(2)]
    return f"{acts[0]}{marker(number)}{acts[1]}" + (f" {chosen.choice(WORDS)}" if number % 8 == 0 else "")


@functools.cache
def payloads(first: int, count: int, hostile: bool) -> list[str]:
    """Return payloads by number."""
    return [payload(number, hostile) for number in range(first, first + count)]


def told(question: str) -> tuple[int, int, bool]:
    """Return what a question like `hostile 200 50` asks for: the first payload, how many, and of which kind."""
    kind, first, count = question.split()
    return int(first), int(count), kind == "hostile"


class Echoing:
    """A chat service that answers with the payloads, in pieces of one to twelve characters."""

    async def respond(self, account: Any, question: str, **named: Any) -> AsyncIterator[TurnEvent]:
        first, count, hostile = told(question)
        # A tenth of the payloads stands in the titles and headings of the citations and in the cited passages.
        parts = payloads(first, count, hostile)
        said, cited = parts[: count * 9 // 10], parts[count * 9 // 10 :]
        text = "\n\n".join(" ".join(said[at : at + 100]) for at in range(0, len(said), 100))
        yield TurnStarted("t", None, question)
        chosen = random.Random(first)
        at = 0
        while at < len(text):
            size = chosen.randint(1, 12)
            yield AnswerToken(text[at : at + size])
            at += size
        citations = tuple(
            Citation(number + 1, "d", a, b, a, "c", 0, 5, c, None, (d,), 0.9, "excellent")
            for number, (a, b, c, d) in enumerate(zip(*[iter(cited)] * 4, strict=False))
        )
        last = Citation(99, "d", "d", f"end of {first}", "d", "c", 0, 5, "words", None, (), 0.9, "excellent")
        citations = (last, *citations)
        yield TurnCompleted(Answer(question, question, text, True, citations=citations))


class Documents:
    """Documents whose names and texts are payloads; everything else is real."""

    def __init__(self, documents: Any) -> None:
        self._documents = documents

    def __getattr__(self, name: str) -> Any:
        return getattr(self._documents, name)

    async def list(self, *given: Any, **named: Any) -> list[Document]:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        names = [] if named.get("after") else payloads(50_000, 150, hostile=True)
        return [Document(f"{n}", "c", name, name, name, name, "", now, now) for n, name in enumerate(names)]

    async def passage(self, *given: Any, **named: Any) -> Passage:
        before, after = (" ".join(payloads(first, 300, hostile=True)) for first in (60_000, 61_000))
        (document,) = (await self.list())[:1]
        return Passage(document, 0, 5, before, "never the cited words", after)


def main(home: Path) -> None:
    """Run the app."""
    ChatApp(lambda: services_of(home, lambda real: {"chat": Echoing(), "documents": Documents(real.documents)})).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
