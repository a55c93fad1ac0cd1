"""The server's own search: what it is asked, what is made of its answers, and the other index where it has none."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient

from multidb_chat.adapters.mongo.library import MongoLibrary
from multidb_chat.adapters.mongo.search import MongoSearchIndex
from multidb_chat.adapters.search_index import EmbeddedSearchIndex
from multidb_chat.domain.library import Collection, Library
from tests.adapters.mongo.mongot import Mongot
from tests.adapters.mongo.opening import PATIENCE, open_at, own_database
from tests.contracts.search_index import (
    DIMENSIONS,
    EPOCH,
    PAPERS,
    OpenIndex,
    SearchIndexContract,
    a_document,
    a_vector,
    nearest,
)
from tests.faults.proxy import Proxy
from tests.servers import needs

pytestmark = needs("mongodb")


@pytest.fixture
async def mongot() -> AsyncIterator[Mongot]:
    async with own_database() as url, Mongot(url) as server:
        yield server


@pytest.fixture
async def library(mongot: Mongot) -> AsyncIterator[MongoLibrary]:
    library = open_at(mongot.url)
    await library.create_collection(replace(Collection("papers", "ada", "Papers", EPOCH), dimensions=DIMENSIONS))
    await library.put_documents([a_document("first", "words of the first document")])
    await library.remove_documents([a_document("first").document.id])
    yield library
    await library.close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have indexes looked at each time."""
    monkeypatch.setattr("multidb_chat.adapters.mongo.search_indexes.AGAIN", 0.0)


@pytest.fixture
async def open_index(tmp_path: Path, mongot: Mongot, library: Library, at_once: None) -> AsyncIterator[OpenIndex]:
    opened: list[MongoSearchIndex] = []

    async def open_index() -> MongoSearchIndex:
        opened.append(MongoSearchIndex(mongot.url, EmbeddedSearchIndex(tmp_path / "index", library), PATIENCE))
        while "MongoDB" not in await opened[-1].where():  # its indexes are being made
            pass
        return opened[-1]

    yield open_index
    for index in opened:
        await index.close()


class TestMongoSearchIndex(SearchIndexContract):
    """All of the contract but how words are taken apart and weighed, which is the server's, and following."""

    @pytest.fixture
    async def library(self, library: MongoLibrary) -> MongoLibrary:
        return library

    @pytest.fixture
    async def open_index(self, open_index: OpenIndex) -> OpenIndex:
        return open_index


_THE_SERVERS = (
    "any_script", "no_question_is_syntax", "stop_words_alone", "question_of_a_megabyte", "nul_and_half",
    "word_in_the_title", "word_in_every_passage", "rare_word", "covers_more", "was_not_refreshed", "also_before_it_has",
    "made_anew", "two_readers", "have_nothing", "has_nothing_to_find", "another_length", "whole_states",
    "tells_how_much", "a_removed_document", "a_deleted_collection",
)  # fmt: skip
for _name in dir(SearchIndexContract):
    if _name.startswith("test_") and any(part in _name for part in _THE_SERVERS):
        setattr(TestMongoSearchIndex, _name, None)


async def test_the_tenants_boundary_and_all_filters_are_in_the_question(mongot: Mongot, open_index: OpenIndex):
    index = await open_index()
    mongot.asked.clear()
    filters = replace(PAPERS, kinds=("pdf",), since=EPOCH.date(), metadata={"team": "blue"})
    await index.lexical("wings", filters, 10)
    await nearest(index, a_vector(1), filters, 10)
    day = EPOCH.date().toordinal()
    text, vectors = mongot.asked
    assert text["$search"]["compound"]["filter"] == [
        {"in": {"path": "collection_id", "value": ["papers"]}},
        {"in": {"path": "document_kind", "value": ["pdf"]}},
        {"range": {"path": "day", "gte": day}},
        {"equals": {"path": "metadata", "value": "team=blue"}},
    ]
    assert vectors["$vectorSearch"]["filter"] == {
        "$and": [
            {"collection_id": {"$in": ["papers"]}},
            {"document_kind": {"$in": ["pdf"]}},
            {"day": {"$gte": day}},
            {"metadata": {"$eq": "team=blue"}},
        ]
    }


async def test_what_the_servers_index_still_has_of_a_replaced_document_is_passed_over(
    mongot: Mongot, library: MongoLibrary, open_index: OpenIndex
):
    index = await open_index()
    content = a_document("it", "wings", vectors={0: a_vector(1)})
    await library.put_documents([content])
    async with AsyncMongoClient(mongot.url) as client:
        chunks = client.get_default_database()["chunks"]
        old = await chunks.find_one({"document_id": content.document.id})
        assert old is not None
        await library.put_documents([a_document("it", "drag", vectors={0: a_vector(2)})])
        await chunks.insert_one(old)
    assert await index.lexical("wings", PAPERS, 10) == []
    assert [hit.vector for hit in await nearest(index, a_vector(1), PAPERS, 10)] == [a_vector(2)]


