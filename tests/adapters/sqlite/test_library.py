"""The library in SQLite: the contract, the state machine, and what lies in the file."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.database import Database
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.adapters.sqlite.library_schema import SCHEMA
from multidb_chat.domain.library import Library
from tests.contracts.library import EPOCH, LibraryContract, OpenLibrary, a_collection, a_content


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.db"


class TestSqliteLibrary(LibraryContract):
    @pytest.fixture
    async def open_library(self, path: Path) -> AsyncIterator[OpenLibrary]:
        opened: list[SqliteLibrary] = []

        async def open_library() -> SqliteLibrary:
            opened.append(SqliteLibrary(path))
            return opened[-1]

        yield open_library
        for library in opened:
            await library.close()

    @pytest.fixture(scope="class")
    def run_library(self, tmp_path_factory: pytest.TempPathFactory):
        """Run a check of a property against one library that all its examples share."""
        library = SqliteLibrary(tmp_path_factory.mktemp("shared") / "library.db")
        with asyncio.Runner() as runner:

            def run(check: Callable[[Library], Awaitable[None]]) -> None:
                runner.run(check(library))

            yield run
            runner.run(library.close())


async def test_removing_everything_leaves_no_row_behind_but_tombstones(path: Path):
    library = SqliteLibrary(path)
    await library.create_collection(a_collection())
    await library.put_documents([a_content(f"{n}", original=b"raw") for n in range(20)])
    await library.put_documents([a_content(f"{n}", "other", original=b"raw") for n in range(10)])
    await library.delete_collection("papers")
    await library.close()
    with sqlite3.connect(path) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    assert {table: count for table, count in rows.items() if count} == {"changes": 20, "identity": 1}


async def test_passages_are_read_right_when_too_many_were_read_to_be_remembered(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("multidb_chat.adapters.sqlite.library_passages.MOST_REMEMBERED", 3)
    library = SqliteLibrary(path)
    await library.create_collection(a_collection())
    contents = [a_content(f"{n}", f"text {n}", pieces=1) for n in range(9)]
    await library.put_documents(contents)
    for first in (0, 2, 0, 4, 0):
        spans = [(content.document.id, 0, 0) for content in contents[first : first + 5]]
        found = await library.passages(spans)
        assert [passage.chunks[0].text for passage in found if passage] == [
            f"text {n}" for n in range(first, first + 5)
        ]
    await library.close()


async def test_the_text_lies_in_the_file_once(path: Path):
    library = SqliteLibrary(path)
    await library.create_collection(a_collection())
    text = "".join(f"{n:07} " for n in range(125_000))
    await library.put_documents([a_content(text=text, pieces=1_000)])
    await library.close()
    assert len(text) == 1_000_000
    assert path.stat().st_size < 1_250_000


async def test_a_library_of_before_there_were_ways_to_cut_says_that_it_was_cut_by_structure(path: Path):
    before = Database(path, "library", SCHEMA[:5])
    columns = "id, owner_id, name, created_at, description, shared, embedder, dimensions, name_key"
    made = ("papers", "ada", "Papers", EPOCH.isoformat(), "All papers", 0, "", 0, "papers")
    await before.write(lambda c: c.execute(f"INSERT INTO collections ({columns}) VALUES ({'?, ' * 8}?)", made))
    await before.close()
    library = SqliteLibrary(path)
    assert await library.collection("papers") == a_collection()
    await library.close()
