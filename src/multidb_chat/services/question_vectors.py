"""The vectors of questions, made once for all that a turn does with them."""

import hashlib
from collections import OrderedDict
from contextlib import suppress
from itertools import count

from multidb_chat.domain.cache import Cache
from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.search import Embedder
from multidb_chat.services.single_flight import SingleFlight

# What a question is known by in meaning, in characters; a pasted page says what it is about in its beginning.
MOST_CHARACTERS = 4_000
# A question's vector never changes; a day bounds the cache.
VECTOR_TTL = 86_400.0
_UNKEPT = 256
_ASKED = count()  # tells those that ask at the same time apart


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
        self._making: SingleFlight[bytes] = SingleFlight()

    @property
    def are_kept(self) -> bool:
        """Whether there is a cache to keep them in."""
        return self._cache is not None

    async def of(self, question: str) -> bytes:
        """Return the vector of the question's first `MOST_CHARACTERS` characters."""
        key = self._key(question)
        vector = self._remembered.get(key)
        if vector is None:
            who = f"asked {next(_ASKED)}"
            vector = await self._making.made(key, who)  # the search and the knowledge base ask at the same time
            if vector is None:
                try:
                    vector = await self._made(key, question)
                finally:
                    self._making.end(key, who, vector)
        self._remember(key, vector)
        return vector

    async def keep(self, question: str) -> None:
        """Put the question's vector into the cache if it was not there; trouble with the cache is no trouble."""
        vector = self._unkept.pop(self._key(question), None)
        if vector is not None and self._cache is not None:
            with suppress(StoreError):
                await self._cache.put(self._key(question), vector, VECTOR_TTL)

    async def _made(self, key: str, question: str) -> bytes:
        vector = await self._found(key)
        if vector is None:
            vector = await self._embedder.embed_query(question[:MOST_CHARACTERS])
            self._unkept[key] = vector
        return vector

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
        while len(self._unkept) > _UNKEPT:  # of questions that were answered without a search
            self._unkept.pop(next(iter(self._unkept)))

    def _key(self, question: str) -> str:
        named = f"{self._embedder.name}\0{question[:MOST_CHARACTERS]}"
        return f"cache:vector:{hashlib.sha256(named.encode('utf-8', 'replace')).hexdigest()}"
