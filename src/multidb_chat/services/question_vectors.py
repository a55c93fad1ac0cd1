"""The vectors of questions, made once for all that a turn does with them."""

import hashlib
from collections import OrderedDict
from contextlib import suppress
from typing import Any

from multidb_chat.domain.cache import Cache
from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.search import Embedder

# What a question is known by in meaning, in characters; a pasted page says what it is about in its beginning.
MOST_CHARACTERS = 4_000
# A question's vector never changes; a day bounds the cache.
VECTOR_TTL = 86_400.0
_UNKEPT = 256


class QuestionVectors:
    """Gives vectors of questions: from memory (the last `remembered` ones), from the cache, from the embedder.

    Without a cache all works too.
    """

    def __init__(self, embedder: Embedder, cache: Cache | None, remembered: int = 256) -> None:
        self._embedder = embedder
        self._cache = cache
        self._most = remembered
        self._remembered: OrderedDict[str, bytes] = OrderedDict()
        self._unkept: dict[str, bytes] = {}
        self._looked_up: dict[str, bytes | None] = {}

    async def look_up(self, question: str) -> None:
        """Ask the cache for the question's vector now, so that `of` needs not, whatever there is."""
        key = self._key(question)
        if self._cache is not None and key not in self._remembered:
            self._looked_up[key] = await self._found(key)
            _bound(self._looked_up)

    async def of(self, question: str) -> bytes:
        """Return the vector of the question's first `MOST_CHARACTERS` characters."""
        key = self._key(question)
        vector = self._remembered.get(key)
        if vector is None:
            vector = self._looked_up.pop(key) if key in self._looked_up else await self._found(key)
        if vector is None:
            vector = await self._embedder.embed_query(question[:MOST_CHARACTERS])
            self._unkept[key] = vector
        self._remember(key, vector)
        return vector

    async def keep(self, question: str) -> None:
        """Put the question's vector into the cache if it was not there; trouble with the cache is no trouble."""
        vector = self._unkept.pop(self._key(question), None)
        if vector is not None and self._cache is not None:
            with suppress(StoreError):
                await self._cache.put(self._key(question), vector, VECTOR_TTL)

    async def _found(self, key: str) -> bytes | None:
        if self._cache is None:
            return None
        with suppress(StoreError):
            cached = await self._cache.get(key)
            if cached is not None and len(cached) == 4 * self._embedder.dimensions:
                return cached
        return None

    def _remember(self, key: str, vector: bytes) -> None:
        self._remembered[key] = vector
        self._remembered.move_to_end(key)
        while len(self._remembered) > self._most:
            self._remembered.popitem(last=False)
        _bound(self._unkept)

    def _key(self, question: str) -> str:
        named = f"{self._embedder.name}\0{question[:MOST_CHARACTERS]}"
        return f"cache:vector:{hashlib.sha256(named.encode('utf-8', 'replace')).hexdigest()}"


def _bound(vectors: dict[str, Any]) -> None:
    """Forget the oldest, of questions that were answered without a search."""
    while len(vectors) > _UNKEPT:
        vectors.pop(next(iter(vectors)))
