"""A workplace for tests of ingestion: the real store and the real reader in a folder, and a small real embedder."""

import asyncio
import hashlib
import math
import shutil
import struct
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from multidb_chat.adapters.readers.client import SubprocessReader
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import UnreadableDocument
from multidb_chat.domain.library import Collection, DocumentContent, Library
from multidb_chat.domain.reading import FetchedFile
from multidb_chat.services.documents import Documents
from multidb_chat.services.ingesting.allowance import Quota
from multidb_chat.services.ingesting.events import FileDone, Finished, IngestEvent
from multidb_chat.services.ingestion import Ingestion, IngestOptions

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = Account("owner", "user", "free", NOW)
STRANGER = Account("stranger", "user", "free", NOW)
GUEST = Account("guest", "guest", "free", NOW)


class HashingEmbedder:
    """Bags of words, hashed into a few numbers: an `Embedder` in earnest, small and without a model.

    `seen` are the passages it was given. With a `gate`, it takes `before` passages and then waits until it is opened.
    """

    def __init__(self, name: str = "hashing-16", dimensions: int = 16, gate: asyncio.Event | None = None) -> None:
        self.name = name
        self.dimensions = dimensions
        self.seen: list[str] = []
        self.gate = gate
        self.before = 0

    async def embed_query(self, text: str) -> bytes:
        counts = [0.0] * self.dimensions
        for word in text.lower().split():
            digest = hashlib.sha256(f"{self.name} {word}".encode()).digest()
            counts[digest[0] % self.dimensions] += 1 if digest[1] % 2 else -1
        length = math.sqrt(sum(count * count for count in counts)) or 1.0
        return struct.pack(f"<{self.dimensions}f", *(count / length for count in counts))

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        if self.gate is not None and len(self.seen) >= self.before:
            await self.gate.wait()
        self.seen += texts
        return [await self.embed_query(text) for text in texts]

    async def close(self) -> None:
        """Nothing to free."""


class FolderFetcher:
    """A `Fetcher` for addresses of one site, whose files lie in a folder."""

    SITE = "https://site.example/"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.given: list[Path] = []

    async def fetch(self, url: str) -> FetchedFile:
        name = url.removeprefix(self.SITE)
        copy = self.folder / f"fetched-{len(self.given)}"
        if not (self.folder / name).exists():
            raise UnreadableDocument(url, "the server answered 404")
        shutil.copy(self.folder / name, copy)
        self.given.append(copy)
        return FetchedFile(copy, url, name, "text/markdown")


class Workplace:
    """An ingestion with everything it needs; `files` is an empty folder for documents."""

    def __init__(self, folder: Path, library: SqliteLibrary, reader: SubprocessReader) -> None:
        self.files = folder / "files"
        self.files.mkdir()
        site = folder / "site"
        site.mkdir()
        self.library = library
        self.reader = reader
        self.fetcher = FolderFetcher(site)
        self.embedder = HashingEmbedder()
        self.documents = Documents(library)
        self.collection = Collection("c", OWNER.id, "papers", NOW)

    def ingestion(
        self, embedder: HashingEmbedder | None = None, quota: Quota | None = None, **options: Any
    ) -> Ingestion:
        """Return an ingestion with this embedder, quota and these options."""
        chosen = replace(IngestOptions(), **options)
        return Ingestion(self.library, self.reader, self.fetcher, embedder or self.embedder, chosen, quota=quota)

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file to add."""
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    async def add(self, *inputs: Any) -> Finished:
        """Add inputs (none: all files) and return the figures."""
        return finished(await events_of(self.ingestion().add(OWNER, self.collection, inputs or [self.files])))

    async def stored(self) -> dict[str, DocumentContent]:
        """Return all that is stored, by the document's name."""
        return {content.document.name: content for content in await contents(self.library, self.collection)}


async def contents(library: Library, collection: Collection) -> list[DocumentContent]:
    """Return everything of a collection."""
    documents = await library.documents([collection.id], limit=10_000)
    found = [await library.content(document.id) for document in documents]
    return [content for content in found if content is not None]


def timeless(content: DocumentContent) -> DocumentContent:
    """Return a content as any run would have made it: without times and counts of replacements."""
    return replace(content, document=replace(content.document, added_at=NOW, updated_at=NOW, revision=1))


async def events_of(stream: AsyncIterator[IngestEvent]) -> list[IngestEvent]:
    """Return all events of a run."""
    return [event async for event in stream]


def finished(events: Sequence[IngestEvent]) -> Finished:
    """Return the last event."""
    assert isinstance(events[-1], Finished)
    return events[-1]


def outcomes(events: Sequence[IngestEvent]) -> dict[str, str]:
    """Return what became of each source, by the last part of its name."""
    return {Path(event.source).name: event.outcome for event in events if isinstance(event, FileDone)}
