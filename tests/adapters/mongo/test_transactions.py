"""Writers that are slow, frozen or dead at the worst moment: what others see, and what is left."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from pymongo import AsyncMongoClient

from multidb_chat.adapters.mongo import leftovers
from multidb_chat.adapters.mongo.library import MongoLibrary
from multidb_chat.adapters.mongo.transactions import Transactions
from multidb_chat.domain.errors import Conflict, QuotaExceeded, StoreUnavailable
from multidb_chat.domain.library import Holdings, Library
from tests.adapters.mongo.opening import open_at, own_database
from tests.contracts.library import OpenLibrary, a_collection, a_content
from tests.contracts.processes import race, say, start, starting_line
from tests.faults.proxy import Proxy
from tests.servers import needs

pytestmark = needs("mongodb")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with own_database() as url:
        yield url


@pytest.fixture
async def open_library(url: str) -> AsyncIterator[OpenLibrary]:
    opened: list[MongoLibrary] = []

    async def open_library() -> MongoLibrary:
        opened.append(open_at(url))
        return opened[-1]

    yield open_library
    for library in opened:
        await library.close()


@pytest.fixture
async def library(open_library: OpenLibrary) -> Library:
    library = await open_library()
    await library.create_collection(a_collection())
    return library


class Held:
    """A library whose transactions are appended, and not carried out before `go` is set."""

    def __init__(self, library: Library, url: str) -> None:
        assert isinstance(library, MongoLibrary)
        self.library = library
        self.appended, self.go = asyncio.Event(), asyncio.Event()

    async def hold(self) -> None:
        await self.library.version()  # connected
        transactions = self.library._transactions
        assert transactions is not None
        carry_out = transactions._carry_out

        async def later(*arguments: object) -> None:
            self.appended.set()
            await self.go.wait()
            await carry_out(*arguments)  # type: ignore[arg-type]

        transactions._carry_out = later  # type: ignore[method-assign]


@pytest.fixture
async def slow(open_library: OpenLibrary, library: Library, url: str) -> Held:
    held = Held(await open_library(), url)
    await held.hold()
    return held


async def test_nothing_behind_a_slow_writers_number_is_told_before_that_is_there(
    library: Library, slow: Held, open_library: OpenLibrary
):
    first, second = a_content("first", source="/docs/1"), a_content("second", source="/docs/2")
    writing = asyncio.create_task(slow.library.put_documents([first]))
    await slow.appended.wait()
    reader = await open_library()
    assert (await reader.version(), await reader.changes(0)) == (0, [])
    await library.put_documents([second])  # carries out what the slow one began, since it has to come behind it
    changes = await reader.changes(0)
    assert [change.document_id for change in changes] == [first.document.id, second.document.id]
    assert await reader.content(first.document.id) == first
    slow.go.set()
    await writing
    assert await reader.changes(0) == changes


async def test_a_writer_that_wakes_up_late_takes_nothing_back(library: Library, slow: Held):
    old, new = a_content("it", text="old"), a_content("it", text="new")
    writing = asyncio.create_task(slow.library.put_documents([old]))
    await slow.appended.wait()
    await library.put_documents([new])
    gone = a_content("gone", source="/docs/gone")
    await library.put_documents([gone])
    await library.remove_documents([gone.document.id])
    slow.go.set()
    await writing
    assert await library.content(new.document.id) == replace(new, document=replace(new.document, revision=2))
    assert await library.document(gone.document.id) is None
    assert await library.holdings("ada") == Holdings(1, new.document.size_bytes)


async def test_a_reader_finishes_what_a_dead_writer_began(library: Library, slow: Held, open_library: OpenLibrary):
    content = a_content()
    writing = asyncio.create_task(slow.library.put_documents([content]))
    await slow.appended.wait()
    reader = await open_library()
    while not await reader.version():
        await asyncio.sleep(0.05)
    assert await reader.content(content.document.id) == content
    slow.go.set()
    await writing


async def test_a_transaction_larger_than_a_record_is_carried_out_by_others_too(
    library: Library, slow: Held, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("multidb_chat.adapters.mongo.transactions.INLINE", 1_000)
    contents = [a_content(str(n), source=f"/docs/{n}") for n in range(9)]
    writing = asyncio.create_task(slow.library.put_documents(contents))
    await slow.appended.wait()
    await library.put_documents([a_content("more")])
    assert [await library.content(content.document.id) for content in contents] == contents
    slow.go.set()
    await writing


async def test_a_lost_answer_to_the_decisive_write_is_looked_up(url: str, library: Library):
    async with Proxy(url) as proxy:
        through = open_at(proxy.url)
        await through.version()
        proxy.swallow_reply(to=b"findAndModify")
        await through.put_documents([a_content()])
        assert proxy.cut.is_set()
        await through.close()
    found = await library.document(a_content().document.id)
    assert found is not None
    assert found.revision == 1
    assert len(await library.changes(0)) == 1


@pytest.mark.parametrize("to", [b"insert", b"update", b"findAndModify", b"find", b"delete"])
async def test_any_answer_may_be_lost_and_the_same_again_stores_it_once(url: str, library: Library, to: bytes):
    content = a_content(original=b"raw")
    async with Proxy(url) as proxy:
        through = open_at(proxy.url)
        await through.version()
        proxy.swallow_reply(to=to)
        with suppress(StoreUnavailable):
            await through.put_documents([content])
        await through.close()
    await library.put_documents([content])
    found = await library.content(content.document.id)
    assert found is not None
    assert found == replace(content, document=replace(content.document, revision=found.document.revision))
    assert found.document.revision <= 2
    assert await library.holdings("ada") == Holdings(1, content.document.size_bytes)


async def test_a_cancelled_write_is_done_whole_or_not_at_all(url: str, library: Library):
    chance = random.Random(20240229)
    for n in range(15):
        content = a_content(str(n), "some words " * 400, source=f"/docs/{n}", pieces=30)
        writer = open_at(url)
        writing = asyncio.create_task(writer.put_documents([content]))
        await asyncio.sleep(chance.uniform(0, 0.08))
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        await writer.close()
        assert await library.content(content.document.id) in (None, content)
    assert await library.holdings("ada") == await counted(library)
    assert await orphans(url) == 0


async def counted(library: Library) -> Holdings:
    documents = await library.documents(["papers"], limit=10_000)
    return Holdings(len(documents), sum(document.size_bytes for document in documents))


async def orphans(url: str) -> int:
    """Return how many records of texts and chunks no document leads to."""
    async with AsyncMongoClient(url) as client:
        database = client.get_default_database()
        current = {one["generation"] async for one in database["documents"].find({"removed": False})}
        keys = [one["_id"] for name in ("texts", "chunks") async for one in database[name].find({}, {"_id": 1})]
        return sum(key.partition(":")[0] not in current for key in keys)


async def write_for_ever(url: str, first: int) -> None:
    """Put and remove documents until one is killed."""
    library = open_at(url)
    await library.version()
    say("ready")
    for n in range(first, first + 100_000):
        contents = [
            a_content(f"{n * k % 12}", f"version {n} " * 500, source=f"/docs/{k}", pieces=9, original=b"%d" % n)
            for k in range(1, 6)
        ]
        await library.put_documents(contents)
        await library.remove_documents([contents[0].document.id])


async def test_killed_at_any_moment_a_writer_leaves_whole_documents_and_nothing_else(
    url: str, library: Library, monkeypatch: pytest.MonkeyPatch
):
    chance = random.Random(20240229)
    for attempt in range(5):
        process = start(write_for_ever, url, attempt * 1_000)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.05, 0.4))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.communicate()
        await library.put_documents([a_content("after")])
        assert await library.holdings("ada") == await counted(library)
        for document in await library.documents(["papers"], limit=1_000):
            content = await library.content(document.id)
            assert content is not None
            if document.name != "after":
                assert content.text.startswith(f"version {(content.original or b'').decode()} ")
                assert "".join(chunk.text for chunk in content.chunks) == content.text
        seqs = [change.seq for change in await library.changes(0)]
        assert seqs == sorted(set(seqs))
    assert isinstance(library, MongoLibrary)
    transactions = library._transactions
    assert isinstance(transactions, Transactions)
    await leftovers.sweep(await library._connection.database(), transactions, older=0)
    assert await orphans(url) == 0


@pytest.mark.parametrize("remove", ["delete_collection", "erase", "create_collection"])
async def test_a_removal_that_was_interrupted_is_finished(
    library: Library, open_library: OpenLibrary, monkeypatch: pytest.MonkeyPatch, remove: str
):
    monkeypatch.setattr("multidb_chat.adapters.mongo.removing.PAGE", 3)
    contents = [a_content(str(n), source=f"/docs/{n}") for n in range(8)]
    await library.put_documents(contents)
    dying = await open_library()
    assert isinstance(dying, MongoLibrary)
    discarding = asyncio.Event()

    async def never(*_: object) -> None:
        discarding.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr("multidb_chat.adapters.mongo.removing.discard", never)
        removal = asyncio.create_task(dying.delete_collection("papers"))
        await discarding.wait()
        for task in dying._writing:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await removal
    assert await library.collection("papers") is None
    again: dict[str, Callable[[], Awaitable[object]]] = {
        "delete_collection": lambda: library.delete_collection("papers"),
        "erase": lambda: library.erase("ada"),
        "create_collection": lambda: library.create_collection(a_collection()),
    }
    await again[remove]()
    assert await library.documents(["papers"]) == []
    assert [change.removed for change in await library.changes(0)] == [True] * 8
    assert await library.holdings("ada") == Holdings(0, 0)


async def test_the_first_write_finishes_a_removal_that_another_process_died_over(
    url: str, library: Library, open_library: OpenLibrary
):
    await library.create_collection(a_collection("notes"))
    await library.put_documents([a_content()])
    async with AsyncMongoClient(url) as client:
        await client.get_default_database()["collections"].update_one({"_id": "papers"}, {"$set": {"state": "leaving"}})
    await (await open_library()).claim_embedder("notes", "mini", 4)
    assert await library.document(a_content().document.id) is None


async def create_and_put(url: str, number: int) -> None:
    """Take a name and fill a quota beside others."""
    library = open_at(url)
    await library.version()
    starting_line()
    try:
        await library.create_collection(a_collection(f"c{number}", "bob", name=["Notes", "NOTES", "notes"][number % 3]))
        say("created")
    except Conflict:
        pass
    for n in range(8):
        try:
            await library.put_documents([a_content(f"{number}-{n}", source=f"/{number}/{n}", size_bytes=10)], limit=100)
            say("stored")
        except QuotaExceeded:
            pass
    await library.close()


async def test_processes_take_a_name_once_and_never_pass_the_limit(url: str, library: Library):
    said = race([start(create_and_put, url, number) for number in range(3)])
    words = [word for each in said for word in each]
    assert (words.count("created"), words.count("stored")) == (1, 10)
    assert await library.holdings("ada") == Holdings(10, 100)
    assert len(await library.collections("bob")) == 1
    assert len(await library.changes(0)) == 10
