"""One run of `docs add` or `docs sync`: from sources to documents that can be searched, source by source."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from multidb_chat.domain.errors import InvalidInput
from multidb_chat.domain.library import TARGET_CHARS, Collection, Document, Library, SourceRecord, document_id
from multidb_chat.domain.reading import DocumentReader, Fetcher, ParsedDocument, Unreadable
from multidb_chat.domain.search import Embedder
from multidb_chat.services.chunking.cutting import Cutting
from multidb_chat.services.ingesting.documents import Prepared, Waiting, prepare
from multidb_chat.services.ingesting.events import Failure, FileDone, FileStarted, Outcome
from multidb_chat.services.ingesting.opening import OpenSource, opened
from multidb_chat.services.ingesting.pipeline import Pipeline
from multidb_chat.services.ingesting.sources import Source, reason_of
from multidb_chat.services.ingesting.tally import Tally

# Shorter texts are chunked between two turns of the event loop (below a millisecond), longer ones in a thread.
_SHORT_TEXT = 20_000
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """`max_file_bytes`: larger files are refused. `target_chars`: about how long passages are, where it is not said.

    `keep_originals`: keep the bytes of what cannot be read again, standard input and URLs.
    """

    max_file_bytes: int = 50_000_000
    target_chars: int = TARGET_CHARS
    keep_originals: bool = True


@dataclass(slots=True)
class _Reading:
    """What became of one source so far: the documents it had (id to hash), has now, and lacks."""

    source: Source
    opened: OpenSource
    known: dict[str, str]
    replaces: bool
    seen: set[str] = field(default_factory=set)
    documents: int = 0
    stored: int = 0
    chunks: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """What to call it. A source of which a part can't be read is read again each time, and is not new each time."""
        if not self.documents:
            return "failed"
        if self.replaces:
            return "replaced"
        return "added" if self.stored or not self.known else "unchanged"

    def refuse(self, document: Document, reason: str) -> None:
        """Note that a document is not stored; what the library had of it stays."""
        self.documents -= 1
        self.stored -= 1
        self.chunks -= document.chunks
        self.failures.append(Failure(self.source.key, reason, document.name, refused=True))


