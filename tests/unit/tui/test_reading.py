"""Laying out a document's text: nothing is lost, nothing is too wide, everything is found again."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from multidb_chat.domain.reading import Block
from multidb_chat.domain.text import clean
from multidb_chat.tui.reading import Line, drawn, laid_out, line_at, occurrences, visible

TEXTS = st.text(st.sampled_from("ab  \n\t表🎉é\x1b[31m-"), max_size=60) | st.text(max_size=60)


@given(TEXTS)
def test_a_visible_text_is_as_long_and_harmless(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert clean(shown) == shown


@given(TEXTS, st.integers(4, 30))
def test_lines_hold_all_words_in_order_and_fit_the_width(text: str, width: int) -> None:
    text = visible(text)
    lines = laid_out(text, (), width)
    assert all(one.end <= other.start for one, other in pairwise(lines))
    assert "".join(text[line.start : line.end] for line in lines).split() or not text.split()
    kept = "".join("".join(text[line.start : line.end].split()) for line in lines)
    assert kept == "".join(text.split())
    for line in lines:
        assert line.indent + cell_len(drawn(text[line.start : line.end]).rstrip()) <= max(width, 4)
    for at, character in enumerate(text):
        if not character.isspace():
            line = lines[line_at(lines, at)]
            assert line.start <= at < line.end


def test_headings_code_and_pages_are_told_apart() -> None:
    text = "Title\n\nWords.\nx = 1\n\nMore."
    blocks = (
        Block(0, 5, "heading", 1, page=1),
        Block(7, 13, "paragraph", page=1),
        Block(14, 19, "code", page=2),
        Block(21, 26, "paragraph", page=2),
    )
    assert laid_out(text, blocks, 80) == [
        Line(0, 0, "page", "page 1"),
        Line(0, 5, "heading"),
        Line(6, 6),
        Line(7, 13),
        Line(14, 14, "page", "page 2"),
        Line(14, 19, "code"),
        Line(20, 20),
        Line(21, 26),
    ]
    assert line_at(laid_out(text, blocks, 80), 15) == 5


@given(st.text("aB\n ", max_size=30), st.text("ab", min_size=1, max_size=3))
def test_words_are_found_in_any_case_and_across_lines(text: str, word: str) -> None:
    for start, end in occurrences(text, word):
        assert text[start:end].casefold() == word.casefold()
    assert len(occurrences(text, word)) == text.casefold().count(word.casefold())
    assert occurrences(text, " ") == []


def test_what_stands_on_two_lines_is_found() -> None:
    text = "The churn\n  rate. (Churn rate?)"
    assert [text[start:end] for start, end in occurrences(text, "churn RATE")] == ["churn\n  rate", "Churn rate"]
    assert occurrences(text, "rate. (") == [(12, 19)]
