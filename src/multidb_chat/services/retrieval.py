"""Questions in, passages out: words searched beside the embedding, then vectors; fused, merged, scored alike."""

import asyncio
import shlex
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import NamedTuple, TypeVar

from multidb_chat.domain.cache import Cache
from multidb_chat.domain.errors import EmbedderMismatch, StoreFull, StoreUnavailable
from multidb_chat.domain.library import Chunk, Collection, Library, Passage
from multidb_chat.domain.search import Embedder, Hit, Match, SearchFilters, SearchIndex, VectorSearch
from multidb_chat.domain.text import clean_line
from multidb_chat.services.grouping import Group, Span, grouped, runs, span, spans
from multidb_chat.services.question_vectors import MOST_CHARACTERS, QuestionVectors
from multidb_chat.services.ranking import FUSED, Fusion, Ranked, rank

T = TypeVar("T")
# Passages that were read, by the document and the number of each of their chunks.
Known = dict[tuple[str, int], Passage]
# Collections by the embedder that made their vectors.
Alike = dict[str, list[str]]

# How many chunks each search contributes, at least. nDCG@10 hardly changes from 50 to 400.
DEPTH = 50
# Chunks looked at for each match: some join others, or are of a document that has a better one.
LOOKED_AT = 2
# Passages read while the question is embedded, for each match that is wanted: the best ones by words. Where reading is
# the processor's work, which embedding wants for itself, few; where it is waiting for a server, so many that nearly all
# matches are among them. All ten are among the first thirty for three questions of five (Cranfield), among the first
# fifty for 99 of a hundred.
FEW_AHEAD, MANY_AHEAD = 2, 5


class Seen(NamedTuple):
    """Collections as they were read just now, with their latest changes."""

    collections: Sequence[Collection]
    versions: Mapping[str, int]


class _Ahead(NamedTuple):
    """Passages that are being read before it is known which ones are wanted: of these spans."""

    spans: Mapping[tuple[str, int], Span]
    passages: asyncio.Task[Known] | None

    def covers(self, wanted: Span) -> bool:
        """Tell whether a span is among what is being read."""
        found = self.spans.get(wanted[:2])
        return found is not None and found[2] >= wanted[2]


class _Search(NamedTuple):
    """What a search carries through its steps. `ahead`: how many hits by words are read while others are sought.

    `merge`: neighbours are read as one, with what lies between them.
    """

    group: asyncio.TaskGroup
    question: str
    seen: Seen | None
    ahead: int
    merge: bool
    clock: dict[str, float]
    fusion: Fusion = FUSED

    @property
    def is_embedded(self) -> bool:
        """Whether nobody waits for the question's vector any more: it was remembered, or made at once."""
        return "embedding" in self.clock


