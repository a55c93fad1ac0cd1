"""The default embedder: all-MiniLM-L6-v2 in int8, on the processor, from files that ship with the program.

The model is https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2; `scripts/build-embedder` makes the files.
Here are the threads; `minilm_model` is what runs on them, and is imported with its libraries at the first text.
"""

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, get_native_id
from typing import TYPE_CHECKING, TypeVar

from multidb_chat.domain.errors import StoreCorrupt, StoreUnavailable

if TYPE_CHECKING:
    from multidb_chat.adapters.embedders.minilm_model import MiniLMModel

FOLDER = Path(__file__).parent / "minilm"
# Characters handed to a thread at once, some 0.1 s of work: handing over costs little, and cancelling is prompt.
BATCH_CHARS = 6_000
TEXT_CHARS = 64  # what a run costs besides its text, in characters

_LOW_PRIORITY = 10  # of 19: about a tenth of the time of a thread that wants the same processor

T = TypeVar("T")


class MiniLMEmbedder:
    """The `Embedder` of this module; nothing is loaded before the first text.

    `threads` is how many passages are embedded at once (default: the processors this process may use). A question has
    a thread of its own, so that it never queues behind passages. `folder` holds the model's files.
    """

    name = "minilm-l6-v2-int8"
    dimensions = 384

    def __init__(self, threads: int | None = None, folder: Path = FOLDER) -> None:
        self._threads = threads or _processors()
        self._folder = folder
        self._model: MiniLMModel | None = None
        self._loading = asyncio.Lock()
        self._closed = Event()
        self._passages = ThreadPoolExecutor(self._threads, "embed-passages", initializer=_give_way)
        self._questions = ThreadPoolExecutor(1, thread_name_prefix="embed-question")

    async def embed_query(self, text: str) -> bytes:
        """Return the vector of a question. Raises `StoreCorrupt` when the model's files are missing or damaged."""
        return (await self._embed(self._questions, [text], Event()))[0]

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        """Return the vectors of passages, in order. Raises like `embed_query`; cancelling stops between windows."""
        vectors = [b""] * len(texts)
        batches = _batches(texts, self._threads)
        stop = Event()

        async def work() -> None:
            for batch in batches:
                found = await self._embed(self._passages, [texts[place] for place in batch], stop)
                for place, vector in zip(batch, found, strict=True):
                    vectors[place] = vector

        try:
            await asyncio.gather(*(work() for _ in range(self._threads)))
        finally:
            stop.set()
        return vectors

    async def verify(self) -> None:
        """Compare the model's files with their recorded sha256. Raises `StoreCorrupt` naming the one that differs."""
        await asyncio.to_thread(_verify, self._folder)

    async def close(self) -> None:
        """Stop the threads after the window each is at, and let the model go; a call under way then fails."""
        self._closed.set()
        for pool in (self._passages, self._questions):
            await asyncio.to_thread(pool.shutdown)
        self._model = None

    async def _embed(self, pool: ThreadPoolExecutor, texts: list[str], stop: Event) -> list[bytes]:
        model = await self._loaded()
        return await self._run(pool, lambda: model.vectors(texts, lambda: stop.is_set() or self._closed.is_set()))

    async def _loaded(self) -> "MiniLMModel":
        async with self._loading:
            if self._model is None:
                self._model = await self._run(self._questions, lambda: _load(self._folder))
            return self._model

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        if self._closed.is_set():
            raise StoreUnavailable("embedder", "the embedder is closed")
        return await asyncio.get_running_loop().run_in_executor(pool, work)


def _give_way() -> None:
    """Let everything else go first on the processors: somebody may be typing while documents are added.

    On Linux a priority is a thread's own (sched(7)); elsewhere it would be the whole process's, and stays as it is.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _LOW_PRIORITY)


def _load(folder: Path) -> "MiniLMModel":
    from multidb_chat.adapters.embedders.minilm_model import MiniLMModel

    return MiniLMModel(folder)


def _verify(folder: Path) -> None:
    try:
        expected = json.loads((folder / "model.json").read_bytes())["sha256"]
        wrong = [name for name, digest in expected.items() if _sha256(folder / name) != digest]
    except (OSError, ValueError, KeyError) as error:
        raise StoreCorrupt("embedder", f"{folder} cannot be checked ({error}); install multidb-chat again") from error
    if wrong:
        raise StoreCorrupt("embedder", f"{folder / wrong[0]} is not what was shipped; install multidb-chat again")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
