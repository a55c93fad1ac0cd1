"""Conversations in the app: listed, searched, opened, kept in order; and long ones in the chat."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from multidb_chat.bootstrap import Application
from multidb_chat.tui.screens.conversations import ConversationsScreen
from multidb_chat.tui.widgets.conversation_table import ConversationTable
from multidb_chat.tui.widgets.paged import MOST
from tests.tui.driving import NARROW, WIDE, app_over, area, ask, exchanges, lines, send, shown, status, toasts, until
from tests.tui.talks import SOME, guest_with, talk_of

FOUNDED = "Who founded the Kestrel observatory?"


@asynccontextmanager
async def listed(home: Path, size: tuple[int, int] = WIDE) -> AsyncIterator[Pilot[int]]:
    """The app with the list of some conversations."""
    async with app_over(lambda: guest_with(home, *SOME)).run_test(size=size) as pilot:
        await until(pilot, lambda: "Preparing" not in status(pilot) and pilot.app._serving.opened is not None)
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConversationsScreen) and titles(pilot))
        yield pilot


def table(pilot: Pilot[int]) -> ConversationTable:
    return pilot.app.screen.query_one(ConversationTable)


def titles(pilot: Pilot[int]) -> list[str]:
    rows = range(table(pilot).row_count)
    return [str(table(pilot).get_row_at(row)[1]).split("\n")[0] for row in rows]


def head(pilot: Pilot[int]) -> str:
    return lines(pilot)[0].strip()


async def test_the_last_one_is_listed_first_and_what_is_unread_is_marked(home: Path) -> None:
    async with listed(home) as pilot:
        assert head(pilot) == "Conversations · 4"
        assert [title[:11] for title in titles(pilot)] == ["東京の図書館", "The Kestrel", "How to add ", "Churn in 20"]
        marked = [line for line in lines(pilot) if "●" in line]
        assert len(marked) == 1
        assert "The Kestrel observatory" in marked[0]
        columns = {line.index("2026-01-") for line in lines(pilot) if "2026-01-" in line and line.isascii()}
        assert len(columns) == 1


async def test_an_opened_conversation_is_shown_with_its_sources_and_goes_on(home: Path) -> None:
    async with listed(home) as pilot:
        await pilot.press("end", "enter")
        await until(pilot, lambda: len(exchanges(pilot)) == 3)
        await until(pilot, lambda: "Annual report, p. 3" in shown(pilot))
        assert "Question 3?" in shown(pilot)
        await pilot.press("f4")
        await until(pilot, lambda: "How this answer came about" in shown(pilot))
        assert "Question 3?" in shown(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)
        asked = await ask(pilot, FOUNDED)
        services = pilot.app._serving.opened
        assert asked.parent_id == exchanges(pilot)[2].message_id
        assert asked.answer.conversation_id == exchanges(pilot)[0].answer.conversation_id
        branch = await services.branches.shown(services.account, asked.answer.conversation_id)
        assert branch.ids[-2:] == (asked.question_id, asked.message_id)
        assert not branch.conversation.unread
        assert branch.conversation.title == "Churn in 2019"


async def test_opening_takes_the_unread_mark_away(home: Path) -> None:
    async with listed(home) as pilot:
        await pilot.press("down", "enter")
        await until(pilot, lambda: len(exchanges(pilot)) == 2)
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConversationsScreen) and titles(pilot))
        assert "●" not in shown(pilot)


async def test_the_list_follows_the_words_that_are_typed(home: Path) -> None:
    async with listed(home) as pilot:
        await pilot.press("slash", *"question", "space", "3")
        await until(pilot, lambda: head(pilot) == "Conversations · 1")
        assert titles(pilot) == ["Churn in 2019"]
        found = lines(pilot)
        (at,) = [number for number, line in enumerate(found) if "Churn in 2019" in line]
        assert found[at + 1].index("Question 3?") == found[at].index("Churn in 2019")
        await pilot.press(*"zz")
        await until(pilot, lambda: "No conversation has all of these words" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: head(pilot) == "Conversations · 4")
        assert table(pilot).has_focus
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)


async def test_a_command_with_words_opens_the_list_with_what_has_them(home: Path) -> None:
    async with app_over(lambda: guest_with(home, *SOME)).run_test(size=WIDE) as pilot:
        await send(pilot, "/conversations kestrel")
        await until(pilot, lambda: "Conversations · 1" in shown(pilot))


async def test_a_title_is_changed_where_it_stands(home: Path) -> None:
    async with listed(home) as pilot:
        row = next(number for number, line in enumerate(lines(pilot)) if "How to add" in line)
        column = lines(pilot)[row].index("How to add")
        await pilot.press("down", "down", "r")
        box = pilot.app.screen.query_one("#rename", Input)
        await until(pilot, lambda: box.has_focus)
        assert lines(pilot)[row].index("How to add") == column
        await pilot.press("escape")
        await until(pilot, lambda: table(pilot).has_focus)
        await pilot.press("r", "ctrl+u", *"Mine", "enter")
        await until(pilot, lambda: "Mine" in titles(pilot))
        assert table(pilot).chosen.title == "Mine"
        assert table(pilot).chosen.renamed


async def test_what_is_deleted_or_archived_leaves_the_list_and_comes_back_when_undone(home: Path) -> None:
    async with listed(home) as pilot:
        everything = titles(pilot)
        await pilot.press("down", "d")
        await until(pilot, lambda: head(pilot) == "Conversations · 3")
        await until(pilot, lambda: "Press u to undo." in toasts(pilot))
        assert table(pilot).chosen.title == "How to add my own documents"
        await pilot.press("a")
        await until(pilot, lambda: head(pilot) == "Conversations · 2")
        await pilot.press("u")
        await until(pilot, lambda: head(pilot) == "Conversations · 3")
        await pilot.press("u")
        await until(pilot, lambda: titles(pilot) == everything)
        assert table(pilot).chosen.title.startswith("The Kestrel")
        await pilot.press("u")
        await until(pilot, lambda: "There is nothing to undo." in toasts(pilot))


async def test_what_is_archived_or_deleted_is_listed_apart_and_taken_out_there(home: Path) -> None:
    async with listed(home) as pilot:
        await pilot.press("v")
        await until(pilot, lambda: head(pilot) == "Conversations · archived · 1")
        assert titles(pilot) == ["Late fees"]
        await pilot.press("a")
        await until(pilot, lambda: "Nothing is archived." in shown(pilot))
        await pilot.press("v")
        await until(pilot, lambda: titles(pilot) == ["An old one"])
        await until(pilot, lambda: "Enter Take back" in lines(pilot)[-1])
        assert not any(action in lines(pilot)[-1] for action in ("Open", "Rename", "Delete"))
        await pilot.press("d", "enter")
        await until(pilot, lambda: "Nothing is deleted." in shown(pilot))
        await pilot.press("v")
        await until(pilot, lambda: head(pilot) == "Conversations · 6")


async def test_a_fork_and_an_export_are_made_from_the_list(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with listed(home) as pilot:
        await pilot.press("end", "f")
        await until(pilot, lambda: "Churn in 2019 (fork)" in titles(pilot))
        assert table(pilot).chosen.title == "Churn in 2019 (fork)"
        await pilot.press("e")
        await until(pilot, lambda: (tmp_path / "churn-in-2019-fork.md").exists())
        await pilot.press("e")
        await until(pilot, lambda: (tmp_path / "churn-in-2019-fork-2.md").exists())
        assert "Question 3?" in (tmp_path / "churn-in-2019-fork.md").read_text()


async def test_without_conversations_it_is_said_how_to_begin_one(home: Path) -> None:
    async with app_over(lambda: guest_with(home)).run_test(size=NARROW) as pilot:
        await send(pilot, "/conversations")
        await until(pilot, lambda: "There are no conversations yet. Press n and ask something" in shown(pilot))
        await pilot.press("n")
        await until(pilot, lambda: area(pilot).has_focus)


async def test_the_conversation_in_the_chat_is_renamed_forked_and_exported(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with app_over(lambda: guest_with(home)).run_test(size=WIDE) as pilot:
        for command in ("/rename Mine", "/fork", "/export"):
            await send(pilot, command)
        assert toasts(pilot).count("Nothing is said here yet") == 3
        await ask(pilot, FOUNDED)
        await ask(pilot, "When was it founded?")
        first = exchanges(pilot)[0].answer.conversation_id
        await send(pilot, "/rename")
        await until(pilot, lambda: "/rename TITLE" in toasts(pilot))
        await send(pilot, "/rename The observatory")
        await until(pilot, lambda: "is called “The observatory” now" in toasts(pilot))
        await pilot.press("ctrl+up", "ctrl+up", "f")
        await until(pilot, lambda: "This is the copy, “The observatory (fork)”" in toasts(pilot))
        assert [one.question for one in exchanges(pilot)] == [FOUNDED]
        assert exchanges(pilot)[0].answer.conversation_id != first
        await send(pilot, "/export json here.json")
        await until(pilot, lambda: "Wrote here.json" in toasts(pilot))
        assert len(json.loads((tmp_path / "here.json").read_text())["messages"]) == 2
        await send(pilot, "/export")
        await until(pilot, lambda: (tmp_path / "the-observatory-fork.md").exists())
        await send(pilot, "/export /nowhere/at/all.md")
        await until(pilot, lambda: "cannot be written" in toasts(pilot))
        await send(pilot, "/export md -")
        await until(pilot, lambda: "Name a file to write" in toasts(pilot))
        assert not (tmp_path / "-").exists()


async def test_the_last_conversation_is_resumed(home: Path) -> None:
    async with app_over(lambda: guest_with(home, *SOME)).run_test(size=WIDE) as pilot:
        await send(pilot, "/resume")
        await until(pilot, lambda: len(exchanges(pilot)) == 1)
        await send(pilot, "/resume")
        await until(pilot, lambda: "There is no other conversation to go on with." in toasts(pilot))
        await send(pilot, "/new")
        await until(pilot, lambda: not exchanges(pilot))
        await send(pilot, "/resume")
        await until(pilot, lambda: len(exchanges(pilot)) == 1)
        services = await pilot.app._serving.services()  # type: ignore[attr-defined]
        first = next(one for one in await services.history.all(services.account) if one.title == "Churn in 2019")
        await send(pilot, f"/resume {first.id}")
        await until(pilot, lambda: len(exchanges(pilot)) == 3)


@asynccontextmanager
async def guest_with_a_long_talk(home: Path, turns: int) -> AsyncIterator[Application]:
    async with guest_with(home) as application:
        await talk_of(application, turns, "A long one")
        yield application


def number_at_the_top(pilot: Pilot[int]) -> int:
    transcript = pilot.app.screen_stack[0].transcript
    top = next(one for one in exchanges(pilot) if one.virtual_region.bottom > transcript.scroll_y)
    return int(top.question.split()[1].rstrip("?"))


async def at_rest(pilot: Pilot[int]) -> None:
    transcript = pilot.app.screen_stack[0].transcript
    await until(pilot, lambda: transcript._paging is None or transcript._paging.done())


async def test_ten_thousand_messages_are_paged_in_and_out_with_few_widgets(home: Path) -> None:
    async with app_over(lambda: guest_with_a_long_talk(home, 5_000)).run_test(size=NARROW) as pilot:
        await send(pilot, "/resume")
        await until(pilot, lambda: exchanges(pilot) and "Question 5000?" in shown(pilot))
        seen = []
        for _ in range(14):
            await pilot.press("pageup")
            await at_rest(pilot)
            seen.append(number_at_the_top(pilot))
            assert len(exchanges(pilot)) <= MOST + 10
        assert seen == sorted(seen, reverse=True)
        assert seen[-1] < 5_000 - MOST
        assert all(one.answer is not None for one in exchanges(pilot))
        await pilot.press("ctrl+home")
        await at_rest(pilot)
        await until(pilot, lambda: "Question 1?" in shown(pilot))
        await pilot.press("ctrl+end")
        await at_rest(pilot)
        await until(pilot, lambda: "Question 5000?" in shown(pilot))


async def test_a_question_asked_from_far_above_is_added_at_the_end(home: Path) -> None:
    async with app_over(lambda: guest_with_a_long_talk(home, 100)).run_test(size=NARROW) as pilot:
        await send(pilot, "/resume")
        await until(pilot, lambda: "Question 100?" in shown(pilot))
        await pilot.press("ctrl+home")
        await until(pilot, lambda: "Question 1?" in shown(pilot))
        asked = await ask(pilot, FOUNDED)
        assert exchanges(pilot)[-2].question == "Question 100?"
        assert asked.parent_id == exchanges(pilot)[-2].message_id
        for _ in range(20):
            await pilot.press("pageup")
            await at_rest(pilot)
        assert FOUNDED not in [one.question for one in exchanges(pilot)]
        await pilot.press("ctrl+end")
        await until(pilot, lambda: FOUNDED in [one.question for one in exchanges(pilot)])
        again = exchanges(pilot)[-1]
        assert (again.answer.text, again.message_id) == (asked.answer.text, asked.message_id)


async def test_an_old_question_asked_again_shows_its_branches_in_the_middle(home: Path) -> None:
    async with app_over(lambda: guest_with_a_long_talk(home, 60)).run_test(size=NARROW) as pilot:
        await send(pilot, "/resume")
        await until(pilot, lambda: "Question 60?" in shown(pilot))
        await pilot.press("ctrl+home")
        await until(pilot, lambda: "Question 1?" in shown(pilot))
        await at_rest(pilot)
        exchanges(pilot)[4].focus()
        await pilot.press("r")
        await until(pilot, lambda: len(exchanges(pilot)) == 5 and exchanges(pilot)[-1].ended)
        assert (exchanges(pilot)[-1].number, len(exchanges(pilot)[-1].versions)) == (2, 2)
        exchanges(pilot)[-1].focus()
        await pilot.press("less_than_sign")
        await until(pilot, lambda: "Question 5?" in shown(pilot) and "‹1/2›" in shown(pilot))
        assert pilot.app.focused.question == "Question 5?"
        await pilot.press("ctrl+end")
        await until(pilot, lambda: "Question 60?" in shown(pilot))


async def test_a_conversation_that_is_gone_is_told_and_the_chat_stays(home: Path) -> None:
    async with listed(home) as pilot:
        services: Any = pilot.app._serving.opened
        gone = table(pilot).chosen
        await services.history.delete(services.account, gone.id)
        await pilot.press("enter")
        await until(pilot, lambda: f"There is no conversation {gone.id}." in toasts(pilot))
        assert exchanges(pilot) == []
