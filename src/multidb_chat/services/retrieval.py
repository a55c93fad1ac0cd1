"""Questions in, passages out: both searches side by side, fused, neighbours merged, with a calibrated score."""

import asyncio
import hashlib
import shlex
import time
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TypeVar

from multidb_chat.domain.cache import Cache
from multidb_chat.domain.errors import EmbedderMismatch, StoreError, StoreFull
from multidb_chat.domain.library import Chunk, Document, Library
from multidb_chat.domain.search import Embedder, Match, SearchFilters, SearchIndex
from multidb_chat.domain.text import clean_line
from multidb_chat.services.ranking import Ranked, rank

T = TypeVar("T")

# How many chunks each search contributes, at least. Figures hardly change from 50 to 400.
DEPTH = 100
# Chunks of a document for each document that is wanted, when documents are ranked.
CHUNKS_PER_DOCUMENT = 2
# Chunks looked at for each match, since some of them join others.
LOOKED_AT = 2
# A match grows to at most so many chunks.
MOST_MERGED = 3
# What a question is known by in meaning, in characters; a pasted page says what it is about in its beginning.
MOST_CHARACTERS = 4_000
# A question's vector never changes; a day bounds the cache.
VECTOR_TTL = 86_400.0


class Retrieval:
    """Finds passages of the library. `cache` keeps vectors of questions; without it all works too."""

    def __init__(self, index: SearchIndex, library: Library, embedder: Embedder, cache: Cache | None) -> None:
        self._index = index
        self._library = library
        self._embedder = embedder
        self._cache = cache

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
        ranked = await self._ranked(question, filters, max(DEPTH, 2 * limit), clock)
        with _timed(clock, "read"):
            found = await self._with_chunks(ranked[: LOOKED_AT * limit if merge else limit])
            groups = _grouped(found, limit) if merge else [[pair] for pair in found]
            documents = await self._documents((group[0][0] for group in groups), filters)
            spans = await asyncio.gather(*(self._joined(group) for group in groups))
        return [
            _match(group[0][0], chunk, documents[chunk.document_id])
            for group, chunk in zip(groups, spans, strict=True)
            if chunk and chunk.document_id in documents
        ]

    async def rank_documents(self, question: str, filters: SearchFilters, limit: int = 100) -> list[Match]:
        """Return the best passage of each of the best documents, best first. Raises like `search`."""
        ranked = await self._ranked(question, filters, max(DEPTH, CHUNKS_PER_DOCUMENT * limit), {})
        best: dict[str, Ranked] = {}
        for chunk in ranked:
            best.setdefault(chunk.document_id, chunk)
        found = await self._with_chunks(list(best.values())[:limit])
        documents = await self._documents((chunk for chunk, _ in found), filters)
        return [_match(one, chunk, documents[one.document_id]) for one, chunk in found if one.document_id in documents]

    async def _ranked(self, question: str, filters: SearchFilters, depth: int, clock: dict[str, float]) -> list[Ranked]:
        question = question.strip()
        if not question or not filters.collection_ids:
            return []
        with _timed(clock, "refresh"), suppress(StoreFull):  # a full disk keeps nobody from reading
            await self._index.refresh()
        words, vector, _ = await asyncio.gather(
            _clocked(clock, "lexical", self._index.lexical(question, filters, depth)),
            _clocked(clock, "embedding", self._vector(question[:MOST_CHARACTERS])),
            self._require_embedder(filters.collection_ids),
        )
        keys = [(hit.document_id, hit.ordinal) for hit in words]
        nearest = await _clocked(clock, "nearest", self._index.nearest(vector, filters, depth, keys))
        with _timed(clock, "fusion"):
            return rank(words, nearest)

    async def _vector(self, question: str) -> bytes:
        """Return the question's vector, from the cache if it has it; trouble with the cache is no trouble."""
        if self._cache is None:
            return await self._embedder.embed_query(question)
        digest = hashlib.sha256(f"{self._embedder.name}\0{question}".encode("utf-8", "replace")).hexdigest()
        key = f"cache:vector:{digest}"
        with suppress(StoreError):
            cached = await self._cache.get(key)
            if cached is not None and len(cached) == 4 * self._embedder.dimensions:
                return cached
        vector = await self._embedder.embed_query(question)
        with suppress(StoreError):
            await self._cache.put(key, vector, VECTOR_TTL)
        return vector

    async def _require_embedder(self, collection_ids: Sequence[str]) -> None:
        """Raise `EmbedderMismatch` when vectors would be compared that cannot be."""
        for collection in await asyncio.gather(*map(self._library.collection, collection_ids)):
            if collection is not None and collection.embedder not in ("", self._embedder.name):
                raise EmbedderMismatch(
                    f'The vectors of the collection "{clean_line(collection.name)}" were made by'
                    f" {clean_line(collection.embedder)}, not by {self._embedder.name}."
                    f" Process it again: multidb-chat docs reindex --collection {shlex.quote(collection.name)}"
                )

    async def _with_chunks(self, ranked: Sequence[Ranked]) -> list[tuple[Ranked, Chunk]]:
        """Return the chunks that are still there."""
        chunks = await self._library.chunks([(one.document_id, one.ordinal) for one in ranked])
        there = {(chunk.document_id, chunk.ordinal): chunk for chunk in chunks}
        return [(one, there[key]) for one in ranked if (key := (one.document_id, one.ordinal)) in there]

    async def _documents(self, ranked: Iterable[Ranked], filters: SearchFilters) -> dict[str, Document]:
        """Return the documents by id; never one of a collection that was not to be searched."""
        ids = list(dict.fromkeys(one.document_id for one in ranked))
        documents = await asyncio.gather(*map(self._library.document, ids))
        return {one.id: one for one in documents if one is not None and one.collection_id in filters.collection_ids}

    async def _joined(self, group: "Group") -> Chunk | None:
        """Return one chunk for neighbouring ones, with the document's text from the first's start to the last's end."""
        first, last = group[0][1], group[0][1]
        for _, chunk in group:
            first, last = min(first, chunk, key=_start), max(last, chunk, key=_start)
        if first is last:
            return first
        text = await self._library.text(first.document_id, first.start, last.end)
        whole = text is not None and len(text) == last.end - first.start
        return replace(first, end=last.end, text=text) if whole and text is not None else None


