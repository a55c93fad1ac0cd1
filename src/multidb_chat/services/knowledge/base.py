"""The knowledge base as a turn uses it: a question in, the curated entry that answers it out."""

from collections.abc import Awaitable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from multidb_chat.domain.cache import Cache
from multidb_chat.domain.conversations import Conversations, KnowledgeEntry
from multidb_chat.domain.errors import StoreError
from multidb_chat.domain.search import Embedder
from multidb_chat.domain.text import normalise_question
from multidb_chat.services.knowledge.memory import KnowledgeMemory
from multidb_chat.services.question_vectors import QuestionVectors

if TYPE_CHECKING:
    from multidb_chat.services.knowledge.sameness import Sameness

# How many of the nearest entries are looked at: the words of the very nearest may speak against it.
_LOOKED_AT = 32


class Found(NamedTuple):
    """An entry for a question. `confidence` is 1 where it is the same question, else the cosine of the two vectors."""

    entry: KnowledgeEntry
    confidence: float


class KnowledgeBase:
    """Finds the entry that answers a question. Without entries it costs one read and loads no model."""

    def __init__(
        self,
        conversations: Conversations,
        cache: Cache,
        vectors: QuestionVectors,
        embedder: Embedder,
        tenant_id: str = "",
    ) -> None:
        self._conversations = conversations
        self._vectors = vectors
        self._tenant_id = tenant_id
        self._memory = KnowledgeMemory(conversations, cache, tenant_id, embedder.name)

    @cached_property
    def _sameness(self) -> "Sameness":
        from multidb_chat.services.knowledge.sameness import Sameness

        return Sameness()

    async def exact(self, question: str) -> KnowledgeEntry | None:
        """Return the entry with this very question; its use is not counted. Raises `StoreError`."""
        return await self._conversations.knowledge(self._tenant_id, normalise_question(question))

    async def find(
        self, question: str, exact: Awaitable[KnowledgeEntry | None] | None = None, generation: int | None = None
    ) -> Found | None:
        """Return the entry with this question, else the nearest that asks the same, and count its use.

        A use that cannot be counted (the disk is full) is no reason to keep the answer back. `exact` is what brings
        what `exact` returns, where that was asked before; `generation` that of the tenant's entries, where the cache
        was asked for it just now. Raises `StoreError`.
        """
        entry = await (exact or self.exact(question))
        found = Found(entry, 1.0) if entry is not None else await self._near(question, generation)
        if found is not None:
            with suppress(StoreError):
                await self._conversations.count_use(self._tenant_id, found.entry.id)
        return found

    async def _near(self, question: str, generation: int | None) -> Found | None:
        if not await self._memory.refresh(generation):
            return None
        from multidb_chat.services.knowledge.sameness import ALIKE, figures_in

        vector = await self._vectors.of(question)
        figures, looked = figures_in(question), 0
        for key, asked, cosine in self._memory.nearest(vector, ALIKE):
            if figures_in(asked) != figures:  # by far the most where many entries differ in a number alone
                continue
            looked += 1
            if looked > _LOOKED_AT:
                break
            needed = self._sameness.needed(asked, question)
            if needed is None or cosine < needed:
                continue
            entry = await self._conversations.knowledge(self._tenant_id, key)
            if entry is not None:
                await self._vectors.keep(question)
                return Found(entry, min(cosine, 1.0))
        return None
