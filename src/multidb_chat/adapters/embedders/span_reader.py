"""The reader that comes with the program: MiniLM, taught to judge sentences where they stand; int8, on the processor.

`scripts/train-reader` makes its files, from the weights of the embedder and questions written for it. Here are the
threads; `span_reader_model` is what runs on them, and is imported with its libraries at the first question.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from multidb_chat.adapters.embedders.shipped import verify
from multidb_chat.adapters.embedders.threads import processors
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.search import Excerpt

if TYPE_CHECKING:
    from multidb_chat.adapters.embedders.span_reader_model import MiniLMSpanModel

FOLDER = Path(__file__).parent / "span_reader"


class MiniLMSpanReader:
    """The `SpanReader` of this module; nothing is loaded before the first question.

    Excerpts are read beside each other on as many `threads` as this process has processors: somebody waits for them.
    """

    name = "minilm-l6-reader-4"

    def __init__(self, threads: int | None = None, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._model: MiniLMSpanModel | None = None
        self._loading = asyncio.Lock()
        self._threads = ThreadPoolExecutor(threads or processors(), thread_name_prefix="read-excerpts")
        self._closed = Event()

    async def read(self, question: str, excerpts: Sequence[Excerpt]) -> list[tuple[float, ...]]:
        """Return the log-odds of each excerpt's spans. Raises `StoreCorrupt` when its files are missing or damaged."""
        model = await self._loaded()
        loop = asyncio.get_running_loop()
        self._check_open()
        judged = [
            loop.run_in_executor(self._threads, model.odds, question, one, self._closed.is_set) for one in excerpts
        ]
        try:
            return await asyncio.gather(*judged)
        finally:
            for one in judged:
                one.cancel()

    async def verify(self) -> None:
        """Compare the files with their recorded sha256. Raises `StoreCorrupt` naming the one that differs."""
        await asyncio.to_thread(verify, self._folder, "reader")

    async def close(self) -> None:
        """Stop the threads after the excerpt each is at, and let the model go; a call under way then fails."""
        self._closed.set()
        await asyncio.to_thread(self._threads.shutdown)  # what waits sees that it is closed, and fails
        self._model = None

    async def _loaded(self) -> "MiniLMSpanModel":
        async with self._loading:
            self._check_open()
            if self._model is None:
                loop = asyncio.get_running_loop()
                self._model = await loop.run_in_executor(self._threads, _load, self._folder)
            return self._model

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise StoreUnavailable("reader", "the reader is closed")


def _load(folder: Path) -> "MiniLMSpanModel":
    from multidb_chat.adapters.embedders.span_reader_model import MiniLMSpanModel

    return MiniLMSpanModel(folder)
