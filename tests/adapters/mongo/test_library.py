"""The library on MongoDB: the contract."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from multidb_chat.adapters.mongo.library import MongoLibrary
from multidb_chat.domain.library import Library
from tests.adapters.mongo.opening import open_at, own_database
from tests.contracts.library import LibraryContract, OpenLibrary
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
