"""What comes between a question and its answer: stopping, leaving, clearing, asking again, and failing."""

import asyncio
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key

from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.turns import TurnEvent
from multidb_chat.tui.app import ChatApp
from multidb_chat.tui.widgets.exchange import Exchange
from tests.tui.driving import (
    NARROW,
    app_over,
    area,
    ask,
    carrying_out,
    exchanges,
    outcome,
    prepared,
    send,
    shown,
    status,
    toasts,
    until,
)
from tests.tui.home import guest_of
from tests.tui.slowly import Held, HeldChat, is_any, is_end, is_token, services_of

FOUNDED = "Who founded the Kestrel observatory?"
CHURN = "What did the 2019 report say about churn?"
STAGES = {"at once": is_any, "while it is written": is_token, "at its end": is_end}


def held_app(home: Path, here: Callable[[TurnEvent], bool], held: Held) -> ChatApp:
    return app_over(lambda: services_of(home, lambda real: {"chat": HeldChat(real.chat, here, held)}))


@pytest.mark.parametrize("stage", STAGES)
async def test_escape_stops_a_turn_and_the_next_one_is_answered(home: Path, stage: str) -> None:
    held = Held()
    async with held_app(home, STAGES[stage], held).run_test(size=NARROW) as pilot:
        await send(pilot, FOUNDED)
        await until(pilot, held.reached.is_set)
        assert "Esc stops" in status(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: exchanges(pilot)[-1].ended)
        assert held.left == "cancelled"
        assert outcome(exchanges(pilot)[-1]).startswith("Stopped.")
        assert status(pilot) == ""
        held.go.set()
        assert (await ask(pilot, CHURN)).answer is not None


async def test_escape_keeps_what_came_of_the_answer(home: Path) -> None:
    held = Held()
    async with held_app(home, is_end, held).run_test(size=NARROW) as pilot:
        await send(pilot, FOUNDED)
        await until(pilot, held.reached.is_set)
        assert "Answering" in status(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: exchanges(pilot)[-1].ended)
        assert "Ada Lindqvist" in shown(pilot)


async def test_a_stopped_turn_is_not_in_the_conversation(home: Path) -> None:
    held = Held()
    async with held_app(home, is_token, held).run_test(size=NARROW) as pilot:
        await send(pilot, FOUNDED)
        await until(pilot, held.reached.is_set)
        await pilot.press("escape")
        held.go.set()
        answer = (await ask(pilot, CHURN)).answer
        assert answer is not None
        services = await pilot.app._serving.services()
        page = await services.history.page(services.account, answer.conversation_id)
        assert [message.body for message in page] == [CHURN, answer.text]


async def test_a_second_question_waits_in_the_box_until_the_first_is_answered(home: Path) -> None:
    held = Held()
    async with held_app(home, is_token, held).run_test(size=NARROW) as pilot:
        await send(pilot, FOUNDED)
        await until(pilot, held.reached.is_set)
        await send(pilot, CHURN)
        assert "still coming" in toasts(pilot)
        assert area(pilot).text == CHURN
        assert len(exchanges(pilot)) == 1
        held.go.set()
        await until(pilot, lambda: exchanges(pilot)[0].answer)
        await pilot.press("enter")
        await until(pilot, lambda: len(exchanges(pilot)) == 2 and exchanges(pilot)[1].answer)


@pytest.mark.parametrize("stage", STAGES)
async def test_clearing_ends_the_turn_and_begins_anew(home: Path, stage: str) -> None:
    held = Held()
    async with held_app(home, STAGES[stage], held).run_test(size=NARROW) as pilot:
        await send(pilot, FOUNDED)
        await until(pilot, held.reached.is_set)
        await pilot.press("ctrl+l")
        await until(pilot, lambda: not exchanges(pilot))
        assert held.left == "cancelled"
        assert status(pilot) == ""
        held.go.set()
        assert (await ask(pilot, CHURN)).answer is not None


