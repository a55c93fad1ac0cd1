"""How a growing answer is drawn: whole blocks as Markdown, the rest as text, and all of it in the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.widgets import Markdown, Static

from multidb_chat.tui.widgets.answer_text import AnswerText, settled
from tests.tui.driving import until


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("", ""),
        ("one line that grows", ""),
        ("one line\n", ""),
        ("a paragraph\n\nthe next", "a paragraph\n\n"),
        ("a\n\nb\n\n", "a\n\nb\n\n"),
        ("```\ncode\n\nmore code\n", ""),
        ("```\ncode\n\n```\n\nafter", "```\ncode\n\n```\n\n"),
    ],
)
def test_what_ends_with_a_blank_line_outside_of_code_is_whole(text: str, whole: str) -> None:
    assert text[: settled(text)] == whole


@given(st.text(alphabet="ab\n`~ ", max_size=60))
def test_whole_blocks_end_with_a_blank_line_and_what_follows_has_none_outside_of_code(text: str) -> None:
    end = settled(text)
    assert end == 0 or text[:end].endswith("\n")
    assert settled(text[end:]) == 0 or "`" in text or "~" in text


class Stage(App[None]):
    def compose(self) -> ComposeResult:
        yield AnswerText()


async def test_an_answer_in_pieces_is_drawn_as_it_grows_and_is_markdown_in_the_end() -> None:
    async with Stage().run_test() as pilot:
        answer = pilot.app.query_one(AnswerText)
        markdown, growing = answer.query_one(Markdown), answer.query_one(".growing", Static)
        await answer.write("First **par")
        await until(pilot, lambda: str(growing.render()) == "First **par" and growing.display)
        await answer.write("agraph**.\n\nSecond")
        await until(pilot, lambda: markdown.source == "First **paragraph**.\n\n" and str(growing.render()) == "Second")
        await answer.write(" one\x1b[31m.")
        await answer.finish()
        assert markdown.source == "First **paragraph**.\n\nSecond one."
        assert not growing.display
        await answer.finish()  # again changes nothing
        assert markdown.source == "First **paragraph**.\n\nSecond one."
