"""Questions in, passages out: both searches side by side, fused, neighbours merged, with a calibrated score."""

import asyncio
import shlex
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

from multidb_chat.domain.cache import Cache
from multidb_chat.domain.errors import EmbedderMismatch, StoreFull, StoreUnavailable
from multidb_chat.domain.library import Chunk, Library
from multidb_chat.domain.search import Embedder, Hit, Match, SearchFilters, SearchIndex
from multidb_chat.domain.text import clean_line
from multidb_chat.services.grouping import Group, grouped, runs
from multidb_chat.services.question_vectors import MOST_CHARACTERS, QuestionVectors
from multidb_chat.services.ranking import Ranked, rank

T = TypeVar("T")

# How many chunks each search contributes, at least. nDCG@10 hardly changes from 50 to 400.
DEPTH = 50
# Chunks looked at for each match: some join others, or are of a document that has a better one.
LOOKED_AT = 2


class Retrieval:
    """Finds passages of the library. `cache` keeps vectors of questions, where no `vectors` are shared with others."""

    def __init__(
        self,
        index: SearchIndex,
        library: Library,
        embedder: Embedder,
        cache: Cache | None,
        vectors: QuestionVectors | None = None,
    ) -> None:
        self._index = index
        self._library = library
        self._embedder = embedder
        self._vectors = vectors or QuestionVectors(embedder, cache, remembered=0)

    async def search(
        self,
        question: str,
        filters: SearchFilters,
        limit: int = 10,
        *,
        merge: bool = True,
        timings: dict[str, float] | None = None,
    ) -> list[Match]:
        """Return the best passages, best first; with `merge`, neighbouring chunks are one match.

        `timings` receives milliseconds by step. Raises `EmbedderMismatch` when a collection's vectors are of another
        embedder, and `StoreError`.
        """
        clock = {} if timings is None else timings
        ranked = await self._ranked(question, filters, LOOKED_AT * limit, clock)
        groups = grouped(ranked, limit) if merge else [[one] for one in ranked[:limit]]
        with _timed(clock, "read"):
            return (await self._read(groups, filters))[:limit]

    async def rank_documents(self, question: str, filters: SearchFilters, limit: int = 100) -> list[Match]:
        """Return the best passage of each of the best documents, best first. Raises like `search`."""
        ranked = await self._ranked(question, filters, LOOKED_AT * limit, {})
        best: dict[str, Ranked] = {}
        for one in ranked:
            best.setdefault(one.document_id, one)
        return await self._read([[one] for one in list(best.values())[:limit]], filters)

    async def _ranked(self, question: str, filters: SearchFilters, count: int, clock: dict[str, float]) -> list[Ranked]:
        """Return the best chunks, `count` at the most."""
        question = question.strip()
        if not question or not filters.collection_ids:
            return []
        asked, depth = question[:MOST_CHARACTERS], max(DEPTH, count)
        async with _together() as group:
            group.create_task(self._require_embedder(filters.collection_ids))
            embedding = group.create_task(_clocked(clock, "embedding", self._vectors.of(asked)))
            lexical = group.create_task(self._words(question, filters, depth, clock))
        vector, words = embedding.result(), lexical.result()
        keys = [(hit.document_id, hit.ordinal) for hit in words]
        async with _together() as group:
            group.create_task(self._vectors.keep(asked))
            similar = group.create_task(_clocked(clock, "nearest", self._index.nearest(vector, filters, depth, keys)))
        with _timed(clock, "fusion"):
            return rank(words, similar.result(), count)

    async def _words(self, question: str, filters: SearchFilters, depth: int, clock: dict[str, float]) -> list[Hit]:
        """Return what full text finds in the index as it is now; no full or read-only disk keeps from reading."""
        with _timed(clock, "refresh"), suppress(StoreFull, StoreUnavailable):
            await self._index.refresh()
        return await _clocked(clock, "lexical", self._index.lexical(question, filters, depth))

    async def _require_embedder(self, collection_ids: Sequence[str]) -> None:
        """Raise `EmbedderMismatch` when vectors would be compared that cannot be."""
        for collection in await asyncio.gather(*map(self._library.collection, collection_ids)):
            if collection is not None and collection.embedder not in ("", self._embedder.name):
                raise EmbedderMismatch(
                    f'The vectors of the collection "{clean_line(collection.name)}" were made by'
                    f" {clean_line(collection.embedder)}, not by {self._embedder.name}."
                    f" Process it again: multidb-chat docs reindex --collection {shlex.quote(collection.name)}"
                )

    async def _read(self, groups: Sequence[Group], filters: SearchFilters) -> list[Match]:
        """Return the groups as matches, without what is gone, and never from a collection that was not searched."""
        chunks, documents = await asyncio.gather(
            self._library.chunks([(one.document_id, one.ordinal) for group in groups for one in group]),
            self._library.documents_by_id(list(dict.fromkeys(group[0].document_id for group in groups))),
        )
        texts = {(chunk.document_id, chunk.ordinal): chunk for chunk in chunks}
        known = {document.id: document for document in documents if document.collection_id in filters.collection_ids}
        there = [run for group in groups if group[0].document_id in known for run in runs(group, texts)]
        there.sort(key=lambda run: -run[0].fused)
        spans = await asyncio.gather(*(self._joined(joined) for _, joined in there))
        return [
            Match(chunk, known[best.document_id], best.lexical, best.vector, best.fused, best.score)
            for (best, _), chunk in zip(there, spans, strict=True)
        ]

    async def _joined(self, chunks: Sequence[Chunk]) -> Chunk:
        """Return neighbouring chunks as one, with the document's text from the first's start to the last's end."""
        first, last = chunks[0], chunks[-1]
        if first is last:
            return first
        text = await self._library.text(first.document_id, first.start, last.end)
        if text is None or len(text) != last.end - first.start:  # it was replaced meanwhile
            return first
        return replace(first, end=last.end, text=text)


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """Run tasks side by side; the first error ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


@contextmanager
def _timed(clock: dict[str, float], step: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    clock[step] = (time.perf_counter() - begin) * 1000


async def _clocked(clock: dict[str, float], step: str, work: Coroutine[Any, Any, T]) -> T:
    with _timed(clock, step):
        return await work
