"""Texts under construction: blocks that cover a text, and the document they become."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from multidb_chat.adapters.readers.decoding import normal
from multidb_chat.adapters.readers.languages import language_code
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.domain.reading import Block, BlockKind, ParsedDocument
from multidb_chat.domain.text import clean_line

_VISIBLE = re.compile(r"\S")
_LONGEST_TITLE = 300
# Titles that programs put in when nobody gave one.
_NO_TITLE = re.compile(
    r"(?i)(untitled|unbenannt|sans titre|no title|title|document|presentation|slide|powerpoint presentation|"
    r"word document|microsoft word|microsoft powerpoint|none|null|\W*|[\w-]*\d+|.*\.(docx?|dotx?|pptx?|xlsx?|pdf|tex|"
    r"dvi|indd|qxd|odt|rtf|txt|html?|tmp))"
)
# Headings that name a part of any text, never the whole.
_NO_HEADING = re.compile(
    r"(?i)((table of )?contents|preface|foreword|introduction|abstract|references|summary|page \w+|"
    r"(chapter|part|book|section|volume|act|scene|kapitel|chapitre)\b.*|\W*)"
)


class Draft:
    """A text that grows block by block, an empty line between them."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.blocks: list[Block] = []

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._parts)

    def add(
        self, text: str, kind: BlockKind = "paragraph", *, level: int = 0, page: int | None = None, label: str = ""
    ) -> None:
        """Append a block; nothing happens when `text` is only white space."""
        text = normal(text).strip()
        if not text:
            return
        if self.blocks:
            self._append("\n\n")
        start = self._length
        self._append(text)
        self.blocks.append(Block(start, self._length, kind, level, page, label))

    def include(self, text: str, blocks: Iterable[Block], page: int | None = None, deeper: int = 0) -> None:
        """Append a text that has blocks already; its headings go `deeper` levels down."""
        for block in blocks:
            level = min(6, block.level + deeper) if block.level else 0
            self.add(text[block.start : block.end], block.kind, level=level, page=page, label=block.label)

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)


def covering(text: str, blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return the blocks trimmed to what is visible, with paragraphs wherever text lies between them.

    `blocks` are in order; what overlaps an earlier one is cut off.
    """
    result: list[Block] = []
    at = 0
    for block in blocks:
        _place(text, Block(at, max(at, block.start), "paragraph", page=block.page), result)
        _place(text, _moved(block, max(at, block.start), block.end), result)
        at = max(at, block.end)
    _place(text, Block(at, len(text), "paragraph", page=result[-1].page if result else None), result)
    return tuple(result)


def _place(text: str, block: Block, result: list[Block]) -> None:
    visible = _VISIBLE.search(text, block.start, block.end) if block.end > block.start else None
    if visible:
        start = visible.start()
        result.append(_moved(block, start, start + len(text[start : block.end].rstrip())))


def _moved(block: Block, start: int, end: int) -> Block:
    return Block(start, end, block.kind, block.level, block.page, block.label)


def finished(
    source: Source,
    kind: str,
    text: str,
    blocks: Iterable[Block],
    *,
    title: str = "",
    language: str = "",
    authored_at: datetime | None = None,
    pages: int = 0,
    metadata: Mapping[str, Any] | None = None,
) -> ParsedDocument:
    """Return the document; its title is the given one if it says something, else the first heading, else the name.

    `language` is what the document states; without that its text tells (see `languages.language_code`).
    Raises `Refusal` when there is no text.
    """
    blocks = tuple(blocks)
    if not blocks:
        raise Refusal("empty")
    kept = {key: clean_line(str(value))[:2000] for key, value in (metadata or {}).items() if value}
    return ParsedDocument(
        name=source.name,
        title=_sensible(title) or _first_heading(text, blocks) or clean_line(source.stem) or "untitled",
        kind=kind,
        text=text,
        blocks=blocks,
        language=language_code(language, text),
        authored_at=authored_at,
        pages=pages,
        metadata={key: value for key, value in kept.items() if value},
    )


def _sensible(title: str) -> str:
    title = clean_line(normal(title[:2000]))
    return "" if _NO_TITLE.fullmatch(title) else title[:_LONGEST_TITLE]


def _first_heading(text: str, blocks: tuple[Block, ...]) -> str:
    for block in blocks[:50]:
        heading = clean_line(block.label or text[block.start : block.end]) if block.kind == "heading" else ""
        if heading and not _NO_HEADING.fullmatch(heading):
            return heading[:_LONGEST_TITLE]
    return ""
