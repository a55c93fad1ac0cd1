"""The vectors of all entries, in memory for as long as nobody changes one."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from multidb_chat.domain.cache import Cache
from multidb_chat.domain.conversations import Conversations
from multidb_chat.domain.errors import StoreError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAGE = 2_000
# How long (seconds) entries are trusted while the cache cannot say whether one was changed.
_TRUSTED = 30.0


def scope_of(tenant_id: str) -> str:
    """Return the cache scope of a tenant's entries: whoever changes one begins its next generation."""
    return f"knowledge:{tenant_id}"


class KnowledgeMemory:
    """One tenant's questions with their vectors. 10,000 of them take 16 MB and are compared in about a millisecond.

    They are read again when the scope's generation has changed. What is found here is looked up in the store before it
    is used, so a memory that is behind can miss a new entry for a moment, and never gives an old answer. Entries whose
    vector is of another embedder than `embedder_name` are left out.
    """

    def __init__(
        self,
        conversations: Conversations,
        cache: Cache,
        tenant_id: str,
        embedder_name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conversations = conversations
        self._cache = cache
        self._tenant_id = tenant_id
        self._embedder_name = embedder_name
        self._clock = clock
        self._lock = asyncio.Lock()
        self._generation: int | None = None
        self._read_at = 0.0
        self._questions: list[tuple[str, str]] = []
        self._vectors: NDArray[np.float32] | None = None

    async def refresh(self, generation: int | None = None) -> int:
        """Read the entries again if one was changed; return how many can be compared. Raises `StoreError`.

        `generation` is the scope's, where the cache was asked for it just now.
        """
        async with self._lock:
            if generation is None:
                generation = await self._current()
            if generation is None or generation != self._generation:
                await self._read()
                self._generation, self._read_at = generation, self._clock()
        return len(self._questions)

    def nearest(self, vector: bytes, least: float) -> Iterator[tuple[str, str, float]]:
        """Yield key, question and cosine of the entries from `least` up, nearest first."""
        if self._vectors is None or len(vector) != 4 * self._vectors.shape[1]:
            return
        import numpy as np

        # Not by `@`: its threads wait for each other where the processors are busy, 20 ms and more for 10,000 entries.
        cosines = np.einsum("ij,j->i", self._vectors, np.frombuffer(vector, "<f4"))
        near = np.flatnonzero(cosines >= least)
        for at in near[np.argsort(-cosines[near], kind="stable")]:
            yield (*self._questions[int(at)], float(cosines[at]))

    async def _current(self) -> int | None:
        """Return the generation; None when it cannot be told and what is here is too old to be trusted."""
        try:
            return (await self._cache.generation(scope_of(self._tenant_id)))[0]
        except StoreError:
            trusted = self._generation is not None and self._clock() - self._read_at < _TRUSTED
            return self._generation if trusted else None

    async def _read(self) -> None:
        questions: list[tuple[str, str]] = []
        vectors: list[bytes] = []
        after = ""
        while page := await self._conversations.knowledge_vectors(self._tenant_id, self._embedder_name, after, _PAGE):
            questions += [(one.question_key, one.question) for one in page]
            vectors += [one.vector for one in page]
            after = page[-1].entry_id
        self._questions, self._vectors = questions, _matrix(vectors) if vectors else None


def _matrix(vectors: list[bytes]) -> "NDArray[np.float32]":
    import numpy as np

    return np.frombuffer(b"".join(vectors), "<f4").reshape(len(vectors), -1)