Group = list[tuple[Ranked, Chunk]]


def _grouped(found: Sequence[tuple[Ranked, Chunk]], limit: int) -> list[Group]:
    """Put neighbouring chunks of one section and page together, around the best ones; at most `limit` groups."""
    groups: list[Group] = []
    for pair in found:
        home = next((group for group in groups if _adjoins(group, pair[1])), None)
        if home is not None:
            home.append(pair)
        elif len(groups) < limit:
            groups.append([pair])
    return groups


def _adjoins(group: Group, chunk: Chunk) -> bool:
    """Tell whether the chunk continues the group; with a page or heading of its own it would be told wrongly."""
    best = group[0][1]
    if len(group) >= MOST_MERGED or chunk.document_id != best.document_id:
        return False
    if (chunk.page, chunk.headings) != (best.page, best.headings):
        return False
    ordinals = [member.ordinal for _, member in group]
    return chunk.ordinal in (min(ordinals) - 1, max(ordinals) + 1)


def _start(chunk: Chunk) -> int:
    return chunk.start


def _match(best: Ranked, chunk: Chunk, document: Document) -> Match:
    return Match(chunk, document, best.lexical, best.vector, best.fused, best.score)


@contextmanager
def _timed(clock: dict[str, float], step: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    clock[step] = (time.perf_counter() - begin) * 1000


async def _clocked(clock: dict[str, float], step: str, work: Awaitable[T]) -> T:
    with _timed(clock, step):
        return await work
