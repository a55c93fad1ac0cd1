"""A document's text laid out for a width: lines with what they are, found again by where they stand in the text."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from rich.cells import cell_len

from multidb_chat.domain.reading import Block
from multidb_chat.domain.text import clean
from multidb_chat.tui.paragraphs import TAB, indent, paragraphs

Look = Literal["text", "heading", "code", "page"]
_PROSE = ("paragraph", "list")
_BREAK = re.compile(r"[ \t]*\n[ \t]*")
_WORDS = re.compile(r"\s*\S+|\s+$")


@dataclass(frozen=True, slots=True)
class Line:
    """The characters `start` to `end` of a text on one line of the screen; of a page's rule, its label.

    `indent` blanks are drawn before them.
    """

    start: int
    end: int
    look: Look = "text"
    label: str = ""
    indent: int = 0


def visible(text: str) -> str:
    """Return the text as it may be shown, as long as it was: what acts on a terminal becomes a dot."""
    if clean(text) == text:
        return text
    return "".join(
        one if one.isprintable() or one == "\n" or (one != "\r" and clean(one) == one) else "·" for one in text
    )


def drawn(text: str) -> str:
    """Return a visible text as it is drawn; where its writer broke a line within it, as if it went on."""
    return (_BREAK.sub(" ", text) if "\n" in text else text).replace("\t", TAB)


def laid_out(text: str, blocks: Sequence[Block], width: int) -> list[Line]:
    """Return the lines of a visible text, none wider than `width` cells. Takes a second for some megabytes."""
    lines: list[Line] = []
    page: int | None = None
    own = text.split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in own)]
    within = _blocks_of([at + len(line) - len(line.lstrip()) for at, line in zip(starts, own, strict=False)], blocks)
    parts = [place if place is None or blocks[place].kind in _PROSE else None for place in within] if blocks else ()
    for run in paragraphs(own, width, parts):
        at, end = starts[run.start], starts[run.stop] - 1
        place = within[run.start]
        block = None if place is None else blocks[place]
        if block is not None and block.page is not None and block.page != page and own[run.start].strip():
            page = block.page
            lines.append(Line(at, at, "page", f"page {page}"))
        look: Look = "text"
        if block is not None:
            look = "heading" if block.kind == "heading" else "code" if block.kind in ("code", "function") else "text"
        hang = min(indent(own[run.start + 1]), width // 3) if len(run) > 1 else 0
        first = len(lines)
        for start, stop in _wrapped(text[at:end], max(width, 1), hang):
            lines.append(Line(at + start, at + stop, look, indent=hang if len(lines) > first else 0))
    return lines


def _blocks_of(starts: Sequence[int], blocks: Sequence[Block]) -> list[int | None]:
    """Return for the characters at which the words of lines start the numbers of the blocks that they are in."""
    begins = [block.start for block in blocks]
    places = ((at, bisect_right(begins, at) - 1) for at in starts)
    return [place if place >= 0 and at < blocks[place].end else None for at, place in places]


def line_at(lines: Sequence[Line], position: int) -> int:
    """Return the number of the line that holds a character of the text."""
    found = bisect_right(lines, position, key=lambda line: line.start) - 1
    return max(found, 0)


def occurrences(text: str, words: str) -> list[tuple[int, int]]:
    """Return where the words stand in the text, in any case and with any white space between them."""
    parts = words.split()
    if not parts:
        return []
    pattern = r"\s+".join(map(re.escape, parts))
    return [found.span() for found in re.finditer(pattern, text, re.IGNORECASE)]


def _wrapped(paragraph: str, width: int, hang: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of the lines that a paragraph takes, broken between words, and within words too long for one.

    All lines but the first are `hang` cells shorter.
    """
    if len(paragraph) <= width and paragraph.isascii() and "\t" not in paragraph:
        yield 0, len(paragraph)
        return
    start, used = 0, 0
    for found in _WORDS.finditer(paragraph):
        cells = cell_len(drawn(found[0]))
        if used + cells <= width:
            used += cells
            continue
        if used:
            yield start, found.start()
            width, hang = width - hang, 0
        start = found.start() + len(found[0]) - len(found[0].lstrip())
        used = cell_len(found[0].lstrip())
        while used > width:
            cut = _cut(paragraph, start, width)
            yield start, cut
            width, hang = width - hang, 0
            start = cut
            used = cell_len(paragraph[start : found.end()])
    yield start, len(paragraph)


def _cut(text: str, start: int, width: int) -> int:
    """Return where `width` cells from `start` end; at least one character further."""
    end, used = start, 0
    while end < len(text) and (used := used + cell_len(text[end])) <= width:
        end += 1
    return max(end, start + 1)
