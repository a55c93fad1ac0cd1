"""The embedded index: the contract, and what lies in its folder."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from multidb_chat.adapters.search_index import EmbeddedSearchIndex, following
from multidb_chat.adapters.search_index import index as index_module
from multidb_chat.adapters.search_index.engine import Engine
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.library import Chunk, Collection, Document, DocumentContent, Library
from multidb_chat.domain.search import SearchIndex
from tests.adapters.search_index.worlds import ALL, a_library, some_document
from tests.contracts.search_index import EPOCH, FilterContract, OpenIndex, SearchIndexContract, a_document


class TestEmbeddedSearchIndex(SearchIndexContract):
    @pytest.fixture
    async def library(self, tmp_path: Path) -> AsyncIterator[Library]:
        library = SqliteLibrary(tmp_path / "library.sqlite")
        await library.create_collection(Collection("papers", "ada", "Papers", EPOCH))
        yield library
        await library.close()

    @pytest.fixture
    async def open_index(self, tmp_path: Path, library: Library) -> AsyncIterator[OpenIndex]:
        opened: list[EmbeddedSearchIndex] = []

        async def open_index() -> EmbeddedSearchIndex:
            opened.append(EmbeddedSearchIndex(tmp_path / "index", library))
            return opened[-1]

        yield open_index
        for index in opened:
            await index.close()


class TestLargeSearches(TestEmbeddedSearchIndex):
    """Those that are run on a thread when the vector is there."""

    @pytest.fixture(autouse=True)
    def nothing_at_hand(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("multidb_chat.adapters.search_index.similarity.AT_HAND", -1)


class TestFilters(FilterContract):
    @pytest.fixture(scope="class")
    def run_index(self, tmp_path_factory: pytest.TempPathFactory):
        folder = tmp_path_factory.mktemp("filters")
        library = SqliteLibrary(folder / "library.sqlite")
        index = EmbeddedSearchIndex(folder / "index", library)
        with asyncio.Runner() as runner:

            async def one(check: Callable[[SearchIndex], Awaitable[None]], contents: list[DocumentContent]) -> None:
                for key in ("papers", "essays"):
                    await library.delete_collection(key)
                    await library.create_collection(Collection(key, "ada", key, EPOCH))
                await library.put_documents(contents)
                await index.refresh()
                await check(index)

            yield lambda check, contents: runner.run(one(check, contents))
            runner.run(index.close())
            runner.run(library.close())


def test_nothing_heavy_is_imported_before_the_first_search():
    script = "import sys, multidb_chat.adapters.search_index; print({'numpy', 'numkong', 'sqlite3'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "set()\n"


async def test_an_index_that_was_never_used_leaves_no_trace(tmp_path: Path):
    library = SqliteLibrary(tmp_path / "library.sqlite")
    await EmbeddedSearchIndex(tmp_path / "index", library).close()
    assert not (tmp_path / "index").exists()
    await library.close()


class Slow:
    """A library that gives nothing to an index before `go` is set, but for the first so many times."""

    def __init__(self, library: Library, at_once: int) -> None:
        self._library = library
        self._at_once = at_once
        self.go = asyncio.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self._library, name)

    async def indexable(self, document_ids: Sequence[str]) -> list[tuple[Document, list[Chunk]]]:
        self._at_once -= 1
        if self._at_once < 0:
            await self.go.wait()
        return await self._library.indexable(document_ids)


async def test_a_search_does_not_wait_for_an_index_that_has_far_to_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(following, "PASSAGES", 200)
    library = await a_library(tmp_path / "library.sqlite", 500)
    slow = Slow(library, at_once=1)
    index = EmbeddedSearchIndex(tmp_path / "index", slow)  # type: ignore[arg-type]
    while not (found := await index.lexical("version", ALL, 10_000)):
        assert await index.refresh(patience=0.01) == 0
    assert 150 < len(found) <= 200
    slow.go.set()
    await index.refresh(patience=60)
    assert len({hit.document_id for hit in await index.lexical("version", ALL, 10_000)}) == 500
    await index.close()
    await library.close()


async def test_who_adds_a_document_finds_it_also_when_a_refresh_was_under_way(tmp_path: Path):
    library = await a_library(tmp_path / "library.sqlite", 5)
    slow = Slow(library, at_once=0)
    index = EmbeddedSearchIndex(tmp_path / "index", slow)  # type: ignore[arg-type]
    await index.refresh(patience=0)
    await library.put_documents([some_document(99)])
    refreshing = asyncio.create_task(index.refresh(patience=60))
    await asyncio.sleep(0)
    slow.go.set()
    await refreshing
    assert len({hit.document_id for hit in await index.lexical("version", ALL, 100)}) == 6
    await index.close()
    await library.close()


async def test_many_who_wait_for_a_refresh_all_have_what_was_there_when_they_asked(tmp_path: Path):
    library = await a_library(tmp_path / "library.sqlite", 5)
    slow = Slow(library, at_once=0)
    index = EmbeddedSearchIndex(tmp_path / "index", slow)  # type: ignore[arg-type]
    waiting = [asyncio.create_task(index.refresh(patience=60)) for _ in range(20)]
    await asyncio.sleep(0)
    await library.put_documents([some_document(99)])
    waiting += [asyncio.create_task(index.refresh(patience=60)) for _ in range(20)]
    await asyncio.sleep(0)
    slow.go.set()
    await asyncio.gather(*waiting)
    assert len({hit.document_id for hit in await index.lexical("version", ALL, 100)}) == 6
    await index.close()
    await library.close()


async def test_an_index_that_is_closed_while_it_follows_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(following, "PASSAGES", 200)
    library = await a_library(tmp_path / "library.sqlite", 500)
    slow = Slow(library, at_once=1)
    index = EmbeddedSearchIndex(tmp_path / "index", slow)  # type: ignore[arg-type]
    while not (found := await index.lexical("version", ALL, 10_000)):
        await index.refresh(patience=0.01)
    await index.close()
    again = EmbeddedSearchIndex(tmp_path / "index", library)
    assert await again.refresh() == 500 - len({hit.document_id for hit in found})
    await again.close()
    await library.close()


async def test_small_documents_are_read_many_at_a_time_and_large_ones_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(following, "PASSAGES", 50)
    library = await a_library(tmp_path / "library.sqlite", 100)
    await library.put_documents([a_document(f"long {n}", *["words"] * 60) for n in range(3)])
    read: list[int] = []

    class Counted(Slow):
        async def indexable(self, document_ids: Sequence[str]) -> list[tuple[Document, list[Chunk]]]:
            found = await self._library.indexable(document_ids)
            read.append(sum(len(chunks) for _, chunks in found))
            return found

    index = EmbeddedSearchIndex(tmp_path / "index", Counted(library, 0))  # type: ignore[arg-type]
    assert await index.refresh() == 103
    assert read[-3:] == [60, 60, 60]
    assert all(46 < passages <= 50 for passages in read[:-4])
    await index.close()
    await library.close()


async def test_a_document_that_is_removed_while_it_is_written_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The removal is read while the index does not show yet that it has the document."""
    monkeypatch.setattr(following, "PAGE", 3)
    monkeypatch.setattr(following, "PASSAGES", 1)
    monkeypatch.setattr(index_module, "WINDOW", 0)
    library = await a_library(tmp_path / "library.sqlite", 4)
    write = Engine.write

    def late(*arguments: Any) -> bool:
        time.sleep(0.2)
        return write(*arguments)

    monkeypatch.setattr(Engine, "write", late)
    third = (await library.changes(0))[2].document_id

    class Losing(Slow):
        async def indexable(self, document_ids: Sequence[str]) -> list[tuple[Document, list[Chunk]]]:
            found = await self._library.indexable(document_ids)
            if third in document_ids:
                await library.remove_documents([third])
            return found

    index = EmbeddedSearchIndex(tmp_path / "index", Losing(library, 0))  # type: ignore[arg-type]
    await index.refresh()
    found = {hit.document_id for hit in await index.lexical("version", ALL, 100)}
    assert found == {change.document_id for change in await library.changes(0) if not change.removed}
    assert third not in found
    await index.close()
    await library.close()
