"""Fusing two lists: what is better in either comes first, and scores mean the same for every question."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.search import Hit, Neighbours
from multidb_chat.services.ranking import Ranked, calibrated, rank


class Near(NamedTuple):
    """A chunk whose vector is at an angle to the question's."""

    name: str
    angle: float
    ordinal: int = 0


def a_vector(angle: float) -> bytes:
    """Return a unit vector at an angle to the first axis, so that its cosine with that is known."""
    return np.array([np.cos(angle), np.sin(angle)], "<f4").tobytes()


def worded(name: str, share: float, ordinal: int = 0) -> Hit:
    return Hit(name, ordinal, 10 * share, share=share)


def neighbours(lexical: list[Hit], nearest: list[Near]) -> Neighbours:
    """Return what an index would: the lexical hits compared, then the others."""
    angles = {(near.name, near.ordinal): near.angle for near in nearest}
    keys = list(dict.fromkeys([*(hit.key for hit in lexical), *angles]))
    scores = [float(np.cos(angles[key])) if key in angles else math.nan for key in keys]
    return Neighbours(keys, scores, b"".join(a_vector(angles[key]) if key in angles else bytes(8) for key in keys))


def ranked(lexical: list[Hit], nearest: list[Near], limit: int = 10) -> list[Ranked]:
    return rank(lexical, neighbours(lexical, nearest), limit)


def names(lexical: list[Hit], nearest: list[Near]) -> list[str]:
    return [one.document_id for one in ranked(lexical, nearest)]


def test_nothing_found_is_nothing_ranked():
    assert ranked([], []) == []


def test_of_two_that_cover_the_question_alike_the_more_similar_one_is_first():
    words = [worded("far", 0.5), worded("near", 0.5)]
    assert names(words, [Near("near", 0.1), Near("far", 1.2)]) == ["near", "far"]


def test_of_two_that_are_alike_in_meaning_the_one_that_covers_more_is_first():
    nearest = [Near("less", 0.5), Near("more", 0.5)]
    assert names([worded("more", 0.9), worded("less", 0.2)], nearest) == ["more", "less"]


def test_what_both_found_comes_before_what_one_found_as_well():
    nearest = [Near("meaning", 0.5), Near("both", 0.5), Near("words", 1.5)]
    assert names([worded("both", 0.8), worded("words", 0.8)], nearest)[0] == "both"


def test_what_has_no_vector_is_ranked_by_its_words():
    (one,) = ranked([worded("plain", 0.8)], [])
    assert (one.lexical, one.vector) == (8.0, None)
    assert names([worded("a", 0.4), worded("b", 0.8)], [Near("c", 0.2)])[1:] == ["b", "a"]


def test_what_words_did_not_find_is_ranked_by_its_meaning():
    (one,) = ranked([], [Near("a", 0.0)])
    assert (one.lexical, one.vector) == (None, 1.0)


def test_what_resembles_the_best_ones_comes_before_what_is_as_similar_to_the_question_alone():
    # Two of one direction lead; of two others as far from the question, one lies on their side and one opposite.
    nearest = [Near("first", 0.3), Near("second", 0.35), Near("opposite", -0.8), Near("beside", 0.8)]
    words = [worded("first", 0.5), worded("second", 0.5)]
    assert names(words, nearest) == ["first", "second", "beside", "opposite"]


def test_the_limit_cuts_the_ranking_and_changes_nothing_in_it():
    nearest = [Near(f"{n}", n / 10) for n in range(12)]
    assert ranked([], nearest, 5) == ranked([], nearest, 12)[:5]


hits = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.integers(0, 2), st.floats(0, 2.2), st.floats(-3, 3)),
    unique_by=lambda row: row[:2],
)


@given(hits, st.sets(st.integers(0, 20)), st.sets(st.integers(0, 20)))
def test_every_chunk_of_either_list_is_ranked_once_in_order(rows, unworded, unvectored):
    lexical = [worded(name, share, ordinal) for n, (name, ordinal, share, _) in enumerate(rows) if n not in unworded]
    nearest = [Near(name, angle, ordinal) for n, (name, ordinal, _, angle) in enumerate(rows) if n not in unvectored]
    found = ranked(lexical, nearest, 100)
    keys = {*(hit.key for hit in lexical), *((near.name, near.ordinal) for near in nearest)}
    assert sorted(one.key for one in found) == sorted(keys)
    assert [one.fused for one in found] == sorted((one.fused for one in found), reverse=True)
    assert all(0 <= one.score <= 1 for one in found)


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
