"""Markdown: the text exactly as in the file, its blocks by a parser's line numbers."""

import re
from collections.abc import Iterator
from itertools import accumulate

from multidb_chat.adapters.readers.dates import moment
from multidb_chat.adapters.readers.drafting import covering, finished
from multidb_chat.adapters.readers.source import Source
from multidb_chat.domain.reading import Block, BlockKind, ParsedDocument

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_FIELD = re.compile(r"^([A-Za-z][\w-]*):[ \t]*(\S.*)$", re.MULTILINE)
_KINDS: dict[str, BlockKind] = {
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
}
_MARKS = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*`]+|</?\w[^>]*>|\\(?=[^\w\s])")


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the document. Front matter gives its title, date, language and metadata."""
    text = source.text
    match = _FRONT_MATTER.match(text)
    fields = _fields(match[1]) if match else {}
    blocks = covering(text, markdown_blocks(text, match.end() if match else 0))
    yield finished(
        source,
        "markdown",
        text,
        blocks,
        title=fields.pop("title", ""),
        language=fields.pop("lang", "") or fields.pop("language", ""),
        authored_at=moment(fields.pop("date", "")),
        metadata=fields,
    )


def markdown_blocks(text: str, begin: int = 0) -> Iterator[Block]:
    """Yield the top-level blocks of Markdown from `begin` on (CommonMark with tables)."""
    from markdown_it import MarkdownIt

    body = text[begin:]
    # Only the blocks are wanted: without the inline rules a long text takes a fraction of the time.
    tokens = MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"]).parse(body)
    starts = list(accumulate((len(line) + 1 for line in body.split("\n")), initial=begin))
    for place, token in enumerate(tokens):
        if token.level or not token.map:
            continue
        start, end = (min(starts[line], len(text)) for line in token.map)
        if token.type == "heading_open":
            yield Block(start, end, "heading", int(token.tag[1]), label=shown(tokens[place + 1].content))
        else:
            yield Block(start, end, _KINDS.get(token.type, "paragraph"))


def shown(line: str) -> str:
    """Return a line of Markdown without its marks: links become their text, emphasis and code lose theirs."""
    return _MARKS.sub(lambda match: match[1] or "", line).strip()


def _fields(front: str) -> dict[str, str]:
    return {key.lower(): value.strip().strip("'\"") for key, value in _FIELD.findall(front)}
