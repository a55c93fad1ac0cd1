"""Every screen at every size, and sizes that change while an answer comes or documents are added."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets import Input

from multidb_chat.bootstrap import Application
from multidb_chat.domain.turns import AnswerToken, TurnEvent
from tests.tui.driving import app_over, area, exchanges, lines, member_app_in, outcome, prepared, send, shown, until
from tests.tui.slowly import services_of

SIZES = ((40, 12), (80, 24), (300, 100), (60, 16), (120, 40), (40, 12))
WORDS = [f"word{number} " for number in range(120)]


class Piecemeal:
    """The real chat service, whose answers come in many words, each when it is let go."""

    def __init__(self, chat: Any) -> None:
        self._chat = chat
        self.steps = asyncio.Semaphore(0)

    async def respond(self, *given: Any, **named: Any) -> AsyncIterator[TurnEvent]:
        told = False
        async for event in self._chat.respond(*given, **named):
            if isinstance(event, AnswerToken) and not told:
                told = True
                for word in WORDS:
                    await self.steps.acquire()
                    yield AnswerToken(word)
            elif not isinstance(event, AnswerToken):
                yield event


async def test_the_terminal_is_resized_while_an_answer_streams(home: Path) -> None:
    slow: list[Piecemeal] = []

    def replaced(real: Application) -> dict[str, Any]:
        slow.append(Piecemeal(real.chat))
        return {"chat": slow[0]}

    async with app_over(lambda: services_of(home, replaced)).run_test(size=(120, 40)) as pilot:
        await prepared(pilot)
        await send(pilot, "Who founded the Kestrel observatory?")
        given = 0
        for size in SIZES:
            for _ in range(20):
                slow[0].steps.release()
            given += 20
            await pilot.resize_terminal(*size)
            await until(pilot, lambda given=given: f"word{given - 1}" in shown(pilot))
            assert {cell_len(line) for line in lines(pilot)} == {size[0]}
            await pilot.press("x")  # one goes on typing
        assert area(pilot).text == "x" * len(SIZES)
        await until(pilot, lambda: exchanges(pilot)[-1].ended)
        assert outcome(exchanges(pilot)[-1]) == ""
        assert exchanges(pilot)[-1].answer is not None


async def documents(pilot: Pilot[int]) -> None:
    await pilot.press("f3")
    await until(pilot, lambda: "Documents · 4" in lines(pilot)[0] and "Kestrel" in shown(pilot))


async def reading(pilot: Pilot[int]) -> None:
    await documents(pilot)
    await pilot.press("down", "enter")
    await until(pilot, lambda: "Lindqvist" in shown(pilot))


async def adding(pilot: Pilot[int]) -> None:
    await documents(pilot)
    await pilot.press("a")
    await until(
        pilot, lambda: pilot.app.screen.query("#paths") and pilot.app.screen.query_one("#paths", Input).has_focus
    )


async def report(pilot: Pilot[int]) -> None:
    await documents(pilot)
    await pilot.press("e")
    await until(pilot, lambda: "Nothing was added" in shown(pilot))


async def collections(pilot: Pilot[int]) -> None:
    await documents(pilot)
    await pilot.press("c")
    await until(pilot, lambda: "handbook" in shown(pilot) and "Collections" in lines(pilot)[0])


async def settings(pilot: Pilot[int]) -> None:
    await pilot.press("f10")
    await until(pilot, lambda: "search.limit" in shown(pilot))


async def help_(pilot: Pilot[int]) -> None:
    await pilot.press("f1")
    await until(pilot, lambda: "Keys here" in shown(pilot))


SCREENS: dict[Callable[[Pilot[int]], Awaitable[None]], str] = {
    documents: "churn",
    reading: "The Kestrel observatory",
    adding: "Add documents",
    report: "Nothing was added",
    collections: "handbook",
    settings: "search.limit",
    help_: "Keys here",
}


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.__name__.strip("_"))
async def test_a_screen_is_drawn_and_can_be_used_at_any_size(
    home: Path, screen: Callable[[Pilot[int]], Awaitable[None]]
) -> None:
    async with member_app_in(home).run_test(size=(40, 12)) as pilot:
        await prepared(pilot)
        await screen(pilot)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: SCREENS[screen] in shown(pilot))
            assert {cell_len(line) for line in lines(pilot)} == {size[0]}
        while len(pilot.app.screen_stack) > 1:
            before = len(pilot.app.screen_stack)
            await pilot.press("escape")
            await until(pilot, lambda before=before: len(pilot.app.screen_stack) < before)
        assert area(pilot).has_focus
