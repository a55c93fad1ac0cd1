"""The last line of a screen: whole keys, as many as fit, and always the way to the others."""

from pathlib import Path

import pytest
from textual.widgets import Input

from multidb_chat.tui.key_names import key_name, short_key_name
from tests.tui.driving import NARROW, WIDE, ask, lines, member_app_in, prepared, shown, until

CHAT = ("F2 Sources", "F3 Documents", "F4 Why", "F5 Conversations", "^L New")
DOCUMENTS = (
    *("Esc Back", "Enter Read", "a Add", "/ Filter", "d Remove"),
    *("c Collections", "s Sort", "Space Mark", "e Report"),
)


@pytest.mark.parametrize(
    ("key", "name", "short"),
    [
        ("f1", "F1", "F1"),
        ("ctrl+l", "Ctrl+L", "^L"),
        ("alt+up", "Alt+Up", "Alt+Up"),
        ("escape", "Esc", "Esc"),
        ("pagedown", "PageDown", "PageDown"),
        ("a", "a", "a"),
        ("question_mark", "?", "?"),
    ],
)
def test_keys_are_called_what_is_written_on_them(key: str, name: str, short: str) -> None:
    assert (key_name(key), short_key_name(key)) == (name, short)


async def test_keys_are_whole_at_every_width_and_the_first_ones_stay(home: Path) -> None:
    async with member_app_in(home).run_test(size=(200, 24)) as pilot:
        await prepared(pilot)
        assert "  ".join(CHAT) in lines(pilot)[-1]
        assert lines(pilot)[-1].endswith("^P Actions  F1 Help ")
        await pilot.press("f3")
        for width in (200, 120, 80, 61, 40, 24):
            await pilot.resize_terminal(width, 24)
            await until(pilot, lambda width=width: len(lines(pilot)[-1]) == width and "F1 Help" in lines(pilot)[-1])
            line = lines(pilot)[-1]
            assert line.endswith(" F1 Help ")
            there = [one for one in DOCUMENTS if f" {one} " in line]
            assert there == list(DOCUMENTS[: len(there)])
            left = line.removesuffix("F1 Help ").replace("^P Actions", "")
            assert left.split() == " ".join(there).split()  # and nothing else, no part of a key
        assert there == ["Esc Back"]


async def test_all_keys_of_an_answer_fit_into_eighty_columns(home: Path) -> None:
    async with member_app_in(home).run_test(size=NARROW) as pilot:
        await ask(pilot, "Who founded the Kestrel observatory?")
        await pilot.press("ctrl+up")
        await until(pilot, lambda: "Enter Open" in lines(pilot)[-1])
        for key in ("r Retry", "e Edit", "c Copy", "+ Good", "- Bad", "< Before", "> After", "F1 Help"):
            assert key in lines(pilot)[-1]


async def test_a_click_on_a_key_presses_it(home: Path) -> None:
    async with member_app_in(home).run_test(size=WIDE) as pilot:
        await prepared(pilot)
        await pilot.click(offset=(lines(pilot)[-1].index("Documents"), WIDE[1] - 1))
        await until(pilot, lambda: "Documents · 4" in lines(pilot)[0])
        await pilot.click(offset=(lines(pilot)[-1].index("F1"), WIDE[1] - 1))
        await until(pilot, lambda: "Keys here" in shown(pilot))
        await pilot.press("escape")
        await pilot.click(offset=(lines(pilot)[-1].index("Filter"), WIDE[1] - 1))
        await until(pilot, lambda: pilot.app.screen.query_one("#filter", Input).has_focus)
