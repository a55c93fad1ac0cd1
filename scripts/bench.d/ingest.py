"""Measure adding documents: the whole way from a file to stored vectors, beside embedding alone, in the same run.

    scripts/bench ingest                    two minutes on two cores
    scripts/bench ingest --runs 3 PATH...   other documents

Without paths it is the Cranfield collection in `shared` beside the checkout (1,400 abstracts, one JSON Lines file),
or else the handbook. "Besides embedding" is measured with an embedder that remembers the vectors of the run before:
the processor time of the program and of its reading process together.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
from multidb_chat.adapters.readers.client import SubprocessReader
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import InvalidInput
from multidb_chat.domain.reading import FetchedFile
from multidb_chat.domain.search import Embedder
from multidb_chat.services.documents import Documents
from multidb_chat.services.ingesting.events import Finished
from multidb_chat.services.ingestion import Ingestion

ROOT = Path(__file__).resolve().parents[2]
CRANFIELD = ROOT.parent / "shared/collections/cranfield/docs.jsonl"
OWNER = Account("bench", "user", "free", datetime.now(UTC))


class Remembering:
    """An embedder that keeps what another one made, by text."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name, self.dimensions = embedder.name, embedder.dimensions
        self.known: dict[str, bytes] = {}

    async def embed_query(self, text: str) -> bytes:
        """Return the vector of a question."""
        return await self._embedder.embed_query(text)

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        """Return the vectors of passages."""
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            self.known |= zip(new, await self._embedder.embed_documents(new), strict=True)
        return [self.known[text] for text in texts]

    async def close(self) -> None:
        """Close the embedder."""
        await self._embedder.close()


class Nowhere:
    """A fetcher without a network."""

    async def fetch(self, url: str) -> FetchedFile:
        """Refuse."""
        raise InvalidInput(f"{url}: this benchmark reads files only")


@dataclass(frozen=True)
class Run:
    """One way through: what was stored, and seconds on the clock and of the processors."""

    finished: Finished
    wall: float
    cpu: float


def processor_time() -> float:
    """Return the seconds of processor time of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, kinds))


async def added(paths: Sequence[Path], embedder: Embedder) -> Run:
    """Add the paths to a new library in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), processor_time()
        library, reader = SqliteLibrary(Path(folder) / "library.sqlite"), SubprocessReader()
        collection = await Documents(library).ensure_collection(OWNER)
        finished = Finished()
        async for event in Ingestion(library, reader, Nowhere(), embedder).add(OWNER, collection, paths):
            if isinstance(event, Finished):
                finished = event
        await reader.close()
        await library.close()
        return Run(finished, time.perf_counter() - wall, processor_time() - cpu)


async def measure(paths: Sequence[Path], runs: int) -> None:
    """Print the table."""
    embedder = MiniLMEmbedder()
    await embedder.embed_documents(["load the model"])
    remembering = Remembering(embedder)
    whole = await added(paths, remembering)
    texts = list(remembering.known)
    wall, cpu = time.perf_counter(), processor_time()
    await embedder.embed_documents(texts)
    alone_wall, alone_cpu = time.perf_counter() - wall, processor_time() - cpu
    besides = [await added(paths, remembering) for _ in range(runs)]
    await embedder.close()
    documents = whole.finished.documents
    rest = median(run.cpu for run in besides)
    sys.stdout.write(
        f"{documents} documents, {len(texts)} different passages, {whole.finished.failed} parts not readable\n"
        f"all of it            {whole.wall:7.2f} s, {documents / whole.wall:6.1f} documents/s, {whole.cpu:6.2f} s CPU\n"
        f"embedding alone      {alone_wall:7.2f} s, {documents / alone_wall:6.1f} documents/s, {alone_cpu:6.2f} s CPU\n"
        f"ratio                {whole.wall / alone_wall:7.2f}\n"
        f"besides embedding    {median(run.wall for run in besides):7.2f} s, {rest:6.2f} s CPU (median of {runs}; "
        f"{min(run.cpu for run in besides):.2f} to {max(run.cpu for run in besides):.2f}), "
        f"{rest / alone_cpu:.1%} of embedding\n"
    )


def main(argv: Sequence[str]) -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(prog="scripts/bench ingest", description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=9, help="how often what is besides embedding is measured")
    parser.add_argument("paths", nargs="*", type=Path, help="files and folders to add")
    options = parser.parse_args(argv)
    default = CRANFIELD if CRANFIELD.exists() else ROOT / "docs/handbook"
    asyncio.run(measure(options.paths or [default], options.runs))


if __name__ == "__main__":
    main(sys.argv[1:])
