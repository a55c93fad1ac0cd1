"""Plain text: paragraphs between empty lines, and headings where a line is surely one."""

import re
from collections.abc import Iterator

from multidb_chat.adapters.readers.drafting import covering, finished
from multidb_chat.adapters.readers.source import Source
from multidb_chat.domain.reading import Block, ParsedDocument

# A form feed ends a paragraph too: it begins a page.
_PARAGRAPH = re.compile(r"[^\n\f]*[^\s][^\n\f]*(?:\n[^\n\f]*[^\s][^\n\f]*)*")
_DIVISION = re.compile(
    r"(?i:(?P<part>part|book|volume|act)|chapter|section|scene|canto|letter|appendix|kapitel|chapitre|cap[ií]tulo|capitolo)"
    r"\s+(?:\d{1,3}|[ivxlcdm]{1,8}|one|two|three|four|five|six|seven|eight|nine|ten|[a-h])\b[^\n]{0,80}",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?i:preface|prologue|epilogue|introduction|contents|abstract|conclusions?|references|foreword)[.:]?"
)
_NUMBERED = re.compile(r"\d{1,2}(?P<deeper>(?:\.\d{1,2}){0,4})\.?\s+[A-ZÀ-Þ][^\n.;:!?]{2,70}")
_UNDERLINE = re.compile(r"(?:={3,}|-{3,}|~{3,}|\*{3,})")
_LIST = re.compile(r"\s*(?:[-*•–]|\d{1,3}[.)])\s+\S")


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the document; a form feed begins a new page."""
    text = source.text
    blocks = covering(text, text_blocks(text))
    yield finished(source, "text", text, blocks, pages=text.count("\f") + 1 if "\f" in text.strip() else 0)


def text_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a plain text, in order."""
    paged, page, counted = "\f" in text.strip(), 1, 0
    for match in _PARAGRAPH.finditer(text):
        start, end = match.span()
        if paged:
            page += text.count("\f", counted, start + 1)
            counted = start + 1
        yield from _paragraph(text, start, end, page if paged else None)


def _paragraph(text: str, start: int, end: int, page: int | None) -> Iterator[Block]:
    first_end = text.find("\n", start, end)
    if first_end < 0:
        yield _line(text, start, end, page)
        return
    second_end = text.find("\n", first_end + 1, end)
    second_end = end if second_end < 0 else second_end
    title, line = text[start:first_end].strip(), text[first_end + 1 : second_end].strip()
    if (
        len(title) <= 100
        and _UNDERLINE.fullmatch(line)
        and 2 * len(line) >= len(title)
        and not _UNDERLINE.fullmatch(title)
    ):
        yield Block(start, second_end, "heading", 1 if line[0] in "=*" else 2, page, title)
        start = second_end
    kind = "list" if _LIST.match(text, start, end) else "paragraph"
    yield Block(start, end, "list" if kind == "list" else "paragraph", page=page)


def _line(text: str, start: int, end: int, page: int | None) -> Block:
    level = heading_level(text[start:end].strip()) if end - start <= 120 else 0
    if level:
        return Block(start, end, "heading", level, page)
    return Block(start, end, "list" if _LIST.match(text, start, end) else "paragraph", page=page)


def heading_level(line: str) -> int:
    """Return the level of a line that stands alone and is surely a heading, else 0."""
    division = _DIVISION.fullmatch(line)
    if (division and not line.endswith((".", ",", ";"))) or _NAMED.fullmatch(line):
        return 1 if division is None or division["part"] else 2
    numbered = _NUMBERED.fullmatch(line)
    return min(6, 2 + numbered["deeper"].count(".")) if numbered else 0
