"""The search index over a library on MongoDB: what it finds, and what it follows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from multidb_chat.adapters.search_index import EmbeddedSearchIndex
from multidb_chat.domain.library import Collection, Library
from tests.adapters.mongo.opening import open_at, own_database
from tests.contracts.search_index import EPOCH, OpenIndex, SearchIndexContract
from tests.servers import needs

pytestmark = needs("mongodb")


class TestSearchIndexOverMongo(SearchIndexContract):
    @pytest.fixture
    async def library(self) -> AsyncIterator[Library]:
        async with own_database() as url:
            library = open_at(url)
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
