"""The normal form of words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multidb_chat.services.answering.words import Words, fold


def keys(text: str) -> list[str]:
    return [token.key for token in Words().tokens(text)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("customers", "customer"),
        ("wrote", "writing"),
        ("Müller", "muller"),
        ("1,840", "1840"),
        ("three", "3"),
        ("Anna's", "anna"),
        ("ﬁle", "file"),
        ("children", "Child"),
    ],
)
def test_forms_of_one_word_have_one_key(first: str, second: str) -> None:
    assert keys(first) == keys(second)


@pytest.mark.parametrize(("first", "second"), [("2019", "2020"), ("1.5", "15"), ("price", "prize"), ("K2", "K3")])
def test_different_words_have_different_keys(first: str, second: str) -> None:
    assert keys(first) != keys(second)


def test_identifiers_give_their_parts() -> None:
    assert keys("max_file_mb") == keys("max file mb")
    assert keys("--no-cache") == keys("no cache")


def test_scripts_without_spaces_are_compared_by_pairs() -> None:
    assert set(keys("解約率")) <= set(keys("昨年の解約率は低い"))
    assert not set(keys("解約率")) & set(keys("売上高"))


def test_years_and_names_are_told_from_other_words() -> None:
    year, number, name, word = Words().tokens("2019 31 Berg high")
    assert (year.year, number.year, year.number, name.name, word.name) == (True, False, True, True, False)


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_tokens_lie_in_order_within_any_text(text: str) -> None:
    at = 0
    for token in Words().tokens(text):
        assert at <= token.start < token.end <= len(text)
        assert token.key
        at = token.start


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(fold(text))) == fold(fold(text))
