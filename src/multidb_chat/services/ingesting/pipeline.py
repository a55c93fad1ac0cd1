"""Embedding and storing side by side, while reading goes on ahead of them.

::

    feed (reads, chunks) --put--> [queue, bounded in chunks] --embed--> [one batch] --store--> library

Everything leaves in the order in which it was put in, so a mark behind a source's last document is reached when all
of them are stored.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from multidb_chat.domain.library import DocumentContent
from multidb_chat.domain.search import Embedder
from multidb_chat.services.ingesting.allowance import Allowance
from multidb_chat.services.ingesting.documents import Waiting

# Chunks of several documents are embedded and stored together: some seconds of embedding, one flush to the disk.
BATCH_CHUNKS = 128
# Reading goes so many chunks ahead: about 10 MB of texts, and enough that what is left can be told early on.
AHEAD_CHUNKS = 4_096

Mark = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Batch:
    documents: list[Waiting]
    marks: list[Mark]
    contents: list[DocumentContent]


class Pipeline:
    """One run: `run(feed)` calls the feed, which puts documents and marks; returns when all of them are through.

    `embedded(n)` is called after n more chunks have their vectors, `stored(n)` after n more documents are stored.
    """

    def __init__(
        self, allowance: Allowance, embedder: Embedder, embedded: Callable[[int], None], stored: Callable[[int], None]
    ) -> None:
        self.allowance = allowance
        self._embedder = embedder
        self._embedded = embedded
        self._stored = stored
        self._queue: asyncio.Queue[Waiting | Mark | None] = asyncio.Queue()
        self._batches: asyncio.Queue[_Batch | None] = asyncio.Queue(1)
        self._ahead = 0
        self._room = asyncio.Event()

    async def run(self, feed: Callable[[], Awaitable[None]]) -> None:
        """Let everything through that the feed puts in. The first error of any part ends all of them and is raised."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._embed())
                tasks.create_task(self._store())
                await feed()
                self._queue.put_nowait(None)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def put(self, item: Waiting | Mark) -> None:
        """Queue a document, or a mark: it is called when all that was put before is stored; neighbours at once."""
        while self._ahead >= AHEAD_CHUNKS:
            self._room.clear()
            await self._room.wait()
        self._ahead += _weight(item)
        self._queue.put_nowait(item)

    async def _embed(self) -> None:
        more = True
        while more:
            batch = _Batch([], [], [])
            more = await self._take(batch)
            batch.documents = await self.allowance.admitted(batch.documents)
            texts = [text for one in batch.documents for text in one.prepared.texts]
            vectors: list[bytes] = []
            for at in range(0, len(texts), BATCH_CHUNKS):
                part = texts[at : at + BATCH_CHUNKS]
                vectors += await self._embedder.embed_documents(part)
                self._embedded(len(part))
            remaining = iter(vectors)
            for one in batch.documents:
                batch.contents.append(one.prepared.embedded([next(remaining) for _ in one.prepared.texts]))
            await self._batches.put(batch)
        await self._batches.put(None)

    async def _take(self, batch: _Batch) -> bool:
        """Fill the batch with what waits, at least one thing; False when the end was reached."""
        item = await self._queue.get()
        weight = 0
        while item is not None:
            weight += _weight(item)
            self._ahead -= _weight(item)
            if isinstance(item, Waiting):
                batch.documents.append(item)
            else:
                batch.marks.append(item)
            if self._queue.empty() or weight >= BATCH_CHUNKS:
                self._room.set()
                return True
            item = self._queue.get_nowait()
        return False

    async def _store(self) -> None:
        while (batch := await self._batches.get()) is not None:
            if batch.contents:
                self._stored(await self.allowance.store(batch.documents, batch.contents))
            await asyncio.gather(*(mark() for mark in batch.marks))


def _weight(item: Waiting | Mark) -> int:
    return max(1, len(item.prepared.texts)) if isinstance(item, Waiting) else 0
