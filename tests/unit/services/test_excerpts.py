"""The piece of a text that shows why it was found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.services.excerpts import excerpt

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
