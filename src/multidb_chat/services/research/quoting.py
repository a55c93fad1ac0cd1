"""Sentences that say why, or what goes wrong, in passages that are about the topic.

The answerer looks for what meets the words of a question; a reason is often told in other words, right beside them.
"""

import re
from collections.abc import Iterator, Sequence

from multidb_chat.domain.search import Match
from multidb_chat.domain.turns import AnswerSentence, Citation, Draft
from multidb_chat.services.answering.citing import citation
from multidb_chat.services.answering.passages import leans
from multidb_chat.services.answering.sentences import Unit, split
from multidb_chat.services.answering.words import Words, is_function_word
from multidb_chat.services.research.facets import Facet
from multidb_chat.services.tasks.reports import escaped

_LOOKED_AT = 5
_MOST = 3
_BACK = re.compile(r"(?:\w+\W+){1,3}(?:them|these|those|this|it)\b", re.IGNORECASE)  # "Most of them ..."


def quoted(facet: Facet, topic: str, matches: Sequence[Match], words: Words) -> Draft:
    """Return the fitting sentences of the best passages that hold, with what stands above them, all of the topic."""
    wanted = _keys(facet.asked if facet.origin == "topic" else topic, words)
    sentences: list[AnswerSentence] = []
    citations: list[Citation] = []
    for match in matches[:_LOOKED_AT]:
        chunk = match.chunk
        around = " ".join((chunk.text, *chunk.headings, match.document.title))
        if not wanted <= _keys(around, words):
            continue
        for start, end in _spans(match, facet, words):
            if len(sentences) == _MOST:
                break
            cited = citation(match, len(citations) + 1, start, end)
            citations.append(cited)
            sentences.append(AnswerSentence(escaped(cited.snippet), (cited.number,), "\n\n"))
    return Draft(tuple(sentences), tuple(citations), bool(sentences))


def _spans(match: Match, facet: Facet, words: Words) -> Iterator[tuple[int, int]]:
    """Yield the spans of fitting sentences; one that leans on the sentence before begins with that one."""
    text = match.chunk.text
    before: Unit | None = None
    for unit in split(text, match.chunk.kind, match.chunk.headings):
        if unit.kind not in ("sentence", "item"):
            before = None
            continue
        said = text[unit.start : unit.end]
        if facet.fits(said, words):
            together = before if before is not None and before.block == unit.block and _points_back(said) else unit
            yield together.start, unit.end
        before = unit


def _points_back(sentence: str) -> bool:
    return leans(sentence) or _BACK.match(sentence) is not None


def _keys(text: str, words: Words) -> set[str]:
    return {token.key for token in words.tokens(text) if not is_function_word(text[token.start : token.end])}
