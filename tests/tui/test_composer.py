"""Typing: history, completion, new lines, and pastes of every size."""

from pathlib import Path

import pytest
from textual import events

from multidb_chat.tui.widgets.composer import Composer
from tests.tui.driving import NARROW, app_in, area, ask, exchanges, prepared, send, shown, toasts, until

FOUNDED = "Who founded the Kestrel observatory?"
LOG = "\n".join(f"12:{line // 60 % 60:02}:{line % 60:02} worker {line} finished its round" for line in range(9_999))
LOG += "\n12:99:99 the backup failed because the tape drive was on fire"


def attachments(pilot: object) -> str:
    return str(pilot.app.query_one("#aside").render())  # type: ignore[attr-defined]


async def test_the_arrows_go_through_what_was_sent_and_back_to_the_draft(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        for text in ("/theme paper", "/theme ink"):
            await send(pilot, text)
        await pilot.press(*"half a q")
        await pilot.press("up")
        assert area(pilot).text == "/theme ink"
        await pilot.press("up", "up", "up")
        assert area(pilot).text == "/theme paper"
        await pilot.press("down", "down")
        assert area(pilot).text == "half a q"
        await pilot.press("down")
        assert area(pilot).text == "half a q"


async def test_the_arrows_move_inside_a_text_of_several_lines_first(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await send(pilot, "/theme ink")
        area(pilot).put("word " * 30)  # one line, wrapped into two
        await pilot.press("up")
        assert area(pilot).text.startswith("word")
        await pilot.press("up")
        assert area(pilot).text == "/theme ink"


async def test_a_new_line_is_no_end_of_the_question(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press("a", "ctrl+j", "b")
        assert area(pilot).text == "a\nb"
        assert exchanges(pilot) == []


async def test_enter_right_behind_a_quickly_typed_command_sends_it(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press("/")
        await until(pilot, lambda: area(pilot).choosing)
        for letter in "open 1":  # faster than completions are offered
            area(pilot).post_message(events.Key("space" if letter == " " else letter, letter))
        area(pilot).post_message(events.Key("enter", "\r"))
        await until(pilot, lambda: "There is no answer with sources yet." in toasts(pilot))
        assert area(pilot).text == ""


async def test_tab_completes_a_command_and_enter_carries_it_out(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press("/")
        assert "Show how an answer came about" in shown(pilot)
        await pilot.press(*"he", "tab")
        assert area(pilot).text == "/help"
        await pilot.press("enter")
        await until(pilot, lambda: "Esc closes" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)


async def test_a_short_paste_goes_where_the_cursor_is_without_what_acts_on_a_terminal(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press(*"ac", "left")
        area(pilot).post_message(events.Paste("\x1b[31mb\x1b]52;c;eA==\x07\u202e"))
        await until(pilot, lambda: area(pilot).text == "abc")
        assert area(pilot).cursor_location == (0, 2)


async def test_ten_thousand_pasted_lines_are_a_document_to_ask_about(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        area(pilot).post_message(events.Paste(LOG))
        await until(pilot, lambda: "10,000 lines" in attachments(pilot))
        assert area(pilot).text == ""
        exchange = await ask(pilot, "Why did the backup fail?")
        assert exchange.answer is not None
        assert "tape drive was on fire" in exchange.answer.text
        assert exchange.answer.citations[0].title == "pasted text 1"
        assert "+ 10,000 pasted lines" in shown(pilot)
        assert attachments(pilot) == ""
        again = await ask(pilot, FOUNDED)
        assert again.answer is not None
        assert "Lindqvist" in again.answer.text


async def test_a_command_leaves_pasted_texts_waiting_and_escape_drops_them(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        for _ in range(2):
            area(pilot).post_message(events.Paste("line\n" * 50))
        await until(pilot, lambda: "51 lines and 51 lines" in attachments(pilot))
        await send(pilot, "/docs")
        await until(pilot, lambda: "Documents · 4" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)
        assert "51 lines and 51 lines" in attachments(pilot)
        await pilot.press("escape")
        assert attachments(pilot) == ""
        assert not pilot.app.query_one(Composer).drop_attachments()


async def test_a_letter_is_painted_with_its_key_and_the_screen_is_not_laid_out_for_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multidb_chat.tui.widgets.news.EVERY", 0.02)  # what looks for news lays out nothing, either
    app = app_in(home)
    async with app.run_test(size=NARROW) as pilot:
        await prepared(pilot)
        await pilot.press("a")
        written, laid_out = [], []
        monkeypatch.setattr(app, "_display", lambda _, update: written.append(update.render_segments(app.console)))
        app.screen.screen_layout_refresh_signal.subscribe(app, laid_out.append)
        await area(pilot)._on_key(events.Key("b", "b"))  # nothing else is done meanwhile
        assert "ab" in written[0]
        assert "multidb-chat" not in written[0]
        await pilot.press(*"cdef")
        await pilot.pause(0.2)
        assert area(pilot).text == "abcdef"
        assert laid_out == []
