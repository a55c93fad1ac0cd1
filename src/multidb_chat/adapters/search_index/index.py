"""`EmbeddedSearchIndex`: the port `SearchIndex` in one folder, shared by the processes of one machine."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from multidb_chat.adapters.search_index.damage import Busy, Damaged, Truncated
from multidb_chat.adapters.search_index.following import WINDOW, bring_in
from multidb_chat.domain.errors import StoreCorrupt
from multidb_chat.domain.library import Library
from multidb_chat.domain.search import Hit, Neighbours, SearchFilters, VectorSearch

if TYPE_CHECKING:
    from multidb_chat.adapters.search_index.engine import Engine

T = TypeVar("T")

THREADS = 4


class EmbeddedSearchIndex:
    """The port `SearchIndex` in the folder `path`, following `library`; the port's docstrings specify it.

    Nothing happens before the first call: no thread, no file, no import of what searches. A damaged or foreign index
    is discarded and built anew. While another process writes, this one waits briefly, then goes on with what there is.
    """

    def __init__(self, path: Path, library: Library) -> None:
        self._path = path
        self._library = library
        self._engine: Engine | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="search-index")
        self._following = asyncio.Lock()
        self._followed = -1
        self._versions: dict[str, int] = {}
        self._behind: asyncio.Task[int] | None = None

    async def refresh(self, patience: float | None = None, versions: Mapping[str, int] | None = None) -> int:
        """Bring the library's changes into the index; see the port. Raises `StoreError`."""
        if versions and self._is_at(versions):
            return 0
        count = await (self._refresh() if patience is None else self._refresh_behind(patience))
        # Of a change that is not brought in yet nothing is noted: it may be seen before all that comes before it.
        if versions and max(versions.values()) <= self._followed:
            self._versions |= versions
        return count

    def _is_at(self, versions: Mapping[str, int]) -> bool:
        """Tell whether the index that is open has these changes of the collections, and they are their latest."""
        return (
            self._engine is not None
            and max(versions.values()) <= self._followed
            and all(self._versions.get(name) == version for name, version in versions.items())
            and self._engine.is_current()
        )

    async def _refresh_behind(self, patience: float) -> int:
        """Wait for a refresh that began before now, as it may not know the latest change, and for one after it."""
        count, mine, end = 0, False, time.monotonic() + patience
        while not mine:
            behind = self._behind
            if mine := behind is None or behind.done():
                # Outside of what is asked now, which may have to end sooner.
                behind = self._behind = asyncio.create_task(self._refresh(), context=Context())
                behind.add_done_callback(lambda task: task.cancelled() or task.exception())  # one may have left
            assert behind is not None
            done, _ = await asyncio.wait([behind], timeout=max(0, end - time.monotonic()))
            if not done:
                break
            count += behind.result()  # its own: another one who waited may have begun the next
        return count

    async def _refresh(self) -> int:
        version = await self._library.version()
        if version == self._followed and self._engine is not None and self._engine.is_current():
            return 0
        async with self._following:
            return await self._healing(lambda: self._follow(version))

    async def where(self) -> str:
        """Return where is searched; see the port."""
        return "this machine"

    async def lexical(self, question: str, filters: SearchFilters, limit: int) -> list[Hit]:
        """Return the best chunks by BM25; see the port. Raises `StoreError`."""
        return await self._search(lambda engine: engine.lexical(question, filters, limit))

    async def nearest(
        self, filters: SearchFilters, limit: int, compared: Sequence[tuple[str, int]] = ()
    ) -> VectorSearch:
        """Return a search for the most similar chunks; see the port. Raises `StoreError`.

        A small one is over sooner than a thread has taken it up, and is run where the vector arrives.
        """
        ready = await self._search(lambda engine: engine.ready(filters, limit, compared))

        async def search(vector: bytes) -> Neighbours:
            if ready is not None:
                with suppress(Damaged, Truncated, OSError):  # the other one mends it, or tells what is wrong
                    return ready(vector)
            return await self._search(lambda engine: engine.nearest(vector, filters, limit, compared))

        return search

    async def check(self) -> list[str]:
        """Compare the index with the library; see the port. Raises `StoreError`."""
        from multidb_chat.adapters.search_index.checking import differences

        if not await asyncio.to_thread(self._path.exists):
            return []
        try:
            return await self._run(lambda engine: engine.problems()) or await differences(self._run, self._library)
        except Damaged as error:
            return [f"it is damaged ({error})"]

    async def rebuild(self) -> int:
        """Discard the index and make it anew; see the port. Raises `StoreError`."""
        async with self._following:
            self._followed = -1
            return await self._healing(self._rebuild)

    async def close(self) -> None:
        """Finish what is under way and close the files; what was still to be followed is followed the next time."""
        if self._behind is not None:
            self._behind.cancel()
            await asyncio.wait([self._behind])
        await asyncio.to_thread(self._threads.shutdown)
        if self._engine is not None:
            self._engine.close()

    async def _search(self, work: "Callable[[Engine], T]") -> T:
        """Search; an index found damaged is built anew first."""
        try:
            return await self._run(work)
        except Damaged:
            self._followed = -1
            async with self._following:
                await self._healing(self._rebuild)
            return await self._healing(lambda: self._run(work))

    async def _healing(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work; if it comes upon damage, begin a new index, and do it again."""
        try:
            return await work()
        except Damaged:
            await self._run(lambda engine: engine.discard())
        try:
            return await work()
        except Damaged as error:
            raise StoreCorrupt("search index", f"The search index {self._path} stays damaged ({error}).") from error

    async def _rebuild(self) -> int:
        await self._run(lambda engine: engine.discard())
        return await self._follow(await self._library.version())

    async def _follow(self, version: int) -> int:
        """Bring the changes up to `version` in; return how many documents changed."""
        count, window = 0, WINDOW
        library = await self._library.identity()
        if await self._run(lambda engine: engine.library()) not in ("", library):
            await self._run(lambda engine: engine.discard())
        while (after := await self._run(lambda engine: engine.watermark())) < version:
            try:
                count += await bring_in(self._run, self._library, library, after, version, window)
            except Busy:
                return count
            window = 0
        if after > version == await self._library.version():  # the library was put back to an earlier state
            return await self._rebuild()
        self._followed = after
        return count

    async def _run(self, work: "Callable[[Engine], T]") -> T:
        if self._engine is None:
            self._engine = await asyncio.get_running_loop().run_in_executor(self._threads, _engine, self._path)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, self._engine)


def _engine(path: Path) -> "Engine":
    from multidb_chat.adapters.search_index.engine import Engine

    return Engine(path)
