"""What `scripts/bench servers` measures of the library: documents going in, and the index reading them."""

import time
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.write_concern import WriteConcern
from turn import CHUNKS_EACH, InstantEmbedder, page

from multidb_chat.adapters.mongo import content
from multidb_chat.adapters.mongo.connection import Record
from multidb_chat.adapters.mongo.records import document_record
from multidb_chat.adapters.search_index import following
from multidb_chat.bootstrap import Application
from multidb_chat.domain.library import Collection, DocumentContent

DOCUMENTS_AT_ONCE = 20


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Return the seconds that the work took."""
    begin = time.perf_counter()
    await work()
    return time.perf_counter() - begin


async def ingestion(application: Application, collection: Collection, documents: int) -> None:
    """Print the passages a second that go into the library, and by the driver alone; and that the index reads."""
    embedder, chance = InstantEmbedder(), Random(3)
    vectors = await embedder.embed_documents([str(n) for n in range(CHUNKS_EACH)])
    made = [page(collection.id, 10**6 + number, chance, vectors) for number in range(documents)]
    async with AsyncMongoClient(application._server("library")) as client:
        database = client.get_default_database()
        durable = WriteConcern("majority", j=True)
        by_port = by_driver = 0.0
        for first in range(0, documents, DOCUMENTS_AT_ONCE):
            some = made[first : first + DOCUMENTS_AT_ONCE]
            by_port += await timed(lambda some=some: application.library.put_documents(some))
            for name, rows in records_of(some).items():
                raw = database.get_collection(f"raw_{name}", write_concern=durable)
                by_driver += await timed(lambda raw=raw, rows=rows: raw.insert_many(rows, ordered=False))
        print(
            f"{'ingestion, passages/s':24}{documents * CHUNKS_EACH / by_port:9.0f}{'':9}{by_driver / by_port:9.2f}"
            f"   raw driver {documents * CHUNKS_EACH / by_driver:,.0f}"
        )
        await catching_up(application, database, [one.document.id for one in made])


def records_of(contents: Sequence[DocumentContent]) -> dict[str, list[Record]]:
    """Return the records that the port makes of documents, by collection.

    Vectors are plain bytes, as where the server does not know them as a kind of value; that is as much to write.
    """
    ready = [content.ready(one, one.chunks) for one in contents]
    large = {name: list(records) for name, records in content.records_of(ready, vectors=False).items()}
    return large | {"documents": [document_record(one.document, 0) for one in contents]}


async def catching_up(application: Application, database: AsyncDatabase[Any], ids: Sequence[str]) -> None:
    """Print the passages a second that the index's follower reads, and the driver alone; then all of following."""
    records = [record async for record in database["documents"].find({"_id": {"$in": ids}}, {"generation": 1})]
    generations = sorted(record["generation"] for record in records)
    between = {"_id": {"$gte": f"{generations[0]}:", "$lt": f"{generations[-1]}:~"}}
    chunks, some = len(ids) * CHUNKS_EACH, following.PASSAGES // CHUNKS_EACH

    async def read() -> None:
        # As few fields as an index needs, as large batches as a reply may hold; bytes, not a list of numbers.
        cursor = database["chunks"].find(between, {"text": 1, "headings": 1, "vector": 1}, batch_size=10_000)
        assert len(await cursor.to_list()) == chunks

    async def follow() -> None:
        for first in range(0, len(ids), some):
            await application.library.indexable(ids[first : first + some])

    await read()  # once for the server's memory
    taken = {work: [await used(work) for _ in range(3)] for work in (read, follow)}
    for name, work in (("raw driver", read), ("catching up", follow)):
        seconds, processor = (min(column) for column in zip(*taken[work], strict=True))
        print(f"{name + ', passages/s':24}{chunks / seconds:9.0f}   {chunks / processor:,.0f} by this process alone")
    ratio = min(taken[read])[0] / min(taken[follow])[0]
    print(f"  {ratio:.2f} of the raw driver; of 50,000 by this process {chunks / min(taken[follow])[1] / 50_000:.2f}")
    seconds, processor = await used(application.index.refresh)
    print(f"  with the index written: {chunks / seconds:,.0f}, {chunks / processor:,.0f} by this process alone")


async def used(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Return the seconds that the work took, and the processor time that this process needed for it."""
    begin, processor = time.perf_counter(), time.process_time()
    await work()
    return time.perf_counter() - begin, time.process_time() - processor
