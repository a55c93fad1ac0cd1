"""Questions in, passages out: words searched beside the embedding, then vectors; fused, merged, scored alike."""

import asyncio
import shlex
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import NamedTuple, TypeVar

from multidb_chat.domain.cache import Cache
from multidb_chat.domain.errors import EmbedderMismatch, StoreFull, StoreUnavailable
from multidb_chat.domain.library import Chunk, Collection, Library, Passage
from multidb_chat.domain.search import Embedder, Hit, Match, SearchFilters, SearchIndex, VectorSearch
from multidb_chat.domain.text import clean_line
from multidb_chat.services.grouping import Group, grouped, runs, span, spans
from multidb_chat.services.question_vectors import MOST_CHARACTERS, QuestionVectors
from multidb_chat.services.ranking import Ranked, rank

T = TypeVar("T")
# Passages that were read, by the document and the number of each of their chunks.
Known = dict[tuple[str, int], Passage]

# How many chunks each search contributes, at least. nDCG@10 hardly changes from 50 to 400.
DEPTH = 50
# Chunks looked at for each match: some join others, or are of a document that has a better one.
LOOKED_AT = 2
# Passages read while the question is embedded, for each match that is wanted: the best ones by words. Of the first
# thirty of them are all ten matches for three questions of five (Cranfield), of the first fifty for 99 of a hundred.
READ_AHEAD = 5


class _Beside(NamedTuple):
    """What is there when the question's vector comes."""

    words: list[Hit]
    nearest: VectorSearch
    passages: asyncio.Task[Known]


