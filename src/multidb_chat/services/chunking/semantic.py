"""Passages by meaning: a long section is cut where what is said changes most.

A section that is no longer than the target is one passage. Of a longer one the sentences are embedded, and it is cut
into as few passages as the target allows, so that the sentences of each are as near as they can be to their common mean
(the least variance inside, found by dynamic programming). Rests that are too small, and headings without what they
head, are avoided wherever it can be done.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from multidb_chat.domain.library import TARGET_CHARS, Chunk
from multidb_chat.domain.reading import Block, ParsedDocument
from multidb_chat.services.answering.sentences import sentence_spans
from multidb_chat.services.chunking.sections import (
    SLACK,
    SMALL,
    Piece,
    Section,
    length_of,
    passage,
    pieces_of,
    sections,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = 1
"""Grows whenever the same sentences and vectors would be cut otherwise."""

# A sentence shorter than this part of the target has no meaning of its own that could be compared.
_LEAST = 1 / 30
# Cutting looks at so many characters of a section at once: bounds its time on any input.
_WINDOW = 20_000
# What a passage costs that is too short or ends with a heading: more than any meaning (at most 1 a sentence).
_BAD = 10_000.0


class SemanticCut:
    """A document whose passages are decided by the vectors of `texts`, its sentences where it has long sections."""

    def __init__(self, parsed: ParsedDocument, target_chars: int = TARGET_CHARS) -> None:
        """Find the sentences. CPU-bound."""
        self._text = parsed.text
        self._target = target_chars
        self._parts = [
            part
            for section in sections(parsed, lambda block: _sentences(parsed.text, block, target_chars))
            for part in _parts(_joined(section, target_chars))
        ]
        self.texts = [
            parsed.text[piece.start : piece.end] for part in self._parts if self._is_long(part) for piece in part.pieces
        ]

    def chunks(self, vectors: Sequence[bytes], document_id: str = "") -> list[Chunk]:
        """Return the passages, by the vectors of `texts`; each at most 1.5 x the target long. CPU-bound."""
        chunks: list[Chunk] = []
        at = 0
        for part in self._parts:
            groups: Iterable[Sequence[Piece]] = [part.pieces]
            if self._is_long(part):
                groups = _grouped(part.pieces, vectors[at : at + len(part.pieces)], self._target)
                at += len(part.pieces)
            for pieces in groups:
                chunks.append(passage(document_id, len(chunks), self._text, pieces, part))
        return chunks

    def _is_long(self, part: Section) -> bool:
        return length_of(part.pieces) > self._target


def _sentences(text: str, block: Block, target: int) -> Iterator[Piece]:
    """Yield a paragraph's sentences, and whole what else is not too long."""
    if block.kind != "paragraph":
        yield from pieces_of(text, block, target)
        return
    for start, end in sentence_spans(text, block.start, block.end):
        yield from pieces_of(text, Block(start, end, block.kind), target)


def _joined(section: Section, target: int) -> Section:
    """Return a section whose pieces that say next to nothing alone ("See fig. 3.") are joined with what follows."""
    joined: list[Piece] = []
    for piece in section.pieces:
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.kind == piece.kind != "heading"
            and before.end - before.start < target * _LEAST
            and piece.end - before.start <= target * SLACK
        ):
            joined[-1] = Piece(before.start, piece.end, piece.kind)
        else:
            joined.append(piece)
    return Section(section.path, section.page, joined)


def _parts(section: Section) -> Iterator[Section]:
    """Yield a section in parts of `_WINDOW` characters."""
    begin = 0
    for place, piece in enumerate(section.pieces):
        if piece.end - section.pieces[begin].start > _WINDOW and place > begin:
            yield Section(section.path, section.page, section.pieces[begin:place])
            begin = place
    yield Section(section.path, section.page, section.pieces[begin:])


def _grouped(pieces: Sequence[Piece], vectors: Sequence[bytes], target: int) -> list[Sequence[Piece]]:
    """Return the pieces as the fewest passages that the target allows, with the least variance inside them."""
    import numpy as np

    count = len(pieces)
    rows = np.frombuffer(b"".join(vectors), "<f4").reshape(count, -1).astype(np.float64)
    sums = np.vstack([np.zeros(rows.shape[1]), np.cumsum(rows, axis=0)])
    costs = [_costs(pieces, sums, end, target) for end in range(1, count + 1)]
    best, begins = [0.0] + [np.inf] * count, list[list[int]]()
    fewest = min(-(-length_of(pieces) // target), count)
    while len(begins) < fewest or not np.isfinite(best[count]):
        following, chosen = [np.inf] * (count + 1), [0] * (count + 1)
        for end, (first, cost) in enumerate(costs, 1):
            totals = np.array(best[first:end]) + cost
            chosen[end] = first + int(totals.argmin())
            following[end] = float(totals.min())
        best = following
        begins.append(chosen)
    cuts = [count]
    for chosen in reversed(begins):
        cuts.append(chosen[cuts[-1]])
    return [pieces[first:last] for first, last in pairwise(reversed(cuts))]


def _costs(
    pieces: Sequence[Piece], sums: "NDArray[np.float64]", end: int, target: int
) -> "tuple[int, NDArray[np.float64]]":
    """Return the first piece that a passage may begin with that ends before `end`, and the costs from that one on."""
    import numpy as np

    first = end - 1
    while first > 0 and pieces[end - 1].end - pieces[first - 1].start <= target * SLACK:
        first -= 1
    counts = end - np.arange(first, end)
    cost = counts - ((sums[end] - sums[first:end]) ** 2).sum(axis=1) / counts
    short = np.array([pieces[end - 1].end - pieces[begin].start < target * SMALL for begin in range(first, end)])
    headless = pieces[end - 1].kind == "heading" and end < len(pieces)
    return first, cost + _BAD * short + _BAD * headless
