"""Neighbours as one match: around the best, without gaps, within one section and page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.library import Chunk
from multidb_chat.services.grouping import MOST_MERGED, grouped, runs, span, spans
from multidb_chat.services.ranking import Ranked


def ranked(*keys: tuple[str, int]) -> list[Ranked]:
    return [Ranked(name, ordinal, None, None, -place, 0.5) for place, (name, ordinal) in enumerate(keys)]


def chunks(*, pages: str = "", headings: str = "") -> dict[tuple[str, int], Chunk]:
    """Return chunks a0, a1, ... of the given pages and headings."""
    count = max(len(pages), len(headings))
    return {
        ("a", n): Chunk(
            "a", n, n, n + 1, "x", page=int(pages[n]) if pages else None, headings=tuple(headings[n : n + 1])
        )
        for n in range(count)
    }


def keys(groups: list[list[Ranked]]) -> list[list[tuple[str, int]]]:
    return [[one.key for one in group] for group in groups]


def test_neighbours_join_the_better_one():
    groups = grouped(ranked(("a", 4), ("b", 1), ("a", 5), ("a", 3), ("b", 7)), 10)
    assert keys(groups) == [[("a", 4), ("a", 5), ("a", 3)], [("b", 1)], [("b", 7)]]


def test_the_same_number_in_another_document_is_no_neighbour():
    assert keys(grouped(ranked(("a", 1), ("b", 2)), 10)) == [[("a", 1)], [("b", 2)]]


def test_a_group_grows_to_a_few_chunks_and_no_further():
    groups = grouped(ranked(*(("a", n) for n in range(10))), 10)
    assert [len(group) for group in groups] == [MOST_MERGED] * 3 + [1]


def test_the_limit_counts_groups_and_later_chunks_may_still_join_them():
    assert keys(grouped(ranked(("a", 1), ("b", 1), ("c", 1), ("a", 2)), 2)) == [[("a", 1), ("a", 2)], [("b", 1)]]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 12)), unique=True), st.integers(1, 8))
def test_groups_are_runs_without_gaps_and_no_chunk_is_in_two(found, limit):
    groups = grouped(ranked(*found), limit)
    assert len(groups) <= limit
    members = [one.key for group in groups for one in group]
    assert len(members) == len(set(members))
    assert set(members) <= set(found)
    for group in groups:
        ordinals = sorted(one.ordinal for one in group)
        assert ordinals == list(range(ordinals[0], ordinals[0] + len(group)))
    assert [group[0].key for group in groups] == sorted((group[0].key for group in groups), key=found.index)


def parts(group: list[Ranked], texts: dict[tuple[str, int], Chunk]) -> list[list[int]]:
    return [[chunk.ordinal for chunk in joined] for _, joined in runs(group, list(texts.values()))]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (chunks(pages="1111"), [[0, 1, 2]]),
        (chunks(pages="1222"), [[1, 2], [0]]),
        (chunks(pages="2111"), [[1, 2], [0]]),
        (chunks(pages="1121"), [[0, 1], [2]]),
        (chunks(headings="AABB"), [[0, 1], [2]]),
        (chunks(headings="ABCD"), [[1], [2], [0]]),
    ],
)
def test_another_page_or_heading_is_a_run_of_its_own(texts: dict[tuple[str, int], Chunk], expected: list[list[int]]):
    (group,) = grouped(ranked(("a", 1), ("a", 2), ("a", 0)), 1)
    assert parts(group, texts) == expected


def test_a_run_ends_where_a_neighbour_is_gone():
    texts = chunks(pages="1111")
    del texts["a", 2]
    assert parts(ranked(("a", 1), ("a", 2), ("a", 3)), texts) == [[1], [3]]


@given(st.permutations(range(6)), st.lists(st.sampled_from("12"), min_size=6, max_size=6))
def test_every_chunk_that_was_found_is_in_exactly_one_run(order: list[int], pages: list[str]):
    found = parts(ranked(*(("a", n) for n in order)), chunks(pages="".join(pages)))
    assert sorted(ordinal for joined in found for ordinal in joined) == list(range(6))


def test_a_group_spans_its_chunks():
    assert span(ranked(("a", 4), ("a", 5), ("a", 3))) == ("a", 3, 5)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 12)), unique=True))
def test_spans_hold_exactly_the_chunks_given_and_neighbours_lie_in_one(keys: list[tuple[str, int]]):
    found = spans(keys)
    assert sorted((name, n) for name, first, last in found for n in range(first, last + 1)) == sorted(keys)
    assert not {(name, last + 1) for name, _, last in found} & set(keys)
