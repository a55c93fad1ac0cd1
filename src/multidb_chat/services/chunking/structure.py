"""Passages by structure.

A heading or a function begins a section, a page (slide, sheet) ends a passage, and the blocks of one section and page
are packed to about the target. A block that is too long is cut where it hurts least: a table between rows, code between
lines, prose between sentences.
"""

from collections.abc import Sequence

from multidb_chat.domain.library import TARGET_CHARS, Chunk
from multidb_chat.domain.reading import ParsedDocument
from multidb_chat.services.chunking.sections import SLACK, SMALL, Piece, length_of, passage, pieces_of, sections

# So long is a passage at the most: a short heading stays with a block that is as long as a block may be.
_MOST = 1.5


def chunk_document(parsed: ParsedDocument, target_chars: int = TARGET_CHARS, document_id: str = "") -> list[Chunk]:
    """Return the passages of a document in order, without vectors; none for a text of white space.

    Every chunk is `parsed.text[start:end]`, begins and ends with a character that is no space, and is at most 1.5 x
    `target_chars` long. `headings` is the path of the section it belongs to, `page` the page it begins on, `kind` the
    kind of its blocks ("text" for prose and mixtures).
    """
    chunks: list[Chunk] = []
    for section in sections(parsed, lambda block: pieces_of(parsed.text, block, target_chars)):
        for pieces in packed(section.pieces, target_chars):
            chunks.append(passage(document_id, len(chunks), parsed.text, pieces, section))
    return chunks


def packed(pieces: Sequence[Piece], target: int) -> list[list[Piece]]:
    """Group neighbouring pieces to about the target; a heading stays with its body, a small rest with what it ends."""
    groups: list[list[Piece]] = []
    for piece in pieces:
        if groups and piece.end - groups[-1][0].start <= (
            target * _MOST if _is_small_head(groups[-1], target) else target
        ):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    if len(groups) > 1:
        before, last = groups[-2:]
        if length_of(last) <= target * SMALL and last[-1].end - before[0].start <= target * SLACK:
            groups[-2:] = [[*before, *last]]
    return groups


def _is_small_head(group: Sequence[Piece], target: int) -> bool:
    """Whether a group is nothing but short headings, which say little without what follows."""
    return all(piece.kind == "heading" for piece in group) and length_of(group) <= target * SMALL
