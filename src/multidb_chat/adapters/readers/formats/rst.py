"""reStructuredText: the text exactly as in the file; titles by their underlines, directives by their indent."""

import re
from collections.abc import Iterator

from multidb_chat.adapters.readers.drafting import covering, finished
from multidb_chat.adapters.readers.source import Source
from multidb_chat.domain.reading import Block, BlockKind, ParsedDocument

_PARAGRAPH = re.compile(r"[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
_ADORNMENT = re.compile(r"([!-/:-@[-`{-~])\1{2,}\s*")
_DIRECTIVE = re.compile(r"\s*\.\. +([\w-]+)::")
_CODE = {"code", "code-block", "sourcecode", "highlight", "parsed-literal", "literalinclude", "math", "ipython"}
_TABLES = {"table", "csv-table", "list-table"}
_TABLE = re.compile(r"\s*(?:\+[-=+]{3,}\+|={2,}(?: +={2,})+)\s*$", re.MULTILINE)
_LIST = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)]|#\.)\s+\S")
_FIELD = re.compile(r":([A-Za-z][\w -]*):[ \t]+(\S.*)")


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the document."""
    text = source.text
    blocks = covering(text, rst_blocks(text))
    fields = {name.lower(): value for name, value in _FIELD.findall(text[:2000])}
    yield finished(
        source, "rst", text, blocks, metadata={name: fields[name] for name in ("author", "version") if name in fields}
    )


def rst_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a text, in order. The first kind of title is level 1, the next new one level 2, and so on."""
    styles: list[tuple[str, bool]] = []
    code_indent = -1  # Where a literal block is expected: the indent of the paragraph that announced it.
    kind: BlockKind = "code"
    for match in _PARAGRAPH.finditer(text):
        start, end = match.span()
        paragraph = match[0]
        indent = len(paragraph) - len(paragraph.lstrip())
        if code_indent >= 0 and indent > code_indent:
            yield Block(start, end, kind)
            continue
        code_indent = -1
        title = _title(paragraph)
        if title:
            words, length, style = title
            if style not in styles:
                styles.append(style)
            yield Block(start, start + length, "heading", min(6, styles.index(style) + 1), label=words)
            start += length
            paragraph = paragraph[length:]
        if paragraph.strip():
            directive = _DIRECTIVE.match(paragraph)
            kind = "table" if directive and directive[1] in _TABLES else "code"
            if (directive and directive[1] in _CODE | _TABLES) or paragraph.rstrip().endswith("::"):
                code_indent = indent
            yield Block(start, end, _kind(paragraph, directive[1] if directive else ""))


def _title(paragraph: str) -> tuple[str, int, tuple[str, bool]] | None:
    """Return the title a paragraph begins with, its length in characters and its style, None when there is none."""
    lines = paragraph.split("\n", 3)
    if len(lines) >= 3 and _ADORNMENT.fullmatch(lines[0]) and lines[2].rstrip() == lines[0].rstrip():
        return lines[1].strip(), len("\n".join(lines[:3])), (lines[0][0], True)
    if len(lines) < 2 or not _ADORNMENT.fullmatch(lines[1]) or _ADORNMENT.fullmatch(lines[0]):
        return None
    if lines[0][:1].isspace() or len(lines[1].rstrip()) < len(lines[0].rstrip()) - 2:
        return None
    return lines[0].strip(), len("\n".join(lines[:2])), (lines[1][0], False)


def _kind(paragraph: str, directive: str) -> BlockKind:
    if directive in _CODE or paragraph.startswith(">>> "):
        return "code"
    if directive in _TABLES or _TABLE.match(paragraph):
        return "table"
    return "list" if _LIST.match(paragraph) else "paragraph"
