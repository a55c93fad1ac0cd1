"""The screens beside the chat: help and why."""

from itertools import groupby
from pathlib import Path

import pytest

from multidb_chat.domain.text import clean_line
from multidb_chat.services.excerpts import unmarked
from multidb_chat.tui.commands import COMMANDS
from multidb_chat.tui.commands.parsing import completions, parse
from tests.tui.driving import NARROW, app_in, area, ask, lines, send, shown, toasts, until

FOUNDED = "Who founded the Kestrel observatory?"


async def test_why_explains_the_answer_and_its_time(home: Path) -> None:
    async with app_in(home).run_test(size=(80, 40)) as pilot:
        await send(pilot, "/why")
        await until(pilot, lambda: "There is no answer yet to explain." in toasts(pilot))
        await ask(pilot, FOUNDED)
        await send(pilot, "/why")
        await until(pilot, lambda: "How this answer came about" in shown(pilot))
        for piece in (
            "Asked",
            FOUNDED,
            "not answered from the cache",
            "excellent",
            "Search",
            "embedding",
            "Total",
            " ms",
        ):
            assert piece in shown(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)
        await ask(pilot, FOUNDED)
        await pilot.press("f4")
        await until(pilot, lambda: "  answered from the cache" in shown(pilot))


async def test_why_shows_what_came_nearest_to_a_question_without_an_answer(home: Path) -> None:
    async with app_in(home).run_test(size=(80, 40)) as pilot:
        answer = (await ask(pilot, "What is the melting point of tungsten carbide?")).answer
        assert answer is not None
        await pilot.press("f4")
        await until(pilot, lambda: "none: no passage supports one" in shown(pilot))
        assert "The nearest passages" in shown(pilot)
        assert answer.nearest
        for citation in answer.nearest:
            assert f"{citation.score:5.2f}  {citation.quality}" in shown(pilot)
            assert " ".join(clean_line(*unmarked(citation.snippet)).split()[:3]) in shown(pilot)


def test_commands_of_a_topic_stand_below_one_heading() -> None:
    topics = [topic for topic, _ in groupby(COMMANDS, key=lambda command: command.topic)]
    assert len(set(topics)) == len(topics)


async def test_help_shows_every_command_with_its_key(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await pilot.press("f1")
        await until(pilot, lambda: "Esc closes" in shown(pilot))
        await pilot.press(*["pagedown"] * 12)
        await until(pilot, lambda: "For more, ask" in shown(pilot))
        await pilot.resize_terminal(120, 120)
        await until(pilot, lambda: "Answers" in shown(pilot))
        for command in COMMANDS:
            wanted = (f" {command.name} ", command.key_name, command.help[:30])
            assert any(all(piece in line for piece in wanted) for line in lines(pilot))
        await pilot.press("f1")
        await until(pilot, lambda: area(pilot).has_focus)


@pytest.mark.parametrize(
    ("text", "command", "argument"),
    [
        ("/help", "/help", ""),
        (" /THEME  paper ", "/theme", "paper"),
        ("exit", "/quit", ""),
        ("/exit", "/quit", ""),
        ("/Clear", "/new", ""),
        ("Help", "/help", ""),
    ],
)
def test_commands_are_known_however_they_are_typed(text: str, command: str, argument: str) -> None:
    parsed = parse(text)
    assert parsed is not None
    assert parsed.command is not None
    assert (parsed.command.name, parsed.argument) == (command, argument)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/dosc", "/docs"),
        ("/QUTI", "/quit"),
        ("/re", "/retry"),
        ("/conv", "/conversations"),
        ("/sesion-stats", "/session-stats"),
    ],
)
def test_the_nearest_command_is_suggested_for_a_slip(typed: str, meant: str) -> None:
    parsed = parse(typed)
    assert parsed is not None
    assert (parsed.command, parsed.hint) == (None, f"Did you mean {meant}?")


@pytest.mark.parametrize("typed", ["/xyz", "/", "/frobnicate", "/etc/hosts"])
def test_nothing_is_suggested_where_nothing_is_near(typed: str) -> None:
    parsed = parse(typed)
    assert parsed is not None
    assert parsed.hint == "/help lists the commands."


@pytest.mark.parametrize("text", ["how do I quit?", "clear skies", "a /help", "/etc/hosts says\nwhat?"])
def test_questions_are_no_commands(text: str) -> None:
    assert parse(text) is None


def test_completions_are_offered_for_a_command_alone() -> None:
    assert completions("/") == list(COMMANDS)
    assert [command.name for command in completions("/DO")] == ["/docs"]
    assert [command.name for command in completions("/clear")] == ["/new"]
    assert [command.name for command in completions("/clear-")] == ["/clear-cache"]
    assert [command.name for command in completions("/help")] == ["/help"]
    assert completions("/theme p") == completions("do") == completions("") == []