class _Beside(NamedTuple):
    """What is there when the question's vector comes."""

    words: list[Hit]
    nearest: VectorSearch
    ahead: _Ahead


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
        ahead: int = FEW_AHEAD,
    ) -> None:
        """`others` gives the embedder of a name, for collections whose vectors `embedder` has not made.

        `ahead`: so many passages are read for each match that is wanted before it is known which ones are wanted.
        """
        self._index = index
        self._library = library
        self._patience = patience
        self._ahead = ahead
        self._cache = cache
        self._others = others
        self._vectors = {embedder.name: vectors or QuestionVectors(embedder, cache, remembered=0)}
        self._chosen = embedder.name
        self._latest: tuple[tuple[str, ...], Alike] = ((), {})

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
        """Return the best passages, best first; with `merge`, neighbouring chunks are one match.

        `timings` receives milliseconds by step. `seen` are the collections to search, where they were read just now.
        Raises `EmbedderMismatch` when a collection's vectors are of an embedder that is not here, and `StoreError`.
        """
        clock = {} if timings is None else timings
        async with _together() as group:
            search = _Search(group, question.strip(), seen, self._ahead * limit, merge, clock)
            ranked, ahead = await self._ranked(search, filters, LOOKED_AT * limit)
            groups = grouped(ranked, limit) if merge else [[one] for one in ranked[:limit]]
            with _timed(clock, "read"):
                return (await self._read(groups, filters, ahead))[:limit]

    async def rank_documents(
        self, question: str, filters: SearchFilters, limit: int = 100, fusion: Fusion = FUSED
    ) -> list[Match]:
        """Return the best passage of each of the best documents, best first. Raises like `search`."""
        async with _together() as group:
            search = _Search(group, question.strip(), None, 0, False, {}, fusion)
            ranked, ahead = await self._ranked(search, filters, LOOKED_AT * limit)
            best: dict[str, Ranked] = {}
            for one in ranked:
                best.setdefault(one.document_id, one)
            return await self._read([[one] for one in list(best.values())[:limit]], filters, ahead)

    async def _ranked(
        self, search: _Search, filters: SearchFilters, count: int
    ) -> tuple[list[Ranked], Sequence[_Ahead]]:
        """Return the best chunks, `count` at the most; and the passages that are being read.

        Collections that were searched the last time, too, are looked up beside the search. It is done once more when
        it turns out that another embedder has made their vectors since.
        """
        ids, seen = filters.collection_ids, search.seen
        if not search.question or not ids:
            return [], []
        if seen is not None:
            return await self._ranked_by(self._alike(ids, seen.collections), search, filters, count)
        latest, self._latest = self._latest, ((), {})  # so that one that fails as it is outdated is not tried again
        looked_up = search.group.create_task(self._looked_up(ids))
        alike = latest[1] if latest[0] == ids else await looked_up
        found = await self._ranked_by(alike, search, filters, count)
        return found if await looked_up == alike else await self._ranked_by(await looked_up, search, filters, count)

    async def _ranked_by(
        self, alike: Alike, search: _Search, filters: SearchFilters, count: int
    ) -> tuple[list[Ranked], Sequence[_Ahead]]:
        """Return what `_ranked` does."""
        if len(alike) == 1:
            ranked, ahead = await self._ranked_alike(self._vectors[next(iter(alike))], search, filters, count)
            return ranked, [ahead]
        ranked, aheads = [], []
        for embedder, ids in alike.items():
            part = replace(filters, collection_ids=tuple(ids))
            found, ahead = await self._ranked_alike(self._vectors[embedder], search, part, count)
            ranked += found
            aheads.append(ahead)
        # Cosines of different embedders are not quite the same thing; the words are.
        return sorted(ranked, key=lambda one: -one.fused)[:count], aheads

    async def _ranked_alike(
        self, vectors: QuestionVectors, search: _Search, filters: SearchFilters, count: int
    ) -> tuple[list[Ranked], _Ahead]:
        """Return the best chunks of collections whose vectors one embedder made; see `_ranked`."""
        asked, depth, clock = search.question[:MOST_CHARACTERS], max(DEPTH, count), search.clock
        beside = search.group.create_task(self._beside(search, filters, depth))
        vector = await _clocked(clock, "embedding", vectors.of(asked))  # begins before the task does
        if vectors.are_kept:
            search.group.create_task(vectors.keep(asked))
            await asyncio.sleep(0)  # it is handed to the cache before what follows keeps the loop busy
        found = await beside
        similar = await _clocked(clock, "nearest", found.nearest(vector))
        with _timed(clock, "fusion"):
            ranked = rank(found.words, similar, count, search.fusion)
        return ranked, found.ahead

    async def _beside(self, search: _Search, filters: SearchFilters, depth: int) -> _Beside:
        """Do what needs no vector of the question while that is made."""
        versions = search.seen and {one: search.seen.versions[one] for one in filters.collection_ids}
        with _timed(search.clock, "refresh"), suppress(StoreFull, StoreUnavailable):  # no full disk keeps from reading
            await self._index.refresh(self._patience, versions)
        words = await _clocked(search.clock, "lexical", self._index.lexical(search.question, filters, depth))
        ahead = self._read_ahead(search, [hit.key for hit in words[: 0 if search.is_embedded else search.ahead]])
        nearest = await self._index.nearest(filters, depth, [hit.key for hit in words])
        return _Beside(words, nearest, ahead)

    def _read_ahead(self, search: _Search, keys: Sequence[tuple[str, int]]) -> _Ahead:
        """Begin to read the passages of these chunks."""
        wanted = spans(keys) if search.merge else [(known, number, number) for known, number in keys]
        by_chunk = {(one[0], ordinal): one for one in wanted for ordinal in range(one[1], one[2] + 1)}
        return _Ahead(by_chunk, search.group.create_task(self._known(wanted)) if wanted else None)

    async def _known(self, wanted: Sequence[Span]) -> Known:
        """Return passages by each of their chunks."""
        passages = await self._library.passages(wanted)
        return {
            (chunk.document_id, chunk.ordinal): passage for passage in passages if passage for chunk in passage.chunks
        }

    async def _looked_up(self, collection_ids: tuple[str, ...]) -> Alike:
        """Return what `_alike` does, of the collections as they are now."""
        found = await asyncio.gather(*map(self._library.collection, collection_ids))
        alike = self._alike(collection_ids, [one for one in found if one is not None])
        self._latest = collection_ids, alike
        return alike

    def _alike(self, collection_ids: Sequence[str], collections: Iterable[Collection]) -> Alike:
        """Return the collections by the embedder of their vectors. Raises `EmbedderMismatch` for one that is not here.

        Those that are empty or unknown go with the embedder in use, so that there is always one group.
        """
        alike: Alike = {}
        known = {one.id: one for one in collections}
        for collection_id in collection_ids:
            collection = known.get(collection_id)
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

    async def _read(self, groups: Sequence[Group], filters: SearchFilters, aheads: Sequence[_Ahead]) -> list[Match]:
        """Return the groups as matches, without what is gone, and never from a collection that was not searched.

        What is being read is not read again, and what is not is read beside it.
        """
        wanted = list(map(span, groups))
        rest = [one for one in wanted if not any(ahead.covers(one) for ahead in aheads)]
        passages = dict(zip(rest, await self._library.passages(rest) if rest else [], strict=True))
        for ahead in aheads:
            known = await ahead.passages if ahead.passages is not None else {}
            passages |= {one: known.get(one[:2]) for one in wanted if one not in passages and ahead.covers(one)}
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


class _timed:  # noqa: N801 - used like a function, which would take as long as a step
    """Notes how many milliseconds a step takes."""

    def __init__(self, clock: dict[str, float], step: str) -> None:
        self._clock, self._step, self._begin = clock, step, time.perf_counter()

    def __enter__(self) -> None:
        """The step has begun."""

    def __exit__(self, *_: object) -> None:
        self._clock[self._step] = (time.perf_counter() - self._begin) * 1000


async def _clocked(clock: dict[str, float], step: str, work: Awaitable[T]) -> T:
    with _timed(clock, step):
        return await work
