"""How the library lies in MongoDB: strings, vectors, and what is larger than a record."""

import struct
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from bson import Binary, decode, encode
from bson.binary import BinaryVectorDtype
from hypothesis import given
from hypothesis import strategies as st
from pymongo import AsyncMongoClient

from multidb_chat.adapters.mongo.library import MongoLibrary
from multidb_chat.adapters.mongo.records import chunk_of, chunk_records, collection_of, collection_record, vector_of
from multidb_chat.adapters.mongo.texts import key_of, prefixed, text_in, text_of, value_of
from multidb_chat.domain.reading import Block
from tests.adapters.mongo.opening import open_at, own_database
from tests.contracts.library import a_collection, a_content
from tests.servers import needs

ANY = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("\x00\ud7fe\ud7ff\ud800\udfff\ue000\uffff\U0001f600")
)


@given(ANY)
def test_any_string_comes_back_from_its_key_and_its_value(text: str):
    assert text_of(key_of(text)) == text_in(value_of(text)) == text
    encode({"key": key_of(text), "value": value_of(text)})


def test_a_collection_of_before_there_were_ways_to_cut_says_that_it_was_cut_by_structure():
    record = collection_record(a_collection())
    for name in ("chunking", "chunk_chars", "headers"):
        del record[name]
    assert collection_of(record) == a_collection()


@given(ANY, ANY)
def test_keys_sort_as_their_strings_whichever_way_a_server_compares(one: str, other: str):
    first, second = key_of(one), key_of(other)
    for coding in ("utf-8", "utf-16-be"):
        assert (one < other) == (first.encode(coding) < second.encode(coding))


@given(ANY, ANY)
def test_a_prefix_means_the_strings_that_begin_with_it(prefix: str, text: str):
    for one in (text, prefix + text):
        key, condition = key_of(one), prefixed(prefix)
        assert (condition["$gte"] <= key < condition.get("$lt", "\U0010ffff")) == one.startswith(prefix)


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1))
def test_a_vector_is_what_the_driver_would_make_of_its_numbers(numbers: list[float]):
    packed = struct.pack(f"<{len(numbers)}f", *numbers)
    expected = Binary.from_vector(numbers, BinaryVectorDtype.FLOAT32)
    assert vector_of(packed, vectors=True) == expected
    assert vector_of(packed, vectors=False) == Binary(expected, 0)


@given(
    st.sampled_from(["text", "", "table"]),
    st.none() | st.integers(0, 2),
    st.lists(ANY, max_size=2),
    st.binary(max_size=8),
)
def test_a_chunk_comes_back_also_where_its_record_leaves_out_what_is_usual(
    kind: str, page: int | None, headings: list[str], vector: bytes
):
    content = a_content()
    chunk = replace(content.chunks[0], kind=kind, page=page, headings=tuple(headings), vector=vector)
    (record,) = chunk_records(["key"], [chunk], content.document, vectors=True)
    assert chunk_of(decode(encode(record))) == chunk


@needs("mongodb")
class TestLarge:
    @pytest.fixture
    async def url(self) -> AsyncIterator[str]:
        async with own_database() as url:
            yield url

    @pytest.fixture
    async def library(self, url: str) -> AsyncIterator[MongoLibrary]:
        library = open_at(url)
        await library.create_collection(a_collection())
        yield library
        await library.close()

    async def test_what_is_larger_than_a_record_lies_in_several(self, library: MongoLibrary, url: str):
        text = "".join(f"{n:07} " for n in range(400_000))
        blocks = tuple(Block(n, n + 1, "paragraph", label="a label " * 9) for n in range(60_000))
        content = replace(a_content(text=text, pieces=300, original=b"0123456789" * 1_500_000), blocks=blocks)
        await library.put_documents([content])
        assert await library.content(content.document.id) == content
        for start in (0, 1_048_575, 1_048_576, 2_000_000, len(text) - 3):
            assert await library.text(content.document.id, start, start + 20) == text[start : start + 20]
        assert await library.text(content.document.id) == text
        await library.remove_documents([content.document.id])
        assert await left(url) == {"documents": 1}

    async def test_a_span_of_a_text_comes_without_the_rest(self, library: MongoLibrary, url: str):
        content = a_content(text="0123456789" * 10_000, original=b"x" * 1_000_000)
        await library.put_documents([content])
        async with AsyncMongoClient(url) as client:
            texts = client.get_default_database()["texts"]
            sliced = await texts.find_one({}, {"number": 1, "segments": {"$slice": [1, 2]}})
        assert sliced is not None
        assert sliced.keys() == {"_id", "number", "segments"}
        assert len(sliced["segments"]) == 2
        assert await library.text(content.document.id, 20_000, 20_004) == "0123"

    async def test_an_original_larger_than_a_record_is_a_file(self, library: MongoLibrary, url: str):
        first = a_content(original=b"0123456789" * 1_700_000)
        second = a_content(text="other", original=b"9876543210" * 1_700_000)
        await library.put_documents([first])
        assert await library.content(first.document.id) == first
        await library.put_documents([second])
        found = await library.content(second.document.id)
        assert found is not None
        assert found.original == second.original
        await library.put_documents([a_content(original=b"small")])
        async with AsyncMongoClient(url) as client:
            assert await client.get_default_database()["originals.chunks"].count_documents({}) == 0

    async def test_removing_everything_leaves_nothing_behind_but_marks(self, library: MongoLibrary, url: str):
        await library.put_documents([a_content(f"{n}", original=b"raw") for n in range(20)])
        await library.put_documents([a_content(f"{n}", "other", original=b"raw") for n in range(10)])
        await library.delete_collection("papers")
        assert await left(url) == {"documents": 20}


async def left(url: str) -> dict[str, int]:
    """Return how many records there are of what documents are made of."""
    names = ("documents", "texts", "chunks", "originals.files", "originals.chunks", "leftovers", "redo")
    async with AsyncMongoClient(url) as client:
        database = client.get_default_database()
        counts = {name: await database[name].count_documents({}) for name in names}
    return {name: count for name, count in counts.items() if count}
