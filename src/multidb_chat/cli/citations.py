"""How a source looks below an answer: number, title, place, quality, and the cited words in their surroundings."""

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from multidb_chat.cli.console import Styled
from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.domain.text import clean_line
from multidb_chat.domain.turns import Citation
from multidb_chat.services.excerpts import unmarked

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application

Line = list[str | Styled]
QUALITY_STYLE = {"excellent": "good", "good": "good", "fair": "fair", "poor": "bad"}
_INDENT = "    "
_WORTH_IT = 20  # less of the surroundings than this tells nothing
_LINES = 3


async def described(application: "Application", citations: Sequence[Citation], *, marked: bool) -> list[Line]:
    """Return the lines for these citations, in order; `marked`: the cited words are made to stand out."""
    lines: list[Line] = []
    for citation in citations:
        lines.append(_heading(citation))
        within = await _surrounded(application, citation) if marked else ("", *unmarked(citation.snippet), "")
        lines += _snippet(*within)
    return lines


def place_of(title: str, page: int | None, headings: Sequence[str]) -> str:
    """Return where in the document of this title a passage is, empty when there is nothing to say."""
    parts = [f"page {page}"] if page else []
    headings = headings[headings[:1] == (title,) :]  # often the first heading is the title, which is said already
    if headings:
        parts.append(" > ".join(clean_line(heading) for heading in headings))
    return ", ".join(parts)


def shortened(text: str, most: int) -> str:
    """Return the text on one line of at most so many characters."""
    line = clean_line(text)
    return line if len(line) <= most else line[: most - 1].rpartition(" ")[0] + "…"


def _heading(citation: Citation) -> Line:
    title = clean_line(citation.title) or clean_line(citation.document_name)
    line: Line = [Styled(f"[{citation.number}]", "number"), " ", Styled(title, "strong")]
    name = clean_line(citation.document_name)
    if name != title:
        line.append(f" ({name})")
    if place := place_of(citation.title, citation.page, citation.headings):
        line.append(f", {place}")
    return [*line, "  ", Styled(f"{citation.quality} {citation.score:.2f}", QUALITY_STYLE[citation.quality])]


async def _surrounded(application: "Application", citation: Citation) -> tuple[str, str, str]:
    """Return the cited words between what is before and behind them on their line; nothing where it is not stored."""
    before = after = kind = ""
    try:
        passage = await application.documents.passage(
            application.account, citation.document_id, citation.start, citation.end
        )
        if passage.text == citation.snippet:
            before, after, kind = passage.before, passage.after, passage.document.kind
    except MultidbChatError:  # a text that was only given with the question, or that was removed just now
        pass
    before, cited, after = unmarked(before, citation.snippet, after, kind=kind)
    return before.rpartition("\n")[2], cited, after.partition("\n")[0]


def _snippet(before: str, snippet: str, after: str) -> list[Line]:
    """Return the cited words within as much of their surroundings as fits on a few lines of the terminal."""
    width = max(40, min(shutil.get_terminal_size().columns, 100)) - len(_INDENT)
    room = _LINES * width
    cited = clean_line(snippet)
    if len(cited) > room:
        before, cited, after = "", cited[: room - 1] + "…", ""
    left = (room - len(cited)) // (2 if before else 1)
    before, after = (_tail(before, left), _head(after, left)) if left >= _WORTH_IT else ("", "")
    return [[_INDENT, *line] for line in _wrapped(before, cited, after, width)]


def _tail(text: str, room: int) -> str:
    folded = clean_line(text)
    kept = folded if len(folded) < room else "…" + folded[len(folded) - room :].partition(" ")[2]
    return kept + " " if kept and text[-1:].isspace() else kept


def _head(text: str, room: int) -> str:
    folded = clean_line(text)
    kept = folded if len(folded) < room else folded[:room].rpartition(" ")[0] + "…"
    return " " + kept if kept and text[:1].isspace() else kept


def _wrapped(before: str, cited: str, after: str, width: int) -> list[Line]:
    """Return the text in lines of at most `width` characters, the cited part marked on each of them."""
    text = before + cited + after
    first, last = len(before), len(before) + len(cited)
    lines: list[Line] = []
    at = 0
    while at < len(text):
        end = len(text) if len(text) - at <= width else text.rfind(" ", at + 1, at + width + 1)
        end = at + width if end <= at else end
        lines.append(_marked(text, at, end, first, last))
        at = end + (text[end : end + 1] == " ")
    return lines


def _marked(text: str, at: int, end: int, first: int, last: int) -> Line:
    cuts = [at, min(max(first, at), end), max(min(last, end), at), end]
    line: Line = [
        Styled(text[cuts[0] : cuts[1]], "faint"),
        Styled(text[cuts[1] : cuts[2]], "mark"),
        Styled(text[cuts[2] : cuts[3]], "faint"),
    ]
    return line
