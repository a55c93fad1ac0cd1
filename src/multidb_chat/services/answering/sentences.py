"""A passage as units that can be quoted: sentences, list items, code, table rows; each with its exact span."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from multidb_chat.services.answering import lexicon

UnitKind = Literal["sentence", "item", "heading", "code", "header", "row"]

_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_HEADING = re.compile(r"#{1,6}\s+\S")
_UNDERLINE = re.compile(r"(={3,}|-{3,}|~{3,})\s*$")
_ITEM = re.compile(r"\s*(?:([-*+•‣◦▪·–])|(\d{1,3}[.)]|\(\d{1,3}\)|[a-z]\)|step\s+\d+\s*[.:)]))\s+(?=\S)", re.IGNORECASE)
_RULE = re.compile(r"\s*\|?[\s:|-]*-{2,}[\s:|-]*\|?\s*$")
_RECORD = re.compile(r"\[|\d{1,4}[-:/]\d|\d{1,2}\.\d{1,2}\.|[A-Z][\w -]{0,30}:(\s|$)|\w{3,9} \d{1,2} \d\d:\d\d")
# A sentence ends behind its mark and any closing quotes: in spaced scripts before white space, in others at once.
_END = re.compile("(?P<stop>[.!?…؟۔।॥።։។။]+[\"'”’»)\\]]*)(?=\\s|$)|[。！？｡]+[”’」』）]*")
_LAST_WORD = re.compile(r"[^\s(\[\"“‘]+$")
_NEXT_WORD = re.compile(r"\s+[\"'“‘«(\[*_`]*([^\s]*)")
_LONGEST = 600  # characters; a sentence of a novel or a contract rarely has more


@dataclass(frozen=True, slots=True)
class Unit:
    """A quotable piece: the characters from `start` to `end` of the text it was split from.

    `block` counts the blocks (paragraph, list, table ...) so that units of the same one are known; `marker` is a list
    item's bullet or number, and is not part of the span.
    """

    start: int
    end: int
    kind: UnitKind
    block: int
    marker: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str

    @property
    def blank(self) -> bool:
        return not self.text.strip()


def split(text: str, kind: str = "text", headings: tuple[str, ...] = ()) -> list[Unit]:
    """Return the units of a passage in order, never overlapping.

    `kind` is the chunk's: code and functions stay whole, tables are rows. `headings` is its path of headings: a line
    that repeats one is a heading, however it is written.
    """
    if kind in ("code", "function") and not _FENCE.match(text):
        start, end = _trim(text, 0, len(text))
        return [Unit(start, end, "code", 0)] if start < end else []
    lines = _lines(text)
    units: list[Unit] = []
    at = block = 0
    while at < len(lines):
        if lines[at].blank:
            at += 1
            continue
        found, at = _block(text, lines, at, block, kind == "table", headings)
        units.extend(found)
        block += 1
    return units


def _lines(text: str) -> list[_Line]:
    lines, at = [], 0
    for piece in text.split("\n"):
        lines.append(_Line(at, at + len(piece), piece))
        at += len(piece) + 1
    return lines


def _block(
    text: str, lines: list[_Line], at: int, block: int, table: bool, headings: tuple[str, ...]
) -> tuple[list[Unit], int]:
    """Return the units of the block that begins on line `at`, and the line behind it."""
    line = lines[at]
    if fence := _FENCE.match(line.text):
        return _fenced(text, lines, at, block, fence[1])
    if _is_heading(lines, at, headings):
        underlined = at + 1 < len(lines) and bool(_UNDERLINE.match(lines[at + 1].text))
        start, end = _trim(text, line.start, line.end)
        return [Unit(start, end, "heading", block)], at + 1 + underlined
    if _is_row(line.text) or table:
        return _table(text, lines, at, block)
    if _ITEM.match(line.text):
        return _list(text, lines, at, block)
    return _paragraph(text, lines, at, block)


def _fenced(text: str, lines: list[_Line], at: int, block: int, fence: str) -> tuple[list[Unit], int]:
    end = at + 1
    while end < len(lines) and not lines[end].text.strip().startswith(fence):
        end += 1
    last = lines[min(end, len(lines) - 1)]
    start, stop = _trim(text, lines[at].start, last.end)
    return [Unit(start, stop, "code", block)], end + 1


def _is_heading(lines: list[_Line], at: int, headings: tuple[str, ...]) -> bool:
    """A marked heading, a line of the heading path, or a short line alone that opens something longer."""
    text = lines[at].text.strip()
    following = lines[at + 1] if at + 1 < len(lines) else None
    if _HEADING.match(text) or text in headings:
        return True
    if following is not None and _UNDERLINE.match(following.text) and len(text) <= 100 and "|" not in text:
        return True
    if at > 0 and not lines[at - 1].blank:
        return False
    below = next((line for line in lines[at + 2 :] if not line.blank), None)
    alone = following is not None and following.blank and below is not None
    if alone and below is not None and _ITEM.match(text) and _ITEM.match(below.text):
        return False
    return alone and len(text.split()) <= 9 and text[0].isalnum() and not text[0].islower() and text[-1].isalnum()


def _is_row(text: str) -> bool:
    stripped = text.strip()
    return stripped.startswith("|") and stripped.count("|") >= 2


def _table(text: str, lines: list[_Line], at: int, block: int) -> tuple[list[Unit], int]:
    """Rows until a blank line. The first is a header when a rule stands below it; a table cut in two has none."""
    units: list[Unit] = []
    named = at + 1 < len(lines) and bool(_RULE.match(lines[at + 1].text))
    while at < len(lines) and not lines[at].blank:
        if not _RULE.match(lines[at].text):
            start, end = _trim(text, lines[at].start, lines[at].end)
            units.append(Unit(start, end, "header" if named and not units else "row", block))
        at += 1
    return units, at


def _list(text: str, lines: list[_Line], at: int, block: int) -> tuple[list[Unit], int]:
    """Items of one kind with their continuation lines; a blank line between two does not end the list."""
    units: list[Unit] = []
    while at < len(lines):
        match = _ITEM.match(lines[at].text)
        if match is None or (units and (units[0].marker == "-") != (match[2] is None)):
            break
        end = at + 1
        while end < len(lines) and not _ends_item(lines, end):
            end += 1
        start, stop = _trim(text, lines[at].start + match.end(), lines[end - 1].end)
        units.append(Unit(start, stop, "item", block, match[2] or "-"))
        at = end
        while at + 1 < len(lines) and lines[at].blank and _ITEM.match(lines[at + 1].text):
            at += 1
    return units, at


def _ends_item(lines: list[_Line], at: int) -> bool:
    line = lines[at]
    return line.blank or bool(_ITEM.match(line.text) or _FENCE.match(line.text) or _HEADING.match(line.text))


def _paragraph(text: str, lines: list[_Line], at: int, block: int) -> tuple[list[Unit], int]:
    end = at + 1
    while end < len(lines) and not _ends_paragraph(lines, end):
        end += 1
    units: list[Unit] = []
    for first, last in _records(lines, at, end):
        for start, stop in sentence_spans(text, lines[first].start, lines[last - 1].end):
            units.extend(Unit(*part, "sentence", block) for part in _parts(text, start, stop))
    return units, end


def _ends_paragraph(lines: list[_Line], at: int) -> bool:
    text = lines[at].text
    if lines[at].blank or _FENCE.match(text) or _HEADING.match(text) or _is_row(text):
        return True
    item = _ITEM.match(text)
    # A wrapped line may begin with a number: only the first number, or one behind a colon, begins a list there.
    return bool(item) and (
        bool(item and item[1]) or lines[at - 1].text.rstrip().endswith(":") or text.strip()[:2] in ("1.", "1)")
    )


def _records(lines: list[_Line], first: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield runs of lines that belong together: wrapped lines are one, the lines of a log or a form are many."""
    widest = max(len(line.text) for line in lines[first:end])
    begin = first
    # Dates, times and keys begin the lines of a log or a form; a wrapped line may begin with one by chance.
    records = 2 * sum(bool(_RECORD.match(line.text.lstrip())) for line in lines[first:end]) > end - first
    for at in range(first + 1, end):
        before, text = lines[at - 1].text.rstrip(), lines[at].text.lstrip()
        begins = not (text[:1].islower() or text[:1].isdigit())
        short = begins and len(before) < 0.6 * widest and before[-1:] not in ",;"
        if short or (records and _RECORD.match(text)) or "\t" in before.strip():
            yield begin, at
            begin = at
    yield begin, end