async def test_what_is_gone_is_never_found(library: MongoLibrary, open_index: OpenIndex):
    index = await open_index()
    gone, kept = a_document("gone", "wings one"), a_document("kept", "wings two")
    await library.put_documents([gone, kept])
    await library.remove_documents([gone.document.id])
    assert [hit.document_id for hit in await index.lexical("wings", PAPERS, 10)] == [kept.document.id]
    await library.delete_collection("papers")
    assert await index.lexical("wings", PAPERS, 10) == await nearest(index, a_vector(1), PAPERS, 10) == []


async def test_the_share_tells_how_much_of_the_question_a_passage_covers(library: Library, open_index: OpenIndex):
    index = await open_index()
    await library.put_documents(
        [
            a_document("all", "alpha beta gamma delta"),
            a_document("half", "alpha beta other words"),
            *(a_document(f"{n}", f"nothing like words {n}") for n in range(50)),
        ]
    )
    whole, half = await index.lexical("alpha beta gamma delta", PAPERS, 10)
    assert 0.8 < whole.share < 1.3
    assert 0.3 < half.share / whole.share < 0.6
    (unknown,) = await index.lexical("gamma and something never heard of", PAPERS, 10)
    assert unknown.share < 0.5


async def test_until_the_servers_indexes_can_be_asked_the_other_one_answers(
    tmp_path: Path, mongot: Mongot, library: MongoLibrary, at_once: None
):
    mongot.queryable = False
    index = MongoSearchIndex(mongot.url, EmbeddedSearchIndex(tmp_path / "index", library), PATIENCE)
    await library.put_documents([a_document("it", "wings", vectors={0: a_vector(1)})])
    assert await index.where() == "this machine"
    await index.refresh()
    assert len(await index.lexical("wings", PAPERS, 10)) == len(await nearest(index, a_vector(1), PAPERS, 10)) == 1
    assert mongot.asked == []
    mongot.queryable = True
    while "MongoDB" not in await index.where():
        pass
    mongot.asked.clear()
    assert len(await index.lexical("wings", PAPERS, 10)) == len(await nearest(index, a_vector(1), PAPERS, 10)) == 1
    assert len(mongot.asked) == 2
    assert await index.refresh() == 0
    await index.close()


@pytest.mark.parametrize("code", [31082, 40324, 59])
async def test_where_the_server_has_no_search_any_more_the_other_one_answers(
    mongot: Mongot, library: MongoLibrary, open_index: OpenIndex, code: int
):
    index = await open_index()
    await library.put_documents([a_document("it", "wings", vectors={0: a_vector(1)})])
    mongot.refusing = {"$search": code, "$vectorSearch": code}
    assert await index.lexical("wings", PAPERS, 10) == []  # asked, refused; the other one has not followed yet
    await index.refresh()
    assert len(await index.lexical("wings", PAPERS, 10)) == len(await nearest(index, a_vector(1), PAPERS, 10)) == 1


async def test_a_server_without_search_is_asked_once_and_the_other_index_is_used(tmp_path: Path):
    async with own_database() as url:
        library = open_at(url)
        await library.create_collection(Collection("papers", "ada", "Papers", EPOCH))
        await library.put_documents([a_document("it", "wings")])
        index = MongoSearchIndex(url, EmbeddedSearchIndex(tmp_path / "index", library), PATIENCE)
        await index.refresh()
        assert len(await index.lexical("wings", PAPERS, 10)) == 1
        assert (await index.where(), await index.check()) == ("this machine", [])
        assert await index.rebuild() == 1
        await index.close()
        await library.close()


@pytest.mark.parametrize("way", ["refuse", "freeze"])
async def test_while_the_server_is_away_the_other_index_answers(tmp_path: Path, way: str):
    async with own_database() as url, Proxy(url) as proxy:
        library = open_at(url)
        await library.create_collection(Collection("papers", "ada", "Papers", EPOCH))
        await library.put_documents([a_document("it", "wings", vectors={0: a_vector(1)})])
        other = EmbeddedSearchIndex(tmp_path / "index", library)
        await other.refresh()
        getattr(proxy, way)()
        index = MongoSearchIndex(proxy.url, other, timeout=0.2)
        assert len(await index.lexical("wings", PAPERS, 10)) == len(await nearest(index, a_vector(1), PAPERS, 10)) == 1
        proxy.thaw()
        await index.close()
        await library.close()


async def test_an_index_of_the_server_that_is_made_anew_is_made_as_it_was(mongot: Mongot, open_index: OpenIndex):
    index = await open_index()
    before = dict(mongot.indexes)
    assert await index.rebuild() == 0
    assert mongot.indexes == before
