"""The library on MongoDB: the contract."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from multidb_chat.adapters.mongo import connection, content
from multidb_chat.adapters.mongo.library import MongoLibrary
from multidb_chat.domain.library import Library
from multidb_chat.services.resilience.breaker import Breaker
from multidb_chat.services.resilience.guard import DEADLINE, Guard
from multidb_chat.services.resilience.guarded import guarded
from multidb_chat.services.resilience.ports import LIBRARY
from tests.adapters.mongo.opening import open_at, own_database
from tests.contracts.library import LibraryContract, OpenLibrary, a_content
from tests.servers import needs

pytestmark = needs("mongodb")


class TestMongoLibrary(LibraryContract):
    @pytest.fixture
    async def open_library(self) -> AsyncIterator[OpenLibrary]:
        opened: list[MongoLibrary] = []
        async with own_database() as url:

            async def open_library() -> MongoLibrary:
                opened.append(open_at(url))
                return opened[-1]

            yield open_library
            for library in opened:
                await library.close()

    @pytest.fixture(scope="class")
    def run_library(self) -> Iterator[Callable[[Callable[[Library], Awaitable[None]]], None]]:
        """Run a check of a property against one library that all its examples share."""
        with asyncio.Runner() as runner:
            database = own_database()
            library = open_at(runner.run(database.__aenter__()))
            yield lambda check: runner.run(check(library))  # type: ignore[arg-type]
            runner.run(library.close())
            runner.run(database.__aexit__(None, None, None))

    @pytest.mark.parametrize("every", [1, 2, 5])
    async def test_many_chunks_are_read_whole_however_far_apart_they_lie(
        self, library: Library, monkeypatch: pytest.MonkeyPatch, every: int
    ):
        monkeypatch.setattr(content, "MANY", 8)
        contents = [a_content(f"{number}.md", "abcdefgh" * 2, pieces=8) for number in range(15)]
        for first in range(0, 15, 5):
            await library.put_documents(contents[first : first + 5])
        asked = contents[::every]
        read = await library.indexable([one.document.id for one in asked])
        assert [(document.id, tuple(chunks)) for document, chunks in read] == [
            (one.document.id, one.chunks) for one in asked
        ]


async def test_a_turn_waits_until_the_database_is_made(monkeypatch: pytest.MonkeyPatch):
    made = connection._made

    async def slowly(database: connection.Database) -> connection.Record:
        await asyncio.sleep(DEADLINE)
        return await made(database)

    monkeypatch.setattr(connection, "_made", slowly)
    async with own_database() as url:
        library = open_at(url)
        guard = Guard(Breaker("library"))
        guard.making = lambda: library.making
        began = time.monotonic()
        assert await guarded(library, LIBRARY, guard).version() == 0
        assert time.monotonic() - began > DEADLINE
        assert not library.making
        await library.close()
