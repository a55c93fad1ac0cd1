"""The evaluation texts in a real library: read, cut, embedded, indexed and searched as everywhere else."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
from multidb_chat.adapters.embedders.span_reader import MiniLMSpanReader
from multidb_chat.adapters.readers.client import SubprocessReader
from multidb_chat.adapters.search_index import EmbeddedSearchIndex
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput
from multidb_chat.domain.library import Collection
from multidb_chat.domain.reading import FetchedFile
from multidb_chat.domain.search import Excerpt, Match, SearchFilters
from multidb_chat.services.ingesting.events import FileDone
from multidb_chat.services.ingestion import Ingestion
from multidb_chat.services.retrieval import Retrieval

FOLDER = Path(__file__).parent / "documents"
OWNER = Account("owner", "user", "enterprise", datetime(2024, 1, 1, tzinfo=UTC))
COLLECTION = Collection("texts", OWNER.id, "texts", datetime(2024, 1, 1, tzinfo=UTC))


class Memory:
    """An embedder that remembers what it embedded: many questions are answered from few sentences."""

    def __init__(self, embedder: MiniLMEmbedder) -> None:
        self._embedder = embedder
        self._known: dict[str, bytes] = {}
        self.name, self.dimensions = embedder.name, embedder.dimensions

    async def embed_query(self, text: str) -> bytes:
        """Return the vector of a question."""
        if text not in self._known:
            self._known[text] = await self._embedder.embed_query(text)
        return self._known[text]

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        """Return the vectors of passages."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, await self._embedder.embed_documents(new), strict=True))
        return [self._known[text] for text in texts]

    async def close(self) -> None:
        """Close the embedder."""
        await self._embedder.close()


class Reader:
    """A reader that remembers what it judged."""

    def __init__(self, reader: MiniLMSpanReader) -> None:
        self._reader = reader
        self._known: dict[tuple[str, Excerpt], tuple[float, ...]] = {}
        self.name = reader.name

    async def read(self, question: str, excerpts: Sequence[Excerpt]) -> list[tuple[float, ...]]:
        """Return the log-odds of the spans."""
        new = [one for one in dict.fromkeys(excerpts) if (question, one) not in self._known]
        for one, odds in zip(new, await self._reader.read(question, new), strict=True):
            self._known[question, one] = odds
        return [self._known[question, one] for one in excerpts]

    async def close(self) -> None:
        """Close the reader."""
        await self._reader.close()


class Nothing:
    """A fetcher for those who only read files."""

    async def fetch(self, url: str) -> FetchedFile:
        """Raise `InvalidInput`."""
        raise InvalidInput(f"{url}: only files are read here.")


class Texts:
    """The evaluation texts, ready to be searched."""

    def __init__(self, library: SqliteLibrary, retrieval: Retrieval, embedder: Memory, reader: Reader) -> None:
        self.library = library
        self.retrieval = retrieval
        self.embedder = embedder
        self.reader = reader

    async def matches(self, question: str, limit: int = 10, threshold: float = 0.2) -> list[Match]:
        """Return the passages that may be used for an answer."""
        found = await self.retrieval.search(question, SearchFilters((COLLECTION.id,)), limit, merge=False)
        return [match for match in found if match.score >= threshold]


@asynccontextmanager
async def texts_in(folder: Path, documents: Path = FOLDER) -> AsyncIterator[Texts]:
    """Read the `documents` into a library that lives in `folder`, which begins empty."""
    embedder = Memory(MiniLMEmbedder())
    library = SqliteLibrary(folder / "library.sqlite")
    index = EmbeddedSearchIndex(folder / "index", library)
    files, reader = SubprocessReader(), Reader(MiniLMSpanReader())
    try:
        await library.create_collection(COLLECTION)
        async for event in Ingestion(library, files, Nothing(), embedder).add(OWNER, COLLECTION, [documents]):
            if isinstance(event, FileDone) and event.failures:
                raise AssertionError(event.failures)
        yield Texts(library, Retrieval(index, library, embedder, None), embedder, reader)
    finally:
        for made in (files, reader, index, library, embedder):
            await made.close()
