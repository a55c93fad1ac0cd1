"""The embedded index: the contract, and what lies in its folder."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from multidb_chat.adapters.search_index import EmbeddedSearchIndex
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.library import Collection, DocumentContent, Library
from multidb_chat.domain.search import SearchIndex
from tests.contracts.search_index import EPOCH, FilterContract, OpenIndex, SearchIndexContract


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
