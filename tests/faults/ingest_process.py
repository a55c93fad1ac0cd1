"""Run as a process of its own: add a folder to a library, until it is done or killed."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from multidb_chat.adapters.readers.client import SubprocessReader
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.library import Collection
from multidb_chat.services.ingesting.events import Finished
from multidb_chat.services.ingestion import Ingestion
from tests.unit.services.ingesting import OWNER, FolderFetcher, HashingEmbedder

PAPERS = Collection("c", OWNER.id, "papers", datetime(2026, 1, 1, tzinfo=UTC))


@asynccontextmanager
async def ingestion_into(path: Path, reader: SubprocessReader) -> AsyncIterator[tuple[SqliteLibrary, Ingestion]]:
    """Open a library that has the collection."""
    library = SqliteLibrary(path)
    try:
        if await library.collection(PAPERS.id) is None:
            await library.create_collection(PAPERS)
        yield library, Ingestion(library, reader, FolderFetcher(path.parent), HashingEmbedder())
    finally:
        await library.close()


async def add(path: Path, files: Path, reader: SubprocessReader) -> Finished:
    """Add the folder and return the figures."""
    async with (
        ingestion_into(path, reader) as (_, ingestion),
        aclosing(ingestion.add(OWNER, PAPERS, [files])) as events,
    ):
        async for event in events:
            sys.stdout.write(f"{type(event).__name__}\n")
            sys.stdout.flush()
            if isinstance(event, Finished):
                return event
    raise AssertionError("the run did not finish")


async def main() -> None:
    reader = SubprocessReader()
    await add(Path(sys.argv[1]), Path(sys.argv[2]), reader)
    await reader.close()


if __name__ == "__main__":
    asyncio.run(main())