@pytest.mark.parametrize("stage", STAGES)
async def test_leaving_during_a_turn_ends_it_before_the_stores_are_closed(home: Path, stage: str) -> None:
    held = Held(farewell=0.3)
    order = []

    @asynccontextmanager
    async def opened() -> Any:
        async with services_of(home, lambda real: {"chat": HeldChat(real.chat, STAGES[stage], held)}) as services:
            yield services
            order.append(held.left)

    app = app_over(opened)
    async with app.run_test(size=NARROW) as pilot:
        await send(pilot, FOUNDED)
        await until(pilot, held.reached.is_set)
        await pilot.press("ctrl+q")
    assert app._chat.turns.task is not None
    assert app._chat.turns.task.cancelled()  # and not ended by an error
    assert order == ["cancelled"]
    assert app.return_value == 0
    assert app.failure is None


async def test_keys_show_while_an_answer_is_held_up(home: Path) -> None:
    held = Held()
    async with held_app(home, is_token, held).run_test(size=NARROW) as pilot:
        await send(pilot, FOUNDED)
        await until(pilot, held.reached.is_set)
        await pilot.press(*"next question")
        assert "next question" in shown(pilot)


async def test_what_nobody_foresaw_ends_the_turn_alone(home: Path) -> None:
    error = RuntimeError("wires crossed")
    broken = app_over(lambda: services_of(home, lambda real: {"chat": HeldChat(real.chat, is_end, error=error)}))
    async with broken.run_test(size=NARROW) as pilot:
        exchange = await ask(pilot, FOUNDED)
        assert "Something unexpected happened (RuntimeError: wires crossed)" in outcome(exchange)
        assert status(pilot) == ""
        await send(pilot, "/new")
        assert exchanges(pilot) == []


async def test_a_turn_is_closed_before_its_end_is_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chats: list[HeldChat] = []
    closed: list[int] = []
    end = Exchange.end

    async def undrawable(exchange: Exchange, text: str) -> None:
        raise RuntimeError("no ink")

    async def ending(exchange: Exchange, *given: Any, **named: Any) -> None:
        closed.append(chats[0].closed)
        await end(exchange, *given, **named)

    def replaced(real: Any) -> dict[str, Any]:
        chats.append(HeldChat(real.chat, lambda event: False))
        return {"chat": chats[0]}

    monkeypatch.setattr(Exchange, "write", undrawable)
    monkeypatch.setattr(Exchange, "end", ending)
    async with app_over(lambda: services_of(home, replaced)).run_test(size=NARROW) as pilot:
        assert "no ink" in outcome(await ask(pilot, FOUNDED))
    assert closed == [1]


async def test_a_store_that_goes_away_is_said_in_the_turn(home: Path) -> None:
    away = StoreUnavailable("library", "[bold]The library is away.\x1b]0;x\x07")
    broken = app_over(lambda: services_of(home, lambda real: {"chat": HeldChat(real.chat, is_token, error=away)}))
    async with broken.run_test(size=NARROW) as pilot:
        assert outcome(await ask(pilot, FOUNDED)) == "[bold]The library is away."


async def test_without_a_store_of_conversations_questions_are_answered_and_a_notice_says_so(home: Path) -> None:
    class Away:
        async def start(self, *_: object) -> None:
            raise StoreUnavailable("conversations", "The disk is gone.")

        latest = start

    async with app_over(lambda: services_of(home, lambda real: {"history": Away()})).run_test(size=NARROW) as pilot:
        exchange = await ask(pilot, FOUNDED)
        assert exchange.answer is not None
        assert "This conversation is not saved: The disk is gone." in toasts(pilot)


async def test_a_command_that_waits_for_the_stores_keeps_the_screen_from_nothing() -> None:
    @asynccontextmanager
    async def opening_for_ever() -> Any:
        await asyncio.Event().wait()
        yield

    app = app_over(opening_for_ever)
    async with app.run_test(size=NARROW) as pilot:
        area(pilot).put("/resume")
        await pilot.press("enter")
        await until(pilot, lambda: carrying_out(pilot))
        await pilot.press(*"sails")
        await until(pilot, lambda: "sails" in shown(pilot) and "Opening" in status(pilot))
        await pilot.press("ctrl+q")
    assert app.return_value == 0


