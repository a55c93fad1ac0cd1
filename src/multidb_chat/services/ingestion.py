"""Documents in: adding, synchronising and reprocessing, as streams of events."""

import asyncio
import os
import shlex
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import islice
from pathlib import Path

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import EmbedderMismatch, InvalidInput, NotFound
from multidb_chat.domain.library import Collection, Document, Library
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.reading import DocumentReader, Fetcher
from multidb_chat.domain.search import Embedder
from multidb_chat.domain.text import clean_line
from multidb_chat.services.audit import Recorder
from multidb_chat.services.chunking.cutting import Cutting
from multidb_chat.services.collections import owns, require_own
from multidb_chat.services.ingesting.allowance import Allowance, Quota
from multidb_chat.services.ingesting.events import Discovered, Failure, FileDone, Finished, IngestEvent
from multidb_chat.services.ingesting.pipeline import Pipeline
from multidb_chat.services.ingesting.reindex import embedded_ahead, reindexed
from multidb_chat.services.ingesting.run import IngestOptions, IngestRun
from multidb_chat.services.ingesting.sources import Input, Source, absolute, discover
from multidb_chat.services.ingesting.tally import Tally

__all__ = ["IngestOptions", "Ingestion"]

# What a collection's embedder is called while its vectors are being replaced: nobody's, so that nobody searches a mix.
_UNFINISHED = "unfinished:"
_FOUND_AT_ONCE = 1_000
_PAGE = 1_000


