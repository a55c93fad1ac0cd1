"""A document's blocks, gathered by what may share a passage: the section below a heading, and the page."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from multidb_chat.domain.library import Chunk
from multidb_chat.domain.reading import Block, BlockKind, ParsedDocument
from multidb_chat.domain.text import clean_line

SLACK = 1.25
"""A block, or a passage with a small rest behind it, may be longer than the target by so much before it is cut."""
SMALL = 0.25
"""What is shorter than this part of the target says little alone."""

# Splitting looks at so many characters at once: bounds the recursion depth of the splitter and its time on any input.
_WINDOW = 20_000
HEADING_CHARS = 200
_FILLER = "\x00"  # no text has one

# Other scripts' sentence and clause marks as the ones the splitter knows.
_MARKS = str.maketrans("。｡．！？；，、।؟؛،", "...!?;,,.?;,")
_SPACES = re.compile(r"\s{2,}|\n")
_HEADING_MARKS = re.compile(r"^[#=*\s]+|[#=*:\s]+$")


@dataclass(frozen=True, slots=True)
class Piece:
    """A block or a part of one: never cut again."""

    start: int
    end: int
    kind: BlockKind


@dataclass(slots=True)
class Section:
    """Blocks that may share passages: one heading path, one page. `headings_only`: no body has come yet."""

    path: tuple[str, ...]
    page: int | None
    pieces: list[Piece] = field(default_factory=list)
    headings_only: bool = True


Cut = Callable[[Block], Iterable[Piece]]
"""Makes pieces of a block."""


def sections(parsed: ParsedDocument, cut: Cut) -> Iterator[Section]:
    """Yield the sections in order. Headings without a body go with the next section of the page."""
    path: list[tuple[int, str]] = []
    section = Section((), None)
    for block in _blocks(parsed):
        starts = block.kind in ("heading", "function")
        if block.kind == "heading":
            path = [*(entry for entry in path if entry[0] < block.level), (block.level, _heading(parsed.text, block))]
        labels = [block.label] if block.kind == "function" and block.label else []
        names = (*(name for _, name in path), *labels)
        waiting = section.headings_only and block.page == section.page
        if not section.pieces:
            section = Section(names, block.page)
        elif waiting:
            section.path = names
        elif starts or names != section.path or block.page != section.page:
            yield section
            section = Section(names, block.page)
        section.headings_only = section.headings_only and block.kind == "heading"
        section.pieces.extend(cut(block))
    if section.pieces:
        yield section


def whole(block: Block) -> Iterable[Piece]:
    """Return the block as its only piece."""
    return (Piece(block.start, block.end, block.kind),)


def pieces_of(text: str, block: Block, target: int) -> Iterable[Piece]:
    """Return the block as pieces of about the target at the most: a table between rows, prose between sentences."""
    if block.end - block.start <= int(target * SLACK):
        return whole(block)
    return (Piece(start, end, block.kind) for start, end in _cut(text, block, target))


def passage(document_id: str, ordinal: int, text: str, pieces: Sequence[Piece], section: Section) -> Chunk:
    """Return neighbouring pieces as one passage of the document's `text`."""
    start, end = pieces[0].start, pieces[-1].end
    return Chunk(document_id, ordinal, start, end, text[start:end], kind_of(pieces), section.page, section.path)


def inside(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without the white space at its ends; an empty one has no end behind its start."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def length_of(group: Sequence[Piece]) -> int:
    """Return the characters from the first piece's start to the last one's end."""
    return group[-1].end - group[0].start


def kind_of(pieces: Sequence[Piece]) -> str:
    """Return the kind of a passage of these pieces: "text" for prose and mixtures."""
    kinds = {piece.kind for piece in pieces if piece.kind != "heading"}
    only = kinds.pop() if len(kinds) == 1 else "paragraph"
    return "text" if only == "paragraph" else only


def plain_heading(line: str) -> str:
    """Return a line without the marks of a heading."""
    return _HEADING_MARKS.sub("", line)


def _blocks(parsed: ParsedDocument) -> Iterator[Block]:
    """Yield the blocks without the space around them, and as paragraphs what a reader left between them."""
    at, page = 0, None
    for block in parsed.blocks:
        yield from _trimmed(parsed.text, Block(at, block.start, "paragraph", page=page))
        yield from _trimmed(parsed.text, block)
        at, page = block.end, block.page
    yield from _trimmed(parsed.text, Block(at, len(parsed.text), "paragraph", page=page))


def _trimmed(text: str, block: Block) -> Iterator[Block]:
    start, end = inside(text, block.start, block.end)
    if start < end:
        yield Block(start, end, block.kind, block.level, block.page, block.label)


def _heading(text: str, block: Block) -> str:
    """Return a heading's words on one line without the marks of Markdown and reStructuredText."""
    first = block.label or text[block.start : block.end].split("\n", 1)[0]
    return plain_heading(clean_line(first))[:HEADING_CHARS]


def _cut(text: str, block: Block, target: int) -> Iterator[tuple[int, int]]:
    """Yield spans of a long block, each at most `target` long and about evenly so, window by window."""
    from semchunk.semchunk import chunk  # imports tqdm: only when something is to be cut

    length = block.end - block.start
    size = max(1, min(target, int(1.15 * length / -(-length // target))))
    at = block.start
    while at < block.end:
        window = text[at : min(at + max(_WINDOW, 4 * size), block.end)]
        shadow = _shadow(window) if block.kind in ("paragraph", "heading") else window
        spans = cast(list[tuple[int, int]], chunk(shadow, size, len, memoize=False, offsets=True)[1])
        ended = at + len(window) >= block.end
        for start, end in spans if ended or len(spans) < 2 else spans[:-1]:
            first, last = inside(text, at + start, at + end)
            if first < last:
                yield first, last
        at = at + len(window) if ended or len(spans) < 2 else at + spans[-1][0]


def _shadow(prose: str) -> str:
    """Return a text of the same length in which the splitter sees sentences rather than the layout of lines.

    The splitter prefers line ends and wide spaces to sentence ends, which is wrong for wrapped or justified prose;
    blank lines stay.
    """
    return _SPACES.sub(_narrow, prose.translate(_MARKS))


def _narrow(match: re.Match[str]) -> str:
    run = match.group()
    return run if run.count("\n") > 1 else " " + _FILLER * (len(run) - 1)
