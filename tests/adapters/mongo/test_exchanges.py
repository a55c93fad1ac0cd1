"""What a call costs: exchanges with the server, counted where they pass by."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from multidb_chat.adapters.mongo.library import MongoLibrary
from tests.adapters.mongo.mongot import Mongot
from tests.adapters.mongo.opening import open_at, own_database
from tests.contracts.library import a_collection, a_content
from tests.servers import needs

pytestmark = needs("mongodb")

CONTENTS = [a_content(str(n), "some words " * 50, source=f"/docs/{n}", pieces=9) for n in range(40)]
IDS = [content.document.id for content in CONTENTS]


@pytest.fixture
async def mongot() -> AsyncIterator[Mongot]:
    async with own_database() as url, Mongot(url) as server:
        yield server


@pytest.fixture
async def library(mongot: Mongot) -> AsyncIterator[MongoLibrary]:
    library = open_at(mongot.url)
    await library.create_collection(a_collection())
    await library.put_documents(CONTENTS)
    yield library
    await library.close()


@pytest.mark.parametrize(
    ("call", "cost"),
    [
        (lambda library: library.version(), 1),
        (lambda library: library.changes(0), 2),
        (lambda library: library.passages([(key, 1, 3) for key in IDS]), 3),
        (lambda library: library.indexable(IDS), 2),
        (lambda library: library.documents(["papers"]), 1),
        (lambda library: library.find_documents(["papers"], "7"), 1),
        (lambda library: library.collections("ada"), 1),
        (lambda library: library.holdings("ada"), 1),
        (lambda library: library.holdings_in(["papers", "more"]), 1),
        (lambda library: library.put_documents([a_content(f"new {n}") for n in range(40)]), 11),
        (lambda library: library.put_documents([a_content(f"new {n}") for n in range(40)], limit=10**9), 12),
        (lambda library: library.remove_documents(IDS), 12),
    ],
)
async def test_a_call_costs_as_many_exchanges_however_many_documents(
    mongot: Mongot, library: MongoLibrary, call: Callable[[MongoLibrary], Awaitable[object]], cost: int
):
    mongot.commands.clear()
    await call(library)
    asked = [name for name in mongot.commands if name.lower() != "ismaster"]  # how the driver watches the server
    assert len(asked) == cost, ", ".join(asked)
