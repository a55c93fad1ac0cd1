"""Looking after a library on MongoDB: what it holds, what is damaged, and that looking changes nothing."""

from collections.abc import AsyncIterator

import pytest
from pymongo import AsyncMongoClient

from multidb_chat.adapters.mongo.connection import LIBRARY
from multidb_chat.adapters.mongo.library import MongoLibrary
from multidb_chat.adapters.mongo.upkeep import MongoUpkeep
from multidb_chat.domain.errors import SchemaTooNew, StoreUnavailable
from tests.adapters.mongo.opening import PATIENCE, open_at, own_database
from tests.contracts.library import EPOCH, a_collection, a_content
from tests.faults.proxy import Proxy
from tests.servers import needs

pytestmark = needs("mongodb")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with own_database() as url:
        yield url


@pytest.fixture
def upkeep(url: str) -> MongoUpkeep:
    return MongoUpkeep(url, PATIENCE)


@pytest.fixture
async def library(url: str) -> AsyncIterator[MongoLibrary]:
    library = open_at(url)
    await library.create_collection(a_collection())
    await library.put_documents([a_content(str(n), source=f"/docs/{n}", original=b"raw") for n in range(3)])
    yield library
    await library.close()


async def test_a_library_that_is_not_made_yet_is_sound_and_empty_and_stays_so(upkeep: MongoUpkeep, url: str):
    report = await upkeep.report()
    assert (report.store, report.schema, report.size_bytes, report.on_server) == ("library", 0, 0, True)
    assert (await upkeep.problems(), await upkeep.obstacle()) == ([], "")
    async with AsyncMongoClient(url) as client:
        assert await client.get_default_database().list_collection_names() == []


async def test_a_library_tells_what_it_holds(upkeep: MongoUpkeep, library: MongoLibrary):
    report = await upkeep.report()
    assert report.schema == report.known_schema == 1
    assert report.records == {"collections": 1, "documents": 3, "passages": 6}
    assert report.size_bytes
    assert report.newest == EPOCH
    assert (await upkeep.problems(), await upkeep.obstacle()) == ([], "")


async def test_damage_is_told(upkeep: MongoUpkeep, library: MongoLibrary, url: str):
    damaged, lost = (a_content(str(n), source=f"/docs/{n}").document.id for n in (0, 1))
    async with AsyncMongoClient(url) as client:
        database = client.get_default_database()
        await database["chunks"].delete_one({"document_id": damaged, "ordinal": 1})
        await database["documents"].update_one({"_id": lost}, {"$set": {"collection_id": "nowhere"}})
    found = await upkeep.problems()
    assert [damaged in found[0], "papers holds" in found[1], "nowhere" in found[2]] == [True] * 3
    assert len(found) == 3


async def test_the_library_of_a_newer_program_is_named(upkeep: MongoUpkeep, library: MongoLibrary, url: str):
    async with AsyncMongoClient(url) as client:
        await client.get_default_database()[LIBRARY].update_one({"_id": LIBRARY}, {"$set": {"schema": 99}})
    with pytest.raises(SchemaTooNew):
        await upkeep.report()
    assert "newer version" in (await upkeep.problems())[0]


async def test_a_server_that_is_away_is_an_obstacle(url: str):
    async with Proxy(url) as proxy:
        proxy.freeze()
        upkeep = MongoUpkeep(proxy.url, 0.2)
        assert "does not answer" in await upkeep.obstacle()
        assert "does not answer" in (await upkeep.problems())[0]
        with pytest.raises(StoreUnavailable):
            await upkeep.report()
