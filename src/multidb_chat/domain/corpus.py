"""How often terms and sentences occur in the documents, kept as tables beside them; and the port of these tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    """What occurs in a document, as it was made by the change `seq` of its library.

    `terms` has for each term (its normal form) how often it is written in which way; `sentences` has those that are
    long enough for it to be worth telling that they are repeated.
    """

    document_id: str
    collection_id: str
    name: str
    revision: int
    seq: int
    terms: Mapping[str, Mapping[str, int]]
    sentences: Mapping[str, int]


class CorpusState(NamedTuple):
    """Which library was counted, by which method, up to which of its changes."""

    library: str
    method: int
    watermark: int


NOTHING = CorpusState("", 0, 0)
"""The state of tables in which nothing is counted."""


@dataclass(frozen=True, slots=True)
class CorpusBatch:
    """The changes behind `counted` up to `until`: documents that are gone, and documents as they are now."""

    counted: CorpusState
    until: int
    gone: Sequence[str]
    documents: Sequence[DocumentCounts]


@dataclass(frozen=True, slots=True)
class Frequency:
    """A term, as it is written most often, or a sentence; how often it occurs, and in how many documents."""

    text: str
    count: int
    documents: int


class Corpus(Protocol):
    """Tables of what occurs in the documents. They are derived from the library, and may be lost and made again.

    Writes are durable when the call returns. Raises `StoreError` when the store cannot do its work.
    """

    async def state(self) -> CorpusState:
        """Return what was counted."""

    async def begin(self, library: str, method: int) -> None:
        """Forget everything, and begin to count this library by this method.

        It may be interrupted anywhere: then the state is `NOTHING`, and doing it again completes it.
        """

    async def known(self, document_ids: Sequence[str]) -> dict[str, int]:
        """Return for each of the documents that were counted the change as of which it was."""

    async def bring_in(self, batch: CorpusBatch) -> bool:
        """Replace what is kept of these documents, in one step; the watermark becomes `until`.

        False, and nothing is done, when the state is not `counted` any more: another process was there first.
        """

    async def different_terms(self, collection_ids: Sequence[str]) -> int:
        """Return how many different terms occur in the collections."""

    async def terms(self, collection_ids: Sequence[str], limit: int) -> list[Frequency]:
        """Return the most frequent terms of the collections.

        Equal ones come in order of how many documents they are in, then of their normal form. A term is shown with a
        capital only if it never goes without one.
        """

    async def sentences(self, collection_ids: Sequence[str], limit: int) -> list[Frequency]:
        """Return the sentences that occur more than once, the most frequent first; equal ones like terms."""
