"""What goes wrong with the server, and what is said of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from bson.errors import InvalidBSON
from pymongo import AsyncMongoClient
from pymongo import errors as driver

from multidb_chat.adapters.mongo.connection import LIBRARY
from multidb_chat.adapters.mongo.errors import meaning
from multidb_chat.adapters.mongo.library import MongoLibrary
from multidb_chat.domain.errors import (
    InvalidInput,
    InvalidSetting,
    SchemaTooNew,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from multidb_chat.domain.library import SourceRecord
from tests.adapters.mongo.mongot import Mongot
from tests.adapters.mongo.opening import open_at, own_database
from tests.contracts.library import EPOCH, a_collection, a_content
from tests.faults.proxy import Proxy
from tests.servers import needs

Call = Callable[[MongoLibrary], Awaitable[object]]

_CONTENT = a_content()
_KEY = _CONTENT.document.id
CALLS: dict[str, Call] = {
    "create_collection": lambda library: library.create_collection(a_collection("more")),
    "update_collection": lambda library: library.update_collection(a_collection()),
    "describe_collection": lambda library: library.describe_collection("papers", shared=True),
    "claim_embedder": lambda library: library.claim_embedder("papers", "mini", 4),
    "collection": lambda library: library.collection("papers"),
    "collections": lambda library: library.collections("ada"),
    "delete_collection": lambda library: library.delete_collection("papers"),
    "erase": lambda library: library.erase("ada"),
    "put_documents": lambda library: library.put_documents([_CONTENT]),
    "holdings": lambda library: library.holdings("ada"),
    "holdings_in": lambda library: library.holdings_in(["papers"]),
    "document": lambda library: library.document(_KEY),
    "documents_by_id": lambda library: library.documents_by_id([_KEY]),
    "documents": lambda library: library.documents(["papers"]),
    "find_documents": lambda library: library.find_documents(["papers"], "a.md"),
    "text": lambda library: library.text(_KEY),
    "content": lambda library: library.content(_KEY),
    "passages": lambda library: library.passages([(_KEY, 0, 0)]),
    "indexable": lambda library: library.indexable([_KEY]),
    "remove_documents": lambda library: library.remove_documents([_KEY]),
    "put_source": lambda library: library.put_source(SourceRecord("papers", "/docs", "hash", 1, 1, EPOCH)),
    "source": lambda library: library.source("papers", "/docs"),
    "sources": lambda library: library.sources("papers"),
    "remove_source": lambda library: library.remove_source("papers", "/docs"),
    "identity": lambda library: library.identity(),
    "version": lambda library: library.version(),
    "collection_versions": lambda library: library.collection_versions(["papers"]),
    "changes": lambda library: library.changes(0),
}


def failure(code: int, message: str = "it said so") -> driver.OperationFailure:
    return driver.OperationFailure(f"{message}, full error: ...", code, {"code": code, "errmsg": message})


def bulk(code: int, message: str = "it said so", kind: str = "writeErrors") -> driver.BulkWriteError:
    empty: dict[str, object] = {"writeErrors": [], "writeConcernErrors": []}
    return driver.BulkWriteError(empty | {kind: [{"index": 0, "code": code, "errmsg": message}]})


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (driver.ServerSelectionTimeoutError("10.0.0.7:27017: timed out"), StoreUnavailable, "does not answer"),
        (driver.AutoReconnect("connection closed"), StoreUnavailable, "does not answer"),
        (driver.NetworkTimeout("timed out"), StoreUnavailable, "does not answer"),
        (driver.NotPrimaryError("not primary"), StoreUnavailable, "does not answer"),
        (driver.WaitQueueTimeoutError("too many"), StoreUnavailable, "does not answer"),
        (ConnectionResetError("reset"), StoreUnavailable, "does not answer"),
        (driver.ExecutionTimeout("operation exceeded time limit", 50), StoreUnavailable, "does not answer"),
        (driver.WTimeoutError("waiting for replication", 64), StoreUnavailable, "does not answer"),
        (failure(18, "Authentication failed."), StoreUnavailable, "refuses the log-in"),
        (failure(8000, "bad auth : Authentication failed."), StoreUnavailable, "refuses the log-in"),
        (failure(13, "not authorized on library"), StoreUnavailable, "readWrite"),
        (failure(13, "Command find requires authentication"), StoreUnavailable, "wants a log-in"),
        (failure(13, "there are no users authenticated"), StoreUnavailable, "wants a log-in"),
        (driver.WriteConcernError("", 100, {"errmsg": "Not enough data-bearing nodes"}), StoreUnavailable, "now"),
        (failure(10107, "not primary"), StoreUnavailable, "now"),
        (failure(11600, "interrupted at shutdown"), StoreUnavailable, "now"),
        (failure(91, "the server is going down"), StoreUnavailable, "now"),
        (failure(14031, "available disk space is too low"), StoreFull, "no space left"),
        (failure(8000, "you are over your space quota"), StoreFull, "no space left"),
        (failure(1, "No space left on device"), StoreFull, "no space left"),
        (bulk(14031, "disk"), StoreFull, "no space left"),
        (bulk(64, "waiting for replication timed out", "writeConcernErrors"), StoreUnavailable, "now"),
        (bulk(11000, "duplicate"), StoreError, "duplicate"),
        (driver.DuplicateKeyError("duplicate", 11000, {"errmsg": "duplicate"}), StoreError, "duplicate"),
        (driver.DocumentTooLarge("17 MB"), InvalidInput, "too large"),
        (failure(10334, "BSONObj size is invalid"), InvalidInput, "too large"),
        (OverflowError("8 bytes"), InvalidInput, "too large"),
        (InvalidBSON("what is this"), StoreCorrupt, "restore a backup"),
        (failure(2, "bad value\nand more"), StoreError, "bad value and more"),
        (driver.InvalidOperation("closed"), StoreError, "closed"),
        (driver.InvalidName("database name cannot contain ."), InvalidSetting, "stores.library"),
    ],
)  # fmt: skip
def test_every_error_of_the_driver_has_a_meaning_of_one_line(error: Exception, kind: type[Exception], words: str):
    found = meaning(error, "db.example:27017")
    assert type(found) is kind
    assert words in str(found)
    assert "\n" not in str(found)
    assert "full error" not in str(found)


def test_no_error_of_the_driver_is_without_a_meaning():
    kinds = [one for one in vars(driver).values() if isinstance(one, type) and issubclass(one, driver.PyMongoError)]
    assert len(kinds) > 20
    arguments: dict[type[Exception], tuple[object, ...]] = {
        driver.BulkWriteError: ({},),
        driver.ClientBulkWriteException: ({}, True),
        driver.EncryptedCollectionError: (ValueError("it"), {}),
    }
    for kind in kinds:
        error = kind(*arguments.get(kind, ("what it says",)))
        assert isinstance(meaning(error, "db.example:27017"), StoreError | InvalidInput)


@needs("mongodb")
class TestServer:
    @pytest.fixture
    async def url(self) -> AsyncIterator[str]:
        async with own_database() as url:
            library = open_at(url)
            await library.create_collection(a_collection())
            await library.put_documents([_CONTENT])
            await library.close()
            yield url

    async def test_every_call_ends_when_the_server_is_frozen(self, url: str):
        async with Proxy(url) as proxy:
            library = MongoLibrary(proxy.url, timeout=0.3)
            await library.version()
            proxy.freeze()
            ended = await asyncio.gather(*(call(library) for call in CALLS.values()), return_exceptions=True)
            assert {type(error) for error in ended} == {StoreUnavailable}
            assert {f"127.0.0.1:{proxy.port} does not answer" in str(error) for error in ended} == {True}
            proxy.thaw()
            await library.close()

    async def test_every_call_ends_when_the_server_cannot_be_reached_and_works_when_it_can(self, url: str):
        async with Proxy(url) as proxy:
            proxy.refuse()
            library = MongoLibrary(proxy.url, timeout=0.3)
            ended = await asyncio.gather(*(call(library) for call in CALLS.values()), return_exceptions=True)
            assert {type(error) for error in ended} == {StoreUnavailable}
            proxy.admit()
            while True:
                try:
                    assert await library.content(_KEY) == _CONTENT
                    break
                except StoreUnavailable:
                    continue
            await library.close()

    async def test_a_restart_of_the_server_between_two_calls_goes_unnoticed_or_is_told(self, url: str):
        async with Proxy(url) as proxy:
            library = open_at(proxy.url)
            assert await library.version() == 1
            proxy.reset()
            try:
                assert await library.version() == 1
            except StoreUnavailable:
                assert await library.version() == 1
            await library.close()

    async def test_a_library_of_a_newer_program_is_left_alone(self, url: str):
        async with AsyncMongoClient(url) as client:
            await client.get_default_database()[LIBRARY].update_one({"_id": LIBRARY}, {"$set": {"schema": 99}})
        library = open_at(url)
        for call in CALLS.values():
            with pytest.raises(SchemaTooNew, match="update the program"):
                await call(library)
        await library.close()

    async def test_a_document_that_lacks_a_part_is_told_as_damage(self, url: str):
        async with AsyncMongoClient(url) as client:
            await client.get_default_database()["chunks"].delete_many({"ordinal": 1})
        library = open_at(url)
        with pytest.raises(StoreCorrupt, match="add it again"):
            await library.content(_KEY)
        await library.close()

    async def test_a_passage_larger_than_a_record_is_refused_and_nothing_is_stored(self, url: str):
        library = open_at(url)
        with pytest.raises(InvalidInput, match="too large"):
            await library.put_documents([a_content("large", "x" * 4_000_000, pieces=1)])
        assert len(await library.documents(["papers"])) == 1
        await library.close()


@needs("mongodb")
class TestReplies:
    """What a server says, on the wire."""

    @pytest.fixture
    async def mongot(self) -> AsyncIterator[Mongot]:
        async with own_database() as url, Mongot(url) as server:
            library = open_at(url)
            await library.create_collection(a_collection())
            await library.close()
            yield server

    @pytest.mark.parametrize(
        ("refusing", "kind", "words"),
        [
            ({"saslStart": 18}, StoreUnavailable, "refuses the log-in"),
            ({"insert": 13}, StoreUnavailable, "readWrite"),
            ({"insert": 14031}, StoreFull, "no space left"),
            ({"findAndModify": 14031}, StoreFull, "no space left"),
            ({"insert": 10107}, StoreUnavailable, "does not answer"),
            ({"findAndModify": 189}, StoreUnavailable, "does not answer"),
            ({"find": 13436}, StoreUnavailable, "does not answer"),
            ({"find": 50}, StoreUnavailable, "does not answer"),
            ({"findAndModify": 100}, StoreUnavailable, "cannot do it now"),
        ],
    )
    async def test_what_the_server_refuses_is_told_in_a_line_and_stores_nothing(
        self, mongot: Mongot, refusing: dict[str, int], kind: type[Exception], words: str
    ):
        mongot.refusing = refusing
        head, _, rest = mongot.url.partition("//")
        library = MongoLibrary(f"{head}//ada:secret@{rest}" if "saslStart" in refusing else mongot.url)
        with pytest.raises(kind, match=words) as told:
            await library.put_documents([_CONTENT])
        assert "secret" not in str(told.value)
        await library.close()
        mongot.refusing = {}
        again = open_at(mongot.url)
        assert await again.document(_KEY) is None
        await again.put_documents([_CONTENT])
        assert await again.content(_KEY) == _CONTENT
        await again.close()

    async def test_a_write_that_most_servers_have_not_is_not_acknowledged(self, mongot: Mongot):
        mongot.unreplicated = True
        library = open_at(mongot.url)
        with pytest.raises(StoreUnavailable, match="cannot do it now"):
            await library.put_documents([_CONTENT])
        await library.close()


@pytest.mark.parametrize("url", ["mongodb://", "mongodb://host:none/", "mongodb://h/a.b", "mongodb://h/?w=1&x"])
async def test_a_url_that_cannot_be_is_a_wrong_setting(url: str):
    library = MongoLibrary(url, timeout=0.1)
    with pytest.raises((InvalidSetting, StoreUnavailable), match=r"stores\.library|does not answer"):
        await library.version()
    await library.close()


async def test_no_message_tells_the_password():
    library = MongoLibrary("mongodb://ada:secret@127.0.0.1:9/library?authSource=admin", timeout=0.1)
    with pytest.raises(StoreUnavailable) as told:
        await library.version()
    assert "secret" not in str(told.value)
    assert "ada" not in str(told.value)
    assert "127.0.0.1:9" in str(told.value)
    await library.close()
