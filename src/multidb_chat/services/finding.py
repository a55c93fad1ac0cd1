"""What finds passages: `Retrieval`, and what may be put around it."""

from typing import Protocol

from multidb_chat.domain.search import Match, SearchFilters
from multidb_chat.services.ranking import FUSED, Fusion
from multidb_chat.services.retrieval import Seen


class Finder(Protocol):
    """Questions in, passages out: what a turn needs. `services.retrieval.Retrieval` tells what it does and raises."""

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
        """Return the best passages, best first."""


class Finding(Finder, Protocol):
    """The same, and documents in order, as measurements need them."""

    async def rank_documents(
        self, question: str, filters: SearchFilters, limit: int = 100, fusion: Fusion = FUSED
    ) -> list[Match]:
        """Return the best passage of each of the best documents, best first."""
