"""The vector files: what the first pass in 8 bits loses, and what a mask allows."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from multidb_chat.adapters.search_index.damage import Truncated
from multidb_chat.adapters.search_index.vectors import EXACT_UP_TO, VectorFile, _at_least, most_similar

DIMENSIONS = 384


def some_vectors(count: int, seed: int) -> np.ndarray:
    """Return unit vectors around a few hundred topics, as passages have them; their components are of unequal size."""
    chance = np.random.default_rng(seed)
    weights = 1 / np.sqrt(1 + np.arange(DIMENSIONS) / 20)
    topics = np.random.default_rng(0).standard_normal((300, DIMENSIONS)) * weights
    vectors = topics[chance.integers(300, size=count)] + 0.8 * chance.standard_normal((count, DIMENSIONS)) * weights
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return some_vectors(20_000, 1)


@pytest.fixture(scope="module")
def file(vectors: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> VectorFile:
    file = VectorFile(tmp_path_factory.mktemp("vectors"), "some", DIMENSIONS)
    file.append(0, vectors[:5_000])
    file.append(5_000, vectors[5_000:])
    return file


@pytest.mark.parametrize("limit", [1, 10, 100])
@pytest.mark.parametrize("count", [1, EXACT_UP_TO, EXACT_UP_TO + 1, 20_000])
def test_the_nearest_are_found_and_scored_exactly(file: VectorFile, vectors: np.ndarray, limit: int, count: int):
    found = wanted = 0
    for question in some_vectors(50, 2):
        exact = vectors[:count] @ question
        best = np.argsort(-exact)[:limit]
        slots, scores, rows = most_similar(file.view(count), question, limit)
        assert np.allclose(scores, exact[slots], atol=1e-6)
        assert (np.diff(scores) <= 0).all()
        assert (rows == vectors[slots]).all()
        found, wanted = found + len(set(best) & set(slots)), wanted + len(best)
    assert found >= 0.995 * wanted


@pytest.mark.parametrize("allowed_part", [0.0, 0.0001, 0.01, 0.5, 1.0])
def test_a_mask_is_never_passed_and_what_it_allows_is_found(file: VectorFile, vectors: np.ndarray, allowed_part: float):
    allowed = np.random.default_rng(3).random(20_000) < allowed_part
    (question,) = some_vectors(1, 4)
    exact = np.where(allowed, vectors @ question, -9)
    slots, _, _ = most_similar(file.view(20_000), question, 10, allowed)
    assert allowed[slots].all()
    assert slots.tolist() == [slot for slot in np.argsort(-exact)[:10].tolist() if allowed[slot]]


@pytest.mark.parametrize("allowed_part", [None, 0.01, 0.5])
@pytest.mark.parametrize("count", [0, 1, 50, 200])
def test_what_is_compared_comes_first_as_it_is_given_and_is_not_among_the_others(
    file: VectorFile, vectors: np.ndarray, allowed_part: float | None, count: int
):
    chance = np.random.default_rng(5)
    allowed = None if allowed_part is None else chance.random(20_000) < allowed_part
    some = np.arange(20_000) if allowed is None else np.flatnonzero(allowed)
    compared = chance.choice(some, min(count, len(some)), replace=False)
    (question,) = some_vectors(1, 6)
    slots, scores, rows = most_similar(file.view(20_000), question, 30, allowed, compared)
    assert slots[: len(compared)].tolist() == compared.tolist()
    best = sorted(some.tolist(), key=lambda slot: -(vectors[slot] @ question))[:30]
    assert slots[len(compared) :].tolist() == [slot for slot in best if slot not in set(compared.tolist())]
    assert np.allclose(scores, vectors[slots] @ question, atol=1e-6)
    assert (rows == vectors[slots]).all()


@settings(deadline=None, max_examples=40)
@given(
    arrays(np.float32, st.integers(2, 3_000), elements=st.integers(-50, 50).map(float) | st.just(-np.inf)),
    st.integers(1, 60),
)
def test_the_threshold_keeps_the_largest_scores_whatever_they_are(scores: np.ndarray, count: int):
    count = min(count, len(scores))
    kept = _at_least(scores, count)
    assert len(kept) >= count
    assert (np.diff(kept) > 0).all()
    assert np.sort(scores[kept])[-count:].tolist() == np.sort(scores)[-count:].tolist()


def test_more_vectors_than_are_committed_are_not_seen(file: VectorFile, vectors: np.ndarray):
    question = vectors[10]
    assert most_similar(file.view(10), question, 1)[0] != [10]
    assert most_similar(file.view(11), question, 1)[0] == [10]


def test_a_file_that_is_too_short_is_noticed_before_it_is_read(tmp_path: Path, vectors: np.ndarray):
    file = VectorFile(tmp_path, "short", DIMENSIONS)
    with pytest.raises(Truncated):
        file.view(1)
    with pytest.raises(Truncated):
        file.append(3, vectors[:1])
    file.append(0, vectors[:100])
    file.view(100)
    with (tmp_path / "short.f32").open("r+b") as cut:
        cut.truncate(99 * 4 * DIMENSIONS + 1)
    with pytest.raises(Truncated):
        file.view(100)
    assert len(file.view(99).exact) == 99
