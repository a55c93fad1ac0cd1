"""Fusing two lists: what is better in either comes first, and scores mean the same for every question."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.search import Hit
from multidb_chat.services.ranking import calibrated, rank


def a_vector(angle: float) -> bytes:
    """Return a unit vector at an angle to the first axis, so that its cosine with that is known."""
    return np.array([np.cos(angle), np.sin(angle)], "<f4").tobytes()


def similar(name: str, angle: float, ordinal: int = 0) -> Hit:
    return Hit(name, ordinal, float(np.cos(angle)), vector=a_vector(angle))


def worded(name: str, share: float, ordinal: int = 0) -> Hit:
    return Hit(name, ordinal, 10 * share, share=share)


def names(lexical: list[Hit], nearest: list[Hit], limit: int = 10) -> list[str]:
    return [one.document_id for one in rank(lexical, nearest, limit)]


def test_nothing_found_is_nothing_ranked():
    assert rank([], [], 10) == []


def test_of_two_that_cover_the_question_alike_the_more_similar_one_is_first():
    words = [worded("far", 0.5), worded("near", 0.5)]
    assert names(words, [similar("near", 0.1), similar("far", 1.2)]) == ["near", "far"]


def test_of_two_that_are_alike_in_meaning_the_one_that_covers_more_is_first():
    nearest = [similar("less", 0.5), similar("more", 0.5)]
    assert names([worded("more", 0.9), worded("less", 0.2)], nearest) == ["more", "less"]


def test_what_both_found_comes_before_what_one_found_as_well():
    nearest = [similar("meaning", 0.5), similar("both", 0.5), similar("words", 1.5)]
    assert names([worded("both", 0.8), worded("words", 0.8)], nearest)[0] == "both"


def test_what_has_no_vector_is_ranked_by_its_words():
    (one,) = rank([worded("plain", 0.8)], [], 10)
    assert (one.lexical, one.vector) == (8.0, None)
    assert names([worded("a", 0.4), worded("b", 0.8)], [similar("c", 0.2)])[1:] == ["b", "a"]


def test_what_words_did_not_find_is_ranked_by_its_meaning():
    (one,) = rank([], [similar("a", 0.0)], 10)
    assert (one.lexical, one.vector) == (None, 1.0)


def test_what_resembles_the_best_ones_comes_before_what_is_as_similar_to_the_question_alone():
    # Two of one direction lead; of two others as far from the question, one lies on their side and one opposite.
    nearest = [similar("first", 0.3), similar("second", 0.35), similar("opposite", -0.8), similar("beside", 0.8)]
    words = [worded("first", 0.5), worded("second", 0.5)]
    assert names(words, nearest) == ["first", "second", "beside", "opposite"]


def test_the_limit_cuts_the_ranking_and_changes_nothing_in_it():
    nearest = [similar(f"{n}", n / 10) for n in range(12)]
    assert rank([], nearest, 5) == rank([], nearest, 12)[:5]


hits = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.integers(0, 2), st.floats(0, 2.2), st.floats(-3, 3)),
    unique_by=lambda row: row[:2],
)


@given(hits, st.sets(st.integers(0, 20)), st.sets(st.integers(0, 20)))
def test_every_chunk_of_either_list_is_ranked_once_in_order(rows, unworded, unvectored):
    lexical = [worded(name, share, ordinal) for n, (name, ordinal, share, _) in enumerate(rows) if n not in unworded]
    nearest = [similar(name, angle, ordinal) for n, (name, ordinal, _, angle) in enumerate(rows) if n not in unvectored]
    ranked = rank(lexical, nearest, 100)
    assert sorted(one.key for one in ranked) == sorted({hit[:2] for hit in lexical + nearest})
    assert [one.fused for one in ranked] == sorted((one.fused for one in ranked), reverse=True)
    assert all(0 <= one.score <= 1 for one in ranked)


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 2.2), st.floats(0, 2.2))
def test_the_score_grows_with_the_cosine_and_with_the_share(one, other, less, more):
    low, high = sorted((one, other))
    least, most = sorted((less, more))
    assert 0 < calibrated(low, least) <= calibrated(high, least) <= calibrated(high, most) < 1


@pytest.mark.parametrize("share", [1.0, 2.2])
def test_words_alone_are_no_proof(share: float):
    assert calibrated(0.0, share) < 0.3


def test_what_matches_in_both_is_excellent_and_what_matches_in_neither_is_poor():
    assert calibrated(0.6, 0.8) > 0.6
    assert calibrated(0.1, 0.2) < 0.1
