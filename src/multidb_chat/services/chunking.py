"""From a text with structure to passages: what is embedded, searched and cited.

Structure decides first. A heading or a function begins a section, a page (slide, sheet) ends a passage, and the blocks
of one section and page are packed to about `target_chars`. A block that is too long is cut where it hurts least: a
table between rows, code between lines, prose between sentences. Passages are spans of the document: they never overlap
and together leave out only white space.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from multidb_chat.domain.library import TARGET_CHARS, Chunk
from multidb_chat.domain.reading import Block, BlockKind, ParsedDocument
from multidb_chat.domain.text import clean_line

# A block, or a passage with a small rest behind it, may be longer than the target by so much before it is cut.
_SLACK = 1.25
# So long is a passage at the most: a short heading stays with a block that is as long as a block may be.
_MOST = 1.5
# A rest shorter than this part of the target joins the passage before it.
_SMALL = 0.25
# Splitting looks at so many characters at once: bounds the recursion depth of the splitter and its time on any input.
_WINDOW = 20_000
_HEADING_CHARS = 200
_FILLER = "\x00"  # no text has one

# Other scripts' sentence and clause marks as the ones the splitter knows.
_MARKS = str.maketrans("。｡．！？；，、।؟؛،", "...!?;,,.?;,")
_SPACES = re.compile(r"\s{2,}|\n")
_HEADING_MARKS = re.compile(r"^[#=*\s]+|[#=*:\s]+$")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block or a part of one: never cut again."""

    start: int
    end: int
    kind: BlockKind


@dataclass(slots=True)
class _Section:
    """Blocks that may share passages: one heading path, one page. `headings_only`: no body has come yet."""

    path: tuple[str, ...]
    page: int | None
    pieces: list[_Piece] = field(default_factory=list)
    headings_only: bool = True


def chunk_document(parsed: ParsedDocument, target_chars: int = TARGET_CHARS, document_id: str = "") -> list[Chunk]:
    """Return the passages of a document in order, without vectors; none for a text of white space.

    Every chunk is `parsed.text[start:end]`, begins and ends with a character that is no space, and is at most 1.5 x
    `target_chars` long. `headings` is the path of the section it belongs to, `page` the page it begins on, `kind` the
    kind of its blocks ("text" for prose and mixtures).
    """
    chunks: list[Chunk] = []
    for section in _sections(parsed, target_chars):
        for pieces in _packed(section.pieces, target_chars):
            start, end = pieces[0].start, pieces[-1].end
            text = parsed.text[start:end]
            chunks.append(
                Chunk(document_id, len(chunks), start, end, text, _kind_of(pieces), section.page, section.path)
            )
    return chunks


def embedding_text(title: str, headings: Sequence[str], text: str) -> str:
    """Return what is embedded for a passage: the document's title, the heading path, and the passage.

    What the passage itself begins with is not said twice. Lone surrogates (from file names) go.
    """
    said = [_HEADING_MARKS.sub("", line) for line in text[: 2 * _HEADING_CHARS].split("\n")]
    lines: list[str] = []
    for line in (clean_line(title), *headings):
        if line and line not in said:
            said.append(line)
            lines.append(line)
    whole = "\n".join((*lines, text))
    return whole.encode("utf-8", "ignore").decode()


def _sections(parsed: ParsedDocument, target: int) -> Iterator[_Section]:
    """Yield the sections in order. Headings without a body go with the next section of the page."""
    path: list[tuple[int, str]] = []
    section = _Section((), None)
    for block in _blocks(parsed):
        starts = block.kind in ("heading", "function")
        if block.kind == "heading":
            path = [*(entry for entry in path if entry[0] < block.level), (block.level, _heading(parsed.text, block))]
        labels = [block.label] if block.kind == "function" and block.label else []
        names = (*(name for _, name in path), *labels)
        waiting = section.headings_only and block.page == section.page
        if not section.pieces:
            section = _Section(names, block.page)
        elif waiting:
            section.path = names
        elif starts or names != section.path or block.page != section.page:
            yield section
            section = _Section(names, block.page)
        section.headings_only = section.headings_only and block.kind == "heading"
        section.pieces.extend(_pieces(parsed.text, block, target))
    if section.pieces:
        yield section


def _blocks(parsed: ParsedDocument) -> Iterator[Block]:
    """Yield the blocks without the space around them, and as paragraphs what a reader left between them."""
    at, page = 0, None
    for block in parsed.blocks:
        yield from _trimmed(parsed.text, Block(at, block.start, "paragraph", page=page))
        yield from _trimmed(parsed.text, block)
        at, page = block.end, block.page
    yield from _trimmed(parsed.text, Block(at, len(parsed.text), "paragraph", page=page))


def _trimmed(text: str, block: Block) -> Iterator[Block]:
    start, end = _inside(text, block.start, block.end)
    if start < end:
        yield Block(start, end, block.kind, block.level, block.page, block.label)


def _inside(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without the white space at its ends; an empty one has no end behind its start."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def _heading(text: str, block: Block) -> str:
    """Return a heading's words on one line without the marks of Markdown and reStructuredText."""
    first = block.label or text[block.start : block.end].split("\n", 1)[0]
    return _HEADING_MARKS.sub("", clean_line(first))[:_HEADING_CHARS]


def _pieces(text: str, block: Block, target: int) -> Iterable[_Piece]:
    if block.end - block.start <= int(target * _SLACK):
        return (_Piece(block.start, block.end, block.kind),)
    return (_Piece(start, end, block.kind) for start, end in _cut(text, block, target))


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
            first, last = _inside(text, at + start, at + end)
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


def _packed(pieces: Sequence[_Piece], target: int) -> list[list[_Piece]]:
    """Group neighbouring pieces to about the target; a heading stays with its body, a small rest with what it ends."""
    groups: list[list[_Piece]] = []
    for piece in pieces:
        if groups and piece.end - groups[-1][0].start <= (
            target * _MOST if _is_small_head(groups[-1], target) else target
        ):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    if len(groups) > 1:
        before, last = groups[-2:]
        if _length(last) <= target * _SMALL and last[-1].end - before[0].start <= target * _SLACK:
            groups[-2:] = [[*before, *last]]
    return groups


def _is_small_head(group: Sequence[_Piece], target: int) -> bool:
    """Whether a group is nothing but short headings, which say little without what follows."""
    return all(piece.kind == "heading" for piece in group) and _length(group) <= target * _SMALL


def _length(group: Sequence[_Piece]) -> int:
    return group[-1].end - group[0].start


def _kind_of(pieces: Sequence[_Piece]) -> str:
    kinds = {piece.kind for piece in pieces if piece.kind != "heading"}
    only = kinds.pop() if len(kinds) == 1 else "paragraph"
    return "text" if only == "paragraph" else only
