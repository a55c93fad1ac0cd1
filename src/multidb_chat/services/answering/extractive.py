"""The answerer that quotes: no model, no invented word."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from multidb_chat.domain.search import GIVEN, Embedder, Match, PieceEmbedder, Pieces
from multidb_chat.domain.turns import AnswerSentence, Draft, Question

if TYPE_CHECKING:  # imported where they work, so that a cached answer costs none of them
    from multidb_chat.services.answering.alignment import Asked
    from multidb_chat.services.answering.evidence import Candidate
    from multidb_chat.services.answering.passages import Passage
    from multidb_chat.services.answering.question import Analysis

NAME = "extractive-5"
"""Changes whenever the answers would."""

SUPPORT = 0.52
"""From which support of the best sentences on there is an answer, where only words were compared."""

READ_SUPPORT = 0.46
"""The same where the sentences were read: docs/quality.md has what other values refuse, and refuse wrongly."""

FOR_GIVEN = 0.85
"""So much of that, for texts given with the question: whoever hands a text over asks about that one."""

NOTHING = Draft((), (), False)
_READ = 16  # sentences that are read
_DECIDING = 3  # the best of them, which decide whether there is an answer: what stands around them is read too
_AROUND = 400  # characters before and behind


class Extractive:
    """Answers with the passages' own sentences, each cited by its exact span.

    A `reader` that can tell what words mean where they stand reads the most promising sentences; without one the words
    as they are written decide.
    """

    def __init__(self, reader: "Embedder | PieceEmbedder | None" = None, *, support: float | None = None) -> None:
        self._reader = reader if isinstance(reader, PieceEmbedder) else None
        self._name = NAME if self._reader is None else f"{NAME}+{getattr(reader, 'name', '')}"
        default = SUPPORT if self._reader is None else READ_SUPPORT
        self._support = default if support is None else support

    @property
    def name(self) -> str:
        """Part of the cache key."""
        return self._name

    async def answer(self, question: Question, matches: Sequence[Match]) -> AsyncIterator[AnswerSentence | Draft]:
        """Yield the sentences, then the draft. Without support only a draft with `found` False."""
        analysis, found = await asyncio.to_thread(_weigh, question.standalone, matches)
        if self._reader is not None and found and not _asks_for_gist(analysis):
            found = found[:_READ]
            await self._read(question.standalone, found, analysis)
        given = all(match.document.collection_id == GIVEN for match in matches)
        draft = await asyncio.to_thread(_draft, analysis, found, self._support * (FOR_GIVEN if given else 1.0))
        for sentence in draft.sentences:
            yield sentence
        yield draft

    async def _read(self, question: str, found: "list[Candidate]", analysis: "Analysis") -> None:
        """Hold the question against candidates word by word, and against what stands around the best of them."""
        reader = self._reader
        assert reader is not None
        asked, *texts = await reader.embed_pieces([question, *map(_in_context, found)])
        aligning = await asyncio.to_thread(_align, question, asked, found, texts, analysis)
        best = sorted(found, key=lambda candidate: -candidate.score)[:_DECIDING]
        around = await reader.embed_pieces([_surroundings(candidate) for candidate in best])
        await asyncio.to_thread(_support, aligning, best, around, analysis)


def _align(
    question: str, asked: Pieces, found: "Sequence[Candidate]", texts: Sequence[Pieces], analysis: "Analysis"
) -> "Asked":
    from multidb_chat.services.answering.alignment import Asked
    from multidb_chat.services.answering.judging import judge

    aligning = Asked(question, asked, texts)
    for candidate, text in zip(found, texts, strict=True):
        candidate.similarity = cosine(asked.vector, text.vector)
        candidate.aligned = aligning.in_text(text)
        judge(candidate, analysis)
    return aligning


def _support(aligning: "Asked", best: "Sequence[Candidate]", around: Sequence[Pieces], analysis: "Analysis") -> None:
    from multidb_chat.services.answering.judging import judge

    for candidate, text in zip(best, around, strict=True):
        candidate.around = aligning.in_text(text)
        judge(candidate, analysis)


def _surroundings(candidate: "Candidate") -> str:
    unit, text = candidate.unit, candidate.passage.match.chunk.text
    return text[max(0, unit.start - _AROUND) : unit.end + _AROUND]


def _weigh(question: str, matches: Sequence[Match]) -> "tuple[Analysis, list[Candidate]]":
    from multidb_chat.services.answering.evidence import candidates
    from multidb_chat.services.answering.judging import judge
    from multidb_chat.services.answering.passages import open_passages
    from multidb_chat.services.answering.question import analyse
    from multidb_chat.services.answering.words import Words

    words = Words()
    analysis = analyse(question, words)
    found = candidates(_distinct(open_passages(matches, words)), analysis, words)
    for candidate in found:
        judge(candidate, analysis)
    return analysis, sorted(found, key=lambda candidate: -candidate.score)


def _distinct(passages: "Sequence[Passage]") -> "list[Passage]":
    """Leave out a passage that lies within a better one of the same document."""
    kept: list[Passage] = []
    for passage in passages:
        chunk = passage.match.chunk
        if not any(
            other.match.chunk.document_id == chunk.document_id
            and other.match.chunk.start <= chunk.start
            and chunk.end <= other.match.chunk.end
            for other in kept
        ):
            kept.append(passage)
    return kept


def _in_context(candidate: "Candidate") -> str:
    headings = candidate.passage.match.chunk.headings
    return f"{headings[-1]}: {candidate.text}" if headings else candidate.text


def _asks_for_gist(analysis: "Analysis") -> bool:
    from multidb_chat.services.answering.gist import asks_for_gist

    return asks_for_gist(analysis)


def _draft(analysis: "Analysis", found: "Sequence[Candidate]", support: float) -> Draft:
    from multidb_chat.services.answering.gist import gist
    from multidb_chat.services.answering.rendering import Sheet
    from multidb_chat.services.answering.selection import select

    ranked = sorted(found, key=lambda candidate: -candidate.score)
    if ranked and _asks_for_gist(analysis):
        picks = gist(ranked)
    elif ranked and analysis.terms and max(item.support for item in ranked[:3]) >= support:
        picks = select([item for item in ranked if item.support >= 0.8 * support], analysis)
    else:
        return NOTHING
    sheet = Sheet()
    for pick in picks:
        sheet.add(pick)
    return Draft(tuple(sheet.sentences), tuple(sheet.citations), bool(sheet.sentences))


def cosine(first: bytes, second: bytes) -> float:
    """Return the cosine similarity of two unit vectors (float32, little-endian)."""
    import numpy as np

    return float(np.frombuffer(first, "<f4") @ np.frombuffer(second, "<f4"))
