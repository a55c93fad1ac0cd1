"""A document's text laid out for a width: lines with what they are, found again by where they stand in the text."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len

from multidb_chat.domain.reading import Block
from multidb_chat.domain.text import clean

Look = Literal["text", "heading", "code", "page"]
_TAB = "    "
_WORDS = re.compile(r"\s*\S+|\s+$")


@dataclass(frozen=True, slots=True)
class Line:
    """The characters `start` to `end` of a text on one line of the screen; of a page's rule, its label."""

    start: int
    end: int
    look: Look = "text"
    label: str = ""


def visible(text: str) -> str:
    """Return the text as it may be shown, as long as it was: what acts on a terminal becomes a dot."""
    if clean(text) == text:
        return text
    return "".join(
        one if one.isprintable() or one == "\n" or (one != "\r" and clean(one) == one) else "·" for one in text
    )


def drawn(text: str) -> str:
    """Return a visible text as it is drawn."""
    return text.replace("\t", _TAB)


def laid_out(text: str, blocks: Sequence[Block], width: int) -> list[Line]:
    """Return the lines of a visible text, none wider than `width` cells. Takes a second for some megabytes."""
    lines: list[Line] = []
    page: int | None = None
    starts = [block.start for block in blocks]
    at = 0
    for paragraph in text.split("\n"):
        place = bisect_right(starts, at) - 1
        block = blocks[place] if place >= 0 and at < blocks[place].end else None
        if block is not None and block.page is not None and block.page != page and paragraph.strip():
            page = block.page
            lines.append(Line(at, at, "page", f"page {page}"))
        look: Look = "text"
        if block is not None:
            look = "heading" if block.kind == "heading" else "code" if block.kind in ("code", "function") else "text"
        lines += (Line(at + start, at + end, look) for start, end in _wrapped(paragraph, max(width, 1)))
        at += len(paragraph) + 1
    return lines


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


def _wrapped(paragraph: str, width: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of the lines that a paragraph takes, broken between words, and within words too long for one."""
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
        start = found.start() + len(found[0]) - len(found[0].lstrip())
        used = cell_len(found[0].lstrip())
        while used > width:
            cut = _cut(paragraph, start, width)
            yield start, cut
            start = cut
            used = cell_len(paragraph[start : found.end()])
    yield start, len(paragraph)


def _cut(text: str, start: int, width: int) -> int:
    """Return where `width` cells from `start` end; at least one character further."""
    end, used = start, 0
    while end < len(text) and (used := used + cell_len(text[end])) <= width:
        end += 1
    return max(end, start + 1)
