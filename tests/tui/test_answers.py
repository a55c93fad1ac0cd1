"""What one does with an answer: open its passages, copy it, ask again, walk between answers, rate it."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from multidb_chat.domain.turns import Answer, AnswerToken, TurnCompleted
from multidb_chat.tui.screens.passage import CHANGED, REMOVED, PassageScreen
from multidb_chat.tui.widgets.document_view import DocumentView
from multidb_chat.tui.widgets.exchange import Exchange
from tests.tui.driving import (
    NARROW,
    WIDE,
    app_in,
    app_over,
    area,
    ask,
    exchanges,
    lines,
    outcome,
    quiet,
    send,
    shown,
    text_of,
    toasts,
    until,
)
from tests.tui.slowly import Held, HeldChat, is_token, services_of

FOUNDED = "Who founded the Kestrel observatory?"
CHURN = "What did the 2019 report say about churn?"
NOTHING = "What is the melting point of tungsten carbide?"  # its nearest passages are shown
CITED = "The Kestrel observatory was founded in 1912 by Ada Lindqvist."


def head(exchange: Exchange) -> str:
    return text_of(exchange.query_one(".question", Static))


def marked(pilot: Pilot[int]) -> str:
    """Return what stands on the screen in the colours of the cited words."""
    style = pilot.app.screen.query_one(DocumentView).get_component_rich_style("document--current")
    pieces = [piece for strip in pilot.app.screen._compositor.render_strips() for piece in strip]
    return " ".join(piece.text.strip() for piece in pieces if piece.style and piece.style.bgcolor == style.bgcolor)


async def settled(pilot: Pilot[int], count: int = 1) -> None:
    """Wait for the end of the turn that runs."""
    await until(pilot, lambda: len(exchanges(pilot)) == count and all(one.ended for one in exchanges(pilot)))
    await until(pilot, lambda: quiet(pilot))


async def stored(pilot: Pilot[int]) -> list[tuple[str, str | None]]:
    """Return the questions of the conversation with what they answer to."""
    services = await pilot.app._serving.services()
    (conversation,) = await services.history.list(services.account)
    page = await services.history.page(services.account, conversation.id)
    return [(message.body, message.parent_id) for message in page if message.role == "user"]


async def test_a_citation_opens_its_passage_with_the_cited_words_marked(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await send(pilot, "/open")
        await until(pilot, lambda: "no answer with sources" in toasts(pilot))
        await ask(pilot, FOUNDED)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "northern ridge" in shown(pilot))
        assert marked(pilot) == CITED
        assert "[1] The Kestrel observatory" in shown(pilot).replace("  ", " ")
        assert "observatory.md · History · excellent" in shown(pilot)
        assert "Tickets cost 12 euros" in shown(pilot)  # what is around it
        await pilot.press("escape")
        await until(pilot, lambda: area(pilot).has_focus)


async def test_citations_are_gone_through_one_after_the_other(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        answer = (await ask(pilot, NOTHING)).answer
        assert answer is not None
        count = len(answer.nearest)
        assert count > 1

        def at(number: int) -> bool:
            return f" {number} of {count}" in shown(pilot) and f"[{number}]" in lines(pilot)[0]

        await send(pilot, "/open 2")
        await until(pilot, lambda: at(2))
        for key, number in (("p", 1), ("left", count), ("n", 1), ("right", 2), ("1", 1)):
            await pilot.press(key)
            await until(pilot, lambda number=number: at(number))
        await pilot.press("9", "q")
        await send(pilot, "/open 7")
        await until(pilot, lambda: "no source 7; it has [1], [2]" in toasts(pilot))


async def test_a_source_is_opened_from_the_panel_by_key_and_by_mouse(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        await ask(pilot, NOTHING)
        await pilot.press("tab", "down", "enter")
        await until(pilot, lambda: " 2 of " in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "The nearest passages" in shown(pilot))
        await pilot.press("up", "1")
        await until(pilot, lambda: " 1 of " in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "The nearest passages" in shown(pilot))
        row, line = next((row, line) for row, line in enumerate(lines(pilot)) if "[2]" in line and "│" in line)
        await pilot.click(offset=(line.rindex("[2]") + 1, row))
        await until(pilot, lambda: " 2 of " in shown(pilot))


async def test_a_passage_whose_document_is_gone_or_changed_says_so(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        answer = (await ask(pilot, FOUNDED)).answer
        assert answer is not None
        otherwise = replace(answer.citations[0], snippet="It was founded otherwise.")
        pilot.app.push_screen(PassageScreen(pilot.app._serving, [otherwise]))
        await until(pilot, lambda: CHANGED[:60] in shown(pilot))
        assert "It was founded otherwise." in shown(pilot)
        assert "northern ridge" not in shown(pilot)
        await pilot.press("escape")
        services = await pilot.app._serving.services()
        owner = await services.account_service.local_account()
        await services.documents.remove(owner, [answer.citations[0].document_id])
        await pilot.press("ctrl+o")
        await until(pilot, lambda: REMOVED[:60] in shown(pilot))
        assert CITED in shown(pilot)


async def test_an_answer_and_its_code_blocks_are_copied_clean(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Run this:\n\n```sh\nls\x1b[31m -l\n```\n\nor\n\n~~~\npwd\n~~~\n"
    copied: list[str] = []

    class Coding:
        async def respond(self, *given: Any, **named: Any) -> Any:
            yield AnswerToken(text)
            yield TurnCompleted(Answer("q", "q", text, True))

    app = app_over(lambda: services_of(home, lambda real: {"chat": Coding()}))
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=NARROW) as pilot:
        await send(pilot, "/copy")
        await until(pilot, lambda: "no answer yet to copy" in toasts(pilot))
        await ask(pilot, "How?")
        for command in ("/copy", "/copy 1", "/copy 2", "/copy 3"):
            await send(pilot, command)
        assert copied == [text.replace("\x1b[31m", ""), "ls -l\n", "pwd\n"]
        assert "This answer has 2 code blocks." in toasts(pilot)
        await pilot.press("alt+up", "c")
        assert len(copied) == 4


async def test_a_retry_stands_beside_the_first_answer_and_is_made_without_the_cache(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await send(pilot, "/retry")
        await until(pilot, lambda: "no question yet" in toasts(pilot))
        first = await ask(pilot, FOUNDED)
        await send(pilot, "/retry")
        await until(pilot, lambda: exchanges(pilot) and exchanges(pilot)[0] is not first)
        await settled(pilot)
        (second,) = exchanges(pilot)
        assert second.answer is not None
        assert not second.answer.cached
        assert head(second) == f"{FOUNDED}  ‹2/2›"
        assert await stored(pilot) == [(FOUNDED, None), (FOUNDED, None)]


async def test_an_edited_question_stands_beside_the_first_one_and_follow_ups_use_the_branch_that_is_shown(
    home: Path,
) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        before = await ask(pilot, CHURN)
        await ask(pilot, FOUNDED)
        area(pilot).put("half a thought")
        await pilot.press("alt+up", "e")
        await until(pilot, lambda: area(pilot).text == FOUNDED)
        assert "stands beside the first one" in shown(pilot)
        area(pilot).put("When was the spectrograph added?")
        await pilot.press("enter")
        await until(pilot, lambda: exchanges(pilot)[-1].question.startswith("When"))
        await settled(pilot, 2)
        assert head(exchanges(pilot)[-1]).endswith("‹2/2›")
        await pilot.press("alt+up", "less_than_sign")
        await until(pilot, lambda: exchanges(pilot)[-1].question == FOUNDED)
        assert exchanges(pilot)[-1].has_focus
        assert head(exchanges(pilot)[-1]) == f"{FOUNDED}  ‹1/2›"
        assert "Ada Lindqvist" in shown(pilot)
        await pilot.press("less_than_sign")
        await until(pilot, lambda: "no other answer on this side" in toasts(pilot))
        await pilot.press("escape")
        follow = await ask(pilot, "And when?")
        assert follow.answer is not None
        assert "founded" in follow.answer.standalone.lower()
        assert before.answer is not None
        questions = dict(await stored(pilot))
        assert questions["When was the spectrograph added?"] == questions[FOUNDED] == before.answer.message_id
        await send(pilot, "/other >")
        await until(pilot, lambda: len(exchanges(pilot)) == 2)
        assert exchanges(pilot)[-1].question == "When was the spectrograph added?"


async def test_escape_gives_up_editing_and_history_has_what_was_typed_before(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await ask(pilot, FOUNDED)
        area(pilot).put("half a thought")
        await pilot.press("alt+up", "e")
        await until(pilot, lambda: area(pilot).text == FOUNDED)
        await pilot.press("escape")
        assert "stands beside" not in shown(pilot)
        await pilot.press("up")
        assert area(pilot).text == "half a thought"
        area(pilot).put(CHURN)
        await pilot.press("enter")
        await until(pilot, lambda: len(exchanges(pilot)) == 2)
        await settled(pilot, 2)
        assert exchanges(pilot)[-1].versions == ()


async def test_a_stopped_retry_leaves_the_stored_answers_to_walk_back_to(home: Path) -> None:
    held = Held()
    held.go.set()
    app = app_over(lambda: services_of(home, lambda real: {"chat": HeldChat(real.chat, is_token, held)}))
    async with app.run_test(size=NARROW) as pilot:
        await ask(pilot, FOUNDED)
        held.go.clear()
        held.reached.clear()
        await send(pilot, "/retry")
        await until(pilot, held.reached.is_set)
        await send(pilot, "/edit")
        await until(pilot, lambda: "still coming" in toasts(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: exchanges(pilot)[0].ended)
        assert outcome(exchanges(pilot)[0]) == "Stopped. /retry asks again."
        assert head(exchanges(pilot)[0]).endswith("‹2/2›")
        await send(pilot, "/other <")
        await until(pilot, lambda: "Ada Lindqvist" in shown(pilot))
        assert head(exchanges(pilot)[0]) == FOUNDED


async def test_a_rating_is_there_again_with_the_conversation(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await ask(pilot, CHURN)
        await ask(pilot, FOUNDED)
        await send(pilot, "/rate + Just so.")
        await until(pilot, lambda: "You found this answer good" in shown(pilot))
        await send(pilot, "/new")
        await send(pilot, "/resume")
        await until(pilot, lambda: len(exchanges(pilot)) == 2)
        ratings = [text_of(one.query_one(".rating", Static)) for one in exchanges(pilot)]
        assert ratings == ["", "▲ You found this answer good. “Just so.”"]


async def test_an_answer_is_rated_by_key_and_by_command_once(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await send(pilot, "/rate +")
        await until(pilot, lambda: "no answer yet to rate" in toasts(pilot))
        exchange = await ask(pilot, FOUNDED)
        await send(pilot, "/rate maybe")
        await until(pilot, lambda: "Say how it was" in toasts(pilot))
        await pilot.press("alt+up", "plus")
        await until(pilot, lambda: "You found this answer good" in shown(pilot))
        await pilot.press("escape")
        await send(pilot, "/rate - It misses \x1b[31mthe [b]day[/b].")
        await until(pilot, lambda: "You found this answer bad. “It misses the [b]day[/b].”" in shown(pilot))
        await send(pilot, "/feedback More themes!")
        await until(pilot, lambda: "Thank you" in toasts(pilot))
        services = await pilot.app._serving.services()
        given = await services.feedback.own(services.account)
        assert exchange.answer is not None
        assert [(one.message_id, one.rating) for one in given] == [(None, 0), (exchange.answer.message_id, -1)]
        await send(pilot, "/my-feedback")
        await until(pilot, lambda: "▼ bad answer" in shown(pilot) and "More themes!" in shown(pilot))
        await pilot.press("q")
        await send(pilot, "/feedback")
        await until(pilot, lambda: "The feedback is empty" in toasts(pilot))


async def test_without_feedback_the_list_says_how_to_give_some(home: Path) -> None:
    async with app_in(home).run_test(size=NARROW) as pilot:
        await send(pilot, "/my-feedback")
        await until(pilot, lambda: "You gave no feedback yet" in shown(pilot))


async def test_the_panel_and_the_commands_follow_the_answer_that_is_looked_at(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE) as pilot:
        await ask(pilot, FOUNDED)
        await ask(pilot, CHURN)
        await pilot.press("alt+up", "alt+up")
        await until(pilot, lambda: "northern ridge" in shown(pilot))
        await pilot.press("w")
        await until(pilot, lambda: "How this answer came about" in shown(pilot))
        assert FOUNDED in shown(pilot)
        await pilot.press("escape", "alt+down", "alt+down")
        await until(pilot, lambda: area(pilot).has_focus)
        await until(pilot, lambda: "northern ridge" not in shown(pilot))


async def test_what_is_copied_reaches_the_terminal_as_base64(home: Path) -> None:
    written: list[str] = []
    async with app_in(home).run_test(size=NARROW) as pilot:
        await ask(pilot, FOUNDED)
        driver = pilot.app._driver
        assert driver is not None
        driver.write = written.append  # type: ignore[method-assign]
        await send(pilot, "/copy")
        (sequence,) = [text for text in written if text.startswith("\x1b]52;c;")]
        assert CITED in base64.b64decode(sequence[7:-1]).decode()
