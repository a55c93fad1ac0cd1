"""The pipeline by itself: how far reading goes ahead, what an error does, the order of marks; and the figures."""

import asyncio

import pytest

from multidb_chat.domain.errors import NotFound, StoreCorrupt
from multidb_chat.domain.reading import ParsedDocument
from multidb_chat.services.chunking.cutting import Cutting
from multidb_chat.services.ingesting.allowance import Allowance
from multidb_chat.services.ingesting.documents import Waiting, prepare
from multidb_chat.services.ingesting.events import FileDone, IngestEvent, Progress
from multidb_chat.services.ingesting.pipeline import AHEAD_CHUNKS, BATCH_CHUNKS, Pipeline
from multidb_chat.services.ingesting.tally import Tally
from tests.unit.services.ingesting import OWNER, HashingEmbedder, Workplace


def prepared(number: int, collection: str = "c") -> Waiting:
    parsed = ParsedDocument(f"d{number}", "T", "text", f"Words of number {number}.", ())
    return Waiting(prepare(parsed, collection, "s", "hashing-16", Cutting()), True, lambda _: None)


async def test_reading_waits_when_it_is_far_ahead_of_embedding(work: Workplace):
    embedder = HashingEmbedder(gate=asyncio.Event())
    pipeline = Pipeline(Allowance(work.library, OWNER, None), embedder, lambda n: None, lambda n: None)
    put = 0

    async def feed() -> None:
        nonlocal put
        for number in range(AHEAD_CHUNKS + 1_000):
            await pipeline.put(prepared(number))
            put += 1

    run = asyncio.create_task(pipeline.run(feed))
    for _ in range(50):
        await asyncio.sleep(0)
    assert AHEAD_CHUNKS <= put <= AHEAD_CHUNKS + BATCH_CHUNKS + 1
    embedder.gate.set()
    await run
    assert put == len(embedder.seen) == AHEAD_CHUNKS + 1_000
    assert len(await work.library.documents(["c"], limit=10_000)) == put


async def test_a_mark_is_reached_when_all_before_it_is_stored(work: Workplace):
    pipeline = Pipeline(Allowance(work.library, OWNER, None), work.embedder, lambda n: None, lambda n: None)
    stored: list[int] = []

    async def mark() -> None:
        stored.append(len(await work.library.documents(["c"], limit=10_000)))

    async def feed() -> None:
        for number in range(300):
            await pipeline.put(prepared(number))
            if number % 100 == 99:
                await pipeline.put(mark)

    await pipeline.run(feed)
    assert all(there >= wanted for there, wanted in zip(stored, (100, 200, 300), strict=True))


async def test_an_error_of_the_store_ends_everything_and_is_raised_itself(work: Workplace):
    pipeline = Pipeline(Allowance(work.library, OWNER, None), work.embedder, lambda n: None, lambda n: None)

    async def feed() -> None:
        await pipeline.put(prepared(1, collection="unknown"))
        await asyncio.Event().wait()

    with pytest.raises(NotFound):
        await pipeline.run(feed)


async def test_an_error_of_the_embedder_ends_everything_and_is_raised_itself(work: Workplace):
    class Damaged(HashingEmbedder):
        """Its files are not what they were."""

        async def embed_documents(self, texts):
            raise StoreCorrupt("embedder", "the model is damaged")

    pipeline = Pipeline(Allowance(work.library, OWNER, None), Damaged(), lambda n: None, lambda n: None)

    async def feed() -> None:
        await pipeline.put(prepared(1))
        await asyncio.Event().wait()

    with pytest.raises(StoreCorrupt, match="damaged"):
        await pipeline.run(feed)


def last_progress(events: list[IngestEvent]) -> Progress:
    return [event for event in events if isinstance(event, Progress)][-1]


def test_progress_goes_on_within_one_large_source():
    events: list[IngestEvent] = []
    tally = Tally(events.append, files=1, bytes=1_000)
    tally.part_read(250, 5, of_bytes=1_000)
    tally.embedded(2)
    assert (last_progress(events).chunks_estimate, last_progress(events).fraction) == (20, 0.1)


def test_what_is_unchanged_counts_as_done_and_takes_no_part_in_the_estimate():
    events: list[IngestEvent] = []
    tally = Tally(events.append, files=3, bytes=1_000)
    tally.done(FileDone("a", "unchanged"), 500)
    tally.part_read(250, 10, of_bytes=250)
    tally.read(250)
    tally.told = 0
    tally.embedded(10)
    progress = last_progress(events)
    assert (progress.files_done, progress.bytes_done, progress.chunks_estimate, progress.fraction) == (1, 500, 20, 0.75)


def test_the_remaining_time_follows_from_the_fraction():
    progress = Progress(1, 4, 0, 0, 0, chunks_done=50, chunks_estimate=200, seconds=10.0, fraction=0.25)
    assert (progress.rate, progress.remaining) == (5.0, 30.0)
    assert Progress(0, 4, 0, 0, 0, 0, 0, 0.0, 0.0).remaining is None
