"""The layout of a PDF page: what its lines are, which are headings, and which go on in the next one."""

import ctypes
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from multidb_chat.adapters.readers.drafting import Draft

# Sizes that differ by less than a fifth are body text with emphasis or small captions rather than headings.
_LARGER = 1.15
_LONGEST_HEADING = 160
_NUMBERED = re.compile(r"(?:\d{1,2}(?P<deeper>(?:\.\d{1,2}){0,4})\.?|[A-Z]\.(?:\d{1,2})?)\s+[A-ZÀ-Þ][^\n]{2,80}")
_NAMED = re.compile(
    r"(?i:abstract|summary|introduction|background|related work|methods?|results|discussion|conclusions?|limitations"
    r"|acknowledge?ments?|references|bibliography|appendix|zusammenfassung|résumé)"
)
_LAM_ALEF = re.compile("[\u0622\u0623\u0625\u0627]\u0644")
_ENDS_SENTENCE = (".", ",", ";", ":")
_ITEM = re.compile(r"(?:[-*•▪◦‣–\uf0b7]|\(?\d{1,3}[.)]|\(?[a-z]\))\s+\S")


@dataclass(frozen=True, slots=True)
class Line:
    """A line as pdfium gives it: its text, the size and weight of its first letter, and where it stands (points)."""

    text: str
    size: float
    bold: bool
    left: float
    right: float
    bottom: float
    top: float

    def with_text(self, text: str) -> "Line":
        """Return the line with another text."""
        return replace(self, text=text)


def lines_of(page: Any) -> list[Line]:
    """Return the lines of a pdfium text page in reading order."""
    lines = []
    at = 0
    for text in _ligatures_in_order(page).split("\n"):
        shown = text.strip()
        if shown:
            lines.append(_line(page.raw, shown, at + text.index(shown[0]), at + len(text.rstrip()) - 1))
        at += len(text) + 1
    return lines


def _ligatures_in_order(page: Any) -> str:
    """Return the page's text with the letters of Arabic ligatures in the order they are read.

    pdfium turns right-to-left runs round letter by letter, also the two that one ligature stands for: those in one box.
    """
    import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

    def turned(match: re.Match[str]) -> str:
        places = (pdfium.FPDFText_GetCharIndexFromTextIndex(page.raw, match.start() + step) for step in (0, 1))
        first, second = (_box(pdfium, page.raw, place) for place in places)
        return match[0][::-1] if first == second else match[0]

    return _LAM_ALEF.sub(turned, page.get_text_range())


def _line(raw: Any, text: str, first: int, last: int) -> Line:
    """Look up the first and the last letter alone: asking for every one would take ten times as long."""
    import pypdfium2.raw as pdfium

    first = pdfium.FPDFText_GetCharIndexFromTextIndex(raw, first)
    last = pdfium.FPDFText_GetCharIndexFromTextIndex(raw, last)
    left, _, bottom, top = _box(pdfium, raw, first)
    # A word broken at the line's end takes the next line into this one, so the last letter may stand lower.
    _, right, last_bottom, _ = _box(pdfium, raw, last)
    size = round(max(top - bottom, 0.0), 1)
    bold = pdfium.FPDFText_GetFontWeight(raw, first) >= 600
    return Line(text, size, bold, left, right, min(bottom, last_bottom), top)


def _box(pdfium: Any, raw: Any, index: int) -> tuple[float, float, float, float]:
    """Return left, right, bottom, top of a letter's cell, which is as high as its font; zeros when there is none."""
    box = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(raw, index, ctypes.byref(box)):
        return 0.0, 0.0, 0.0, 0.0
    return box.left, box.right, box.bottom, box.top


def heading_sizes(pages: list[list[Line]]) -> tuple[float, list[float]]:
    """Return the size of the body text and the larger ones that headings have, largest first."""
    letters: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            letters[line.size] += len(line.text)
    body = letters.most_common(1)[0][0] if letters else 0.0
    return body, sorted((size for size in letters if size >= body * _LARGER and body), reverse=True)


def add_page(draft: Draft, lines: list[Line], page: int, body: float, sizes: list[float]) -> None:
    """Append the blocks of one page to a draft."""
    width = _usual_width(lines)
    for group, level in _groups(lines, body, sizes):
        if level:
            draft.add(" ".join(line.text for line in group), "heading", level=level, page=page)
        else:
            kind = "list" if _ITEM.match(group[0].text) else "paragraph"
            draft.add(_flowing(group, width), "list" if kind == "list" else "paragraph", page=page)


def _groups(lines: list[Line], body: float, sizes: list[float]) -> Iterator[tuple[list[Line], int]]:
    """Yield runs of lines that belong together, each with its heading level (0: text)."""
    group: list[Line] = []
    group_level = 0
    for line in lines:
        level = _level(line, body, sizes)
        if group and (level != group_level or _apart(group[-1], line, level)):
            yield group, group_level
            group = []
        group.append(line)
        group_level = level
    if group:
        yield group, group_level


def _level(line: Line, body: float, sizes: list[float]) -> int:
    text = line.text
    if len(text) > _LONGEST_HEADING or not any(map(str.isalpha, text)):
        return 0
    if body and line.size >= body * _LARGER and sum(map(str.isalpha, text)) >= 3:
        return min(6, 1 + sizes.index(line.size)) if line.size in sizes else 0
    if not line.bold or text.endswith(_ENDS_SENTENCE):
        return 0
    if numbered := _NUMBERED.fullmatch(text):
        return min(6, 2 + (numbered["deeper"] or "").count("."))
    return 2 if _NAMED.fullmatch(text) else 0


def _apart(before: Line, line: Line, level: int) -> bool:
    """Tell whether a line begins a new block: space above it, another column, an indent after a full line."""
    if level:
        return abs(before.bottom - line.top) > max(before.size, line.size)
    if _ITEM.match(line.text):
        return True
    gap = before.bottom - line.top
    return gap > 0.6 * max(line.size, before.size, 1.0) or gap < -3 * max(line.size, 1.0)


def _usual_width(lines: list[Line]) -> float:
    widths = sorted(line.right - line.left for line in lines if len(line.text) > 20)
    return widths[len(widths) * 3 // 4] if widths else 0.0


def _flowing(group: list[Line], width: float) -> str:
    """Join lines that run to the margin with a space; a short line (of an address, a table) keeps its end."""
    parts: list[str] = []
    for place, line in enumerate(group):
        parts.append(line.text)
        if place + 1 < len(group):
            parts.append(" " if line.right - line.left >= 0.8 * width > 0 else "\n")
    return "".join(parts)
