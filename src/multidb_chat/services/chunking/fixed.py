"""Passages of equal length: a page is cut into as few as the target allows, between words."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import groupby, pairwise

from multidb_chat.domain.library import TARGET_CHARS, Chunk
from multidb_chat.domain.reading import ParsedDocument
from multidb_chat.services.chunking.sections import Section, inside, kind_of, sections, whole

# A cut is moved back to the end of a word by this part of a passage's length at the most.
_BACK = 0.25


def fixed_chunks(parsed: ParsedDocument, target_chars: int = TARGET_CHARS, document_id: str = "") -> list[Chunk]:
    """Return the passages of a document in order, as `chunk_document` does; each at most 1.25 x `target_chars` long.

    Headings do not end a passage; `headings` is the path of the section that it begins in.
    """
    chunks: list[Chunk] = []
    for _, page in groupby(sections(parsed, whole), lambda section: section.page):
        on_page = list(page)
        starts = [section.pieces[0].start for section in on_page]
        for start, end in _spans(parsed.text, starts[0], on_page[-1].pieces[-1].end, target_chars):
            first = bisect_right(starts, start) - 1
            kind = _kind(on_page[first:], start, end)
            path, number = on_page[first].path, on_page[first].page
            chunks.append(Chunk(document_id, len(chunks), start, end, parsed.text[start:end], kind, number, path))
    return chunks


def _kind(following: list[Section], start: int, end: int) -> str:
    pieces = [piece for section in following for piece in section.pieces if piece.start < end and piece.end > start]
    return kind_of(pieces)


def _spans(text: str, start: int, end: int, target: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of about equal length, white space between them left out."""
    count = -(-(end - start) // target)
    size = (end - start) / count
    cuts = (_between_words(text, start + round(number * size), int(size * _BACK)) for number in range(1, count))
    for first, last in pairwise((start, *cuts, end)):
        first, last = inside(text, first, last)
        if first < last:
            yield first, last


def _between_words(text: str, at: int, back: int) -> int:
    """Return the nearest place before `at` that follows white space, or `at` where a word is longer than `back`."""
    return next((place for place in range(at, at - back, -1) if text[place - 1].isspace()), at)
