"""One question asked in several ways: what each way finds is put together.

A question and a passage that answers it may share no word, and little of what a small vector holds. Other wordings come
from the best passages themselves (pseudo-relevance feedback: their most telling words are added, as in RM3 of
Abdul-Jaleel and others, 2004) or from a language model.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from multidb_chat.domain.errors import ModelError, QuotaExceeded, StoreError
from multidb_chat.domain.search import Match, SearchFilters
from multidb_chat.services.answering.words import Words, is_function_word
from multidb_chat.services.finding import Finding
from multidb_chat.services.ranking import FUSED, Fusion
from multidb_chat.services.retrieval import Seen

_LOG = logging.getLogger(__name__)

PASSAGES, TERMS = 5, 10
"""So many of the best passages give so many words."""

WEIGHT = 0.35
"""What the other wordings together count beside the question itself, 0 to 1."""


class Rewriter(Protocol):
    """Says a question in other words."""

    @property
    def name(self) -> str:
        """What it is called; another name may give other wordings."""

    async def others(self, question: str, found: Sequence[Match]) -> list[str]:
        """Return other wordings of a question that found these passages, none where there are none.

        Raises `ModelError` when it cannot tell, `QuotaExceeded` where nothing is left of what that takes.
        """


class FeedbackRewriter:
    """Adds to the question the words that weigh most in the best passages and are not in it."""

    name = "feedback"

    async def others(self, question: str, found: Sequence[Match]) -> list[str]:
        """Return the question with these words, nothing where there are none."""
        words = await asyncio.to_thread(telling_words, question, found[:PASSAGES], TERMS)
        return [f"{question} {' '.join(words)}"] if words else []


def telling_words(question: str, passages: Sequence[Match], count: int) -> list[str]:
    """Return the words with the largest part in the passages, each passage weighed by its fused score.

    Function words, numbers and words of the question are none of them; of a word's forms it is the first.
    """
    words = Words()
    known = {token.key for token in words.tokens(question)}
    weights: defaultdict[str, float] = defaultdict(float)
    forms: dict[str, str] = {}
    for match in passages:
        text = match.chunk.text
        told = [(token.key, text[token.start : token.end]) for token in words.tokens(text)]
        told = [(key, form) for key, form in told if len(key) > 2 and not key.isdigit() and not is_function_word(form)]
        for key, form in told:
            forms.setdefault(key, form)
        for key, times in Counter(key for key, _ in told).items():
            weights[key] += max(match.fused, 0.0) * times / len(told)
    best = sorted(weights, key=lambda key: -weights[key])
    return [forms[key] for key in best if key not in known][:count]


class MultiQuery:
    """A `Finding` that also asks in the wordings of a `rewriter`.

    What is found has the mean of its fused scores: that of the question, and those of the other wordings, which weigh
    `weight` together. Where a wording did not find it, it adds nothing. Without a wording within `timeout` seconds the
    question is asked alone; None waits, and raises what the rewriter raises.
    """

    def __init__(self, retrieval: Finding, rewriter: Rewriter, timeout: float | None, weight: float = WEIGHT) -> None:
        self._retrieval = retrieval
        self._rewriter = rewriter
        self._timeout = timeout
        self._weight = weight

    async def search(
        self,
        question: str,
        filters: SearchFilters,
        limit: int = 10,
        *,
        merge: bool = True,
        timings: dict[str, float] | None = None,
        seen: Seen | None = None,
    ) -> list[Match]:
        """Return the best passages, best first. See `Retrieval.search`."""

        async def search(wording: str) -> list[Match]:
            told = timings if wording == question else None
            return await self._retrieval.search(wording, filters, limit, merge=merge, timings=told, seen=seen)

        return (await self._asked(question, search))[:limit]

    async def rank_documents(
        self, question: str, filters: SearchFilters, limit: int = 100, fusion: Fusion = FUSED
    ) -> list[Match]:
        """Return the best passage of each of the best documents, best first. See `Retrieval.rank_documents`."""

        async def rank(wording: str) -> list[Match]:
            return await self._retrieval.rank_documents(wording, filters, limit, fusion)

        by_document: dict[str, Match] = {}
        for match in await self._asked(question, rank):
            by_document.setdefault(match.document.id, match)
        return list(by_document.values())[:limit]

    async def _asked(self, question: str, ask: Callable[[str], Awaitable[list[Match]]]) -> list[Match]:
        found = await ask(question)
        if not found:
            return found
        try:
            async with asyncio.timeout(self._timeout):
                others = await self._rewriter.others(question, found)
        except (ModelError, QuotaExceeded, StoreError, TimeoutError) as error:
            if self._timeout is None:
                raise
            _LOG.warning("the question is asked as it stands: %s", str(error) or "no other wording in time")
            return found
        if not others:
            return found
        return together(found, await asyncio.gather(*map(ask, others)), self._weight)


def together(found: Sequence[Match], others: Sequence[Sequence[Match]], weight: float) -> list[Match]:
    """Return what several wordings found, best first; of passages that overlap only the best."""
    shares = [(found, 1 - weight), *((one, weight / len(others)) for one in others)]
    known: dict[tuple[str, int, int], Match] = {}
    fused: defaultdict[tuple[str, int, int], float] = defaultdict(float)
    for matches, share in shares:
        for match in matches:
            place = match.document.id, match.chunk.start, match.chunk.end
            known.setdefault(place, match)
            fused[place] += share * match.fused
    ordered: list[Match] = []
    taken: dict[str, list[tuple[int, int]]] = {}
    for (document, start, end), score in sorted(fused.items(), key=lambda one: -one[1]):
        spans = taken.setdefault(document, [])
        if not any(first < end and start < last for first, last in spans):
            spans.append((start, end))
            ordered.append(replace(known[document, start, end], fused=score))
    return ordered
