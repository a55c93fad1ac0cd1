"""Answers as data, and kept in a cache."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multidb_chat.adapters.sqlite.cache import SqliteCache
from multidb_chat.domain.turns import Answer, AnswerSentence, Citation, CuratedBy, ModelUse, Rewording
from multidb_chat.services.answering import codec
from multidb_chat.services.answering.answer_cache import AnswerCache, answer_key

_TEXT = st.text(st.characters() | st.just("\udce9"), max_size=20)  # a byte of a file name that is not UTF-8
_CITATIONS = st.builds(
    Citation,
    number=st.integers(1, 9),
    document_id=_TEXT,
    document_name=_TEXT,
    title=_TEXT,
    source=_TEXT,
    collection_id=_TEXT,
    start=st.integers(0, 99),
    end=st.integers(0, 99),
    snippet=_TEXT,
    page=st.none() | st.integers(1, 9),
    headings=st.lists(_TEXT, max_size=2).map(tuple),
    score=st.floats(0, 1),
    quality=st.sampled_from(["excellent", "good", "fair", "poor"]),
    lexical=st.none() | st.floats(0, 30),
    vector=st.none() | st.floats(-1, 1),
)
_SENTENCES = st.builds(AnswerSentence, _TEXT, st.lists(st.integers(1, 9), max_size=2).map(tuple), _TEXT)
ANSWERS = st.builds(
    Answer,
    question=_TEXT,
    standalone=_TEXT,
    text=_TEXT,
    found=st.booleans(),
    sentences=st.lists(_SENTENCES, max_size=2).map(tuple),
    citations=st.lists(_CITATIONS, max_size=2).map(tuple),
    nearest=st.lists(_CITATIONS, max_size=2).map(tuple),
    method=st.sampled_from(["extractive", "model", "knowledge"]),
    cached=st.booleans(),
    timings=st.dictionaries(_TEXT, st.floats(0, 99), max_size=2),
    conversation_id=st.none() | _TEXT,
    message_id=st.none() | _TEXT,
    rewording=st.none() | st.builds(Rewording, st.booleans(), st.builds(ModelUse, _TEXT, st.integers(0, 9))),
    curated=st.none() | st.builds(CuratedBy, _TEXT, _TEXT, _TEXT, st.integers(1, 9), st.floats(0, 1)),
    model=st.none() | st.builds(ModelUse, _TEXT, st.none() | st.integers(0, 9), st.none(), st.floats(0, 9), st.just(1)),
)


@settings(max_examples=60, deadline=None)
@given(ANSWERS)
def test_an_answer_survives_being_written_and_read(answer: Answer) -> None:
    assert codec.loads(codec.dumps(answer)) == answer
    assert b"\n" not in codec.dumps(answer).encode()


def test_an_answer_that_was_stored_before_entries_were_named_is_read() -> None:
    parts = json.loads(codec.dumps(Answer("Why?", "Why?", "So.", True)))
    del parts["curated"], parts["model"], parts["rewording"]
    assert codec.from_dict(parts) == Answer("Why?", "Why?", "So.", True)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"format": 1}', "nonsense", '{"format": 99}', b"\xff\xfe"])
def test_anything_else_is_refused_as_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        codec.loads(text)


@settings(max_examples=60, deadline=None)
@given(ANSWERS, st.data())
def test_an_answer_of_another_version_or_with_missing_parts_is_refused(answer: Answer, data: st.DataObject) -> None:
    parts: dict[str, Any] = json.loads(codec.dumps(answer))
    parts["format"] += 1
    with pytest.raises(ValueError, match="format"):
        codec.from_dict(parts)
    parts["format"] -= 1
    del parts[data.draw(st.sampled_from(sorted(set(parts) - {"curated", "model", "rewording"})))]
    with pytest.raises(ValueError, match="not an answer"):
        codec.from_dict(parts)


def key(question: str = "What is churn?", **changes: Any) -> str:
    scope: dict[str, Any] = {"account_id": "a", "versions": {"c1": 3, "c2": 5}, "answerer": "x", "settings": (10, 0.3)}
    return answer_key(question, **(scope | changes))


def test_one_question_in_one_scope_has_one_key() -> None:
    assert key() == key("  what IS churn ") == key(versions={"c2": 5, "c1": 3})


@pytest.mark.parametrize(
    "changes",
    [
        {"account_id": "b"},
        {"versions": {"c1": 3}},
        {"versions": {"c1": 4, "c2": 5}},
        {"versions": {"c1": 3, "c3": 5}},
        {"answerer": "y"},
        {"settings": (5, 0.3)},
        {"extra": ["hash"]},
        {"question": "What was churn?"},
    ],
)
def test_another_scope_version_setting_or_question_has_another_key(changes: dict[str, Any]) -> None:
    assert key(**changes) != key()


async def test_what_is_kept_is_found_and_rubbish_is_a_miss(tmp_path: Path) -> None:
    store = SqliteCache(tmp_path / "cache.sqlite")
    cache = AnswerCache(store)
    answer = Answer("q", "q", "It is \ud800.", True)
    await cache.keep("cache:faq:1", answer, "an account")
    found = await cache.find("cache:faq:1")
    assert found is not None
    assert found.question == "q"
    await store.put("cache:faq:2", b"\x00rubbish", 60)
    assert await cache.find("cache:faq:2") is None
    assert await cache.find("cache:faq:3") is None
    await store.close()
