"""The piece of a text that shows why it was found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.services.excerpts import excerpt, unmarked

TEXT = "The moon pulls the water of the sea.\n\nThat is why the tide comes twice a day, and über-high twice a month."


@pytest.mark.parametrize(
    ("looked_for", "expected"),
    [
        ("moon", "The moon pulls the water of the sea. Tha…"),
        ("TWICE day", "…is why the tide comes twice a day, and…"),
        ("uber", "…comes twice a day, and über-high twice…"),
        ("nowhere", "The moon pulls the water of the sea. Tha…"),
        ("", "The moon pulls the water of the sea. Tha…"),
    ],
)
def test_an_excerpt_begins_shortly_before_what_was_looked_for(looked_for: str, expected: str):
    assert excerpt(TEXT, looked_for, 41) == expected


def test_a_short_text_is_its_own_excerpt():
    assert excerpt("One\x1b[31m\nline", "line", 41) == "One line"


@given(st.text(), st.text(max_size=10), st.integers(10, 60))
def test_no_excerpt_is_longer_than_its_room(text: str, looked_for: str, room: int):
    made = excerpt(text, looked_for, room)
    assert len(made) <= room
    assert "\n" not in made


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (
            "# The sea\n\nIt is `salty`, and\n`tides --of\nthe moon`.",
            "The sea\n\nIt is salty, and\ntides --of\nthe moon.",
        ),
        ("## `ask`\n```sh\nmake\n```\nDone.", "ask\n\nmake\n\nDone."),
        ("(`a`, `b`s and `` c`d ``)", "(a, bs and  c`d )"),
        ("day=`date` and tag`text` and 5` long", "day=`date` and tag`text` and 5` long"),
        ("one ` alone\n\nand ` another", "one ` alone\n\nand ` another"),
        ("C# and \\`that`", "C# and \\`that`"),
    ],
)
def test_marks_of_code_and_headings_are_not_shown(written: str, shown: str):
    assert unmarked(written) == [shown]


def test_a_mark_may_begin_in_one_piece_and_end_in_another():
    assert unmarked("Run `chat", " ask` for", " an `answer`.") == ["Run chat", " ask for", " an answer."]


def test_what_is_no_markdown_keeps_all_its_characters():
    assert unmarked("# a comment\nx = `y`", kind="source_code") == ["# a comment\nx = `y`"]


@given(st.lists(st.text("`a# ~\n="), max_size=4))
def test_each_piece_loses_characters_and_gets_none(pieces: list[str]):
    shown = unmarked(*pieces)
    assert len(shown) == len(pieces)
    for one, piece in zip(shown, pieces, strict=True):
        rest = iter(piece)
        assert all(char in rest for char in one)
