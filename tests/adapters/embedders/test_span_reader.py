"""The shipped reader: what answers is told from what does not, wherever it stands; damage, closing, odd texts."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multidb_chat.adapters.embedders.span_reader import FOLDER, MiniLMSpanReader
from multidb_chat.adapters.embedders.span_reader_model import UNREAD, MiniLMSpanModel
from multidb_chat.domain.errors import StoreCorrupt, StoreUnavailable
from multidb_chat.domain.search import Excerpt, SpanReader


@pytest.fixture
async def reader() -> AsyncIterator[MiniLMSpanReader]:
    reader = MiniLMSpanReader(threads=2)
    yield reader
    await reader.close()


@pytest.fixture(scope="module")
def model() -> MiniLMSpanModel:
    return MiniLMSpanModel(FOLDER)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "model"))


def excerpt(*sentences: str, above: str = "") -> Excerpt:
    """Return the sentences as one text, each of them a span."""
    starts = [sum(len(one) + 1 for one in sentences[:at]) for at in range(len(sentences))]
    spans = tuple((start, start + len(one)) for start, one in zip(starts, sentences, strict=True))
    return Excerpt(" ".join(sentences), spans, above)


BRIDGE = excerpt(
    "The old bridge crosses the Arda near the mill.",
    "It was put up by the engineer Ivo Lenz in 1912.",
    "Its three arches are made of granite from the quarry at Senne.",
    "Lorries above seven tonnes may not use it.",
    above="The bridges of Marl",
)


def test_it_is_a_reader_by_its_types_too() -> None:
    port: SpanReader = MiniLMSpanReader()
    assert port.name == json.loads((FOLDER / "model.json").read_text())["name"]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Who constructed the bridge over the Arda?", 1),
        ("Which river does it span?", 0),
        ("What stone was it built from?", 2),
        ("Can I drive across with a heavy truck?", 3),
    ],
)
async def test_the_sentence_that_answers_is_told_from_its_neighbours(
    reader: MiniLMSpanReader, question: str, sentence: int
) -> None:
    (odds,) = await reader.read(question, [BRIDGE])
    assert max(range(4), key=lambda at: odds[at]) == sentence


async def test_what_is_not_said_has_lower_odds_than_what_is(reader: MiniLMSpanReader) -> None:
    (said,) = await reader.read("Who constructed the bridge?", [BRIDGE])
    (unsaid,) = await reader.read("How much did it cost to build the bridge?", [BRIDGE])
    assert max(said) > max(unsaid)


async def test_an_excerpt_is_judged_alike_alone_among_others_and_on_any_number_of_threads() -> None:
    others = [excerpt("Rain fell.", "The fee is 40 euros."), BRIDGE, excerpt("Nobody came.")]
    found = []
    for threads in (1, 3):
        reader = MiniLMSpanReader(threads)
        found += [(await reader.read("Who built it?", others))[1], (await reader.read("Who built it?", [BRIDGE]))[0]]
        await reader.close()
    assert all(odds == found[0] for odds in found)


async def test_nothing_to_read_is_no_answer(reader: MiniLMSpanReader) -> None:
    assert await reader.read("Who?", []) == []
    assert await reader.read("Who?", [Excerpt("", ())]) == [()]
    assert await reader.read("", [Excerpt(" ", ((0, 1),))]) == [(UNREAD,)]


async def test_what_lies_beyond_what_can_be_read_at_once_counts_as_no_answer(reader: MiniLMSpanReader) -> None:
    (odds,) = await reader.read("Who built it?", [excerpt("word " * 400, "Ivo Lenz built it.")])
    assert odds[0] != UNREAD
    assert odds[1] == UNREAD


@settings(max_examples=40, deadline=None)
@given(
    st.text(st.characters(), max_size=300),
    st.text(st.characters(), max_size=300),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=5),
)
def test_any_text_is_read_and_every_span_has_odds(
    model: MiniLMSpanModel, question: str, text: str, spans: list[tuple[int, int]]
) -> None:
    odds = model.odds(question, Excerpt(text, tuple(spans), question), lambda: False)
    assert len(odds) == len(spans)
    assert all(-100 < value < 100 for value in odds)


async def test_a_file_that_is_missing_or_damaged_is_named(copied: Path) -> None:
    reader = MiniLMSpanReader(1, copied)
    await reader.verify()
    (copied / "model.onnx").write_bytes(b"no network")
    with pytest.raises(StoreCorrupt, match=r"model\.onnx is not what was shipped; install multidb-chat again"):
        await reader.verify()
    with pytest.raises(StoreCorrupt, match=r"the reader's model in .* is damaged"):
        await reader.read("Who?", [BRIDGE])
    (copied / "model.onnx").unlink()
    with pytest.raises(StoreCorrupt, match=r"model\.onnx is missing"):
        await reader.read("Who?", [BRIDGE])
    await reader.close()


async def test_a_closed_reader_refuses_also_what_is_under_way() -> None:
    reader = MiniLMSpanReader(1)
    under_way = asyncio.create_task(reader.read("Who built it?", [BRIDGE] * 200))
    await reader.read("Who?", [BRIDGE])  # behind or beside it: the network is loaded
    await reader.close()
    with pytest.raises(StoreUnavailable):
        await under_way
    with pytest.raises(StoreUnavailable):
        await reader.read("Who?", [BRIDGE])


async def test_a_question_that_is_given_up_leaves_the_threads_free(reader: MiniLMSpanReader) -> None:
    given_up = asyncio.create_task(reader.read("Who built it?", [BRIDGE] * 500))
    await reader.read("Who?", [BRIDGE])
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert await asyncio.wait_for(reader.read("Who built it?", [BRIDGE]), 5)
