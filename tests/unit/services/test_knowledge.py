"""Curated answers: the same question in other words gets its entry, another question never does."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
from multidb_chat.adapters.sqlite.cache import SqliteCache
from multidb_chat.adapters.sqlite.conversations import SqliteConversations
from multidb_chat.domain.conversations import KnowledgeEntry
from multidb_chat.domain.errors import StoreFull, StoreUnavailable
from multidb_chat.domain.text import normalise_question
from multidb_chat.services.knowledge.base import KnowledgeBase
from multidb_chat.services.knowledge.memory import KnowledgeMemory, scope_of
from multidb_chat.services.knowledge.sameness import ALIKE, FREER, Sameness
from multidb_chat.services.question_vectors import QuestionVectors
from tests.unit.services.knowing import PAIRS, pairs

NOW = datetime(2026, 1, 31, tzinfo=UTC)
AT_ANY_PACE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def embedder() -> Iterator[MiniLMEmbedder]:
    made = MiniLMEmbedder(1)
    yield made
    asyncio.run(made.close())


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteConversations]:
    made = SqliteConversations(tmp_path / "conversations.sqlite")
    yield made
    await made.close()


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncIterator[SqliteCache]:
    made = SqliteCache(tmp_path / "cache.sqlite")
    yield made
    await made.close()


@pytest.fixture
def base(store: SqliteConversations, cache: SqliteCache, embedder: MiniLMEmbedder) -> KnowledgeBase:
    return KnowledgeBase(store, cache, QuestionVectors(embedder, cache), embedder)


async def put(store: SqliteConversations, embedder: MiniLMEmbedder, question: str, key: str = "k1") -> KnowledgeEntry:
    vector = await embedder.embed_query(question)
    entry = KnowledgeEntry(
        key, "", question, normalise_question(question), f"The answer to {key}.", 1, NOW, vector, "", embedder.name
    )
    await store.put_knowledge(entry)
    return entry


@pytest.mark.parametrize("split", ["dev", "test"])
async def test_no_question_gets_the_answer_to_another_one(embedder: MiniLMEmbedder, split: str) -> None:
    sameness = Sameness()
    right = 0
    for pair in pairs(split):
        one, other = [np.frombuffer(await embedder.embed_query(text), "<f4") for text in (pair.entry, pair.question)]
        needed = sameness.needed(pair.entry, pair.question)
        same = needed is not None and float(one @ other) >= needed
        assert pair.same or not same, pair
        right += pair.same and same
    assert right >= 0.65 * sum(pair.same for pair in pairs(split))


@given(st.sampled_from(PAIRS), st.sampled_from(PAIRS), st.booleans())
@AT_ANY_PACE
def test_the_rules_hold_in_both_directions(one: object, other: object, crossed: bool) -> None:
    sameness = Sameness()
    a, b = one.entry, (other.question if crossed else one.question)  # type: ignore[attr-defined]
    assert sameness.needed(a, b) == sameness.needed(b, a)
    assert sameness.needed(a, a) == ALIKE


@given(st.text(max_size=60), st.text(max_size=60))
@AT_ANY_PACE
def test_any_texts_can_be_compared(one: str, other: str) -> None:
    sameness = Sameness()
    assert sameness.needed(one, other) == sameness.needed(other, one)
    assert sameness.needed(one, other) in (None, ALIKE, FREER)


@given(st.integers(0, 3_000), st.integers(0, 3_000))
@AT_ANY_PACE
def test_another_number_is_another_question(one: int, other: int) -> None:
    needed = Sameness().needed(f"What was churn in {one}?", f"what was the churn in {other}")
    assert (needed is None) == (one != other)


async def test_the_same_question_is_found_whatever_its_case_and_marks(
    base: KnowledgeBase, store: SqliteConversations, embedder: MiniLMEmbedder
) -> None:
    entry = await put(store, embedder, "How do I reset my password?")
    found = await base.find("  how do i RESET my password ?!")
    assert found is not None
    assert (found.entry, found.confidence) == (entry, 1.0)
    assert await store.uses("", ["k1"]) == {"k1": 1}


async def test_other_words_for_the_same_are_found_with_their_confidence(
    base: KnowledgeBase, store: SqliteConversations, embedder: MiniLMEmbedder
) -> None:
    await put(store, embedder, "How do I reset my password?")
    await put(store, embedder, "How do I enable two-factor authentication?", "k2")
    found = await base.find("How can I turn on two-factor authentication?")
    assert found is not None
    assert found.entry.id == "k2"
    assert ALIKE <= found.confidence < 1
    assert await store.uses("", ["k1", "k2"]) == {"k1": 0, "k2": 1}
    assert await base.find("How can I turn off two-factor authentication?") is None


async def test_the_next_best_entry_is_taken_where_words_speak_against_the_best(
    base: KnowledgeBase, store: SqliteConversations, embedder: MiniLMEmbedder
) -> None:
    for year in (2018, 2019, 2020):
        await put(store, embedder, f"What was churn in {year}?", f"k{year}")
    found = await base.find("What was the churn in 2019, please?")
    assert found is not None
    assert found.entry.id == "k2019"
    assert await base.find("What was the churn in 2021?") is None


async def test_among_many_entries_that_differ_in_a_number_alone_the_right_one_is_found(
    base: KnowledgeBase, store: SqliteConversations, embedder: MiniLMEmbedder
) -> None:
    await asyncio.gather(
        *(put(store, embedder, f"What was churn in {year}?", f"k{year}") for year in range(1900, 2020))
    )
    for year in (1900, 1957, 2019):
        found = await base.find(f"What was the churn in {year}, please?")
        assert found is not None
        assert found.entry.id == f"k{year}"
    assert await base.find("What was the churn in 2020, please?") is None


async def test_a_change_is_seen_once_its_scope_is_invalidated(
    base: KnowledgeBase, store: SqliteConversations, cache: SqliteCache, embedder: MiniLMEmbedder
) -> None:
    question = "How can I cancel the subscription?"
    assert await base.find(question) is None
    entry = await put(store, embedder, "How do I cancel my subscription?")
    await cache.invalidate(scope_of(""))
    assert await base.find(question) is not None
    await store.put_knowledge(replace(entry, answer="Never.", version=2))
    found = await base.find(question)
    assert found is not None
    assert found.entry.answer == "Never.", "also before the memory is read again, an old answer is not given"
    await store.delete_knowledge("", "k1")
    assert await base.find(question) is None


async def test_entries_of_another_embedder_are_found_by_their_words_alone(
    base: KnowledgeBase, store: SqliteConversations, embedder: MiniLMEmbedder
) -> None:
    entry = await put(store, embedder, "How do I cancel my subscription?")
    await store.put_knowledge(replace(entry, embedder="another"))
    assert await base.find("How can I cancel the subscription?") is None
    assert await base.find("how do i cancel my subscription") is not None


async def test_without_entries_no_model_is_asked(store: SqliteConversations, cache: SqliteCache) -> None:
    class Untouchable:
        name, dimensions = "untouchable", 384

        async def embed_query(self, text: str) -> bytes:
            raise AssertionError(text)

    embedder = Untouchable()
    base = KnowledgeBase(store, cache, QuestionVectors(embedder, cache), embedder)  # type: ignore[arg-type]
    assert await base.find("Why do tides turn?") is None


async def test_a_use_that_cannot_be_counted_keeps_no_answer_back(
    store: SqliteConversations, cache: SqliteCache, embedder: MiniLMEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StoreFull("conversations", "No space is left.")

    await put(store, embedder, "How do I reset my password?")
    monkeypatch.setattr(store, "count_use", full)
    base = KnowledgeBase(store, cache, QuestionVectors(embedder, cache), embedder)
    assert await base.find("How do I reset my password?") is not None


async def test_entries_stay_in_memory_for_a_moment_while_the_cache_is_away(
    store: SqliteConversations, cache: SqliteCache, embedder: MiniLMEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> int:
        raise StoreUnavailable("cache", "It is away.")

    now = 1_000.0
    await put(store, embedder, "How do I reset my password?")
    memory = KnowledgeMemory(store, cache, "", embedder.name, clock=lambda: now)
    assert await memory.refresh() == 1
    await put(store, embedder, "Why do tides turn?", "k2")
    monkeypatch.setattr(cache, "generation", away)
    assert await memory.refresh() == 1
    now += 60
    assert await memory.refresh() == 2