async def test_services_that_cannot_open_are_told_on_the_screen_and_by_the_app(home: Path) -> None:
    @asynccontextmanager
    async def closed() -> Any:
        raise StoreUnavailable("library", "library.sqlite is locked; close the other program.")
        yield

    app = app_over(closed)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "library.sqlite is locked; close the other program." in shown(pilot))
        assert outcome(await ask(pilot, FOUNDED)) == "library.sqlite is locked; close the other program."
        await pilot.press("f3")
        await until(pilot, lambda: "Documents" in shown(pilot) and "library.sqlite is locked" in shown(pilot))
        await pilot.press("escape")
        await send(pilot, "/quit")
    assert isinstance(app.failure, StoreUnavailable)


async def test_leaving_does_not_wait_for_services_that_hang(home: Path) -> None:
    held = Held()

    @asynccontextmanager
    async def hanging() -> Any:
        await held.wait()
        yield

    app = app_over(hanging)
    async with app.run_test(size=NARROW) as pilot:
        await send(pilot, FOUNDED)
        await until(pilot, held.reached.is_set)
        await pilot.press("ctrl+q")
    assert held.left == "cancelled"
    assert app.return_value == 0


async def test_leaving_does_not_wait_for_the_handbook(home: Path) -> None:
    held = Held()
    app = app_over(lambda: services_of(home, lambda real: {"prepare": held.wait}))
    async with app.run_test(size=NARROW) as pilot:
        await send(pilot, FOUNDED)
        await until(pilot, held.reached.is_set)
        assert "Getting ready" in status(pilot)
        await pilot.press("ctrl+q")
    assert held.left == "cancelled"


async def test_a_handbook_that_cannot_be_read_leaves_the_documents(home: Path) -> None:
    async def broken() -> None:
        raise StoreUnavailable("library", "[b]No handbook.")

    async with app_over(lambda: services_of(home, lambda real: {"prepare": broken})).run_test(size=NARROW) as pilot:
        assert (await ask(pilot, FOUNDED)).answer is not None
        assert "[b]No handbook." in toasts(pilot)


async def test_a_question_can_be_stopped_before_the_services_are_open(home: Path) -> None:
    held = Held()

    @asynccontextmanager
    async def late() -> Any:
        await held.wait()
        async with guest_of(home) as application:
            yield application

    async with app_over(late).run_test(size=NARROW) as pilot:
        await until(pilot, held.reached.is_set)
        await send(pilot, FOUNDED)
        assert "Opening" in status(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: exchanges(pilot)[0].ended)
        assert outcome(exchanges(pilot)[0]).startswith("Stopped.")
        held.go.set()
        await prepared(pilot)
        assert exchanges(pilot)[0].answer is None
        assert (await ask(pilot, CHURN)).answer is not None


async def test_the_first_start_says_that_it_reads_the_handbook_and_how_long_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held()
    app = app_over(lambda: services_of(tmp_path / "new", lambda real: {"prepare": held.wait}))
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, held.reached.is_set)
        await until(pilot, lambda: status(pilot).endswith("Reading the handbook for the first time …"))
        later = time.monotonic() + 7
        monkeypatch.setattr("multidb_chat.tui.widgets.status.monotonic", lambda: later)
        await until(pilot, lambda: status(pilot).endswith("for the first time …  7 s"))


async def test_a_question_behind_a_key_is_asked_behind_it(home: Path) -> None:
    async with app_over(lambda: guest_of(home)).run_test(size=NARROW) as pilot:
        await prepared(pilot)
        pilot.app.post_message(Key("ctrl+l", None))
        for letter in FOUNDED:
            pilot.app.post_message(Key(letter, letter))
        pilot.app.post_message(Key("enter", "\r"))
        await until(pilot, lambda: bool(exchanges(pilot)) and exchanges(pilot)[-1].answer is not None)
