"""Near-duplicates: the estimate against the exact coefficient, and pairs that are found and not found."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from multidb_chat.services.analysis.duplicates import SHINGLE, Signer, near_duplicates, similarity

WORDS = st.lists(st.sampled_from([f"w{n}" for n in range(400)]), min_size=40, max_size=300)
SIGNER = Signer()


def signed(words: list[str]) -> Any:
    signature = SIGNER.empty()
    SIGNER.add(signature, words)
    return signature


def shingles(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)}


def jaccard(first: list[str], second: list[str]) -> float:
    one, other = shingles(first), shingles(second)
    return len(one & other) / len(one | other)


@given(words=WORDS, other=WORDS, cut=st.floats(0, 1))
@settings(max_examples=150, deadline=None)
def test_the_estimate_is_near_the_exact_coefficient(words: list[str], other: list[str], cut: float):
    changed = words[: int(len(words) * cut)] + other
    # Six standard errors of the estimate.
    assert abs(similarity(signed(words), signed(changed)) - jaccard(words, changed)) <= 6 * 0.045


@given(words=WORDS)
@settings(max_examples=50, deadline=None)
def test_a_copy_is_alike_and_found(words: list[str]):
    assert near_duplicates([signed(words), signed(["other"] * 50), signed(words)]) == [(0, 2, 1.0)]


@given(first=WORDS, second=WORDS)
@settings(max_examples=50, deadline=None)
def test_a_signature_does_not_depend_on_where_a_text_was_cut_but_at_the_cut(first: list[str], second: list[str]):
    parts = SIGNER.empty()
    SIGNER.add(parts, first)
    SIGNER.add(parts, second)
    whole = shingles(first) | shingles(second)
    joined = shingles(first + second)
    exact = len(whole & joined) / len(whole | joined)
    assert abs(similarity(parts, signed(first + second)) - exact) <= 6 * 0.045


def test_a_few_changed_words_in_a_long_text_are_nearly_the_same():
    words = [f"w{n}" for n in range(600)]
    changed = [*words[:300], "another", *words[301:]]
    different = [f"x{n}" for n in range(600)]
    ((one, other, alike),) = near_duplicates([signed(words), signed(different), signed(changed)])
    assert (one, other) == (0, 2)
    assert alike > 0.9


def test_documents_without_words_are_no_duplicates():
    assert near_duplicates([SIGNER.empty(), SIGNER.empty(), signed(["one"])]) == []


def test_texts_shorter_than_a_shingle_are_compared_too():
    assert near_duplicates([signed(["just", "two"]), signed(["just", "two"]), signed(["only", "two"])]) == [(0, 1, 1.0)]


def test_hundreds_of_copies_are_found_without_comparing_each_with_each():
    copies = [signed([f"w{n}" for n in range(50)])] * 500
    pairs = near_duplicates(copies)
    assert {position for pair in pairs for position in pair[:2]} == set(range(500))
    assert len(pairs) < 1_000
