"""The answerer that quotes: no model, no invented word."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from multidb_chat.domain.search import Embedder, Match
from multidb_chat.domain.turns import AnswerSentence, Draft, Question

if TYPE_CHECKING:  # imported where they work, so that a cached answer costs none of them
    from multidb_chat.services.answering.evidence import Candidate
    from multidb_chat.services.answering.passages import Passage
    from multidb_chat.services.answering.question import Analysis

NAME = "extractive-3"
"""Changes whenever the answers would."""

SUPPORT = 0.52
"""From which support (0 to 1) of the best sentence on there is an answer. Of the development questions about real
documents (`scripts/bench answers`) .57 refused 22 % of those that can be answered and .52 refuses 18 %; of those that
cannot be, 92 and 86 %. At .50 the false answers on the texts written for it double."""

NOTHING = Draft((), (), False)


class Extractive:
    """Answers with the passages' own sentences, each cited by its exact span.

    With an `embedder` the most promising `compared` sentences are also compared with the question in meaning; without
    one the passage's own similarity stands for its sentences.
    """

    def __init__(self, embedder: Embedder | None = None, *, support: float = SUPPORT, compared: int = 8) -> None:
        self._embedder = embedder
        self._support = support
        self._compared = compared

    @property
    def name(self) -> str:
        """Part of the cache key."""
        return NAME if self._embedder is None else f"{NAME}+{self._embedder.name}"

    async def answer(self, question: Question, matches: Sequence[Match]) -> AsyncIterator[AnswerSentence | Draft]:
        """Yield the sentences, then the draft. Without support only a draft with `found` False."""
        analysis, found = await asyncio.to_thread(_weigh, question.standalone, matches)
        if self._embedder is not None and found:
            await self._compare(question.standalone, found[: self._compared], analysis)
        draft = await asyncio.to_thread(_draft, analysis, found, self._support)
        for sentence in draft.sentences:
            yield sentence
        yield draft

    async def _compare(self, question: str, found: "Sequence[Candidate]", analysis: "Analysis") -> None:
        """Set the similarity of candidates to the question and judge them again."""
        from multidb_chat.services.answering.judging import judge

        assert self._embedder is not None
        texts = [_in_context(candidate) for candidate in found]
        wanted, vectors = await asyncio.gather(
            self._embedder.embed_query(question), self._embedder.embed_documents(texts)
        )
        for candidate, vector in zip(found, vectors, strict=True):
            candidate.similarity = cosine(wanted, vector)
            judge(candidate, analysis)


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


def _draft(analysis: "Analysis", found: "Sequence[Candidate]", support: float) -> Draft:
    from multidb_chat.services.answering.gist import asks_for_gist, gist
    from multidb_chat.services.answering.rendering import Sheet
    from multidb_chat.services.answering.selection import select

    ranked = sorted(found, key=lambda candidate: -candidate.score)
    if ranked and asks_for_gist(analysis):
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
