"""What is pasted comes as one text, whatever is in it and however the terminal cuts it up; keys stay keys."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key, Paste

from multidb_chat.tui.pasting import PasteParser

START, END = "\x1b[200~", "\x1b[201~"


def events(parts: list[str]) -> list[object]:
    """Return what the parser makes of what is read part by part."""
    parser = PasteParser()
    return [event for part in parts if part for event in parser.feed(part)]


def cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[begin:end] for begin, end in pairwise(edges)]


PIECES = ["a", "\x1b", "[31m", "\x1b[A", "\x1b[20", "\x1bOP", "é", "\n", "[201", "~"]
PASTED = st.lists(st.sampled_from(PIECES)).map("".join).filter(lambda text: END not in text)


@given(PASTED, st.lists(st.integers(0, 200)))
def test_a_paste_is_one_text_without_its_escapes(pasted: str, places: list[int]) -> None:
    # The marks themselves stay whole: what begins one may be a key, which is not waited for.
    found = events([START, *cut(pasted, places), END, "k"])
    assert [type(event) for event in found] == [Paste, Key]
    assert "".join(event.text for event in found if isinstance(event, Paste)) == pasted.replace("\x1b", "")


@pytest.mark.parametrize("at", range(3, 6))
def test_a_mark_that_is_cut_in_two_is_a_mark(at: int) -> None:
    for mark in (START, END):
        whole = f"{START}one\x1b[31mtwo{END}"
        place = whole.index(mark) + at
        assert [event.text for event in events([whole[:place], whole[place:], "k"]) if isinstance(event, Paste)] == [
            "one[31mtwo"
        ]


def test_keys_are_what_they_were() -> None:
    found = events(["a", "\x1b[A", "\x1b[20~", "\x1b", "[B", "b"])
    assert [event.key for event in found if isinstance(event, Key)] == ["a", "up", "f9", "down", "b"]