class IngestRun:
    """Reads sources into one collection through a pipeline; see `Ingestion`, which makes it."""

    def __init__(
        self,
        library: Library,
        reader: DocumentReader,
        fetcher: Fetcher,
        embedder: Embedder,
        collection: Collection,
        options: IngestOptions,
        tally: Tally,
        pipeline: Pipeline,
    ) -> None:
        self._library = library
        self._reader = reader
        self._fetcher = fetcher
        self._embedder = embedder
        self._collection = collection
        self._options = options
        self._tally = tally
        self._pipeline = pipeline
        self._prefix = ""
        self._known: dict[str, dict[str, str]] | None = None

    async def feed(self, sources: list[Source]) -> None:
        """Put the documents of all sources that changed into the pipeline; what can't be read is reported."""
        self._prefix = os.path.commonprefix([source.key for source in sources])  # noqa: RUF071 - of text, not of paths
        found = await self._library.sources(self._collection.id, self._prefix)
        records = {record.source: record for record in found}
        for source in sources:
            self._tally.report(FileStarted(source.key, source.size_bytes))
            try:
                async with self._opened(source) as file:
                    self._tally.bytes += file.size_bytes - source.size_bytes  # a URL's is known only now
                    record = records.get(source.key)
                    if record is not None and record.content_hash == file.content_hash:
                        self._tally.done(FileDone(source.key, "unchanged", record.documents), file.size_bytes)
                    elif (closed := self._pipeline.allowance.closed) and await self._is_new(source):
                        self.fail(Failure(source.key, closed, refused=True), file.size_bytes)
                    else:
                        await self._read(source, file, replaces=record is not None)
            except (InvalidInput, OSError) as error:
                self.fail(Failure(source.key, reason_of(error)), source.size_bytes)

    def fail(self, failure: Failure, size_bytes: int = 0) -> None:
        """Report a source of which nothing could be read; what the library has of it stays."""
        self._tally.done(FileDone(failure.source, "failed", failures=(failure,)), size_bytes)

    @asynccontextmanager
    async def _opened(self, source: Source) -> AsyncIterator[OpenSource]:
        options = self._options
        async with opened(source, self._fetcher, options.max_file_bytes, options.keep_originals) as file:
            yield file

    async def _read(self, source: Source, file: OpenSource, replaces: bool) -> None:
        """Put the source's documents into the pipeline, and behind them the mark that completes it."""
        known = (await self._documents_by_source()).get(source.key, {})
        reading = _Reading(source, file, known, replaces)
        held: ParsedDocument | None = None  # whether a document is the only one is known when the next one has come
        parts = self._reader.read(file.path, file.name, file.content_type)
        try:
            async for part in parts:
                if isinstance(part, Unreadable):
                    reading.failures.append(Failure(source.key, part.reason, part.name))
                    reading.seen.add(document_id(self._collection.id, source.key, part.name))
                    continue
                if held is not None:
                    await self._put(reading, held)
                held = part
        finally:
            if aclose := getattr(parts, "aclose", None):
                await aclose()
        if held is not None:
            await self._put(reading, held, only=not reading.seen)
        self._tally.read(file.size_bytes)
        await self._pipeline.put(partial(self._complete, reading))

    async def _put(self, reading: _Reading, parsed: ParsedDocument, *, only: bool = False) -> None:
        prepared = await self._prepared(reading, parsed, only)
        document = prepared.document
        reading.seen.add(document.id)
        if not parsed.text.strip():
            reading.failures.append(Failure(reading.source.key, "it has no text", parsed.name))
            return
        reading.documents += 1
        if reading.known.get(document.id) != document.content_hash:
            prepared = await prepared.cut(self._embedder)
            document = prepared.document
            reading.chunks += document.chunks
            self._tally.part_read(len(parsed.text), document.chunks, reading.opened.size_bytes)
            is_new = document.id not in reading.known
            reading.stored += 1
            reading.replaces |= not is_new
            await self._pipeline.put(Waiting(prepared, is_new, partial(reading.refuse, document)))

    async def _prepared(self, reading: _Reading, parsed: ParsedDocument, only: bool) -> Prepared:
        work = partial(
            prepare,
            parsed,
            self._collection.id,
            reading.source.key,
            self._embedder.name,
            Cutting.of(self._collection, self._options.target_chars),
            reading.opened.size_bytes if only else 0,
        )
        prepared = work() if len(parsed.text) < _SHORT_TEXT else await asyncio.to_thread(work)
        if only and reading.opened.original is not None:
            return replace(prepared, content=replace(prepared.content, original=reading.opened.original))
        return prepared

    async def _complete(self, reading: _Reading) -> None:
        """Drop what the source has no more, and remember it as complete unless a part of it could not be read."""
        source, file = reading.source, reading.opened
        gone = [document for document in reading.known if document not in reading.seen]
        if gone:
            await self._library.remove_documents(gone)
            reading.replaces = True
        if not reading.failures:
            await self._library.put_source(
                SourceRecord(
                    self._collection.id,
                    source.key,
                    file.content_hash,
                    file.size_bytes,
                    reading.documents,
                    datetime.now(UTC),
                )
            )
        done = FileDone(source.key, reading.outcome, reading.documents, reading.chunks, tuple(reading.failures))
        self._tally.done(done, file.size_bytes)

    async def _is_new(self, source: Source) -> bool:
        """Tell whether the library has nothing of a source."""
        return source.key not in await self._documents_by_source()

    async def _documents_by_source(self) -> dict[str, dict[str, str]]:
        """Return what the collection holds of these sources: source to id to hash.

        It is read once a run, and only when something has changed. What an interrupted run left incomplete is here too.
        """
        if self._known is None:
            self._known = {}
            after = ""
            while page := await self._library.documents([self._collection.id], after, _PAGE, self._prefix):
                for document in page:
                    self._known.setdefault(document.source, {})[document.id] = document.content_hash
                after = page[-1].id
        return self._known
