"""The default embedder: all-MiniLM-L6-v2 in int8, on the processor, from files that ship with the program.

The model is https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2; `scripts/build-embedder` makes the files.
Here are the threads; `minilm_model` is what runs on them, and is imported with its libraries at the first text.
"""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from multidb_chat.adapters.embedders.shipped import verify
from multidb_chat.adapters.embedders.threads import Threads, processors

if TYPE_CHECKING:
    from multidb_chat.adapters.embedders.minilm_model import MiniLMModel

FOLDER = Path(__file__).parent / "minilm"
# Characters handed to a thread at once, some 0.1 s of work: handing over costs little, and cancelling is prompt.
BATCH_CHARS = 6_000
TEXT_CHARS = 64  # what a run costs besides its text, in characters


class MiniLMEmbedder:
    """The `Embedder` of this module; nothing is loaded before the first text.

    `threads` is how many passages are embedded at once (default: the processors this process may use). A question has
    a thread of its own, so that it never queues behind passages. `folder` holds the model's files.
    """

    name = "minilm-l6-v2-int8"
    dimensions = 384

    def __init__(self, threads: int | None = None, folder: Path = FOLDER) -> None:
        self._threads = threads or processors()
        self._folder = folder
        self._model: MiniLMModel | None = None
        self._loading = asyncio.Lock()
        self._pools = Threads(self._threads)

    async def embed_query(self, text: str) -> bytes:
        """Return the vector of a question. Raises `StoreCorrupt` when the model's files are missing or damaged."""
        return (await self._embed(self._pools.questions, [text], Event()))[0]

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        """Return the vectors of passages, in order. Raises like `embed_query`; cancelling stops between windows."""
        vectors = [b""] * len(texts)
        batches = _batches(texts, self._threads)
        stop = Event()

        async def work() -> None:
            for batch in batches:
                found = await self._embed(self._pools.passages, [texts[place] for place in batch], stop)
                for place, vector in zip(batch, found, strict=True):
                    vectors[place] = vector

        try:
            await asyncio.gather(*(work() for _ in range(self._threads)))
        finally:
            stop.set()
        return vectors

    async def verify(self) -> None:
        """Compare the model's files with their recorded sha256. Raises `StoreCorrupt` naming the one that differs."""
        await asyncio.to_thread(verify, self._folder, "embedder")

    async def close(self) -> None:
        """Stop the threads after the window each is at, and let the model go; a call under way then fails."""
        await self._pools.close()
        self._model = None

    async def _embed(self, pool: ThreadPoolExecutor, texts: list[str], stop: Event) -> list[bytes]:
        model = await self._loaded()
        return await self._pools.run(pool, lambda: model.vectors(texts, lambda: stop.is_set() or self._pools.closed))

    async def _loaded(self) -> "MiniLMModel":
        async with self._loading:
            if self._model is None:
                self._model = await self._pools.run(self._pools.questions, lambda: _load(self._folder))
            return self._model


def _load(folder: Path) -> "MiniLMModel":
    from multidb_chat.adapters.embedders.minilm_model import MiniLMModel

    return MiniLMModel(folder)


def _batches(texts: Sequence[str], threads: int) -> Iterator[list[int]]:
    """Yield the places of the texts in batches, the longest texts first, so that no thread ends long after the rest."""
    total = sum(len(text) + TEXT_CHARS for text in texts)
    room = min(BATCH_CHARS, total // (2 * threads))
    batch, size = [], 0
    for place in sorted(range(len(texts)), key=lambda place: -len(texts[place])):
        batch.append(place)
        size += len(texts[place]) + TEXT_CHARS
        if size >= room:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