class Ingestion:
    """Brings documents into collections. All of it can be interrupted anywhere and completed by running it again.

    The methods are async generators of `IngestEvent`, the last one `Finished`. Closing a generator or cancelling its
    task ends the work; what is stored stays, whole. They raise before the first event: `NotPermitted` (a guest, or
    another's shared collection), `NotFound` (another's private one), `EmbedderMismatch`; and `StoreError` when the
    library cannot go on. A file that can't be read, or that the account's quota has no room for, is an event.
    """

    def __init__(
        self,
        library: Library,
        reader: DocumentReader,
        fetcher: Fetcher,
        embedder: Embedder,
        options: IngestOptions | None = None,
        audit: Callable[[], Recorder] | None = None,
        quota: Quota | None = None,
        others: Callable[[str], Embedder | None] = lambda _: None,
    ) -> None:
        """`audit` gives what records changes of an account; without it nothing is recorded.

        Without a `quota`, everybody may add as much as they like. `others` gives the embedder of a name: documents go
        into a collection with the embedder that it has, where it can be had.
        """
        self._library = library
        self._reader = reader
        self._fetcher = fetcher
        self._embedder = embedder
        self._options = options or IngestOptions()
        self._audit = audit
        self._quota = quota
        self._others = others

    @property
    def embedder(self) -> str:
        """The name of the embedder that makes the vectors."""
        return self._embedder.name

    async def add(
        self, account: Account, collection: Collection, inputs: Sequence[Input]
    ) -> AsyncGenerator[IngestEvent, None]:
        """Add files, folders, patterns, URLs and given bytes; what did not change is skipped, what did is replaced."""
        collection, embedder = await self._claimed(account, collection)
        await self._record(account, "document.add", collection, inputs=str(len(inputs)))

        async def work(tally: Tally, pipeline: Pipeline) -> None:
            run = self._run(collection, embedder, tally, pipeline)
            await run.feed(await _discovered(inputs, tally, run))

        async with aclosing(self._events(account, embedder, work)) as events:
            async for event in events:
                yield event

    async def sync(
        self, account: Account, collection: Collection, folder: Path | str
    ) -> AsyncGenerator[IngestEvent, None]:
        """Add a folder, and remove the documents of files below it that are no longer there.

        Raises `InvalidInput` when there is no such folder; then nothing is removed.
        """
        collection, embedder = await self._claimed(account, collection)
        top = absolute(folder)
        if not await asyncio.to_thread(os.path.isdir, top):
            raise InvalidInput(f"{top}: there is no such folder.")
        await self._record(account, "document.sync", collection)

        async def work(tally: Tally, pipeline: Pipeline) -> None:
            run = self._run(collection, embedder, tally, pipeline)
            sources = await _discovered([Path(top)], tally, run)
            await run.feed(sources)
            await self._remove_vanished(collection, os.path.join(top, ""), tally)

        async with aclosing(self._events(account, embedder, work)) as events:
            async for event in events:
                yield event

    async def reindex(
        self, account: Account, collection: Collection, documents: Sequence[Document] = ()
    ) -> AsyncGenerator[IngestEvent, None]:
        """Cut and embed stored documents (none: all of the collection) anew from their text, with this embedder.

        They are cut as the collection says now. A document that is up to date already is skipped. A collection of
        another embedder is refused to everybody until all of it is done; it cannot be done in parts. The events name
        documents instead of files.
        """
        collection = await self._owned(account, collection)
        changes = collection.embedder != self._embedder.name
        if changes and collection.embedder and documents:
            raise self._mismatch(collection)
        await self._record(account, "document.reindex", collection)
        if changes:
            collection = self._marked(collection, _UNFINISHED + self._embedder.name)
            await self._library.update_collection(collection)

        async def work(tally: Tally, pipeline: Pipeline) -> None:
            chosen = documents or await self._all(collection)
            await reindexed(self._library, self._embedder, self._cutting(collection), chosen, tally, pipeline)

        async with aclosing(self._events(account, self._embedder, work)) as events:
            async for event in events:
                if isinstance(event, Finished) and changes:
                    await self._library.update_collection(self._marked(collection, self._embedder.name))
                yield event

    async def reprocess(self, account: Account, collection: Collection) -> AsyncGenerator[IngestEvent, None]:
        """Like `reindex` for a whole collection, which can be searched with its old vectors for nearly all of the time.

        First all new vectors are made, while everything stays as it is; then the collection is switched, which takes
        little, where this embedder keeps what it made. Interrupted, it goes on by what was kept.
        """
        collection = await self._owned(account, collection)

        async def work(tally: Tally, pipeline: Pipeline) -> None:
            chosen = await self._all(collection)
            await embedded_ahead(self._library, self._embedder, self._cutting(collection), chosen, tally)

        async with aclosing(self._events(account, self._embedder, work)) as events:
            async for event in events:
                if not isinstance(event, Finished):
                    yield event
        async with aclosing(self.reindex(account, collection)) as events:
            async for event in events:
                yield event

    def _cutting(self, collection: Collection) -> Cutting:
        return Cutting.of(collection, self._options.target_chars)

    def _run(self, collection: Collection, embedder: Embedder, tally: Tally, pipeline: Pipeline) -> IngestRun:
        return IngestRun(
            self._library,
            self._reader,
            self._fetcher,
            embedder,
            collection,
            self._options,
            tally,
            pipeline,
        )

    async def _events(
        self, account: Account, embedder: Embedder, work: Callable[[Tally, Pipeline], Awaitable[None]]
    ) -> AsyncGenerator[IngestEvent, None]:
        """Run the work in a task of its own and yield what it reports; ends with the work's figures or its error."""
        events: asyncio.Queue[IngestEvent | None] = asyncio.Queue()
        tally = Tally(events.put_nowait)
        allowance = Allowance(self._library, account, self._quota)
        pipeline = Pipeline(allowance, embedder, tally.embedded, tally.stored)

        async def working() -> None:
            try:
                await pipeline.run(lambda: work(tally, pipeline))
            finally:
                events.put_nowait(None)

        task = asyncio.create_task(working())
        try:
            while (event := await events.get()) is not None:
                yield event
            await task
            yield tally.finished()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _record(self, account: Account, action: str, collection: Collection, **details: str) -> None:
        """Record what is about to be done: what cannot be recorded is not done. Raises `StoreError`."""
        if self._audit is not None:
            await self._audit().record(account, action, collection.id, **details)

    async def _owned(self, account: Account, collection: Collection) -> Collection:
        """Return the collection as it is now, if the account may change it."""
        require(account, Permission.INGEST)
        current = await self._library.collection(collection.id)
        if current is None or not (owns(account, current) or current.shared):
            raise NotFound(f'There is no collection named "{clean_line(collection.name)}".')
        require_own(account, current)
        return current

    async def _claimed(self, account: Account, collection: Collection) -> tuple[Collection, Embedder]:
        """Return the collection, if the account may change it, and its embedder: this one if it had none."""
        await self._owned(account, collection)
        claimed = await self._library.claim_embedder(collection.id, self._embedder.name, self._embedder.dimensions)
        if claimed.embedder == self._embedder.name:
            return claimed, self._embedder
        if (other := self._others(claimed.embedder)) is None:
            raise self._mismatch(claimed)
        return claimed, other

    def _mismatch(self, collection: Collection) -> EmbedderMismatch:
        made = collection.embedder.removeprefix(_UNFINISHED)
        state = "are only in part made" if collection.embedder.startswith(_UNFINISHED) else "were made"
        return EmbedderMismatch(
            f'The vectors of the collection "{collection.name}" {state} by {made}, not all by {self._embedder.name}. '
            f"Process it again: multidb-chat docs reindex --collection {shlex.quote(collection.name)}"
        )

    def _marked(self, collection: Collection, embedder: str) -> Collection:
        return replace(collection, embedder=embedder, dimensions=self._embedder.dimensions)

    async def _all(self, collection: Collection) -> list[Document]:
        found: list[Document] = []
        while page := await self._library.documents([collection.id], found[-1].id if found else "", _PAGE):
            found += page
        return found

    async def _remove_vanished(self, collection: Collection, prefix: str, tally: Tally) -> None:
        """Remove the sources whose files are gone, and only those: what can't be looked at, or is skipped, stays."""
        records = await self._library.sources(collection.id, prefix)
        known = {record.source for record in records} | await self._sources_of_documents(collection, prefix)
        for source in await asyncio.to_thread(_vanished, sorted(known)):
            count = await self._library.remove_source(collection.id, source)
            tally.done(FileDone(source, "removed", count))

    async def _sources_of_documents(self, collection: Collection, prefix: str) -> set[str]:
        """Return the sources that have documents, also those that were never completed."""
        found: set[str] = set()
        after = ""
        while page := await self._library.documents([collection.id], after, _PAGE, prefix):
            found.update(document.source for document in page)
            after = page[-1].id
        return found


async def _discovered(inputs: Sequence[Input], tally: Tally, run: IngestRun) -> list[Source]:
    """Find all sources before the first is read, so that the totals are known; report them while they grow."""
    sources: list[Source] = []
    failures: list[Failure] = []
    finding = discover(inputs)
    while found := await asyncio.to_thread(lambda: list(islice(finding, _FOUND_AT_ONCE))):
        sources += [one for one in found if isinstance(one, Source)]
        failures += [one for one in found if isinstance(one, Failure)]
        tally.files = len(sources) + len(failures)
        tally.bytes += sum(one.size_bytes for one in found if isinstance(one, Source))
        tally.report(Discovered(tally.files, tally.bytes, complete=False))
    tally.report(Discovered(tally.files, tally.bytes, complete=True))
    for failure in failures:
        run.fail(failure)
    return sources


def _vanished(sources: Sequence[str]) -> list[str]:
    return [source for source in sources if _is_gone(source)]


def _is_gone(path: str) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False
