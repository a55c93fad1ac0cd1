"""The console: what is written where, in which colours, and never anything that acts on a terminal."""

import asyncio
import json
import unicodedata
from datetime import UTC, datetime
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.cli.citations import described
from multidb_chat.cli.console import Console, Styled
from multidb_chat.domain.errors import NotFound
from multidb_chat.domain.library import Document
from multidb_chat.domain.search import quality_of
from multidb_chat.domain.text import clean_line
from multidb_chat.domain.turns import Citation
from multidb_chat.services.documents import Passage

ANY_TEXT = st.text(st.characters() | st.sampled_from("\x1b\x9b\x07\x00\u202e\u2028\ud800 \n"), max_size=80)
COLOURED = {"TERM": "xterm-256color"}
NOW = datetime(2024, 1, 1, tzinfo=UTC)
DOCUMENT = Document("d", "c", "s", "name", "title", "text", "", NOW, NOW)


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Pipe(StringIO):
    """A stream that is none."""

    encoding = "utf-8"


# Control characters, lone surrogates and line separators by category (Unicode 15), and what reorders or hides text.
ACTING = {"Cc", "Cs", "Zl", "Zp"}
HIDING = set("\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def unsafe(text: str) -> list[str]:
    return [one for one in text if one not in "\n\t" and (unicodedata.category(one) in ACTING or one in HIDING)]


@given(st.lists(ANY_TEXT, max_size=5), st.lists(ANY_TEXT, max_size=5))
def test_no_text_acts_on_a_terminal(plain: list[str], styled: list[str]) -> None:
    out, err = Pipe(), Pipe()
    console = Console(out, err, COLOURED)
    console.write(*plain, *(Styled(text, "mark") for text in styled))
    console.tell(*plain)
    console.complain(*plain)
    console.error(" ".join(plain))
    console.write_json({"plain": plain, "styled": styled})
    assert not unsafe(out.getvalue() + err.getvalue())


@given(ANY_TEXT)
def test_json_gives_every_text_back_exactly(text: str) -> None:
    out = Pipe()
    Console(out, Pipe(), {}).write_json({"text": text})
    assert json.loads(out.getvalue())["text"] == text


def test_json_stays_readable_and_avoids_what_the_encoding_lacks() -> None:
    out, narrow = Pipe(), Pipe()
    narrow.encoding = "latin-1"
    Console(out, Pipe(), {}).write_json("Größe 図 \U0001f600")
    assert out.getvalue() == '"Größe 図 \U0001f600"\n'
    Console(narrow, Pipe(), {}).write_json("Größe 図")
    assert narrow.getvalue().isascii()


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        (COLOURED, True),
        (COLOURED | {"NO_COLOR": ""}, True),  # no-color.org: when present and not empty
        (COLOURED | {"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_colours_need_a_terminal_that_wants_them(environ: dict[str, str], coloured: bool) -> None:
    terminal, pipe = Terminal(), Pipe()
    console = Console(terminal, pipe, environ)
    console.write(Styled("word", "strong"))
    console.tell(Styled("word", "strong"))
    assert terminal.getvalue() == ("\x1b[1mword\x1b[0m\n" if coloured else "word\n")
    assert pipe.getvalue() == "word\n"


def test_quiet_keeps_results_and_errors() -> None:
    out, err = Pipe(), Pipe()
    console = Console(out, err, {})
    console.quiet = True
    console.write("result")
    console.tell("hint")
    console.error("a\nproblem")
    assert (out.getvalue(), err.getvalue()) == ("result\n", "error: a problem\n")


class Shelf:
    """An application whose documents say what surrounds a passage, or that there is none."""

    account = None

    def __init__(self, text: str | None) -> None:
        self.documents = self
        self._text = text

    async def passage(self, _account: object, _document: str, start: int, end: int) -> Passage:
        if self._text is None:
            raise NotFound("gone")
        text = self._text

        return Passage(DOCUMENT, start, end, text[:start], text[start:end], text[end:])


def citation(snippet: str, start: int) -> Citation:
    end = start + len(snippet)
    return Citation(1, "d", "name", "title", "s", "c", start, end, snippet, None, (), 0.5, quality_of(0.5))


@given(ANY_TEXT, st.text(min_size=1, max_size=400), ANY_TEXT, st.booleans())
def test_a_source_fits_its_lines_and_marks_only_the_cited_words(
    before: str, snippet: str, after: str, stored: bool
) -> None:
    shelf = Shelf(before + snippet + after if stored else None)
    _, *lines = asyncio.run(described(shelf, [citation(snippet, len(before))], marked=True))  # type: ignore[arg-type]
    assert len(lines) <= 4
    for line in lines:
        assert sum(len(part.text if isinstance(part, Styled) else part) for part in line) <= 100
    marked = [part.text for line in lines for part in line if isinstance(part, Styled) and part.style == "mark"]
    assert folded(snippet).startswith(folded("".join(marked)).removesuffix("…"))
    if stored:
        assert "".join(marked) or not folded(snippet)


def test_a_source_that_fills_its_lines_is_cut_off_once() -> None:
    long = "many words of a passage " * 30
    _, *lines = asyncio.run(described(Shelf(long), [citation(long, 0)], marked=True))  # type: ignore[arg-type]
    text = " ".join("".join(part.text if isinstance(part, Styled) else part for part in line).strip() for line in lines)
    assert text.startswith("many words")
    assert text.count("…") == 1


def folded(text: str) -> str:
    return "".join(clean_line(text).split())
