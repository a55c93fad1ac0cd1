"""The answerer that quotes: no model, no invented word."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from multidb_chat.domain.search import GIVEN, Match, SpanReader
from multidb_chat.domain.turns import AnswerSentence, Draft, Question

if TYPE_CHECKING:  # imported where they work, so that a cached answer costs none of them
    from multidb_chat.services.answering.evidence import Candidate
    from multidb_chat.services.answering.passages import Passage
    from multidb_chat.services.answering.question import Analysis
    from multidb_chat.services.answering.reading import Reading

NAME = "extractive-9"
"""Changes whenever the answers would."""

SUPPORT = 0.52
"""From which support of the best sentences on there is an answer, where only words were compared."""

READ_SUPPORT = 0.25
"""The same where the sentences were read: docs/quality.md has what other values refuse, and refuse wrongly."""

FOR_GIVEN = 0.85
"""So much of that, for texts given with the question: whoever hands a text over asks about that one."""

NOTHING = Draft((), (), False)


class Extractive:
    """Answers with the passages' own sentences, each cited by its exact span.

    A `reader` judges the most promising sentences where they stand; without one the words as they are written decide.
    """

    def __init__(self, reader: SpanReader | None = None, *, support: float | None = None) -> None:
        self._reader = reader
        self._name = NAME if reader is None else f"{NAME}+{reader.name}"
        default = SUPPORT if reader is None else READ_SUPPORT
        self._support = default if support is None else support

    @property
    def name(self) -> str:
        """Part of the cache key."""
        return self._name

    async def answer(self, question: Question, matches: Sequence[Match]) -> AsyncIterator[AnswerSentence | Draft]:
        """Yield the sentences, then the draft. Without support only a draft with `found` False."""
        analysis, found = await asyncio.to_thread(_weigh, question.standalone, matches)
        if self._reader is not None and found and not _asks_for_gist(analysis):
            found = await self._read(self._reader, question.standalone, found, analysis)
        given = all(match.document.collection_id == GIVEN for match in matches)
        draft = await asyncio.to_thread(_draft, analysis, found, self._support * (FOR_GIVEN if given else 1.0))
        for sentence in draft.sentences:
            yield sentence
        yield draft

    async def _read(
        self, reader: SpanReader, question: str, found: "list[Candidate]", analysis: "Analysis"
    ) -> "list[Candidate]":
        """Let the reader judge the most promising candidates where they stand; return those that it has read."""
        from multidb_chat.services.answering.reading import Reading, as_read

        reading = await asyncio.to_thread(Reading, found)
        odds = await reader.read(as_read(question), reading.excerpts)
        return await asyncio.to_thread(_settle, reading, found, odds, analysis)


def _settle(
    reading: "Reading", found: "Sequence[Candidate]", odds: Sequence[Sequence[float]], analysis: "Analysis"
) -> "list[Candidate]":
    from multidb_chat.services.answering.judging import judge

    reading.settle(found, odds)
    read = [candidate for candidate in found if candidate.odds is not None]
    for candidate in read:
        judge(candidate, analysis)
    return sorted(read, key=lambda candidate: -candidate.score)


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
