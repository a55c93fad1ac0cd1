"""Sentences are the same however the model cuts them into pieces."""

import pytest

from multidb_chat.services.modelled.hearing import Heard, Listener
from tests.unit.services.modelled.scripted import in_pieces

SAID = {
    "marks before the full stop": (
        "The lamp burns oil [2]. It was lit in 1858 [1].",
        [("The lamp burns oil.", (2,)), ("It was lit in 1858.", (1,))],
    ),
    "marks behind it": (
        "The lamp burns oil. [2] It was lit in 1858. [1][3]\n\nA new one followed [4].",
        [("The lamp burns oil.", (2,)), ("It was lit in 1858.", (1, 3)), ("A new one followed.", (4,))],
    ),
    "marks in front": ("[1] The lamp. [2] The other.", [("The lamp.", (1,)), ("The other.", (2,))]),
    "several in one mark": ("It burns oil [1, 3; 2].", [("It burns oil.", (1, 3, 2))]),
    "a list": ("- One thing [1]\n- Another [2]\n", [("One thing", (1,)), ("Another", (2,))]),
    "no marks": ("No marks here. Dr. Smith came. Yes", [("No marks here.", ()), ("Dr. Smith came.", ()), ("Yes", ())]),
    "nothing but marks": ("[1] [2]", []),
    "nothing": ("", []),
    "escapes and bidirectional marks": ("It \x1b[31mburns\x1b[0m o\u202eil [1].", [("It burns oil.", (1,))]),
}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 1_000])
@pytest.mark.parametrize("case", SAID)
def test_sentences_and_their_marks_are_heard(case: str, size: int) -> None:
    text, expected = SAID[case]
    listener = Listener()
    heard: list[Heard] = []
    for piece in in_pieces(text, size):
        heard.extend(listener.hear(piece))
    heard.extend(listener.end())
    assert [(one.text, one.passages) for one in heard] == expected


def test_a_sentence_is_given_out_as_soon_as_the_next_one_has_begun() -> None:
    listener = Listener()
    assert list(listener.hear("The lamp burns oil [2].")) == []
    assert list(listener.hear(" [3]")) == []
    assert [one.passages for one in listener.hear(" It was lit ")] == [(2, 3)]