def sentence_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of the sentences between two characters, white space around them left out."""
    begin = start
    for mark in _END.finditer(text, start, end):
        if mark["stop"] is None or _is_end(text, begin, mark.start(), mark.end(), end):
            yield from _span(text, begin, mark.end())
            begin = mark.end()
    yield from _span(text, begin, end)


def _parts(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield a sentence, or, where it is too long to be one (a list without marks, a flattened table), its lines."""
    if stop - start <= _LONGEST:
        yield start, stop
        return
    begin = start
    for cut in re.finditer(r"\n|;(?=\s)", text[start:stop]):
        if start + cut.end() - begin > _LONGEST // 4:
            yield from _span(text, begin, start + cut.end())
            begin = start + cut.end()
    yield from _span(text, begin, stop)


def _is_end(text: str, begin: int, mark: int, behind: int, end: int) -> bool:
    following = _NEXT_WORD.match(text, behind, end)
    word = following[1] if following else ""
    if not word:
        return True
    if word[0].islower():
        return False
    if text[mark] != "." or text[mark : mark + 2] == "..":
        return True
    last = _LAST_WORD.search(text[begin:mark])
    return last is None or _ends_with(last[0], word)


def _ends_with(last: str, following: str) -> bool:
    """Tell whether a full stop behind `last` ends a sentence when `following` (not in lower case) comes next."""
    plain, next_plain = last.lower().strip("*_`"), following.lower().strip(".,:;*_`\"'")
    if plain in lexicon.NEVER_LAST:
        # "no" and "art" are words too; before a number or a name they are abbreviations.
        return (
            plain in ("no", "art", "fr", "col", "sen") and not following[0].isdigit() and next_plain in lexicon.STARTERS
        )
    initial = len(plain) == 1 and plain.isalpha() and last.isupper()
    if initial or plain in lexicon.MAYBE_LAST or re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", plain):
        return next_plain in lexicon.STARTERS
    return True


def _span(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    start, end = _trim(text, start, end)
    if start < end:
        yield start, end


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
