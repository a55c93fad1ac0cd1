"""What is offered while one types: commands, documents and collections; and questions that say where to look."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from multidb_chat.tui.commands import COMMANDS
from multidb_chat.tui.widgets.completions import Completions
from tests.tui.driving import NARROW, WIDE, app_in, area, ask, exchanges, lines, prepared, shown, text_of, toasts, until

CHURN = "What did the 2019 report say about churn?"


def chosen(pilot: Pilot[int]) -> str:
    found = pilot.app.screen.query_one(Completions).chosen
    return found.shown if found is not None else ""


async def test_commands_are_gone_through_with_the_arrows_and_taken_with_enter(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press("/")
        await until(pilot, lambda: chosen(pilot).startswith(COMMANDS[0].name))
        assert f"1 of {len(COMMANDS)}" in shown(pilot)
        await pilot.press("up")
        await until(pilot, lambda: chosen(pilot).startswith(COMMANDS[-1].name))
        await pilot.press("down", "down")
        await until(pilot, lambda: chosen(pilot).startswith(COMMANDS[1].name))
        await pilot.press(*"the")
        await until(pilot, lambda: chosen(pilot) == "/theme [NAME]")
        await pilot.press("enter")
        await until(pilot, lambda: area(pilot).text == "/theme ")
        await pilot.press(*"paper", "enter")
        await until(pilot, lambda: pilot.app.theme == "paper")


async def test_enter_sends_a_command_that_needs_nothing_more(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press(*"/do", "enter")
        await until(pilot, lambda: "Documents ·" in shown(pilot))


async def test_escape_closes_the_list_and_enter_sends_what_was_typed(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press(*"/do")
        await until(pilot, lambda: chosen(pilot) == "/docs")
        await pilot.press("escape", "enter")
        await until(pilot, lambda: "There is no command /do." in toasts(pilot))


async def test_a_command_from_history_is_not_caught_by_the_list(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        for text in ("/theme ink", "/rate"):
            area(pilot).put(text)
            await pilot.press("escape", "enter")
        await pilot.press("up")
        await until(pilot, lambda: area(pilot).text == "/rate")
        await pilot.press("up")
        await until(pilot, lambda: area(pilot).text == "/theme ink")


async def test_a_click_takes_a_command(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press(*"/th")
        await until(pilot, lambda: chosen(pilot) == "/theme [NAME]")
        row = next(row for row, line in enumerate(lines(pilot)) if "›\N{NO-BREAK SPACE}/theme" in line)
        await pilot.click(offset=(6, row))
        await until(pilot, lambda: area(pilot).text == "/theme ")
        assert area(pilot).has_focus


@pytest.mark.parametrize(
    ("typed", "offered", "taken"),
    [
        ("what fell in @chu", "churn.txt", "what fell in @churn.txt "),
        ("#docu", "documents", "#documents "),
        ('say @"chu', "churn.txt", "say @churn.txt "),
    ],
)
async def test_documents_and_collections_are_offered_by_name(home: Path, typed: str, offered: str, taken: str) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        await pilot.press(*typed)
        await until(pilot, lambda: chosen(pilot) == offered)
        await pilot.press("tab")
        await until(pilot, lambda: area(pilot).text == taken)
        assert chosen(pilot) == ""


async def test_a_name_in_the_middle_of_the_text_is_completed_where_it_is(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        area(pilot).put("what says  of churn?")
        area(pilot).move_cursor((0, 10))
        await pilot.press(*"@chu")
        await until(pilot, lambda: chosen(pilot) == "churn.txt")
        await pilot.press("enter")
        await until(pilot, lambda: area(pilot).text == "what says @churn.txt  of churn?")


async def test_tab_completes_the_path_behind_add_as_a_shell_does(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my papers"
    folder.mkdir()
    for name in ("tide one.md", "tide two.md"):
        (folder / name).write_text("About tides.\n")
    quoted = str(folder).replace(" ", "\\ ")
    async with app_in(home).run_test(size=WIDE) as pilot:
        area(pilot).put(f"/add {tmp_path}/my")
        await pilot.press("tab")
        await until(pilot, lambda: area(pilot).text == f"/add {quoted}/")
        await pilot.press("tab")
        await until(pilot, lambda: area(pilot).text == f"/add {quoted}/tide\\ ")
        await pilot.press("tab")
        await until(pilot, lambda: chosen(pilot) == f"{folder}/tide one.md")
        await pilot.press("down", "enter")
        await until(pilot, lambda: area(pilot).text == f"/add {quoted}/tide\\ two.md")
        assert chosen(pilot) == ""


async def test_a_question_that_names_a_document_is_answered_from_it_alone_and_says_so(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        found = await ask(pilot, f"@churn.txt {CHURN}")
        assert found.answer is not None
        assert found.answer.found
        assert found.answer.standalone == CHURN
        assert found.answer.question == f"@churn.txt {CHURN}"
        assert text_of(found.query_one(".question", Static)).endswith("only in @churn.txt")
        elsewhere = await ask(pilot, f"@observatory.md {CHURN}")
        assert elsewhere.answer is not None
        assert not elsewhere.answer.found
        inside = await ask(pilot, f"#documents {CHURN}")
        assert inside.answer is not None
        assert inside.answer.found
        assert len(exchanges(pilot)) == 3


async def test_an_unknown_name_is_told_and_the_question_asked_as_it_is(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        exchange = await ask(pilot, f"{CHURN} @nothing.md")
        assert 'There is no document "nothing.md"' in toasts(pilot)
        assert exchange.answer is not None
        assert exchange.answer.standalone == f"{CHURN} @nothing.md"