class Retrieval:
    """Finds passages of the library. `cache` keeps vectors of questions, where no `vectors` are shared with others.

    `patience`: how many seconds a search waits for the index to follow the library, None for as long as it takes.
    """

    def __init__(
        self,
        index: SearchIndex,
        library: Library,
        embedder: Embedder,
        cache: Cache | None,
        vectors: QuestionVectors | None = None,
        patience: float | None = None,
        others: Callable[[str], Embedder | None] = lambda _: None,
    ) -> None:
        """`others` gives the embedder of a name, for collections whose vectors `embedder` has not made."""
        self._index = index
        self._library = library
        self._patience = patience
        self._cache = cache
        self._others = others
        self._vectors = {embedder.name: vectors or QuestionVectors(embedder, cache, remembered=0)}
        self._chosen = embedder.name

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

        `timings` receives milliseconds by step. Raises `EmbedderMismatch` when a collection's vectors are of an
        embedder that is not here, and `StoreError`.
        """
        clock = {} if timings is None else timings
        ranked, passages = await self._ranked(question, filters, LOOKED_AT * limit, clock, READ_AHEAD * limit)
        groups = grouped(ranked, limit) if merge else [[one] for one in ranked[:limit]]
        with _timed(clock, "read"):
            return (await self._read(groups, filters, passages))[:limit]

    async def rank_documents(self, question: str, filters: SearchFilters, limit: int = 100) -> list[Match]:
        """Return the best passage of each of the best documents, best first. Raises like `search`."""
        ranked, _ = await self._ranked(question, filters, LOOKED_AT * limit, {})
        best: dict[str, Ranked] = {}
        for one in ranked:
            best.setdefault(one.document_id, one)
        return await self._read([[one] for one in list(best.values())[:limit]], filters, {})

    async def _ranked(
        self, question: str, filters: SearchFilters, count: int, clock: dict[str, float], ahead: int = 0
    ) -> tuple[list[Ranked], Known]:
        """Return the best chunks, `count` at the most; and the passages of the first `ahead` lexical hits."""
        question = question.strip()
        if not question or not filters.collection_ids:
            return [], {}
        ranked: list[Ranked] = []
        known: Known = {}
        alike = await self._alike(filters.collection_ids)
        for embedder, ids in alike.items():
            part = filters if len(alike) == 1 else replace(filters, collection_ids=tuple(ids))
            found, passages = await self._ranked_alike(self._vectors[embedder], question, part, count, clock, ahead)
            ranked += found
            known |= passages
        if len(alike) > 1:  # cosines of different embedders are not quite the same thing; the words are
            ranked = sorted(ranked, key=lambda one: -one.fused)[:count]
        return ranked, known

    async def _ranked_alike(
        self,
        vectors: QuestionVectors,
        question: str,
        filters: SearchFilters,
        count: int,
        clock: dict[str, float],
        ahead: int,
    ) -> tuple[list[Ranked], Known]:
        """Return the best chunks of collections whose vectors one embedder made; see `_ranked`."""
        asked, depth = question[:MOST_CHARACTERS], max(DEPTH, count)
        async with _together() as group:
            beside = group.create_task(self._beside(group, question, filters, depth, ahead, clock))
            vector = await _clocked(clock, "embedding", vectors.of(asked))  # begins before the task does
            found = await beside
            similar = await _clocked(clock, "nearest", found.nearest(vector))
        with _timed(clock, "fusion"):
            ranked = rank(found.words, similar, count)
        await vectors.keep(asked)
        return ranked, found.passages.result()

    async def _beside(
        self,
        group: asyncio.TaskGroup,
        question: str,
        filters: SearchFilters,
        depth: int,
        ahead: int,
        clock: dict[str, float],
    ) -> _Beside:
        """Do what needs no vector of the question while that is made."""
        with _timed(clock, "refresh"), suppress(StoreFull, StoreUnavailable):  # no full disk keeps from reading
            await self._index.refresh(self._patience)
        words = await _clocked(clock, "lexical", self._index.lexical(question, filters, depth))
        passages = group.create_task(self._read_ahead(words[:ahead]))
        nearest = await self._index.nearest(filters, depth, [hit.key for hit in words])
        return _Beside(words, nearest, passages)

    async def _read_ahead(self, words: Sequence[Hit]) -> Known:
        """Return the passages of the hits, as they are once the search has begun."""
        passages = await self._library.passages(spans(hit.key for hit in words)) if words else []
        return {
            (chunk.document_id, chunk.ordinal): passage for passage in passages if passage for chunk in passage.chunks
        }

    async def _alike(self, collection_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the collections by the embedder of their vectors. Raises `EmbedderMismatch` for one that is not here.

        Those that are empty or unknown go with the embedder in use, so that there is always one group.
        """
        alike: dict[str, list[str]] = {}
        found = await asyncio.gather(*map(self._library.collection, collection_ids))
        for collection_id, collection in zip(collection_ids, found, strict=True):
            name = (collection.embedder if collection else "") or self._chosen
            if name not in self._vectors:
                other = self._others(name)
                if other is None:
                    assert collection is not None
                    raise self._mismatch(collection)
                self._vectors[name] = QuestionVectors(other, self._cache)
            alike.setdefault(name, []).append(collection_id)
        return alike

    def _mismatch(self, collection: Collection) -> EmbedderMismatch:
        return EmbedderMismatch(
            f'The vectors of the collection "{clean_line(collection.name)}" were made by'
            f" {clean_line(collection.embedder)}, not by {self._chosen}."
            f" Process it again: multidb-chat docs reindex --collection {shlex.quote(collection.name)}"
        )

    async def _read(self, groups: Sequence[Group], filters: SearchFilters, known: Known) -> list[Match]:
        """Return the groups as matches, without what is gone, and never from a collection that was not searched.

        What is `known` is not read again.
        """
        passages = {wanted: known.get(wanted[:2]) for wanted in map(span, groups)}
        rest = [wanted for wanted, passage in passages.items() if not passage or passage.chunks[-1].ordinal < wanted[2]]
        if rest:
            passages |= zip(rest, await self._library.passages(rest), strict=True)
        found = [
            Match(_joined(chunks, passage), passage.document, best.lexical, best.vector, best.fused, best.score)
            for group in groups
            if (passage := passages[span(group)]) and passage.document.collection_id in filters.collection_ids
            for best, chunks in runs(group, passage.chunks)
        ]
        return sorted(found, key=lambda match: -match.fused)


def _joined(chunks: Sequence[Chunk], passage: Passage) -> Chunk:
    """Return neighbouring chunks as one, with the document's text from the first's start to the last's end."""
    first, last = chunks[0], chunks[-1]
    if first is last:
        return first
    return replace(first, end=last.end, text=passage.between(first.start, last.end))


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


async def _clocked(clock: dict[str, float], step: str, work: Awaitable[T]) -> T:
    with _timed(clock, step):
        return await work
