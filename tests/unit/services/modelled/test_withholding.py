"""Addresses that no passage holds and the program's own rules are left out; all else stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.services.modelled.prompting import INSTRUCTIONS
from multidb_chat.services.modelled.withholding import Addresses, recites
from tests.unit.services.answering.passages import match

HELD = Addresses([match("Write to https://choir.example/join, or see www.choir.example/fees.")])


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Join at https://choir.example/join.", "Join at https://choir.example/join."),
        ("The fees are at www.choir.example/fees", "The fees are at www.choir.example/fees"),
        ("Join at https://choir.example/join?d=secret.", "Join at …"),
        ("See [this](https://evil.example/x?y=1).", "See [this](…)."),
        ("Call tel:+4912345 or evil.example/a?b=c now", "Call … or … now"),
        ("It loads //evil.example/p.png too", "It loads … too"),
        ("Version 3.11 costs 40 euros and/or 1.5 percent (see report.md).",) * 2,
        ("The data: all of it, e.g. this one/that one.",) * 2,
    ],
)
def test_only_addresses_of_the_passages_stay(said: str, shown: str) -> None:
    assert HELD.without_others(said) == shown


@given(st.text())
def test_nothing_more_is_left_out_the_second_time(text: str) -> None:
    once = HELD.without_others(text)
    assert HELD.without_others(once) == once


def test_six_words_of_the_rules_in_a_row_are_no_chance() -> None:
    assert recites(INSTRUCTIONS.upper())
    assert recites("Well: use only what the passages say!")
    assert not recites("The passages say what the question is.")
