"""How a growing answer is drawn: whole blocks as Markdown, the rest as text, and all of it in the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.widgets import Markdown, Static

from multidb_chat.tui.widgets.answer_text import AnswerText, settled
from tests.tui.driving import shown, until


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


async def test_what_is_complete_goes_from_text_to_markdown_without_showing_twice() -> None:
    app = Stage()
    frames = []
    async with app.run_test() as pilot:
        answer = app.query_one(AnswerText)
        await answer.write("The first paragraph")
        await until(pilot, lambda: "The first" in shown(pilot))
        app.post_display_hook = lambda: app._batch_count or frames.append(shown(pilot).count("The first"))
        await answer.write(" ends.\n\nThe second")
        await until(pilot, lambda: "The second" in shown(pilot))
        await answer.finish()
        await pilot.pause()
    assert set(frames) == {1}


async def test_a_terminal_that_is_resized_shows_the_end_of_an_answer_once() -> None:
    app = Stage()
    async with app.run_test() as pilot:
        answer = app.query_one(AnswerText)
        await answer.write("The only paragraph, " + "which is long enough to take some lines of the screen " * 6)
        await until(pilot, lambda: "The only" in shown(pilot))
        await answer.finish()
        await pilot.resize_terminal(30, 40)
        await until(pilot, lambda: "The only" in shown(pilot) and app.size.width == 30)
        await pilot.pause()
        assert shown(pilot).count("The only") == 1


async def test_the_screen_is_laid_out_once_for_what_grows() -> None:
    app = Stage()
    async with app.run_test() as pilot:
        answer, laid_out = app.query_one(AnswerText), []
        app.screen.screen_layout_refresh_signal.subscribe(app, laid_out.append)
        for line in range(4):
            await answer.write(f"{line}\n")
            await until(pilot, lambda line=line: str(line) in shown(pilot))
        assert len(laid_out) == 1
