"""Driving the app in tests: ask, wait, and read what is on the screen."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

from multidb_chat.tui.app import ChatApp
from multidb_chat.tui.screens.chat import ChatScreen
from multidb_chat.tui.services import OpenServices
from multidb_chat.tui.widgets.exchange import Exchange
from multidb_chat.tui.widgets.question_area import QuestionArea
from multidb_chat.tui.widgets.status import StatusLine
from tests.tui.home import guest_of, member_of

NARROW = (80, 24)
WIDE = (120, 40)
STILL = 3  # pictures
PATIENCE = 60.0  # seconds: how long a busy machine may take for one thing


def app_in(home: Path) -> ChatApp:
    """Return the app over the real services of an installation."""
    return ChatApp(lambda: guest_of(home))


def member_app_in(home: Path) -> ChatApp:
    """Return the app for an account that may add documents."""
    return ChatApp(lambda: member_of(home))


def app_over(open_services: OpenServices) -> ChatApp:
    """Return the app over services that are opened in this way."""
    return ChatApp(open_services)


async def until(pilot: Pilot[int], holds: Callable[[], object]) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"it did not become true; there is:\n{shown(pilot)}"
        await pilot.pause(0.02)
    await pilot.pause()


async def still(pilot: Pilot[int]) -> None:
    """Wait until the picture stays the same, and is one: a single pause does not tell that on a busy machine.

    Between two screens a picture may be empty that was full before.
    """
    pictures: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while len(pictures) < STILL or len(set(pictures[-STILL:])) > 1 or pictures[-1].count("<text") < STILL:
            await pilot.pause()
            pictures.append(pilot.app.export_screenshot())


def area(pilot: Pilot[int]) -> QuestionArea:
    """Return the question box."""
    return pilot.app.screen_stack[0].query_one(QuestionArea)


def exchanges(pilot: Pilot[int]) -> list[Exchange]:
    """Return the turns in the chat."""
    return list(pilot.app.screen_stack[0].query(Exchange))


async def send(pilot: Pilot[int], text: str) -> None:
    """Type a text and press Enter."""
    area(pilot).put(text)
    await pilot.press("enter")
    await until(pilot, lambda: not carrying_out(pilot))


async def ask(pilot: Pilot[int], text: str) -> Exchange:
    """Ask a question and wait for the end of its turn, sources panel included."""
    before = exchanges(pilot)

    def ended() -> bool:
        now = exchanges(pilot)  # far above the end there may be as many now, of other turns
        new = bool(now) and now[-1] not in before
        return new and (len(now) > len(before) or now[-1].question == text) and now[-1].ended

    await send(pilot, text)
    await until(pilot, ended)
    await until(pilot, lambda: quiet(pilot))
    return exchanges(pilot)[-1]


async def prepared(pilot: Pilot[int]) -> None:
    """Wait until everything behind the first paint is done."""
    await until(pilot, lambda: not status(pilot) and quiet(pilot))


def quiet(pilot: Pilot[int]) -> bool:
    """Tell whether no worker runs, and no turn: one that has its answer is still being stored."""
    chat = pilot.app.screen_stack[0]
    answering = isinstance(chat, ChatScreen) and chat.turns.running
    return not answering and not any(worker.is_running for worker in pilot.app.workers)


def carrying_out(pilot: Pilot[int]) -> bool:
    """Tell whether the chat is still doing what was sent; an answer that is coming does not count."""
    chat = pilot.app.screen_stack[0]
    return isinstance(chat, ChatScreen) and chat.doing


def status(pilot: Pilot[int]) -> str:
    """Return the status line."""
    return str(pilot.app.screen_stack[0].query_one(StatusLine).render())


def text_of(widget: Static) -> str:
    """Return the text of a static widget."""
    return str(widget.render())


def outcome(exchange: Exchange) -> str:
    """Return what is said below an answer."""
    return text_of(exchange.query_one(".outcome", Static))


def lines(pilot: Pilot[int]) -> list[str]:
    """Return the text of the screen as it is drawn, line by line; one that is not drawn yet has an empty line."""
    screen = pilot.app.screen
    return ["".join(segment.text for segment in strip) for strip in screen._compositor.render_strips()] or [""]


def shown(pilot: Pilot[int]) -> str:
    """Return the whole screen as text."""
    return "\n".join(lines(pilot))


def toasts(pilot: Pilot[int]) -> str:
    """Return the notifications of this run."""
    return "\n".join(notification.message for notification in pilot.app._notifications)
