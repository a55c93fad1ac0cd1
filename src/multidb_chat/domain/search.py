"""Finding passages: filters, hits, matches with their quality; the ports that make vectors and search an index."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple, Protocol

from multidb_chat.domain.library import Chunk, Document

Quality = Literal["excellent", "good", "fair", "poor"]


def quality_of(score: float) -> Quality:
    """Return the tier of a match's calibrated score (0 to 1): excellent > 0.6, good > 0.4, fair > 0.3, else poor."""
    if score > 0.6:
        return "excellent"
    if score > 0.4:
        return "good"
    return "fair" if score > 0.3 else "poor"


@dataclass(frozen=True, slots=True)
class SearchFilters:
    """What may be searched. `collection_ids` is always given: it is the tenant's boundary, applied inside the query.

    Empty sequences and None do not narrow. Dates are compared with the document's own date, else when it was added.
    """

    collection_ids: tuple[str, ...]
    document_ids: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class Hit(NamedTuple):
    """A chunk found by its words; a higher `score` (BM25) is better.

    `share` is what it covers of the question: its score over the sum of the inverse document frequencies of the
    question's words, about 1 when each occurs once, at most 2.2.
    """

    document_id: str
    ordinal: int
    score: float
    share: float

    @property
    def key(self) -> tuple[str, int]:
        """What the library knows the chunk by."""
        return self.document_id, self.ordinal


class Neighbours(NamedTuple):
    """Chunks beside a vector: their keys (document id, ordinal), cosine similarities to it, and their own vectors.

    First come those that were to be compared, as they were given, with nan and a vector of zeros for one that has none
    or may not be found. The most similar ones that are not among these follow, best first. The vectors lie one behind
    the other, each of float32, little-endian.
    """

    keys: list[tuple[str, int]]
    scores: list[float]
    vectors: bytes | memoryview


# A search that lacks only the vector. Raises `StoreError`.
VectorSearch = Callable[[bytes], Awaitable[Neighbours]]


GIVEN = "given with the question"
"""The collection id in matches of texts that came with a question; no stored collection has it."""


@dataclass(frozen=True, slots=True)
class Match:
    """A passage that was found, with the scores that brought it up.

    `chunk` may span merged neighbours. `lexical` (BM25) and `vector` (cosine) are None where that search did not find
    it. `fused` orders the matches, or `reranked` where they were judged beside the question. `score` is calibrated to
    0..1 and comparable between questions; `quality` its tier.
    """

    chunk: Chunk
    document: Document
    lexical: float | None
    vector: float | None
    fused: float
    score: float
    reranked: float | None = None

    @property
    def quality(self) -> Quality:
        """The tier of `score`."""
        return quality_of(self.score)


class Embedder(Protocol):
    """Turns texts into unit vectors of `dimensions` float32, little-endian bytes.

    `name` changes whenever the vectors would. Long texts are windowed, never silently cut.
    """

    @property
    def name(self) -> str:
        """What a collection remembers, for example `minilm-l6-v2-int8`."""

    @property
    def dimensions(self) -> int:
        """The length of the vectors."""

    async def embed_query(self, text: str) -> bytes:
        """Return the vector of a question."""

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        """Return the vectors of passages, in order. Long batches are split inside; cancelling stops between batches."""

    async def close(self) -> None:
        """Free threads and memory."""


class Reranker(Protocol):
    """Judges passages beside the question, which tells more than comparing what was made of each alone."""

    @property
    def name(self) -> str:
        """What it is called; another name may give another order."""

    async def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return for each passage, in order, how well it answers the question; higher is better, on a scale of its own.

        Nothing of a long passage is passed over. Raises `StoreError` or `ModelError` when it cannot tell, and
        `QuotaExceeded` where nothing is left of what that takes; cancelling stops soon.
        """

    async def close(self) -> None:
        """Free threads and memory."""


class Excerpt(NamedTuple):
    """Part of a document with the `spans` (characters of `text`) that may be quoted of it.

    `above` names where it stands: the document's title, and the heading over it where the text does not begin with it.
    """

    text: str
    spans: tuple[tuple[int, int], ...]
    above: str = ""


class SpanReader(Protocol):
    """Reads excerpts with a question in mind, and judges what of them answers it."""

    @property
    def name(self) -> str:
        """Part of what answers are kept by; another name may judge otherwise."""

    async def read(self, question: str, excerpts: Sequence[Excerpt]) -> list[tuple[float, ...]]:
        """Return for each excerpt, in order, the log-odds that each of its spans answers the question.

        What lies beyond what it can read at once counts as no answer. Raises `StoreError` when it cannot tell.
        """

    async def close(self) -> None:
        """Free threads and memory."""


class SearchIndex(Protocol):
    """The lexical and vector index of one installation. It is derived from the library and may vanish at any time."""

    async def refresh(self, patience: float | None = None, versions: Mapping[str, int] | None = None) -> int:
        """Follow the library's changes up to now; return how many there were. Rebuilds itself when lost or damaged.

        After so many seconds of `patience` it returns, and goes on behind: what is there by then can be found.
        `versions` are what `Library.collection_versions` has said just now of all collections that are of interest:
        when they say what they said the last time, the library need not be asked.
        """

    async def where(self) -> str:
        """Return where is searched, in a few words: "this machine", or the library's server, by its own search."""

    async def lexical(self, question: str, filters: SearchFilters, limit: int) -> list[Hit]:
        """Return the best chunks by BM25 over title, headings and text, best first."""

    async def nearest(
        self, filters: SearchFilters, limit: int, compared: Sequence[tuple[str, int]] = ()
    ) -> VectorSearch:
        """Return a search for the `limit` chunks most similar to a vector, and for those to be `compared` with it.

        These, each once, were found by other means. The search is made ready as far as it can be without a vector,
        since embedding the question takes longer than all else. It finds what is in the index now, or when it is
        called, and may be called more than once. Collections whose vectors have another length are passed over.
        """

    async def check(self) -> list[str]:
        """Compare the index with the library and return what is wrong, a line each. Nothing is changed.

        Changes that are still to be followed are not wrong; a sample of the vectors is compared.
        """

    async def rebuild(self) -> int:
        """Discard the index and make it anew; return how many documents are in it."""

    async def close(self) -> None:
        """Free files and memory."""
