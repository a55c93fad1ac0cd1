"""The best passages of a search put into the order in which they answer the question, by what reads both together.

A search compares a question with passages that were looked at long before; a reranker reads the question beside each
passage, which tells more and costs more, so it gets the best ones alone.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from multidb_chat.domain.errors import ModelError, QuotaExceeded, StoreError, StoreUnavailable
from multidb_chat.domain.search import Match, Reranker, SearchFilters
from multidb_chat.services.chunking.cutting import embedding_text
from multidb_chat.services.finding import Finding
from multidb_chat.services.ranking import FUSED, Fusion
from multidb_chat.services.retrieval import Seen

_LOG = logging.getLogger(__name__)


class Reranking:
    """Lets a `reranker` order the `best` of the passages that were found, within `timeout` seconds."""

    def __init__(self, reranker: Reranker, best: int, timeout: float) -> None:
        self._reranker = reranker
        self.best = best
        self._timeout = timeout

    @property
    def name(self) -> str:
        """What orders, and how many: another name may give another order."""
        return f"{self._reranker.name} of {self.best}"

    async def close(self) -> None:
        """Free what the reranker holds."""
        await self._reranker.close()

    async def ordered(self, question: str, matches: Sequence[Match], best: int | None = None) -> list[Match]:
        """Return the matches, the first `best` of them (None: as many as usual) in the reranker's order.

        Raises what the reranker raises, and `StoreUnavailable` when the time is over.
        """
        first = list(matches[: self.best if best is None else best])
        if len(first) < 2:
            return list(matches)
        texts = [embedding_text(one.document.title, one.chunk.headings, one.chunk.text) for one in first]
        try:
            async with asyncio.timeout(self._timeout):
                scores = await self._reranker.scores(question, texts)
        except TimeoutError as error:
            raise StoreUnavailable("reranker", f"no order of passages within {self._timeout:g} seconds") from error
        scored = [replace(one, reranked=score) for one, score in zip(first, scores, strict=True)]
        return [*sorted(scored, key=lambda one: -(one.reranked or 0.0)), *matches[len(first) :]]


class RerankedRetrieval:
    """A `Finding` whose best passages are reranked; where that fails or takes too long they stay as they were found."""

    def __init__(self, retrieval: Finding, reranking: Reranking) -> None:
        self._retrieval = retrieval
        self._reranking = reranking

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
        most = max(limit, self._reranking.best)
        found = await self._retrieval.search(question, filters, most, merge=merge, timings=timings, seen=seen)
        return (await self._ordered(question, found, timings))[:limit]

    async def rank_documents(
        self, question: str, filters: SearchFilters, limit: int = 100, fusion: Fusion = FUSED
    ) -> list[Match]:
        """Return the best passage of each of the best documents, best first. See `Retrieval.rank_documents`."""
        most = max(limit, self._reranking.best)
        found = await self._retrieval.rank_documents(question, filters, most, fusion)
        return (await self._ordered(question, found, None))[:limit]

    async def _ordered(self, question: str, found: Sequence[Match], timings: dict[str, float] | None) -> list[Match]:
        begin = asyncio.get_running_loop().time()
        try:
            return await self._reranking.ordered(question, found)
        except (ModelError, QuotaExceeded, StoreError) as error:
            _LOG.warning("passages stay as they were found: %s", error)
            return list(found)
        finally:
            if timings is not None:
                timings["rerank"] = (asyncio.get_running_loop().time() - begin) * 1000
