"""What the main states look like, at two sizes. New pictures: pytest tests/tui/test_snapshots.py --snapshot-update."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from multidb_chat.bootstrap import Application
from multidb_chat.domain.library import Document
from multidb_chat.domain.turns import Citation, TurnCompleted, TurnEvent
from multidb_chat.tui.app import ChatApp
from tests.tui.driving import NARROW, WIDE, app_over, ask, prepared, shown, until
from tests.tui.home import member_of
from tests.tui.slowly import Services, services_of

State = Callable[[Pilot[int]], Awaitable[None]]
TIMES = {"conversation": 1.0, "quota": 2.0, "cache": 3.0, "retrieval": 10.0, "retrieval.embedding": 6.0, "total": 20.0}
# What is nearest to nothing moves with every change of the ranking.
NEAREST = tuple(
    Citation(
        number, "gone", "letters.txt", "Letters from the coast", "letters.txt", "c", 0, 44,
        "The ferry to the island leaves at half past.", number, ("Letters from the coast", "Summer"),
        0.1, "poor", None, 0.1,
    )
    for number in (1, 2, 3)
)  # fmt: skip


class Timeless:
    """The real chat service, whose turns always take the same time and score the same."""

    def __init__(self, chat: Any) -> None:
        self._chat = chat

    async def respond(self, *given: Any, **named: Any) -> Any:
        async for event in self._chat.respond(*given, **named):
            yield self._timeless(event)

    @staticmethod
    def _timeless(event: TurnEvent) -> TurnEvent:
        if not isinstance(event, TurnCompleted):
            return event
        answer = event.answer
        cited = tuple(replace(one, score=0.9, lexical=9.0, vector=0.9) for one in answer.citations)
        return TurnCompleted(replace(answer, timings=TIMES, citations=cited, nearest=NEAREST if answer.nearest else ()))


class Undated:
    """The real documents service, whose documents were all added on one day from one folder."""

    def __init__(self, documents: Any) -> None:
        self._documents = documents

    def __getattr__(self, name: str) -> Any:
        return getattr(self._documents, name)

    async def list(self, *given: Any, **named: Any) -> list[Document]:
        day = datetime(2026, 1, 2, tzinfo=UTC)
        found = await self._documents.list(*given, **named)
        return [replace(one, added_at=day, source=f"/papers/{one.name}") for one in found]


def app_of(home: Path) -> ChatApp:
    def replaced(real: Application) -> dict[str, Any]:
        return {"chat": Timeless(real.chat), "documents": Undated(real.documents)}

    return app_over(lambda: services_of(home, replaced))


async def welcome(pilot: Pilot[int]) -> None:
    await until(pilot, lambda: pilot.app._serving._prepared.is_set())
    await prepared(pilot)


async def answered(pilot: Pilot[int]) -> None:
    await welcome(pilot)
    await ask(pilot, "When was the Kestrel observatory founded, and who founded it?")
    await ask(pilot, "What did the 2019 report say about churn?")


async def not_found(pilot: Pilot[int]) -> None:
    await welcome(pilot)
    await ask(pilot, "What is the melting point of tungsten carbide?")


async def sources(pilot: Pilot[int]) -> None:
    await answered(pilot)
    await pilot.press("f2")
    await pilot.pause()


async def why(pilot: Pilot[int]) -> None:
    await answered(pilot)
    await pilot.press("f4")
    await until(pilot, lambda: "How this answer" in shown(pilot))


async def help_(pilot: Pilot[int]) -> None:
    await welcome(pilot)
    await pilot.press("f1")
    await until(pilot, lambda: "Esc closes" in shown(pilot))


async def documents(pilot: Pilot[int]) -> None:
    await welcome(pilot)
    await pilot.press("f3")
    await until(pilot, lambda: "Documents ·" in shown(pilot))


async def completing(pilot: Pilot[int]) -> None:
    await welcome(pilot)
    await pilot.press("/")
    await pilot.pause()


STATES: tuple[State, ...] = (welcome, answered, not_found, sources, why, help_, documents, completing)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__.strip("_"))
def test_a_state_looks_as_it_did(snap_compare: Any, home: Path, state: State, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(home), run_before=state, terminal_size=size)


@pytest.mark.parametrize("theme", ["paper", "high-contrast"])
def test_a_theme_looks_as_it_did(snap_compare: Any, home: Path, theme: str) -> None:
    app = app_of(home)
    app.theme = theme
    assert snap_compare(app, run_before=answered, terminal_size=WIDE)


def test_the_list_without_documents_looks_as_it_did(snap_compare: Any, tmp_path: Path) -> None:
    async def nothing() -> None:
        """No handbook either."""

    app = app_over(lambda: services_of(tmp_path / "empty", lambda real: {"prepare": nothing}))

    async def empty(pilot: Pilot[int]) -> None:
        await welcome(pilot)
        await pilot.press("f3")
        await until(pilot, lambda: "There are no documents yet" in shown(pilot))

    assert snap_compare(app, run_before=empty, terminal_size=NARROW)


def member_app_of(home: Path) -> ChatApp:
    """The app for an account that may add documents."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        async with member_of(home) as real:
            yield Services(real, chat=Timeless(real.chat), documents=Undated(real.documents))

    return app_over(opened)


async def preview(pilot: Pilot[int]) -> None:
    await documents(pilot)
    await pilot.press("down", "enter")
    await until(pilot, lambda: "ridge" in shown(pilot))
    await pilot.press("slash", *"observatory", "enter", "n")
    await until(pilot, lambda: "2 of " in shown(pilot))


async def adding(pilot: Pilot[int]) -> None:
    await documents(pilot)
    await pilot.press("a")
    await until(pilot, lambda: "Add documents" in shown(pilot))
    await pilot.press("enter")
    await until(pilot, lambda: "Type the path" in shown(pilot))


async def collections(pilot: Pilot[int]) -> None:
    await welcome(pilot)
    await documents(pilot)
    await pilot.press("c")
    await until(pilot, lambda: "read only" in shown(pilot))


async def deleting(pilot: Pilot[int]) -> None:
    await collections(pilot)
    await pilot.press("d")
    await until(pilot, lambda: "for good" in shown(pilot))


async def nothing_added(pilot: Pilot[int]) -> None:
    await documents(pilot)
    await pilot.press("e")
    await until(pilot, lambda: "Nothing was added" in shown(pilot))


async def settings(pilot: Pilot[int]) -> None:
    await welcome(pilot)
    await pilot.press("f10")
    await until(pilot, lambda: "search.limit" in shown(pilot))
    await pilot.press("slash", *"search")
    await until(pilot, lambda: "ingest" not in shown(pilot))
    await pilot.press("enter")
    await pilot.pause()


MEMBERS_STATES: tuple[State, ...] = (preview, adding, collections, deleting, nothing_added, settings)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("state", MEMBERS_STATES, ids=lambda state: state.__name__)
def test_what_a_member_sees_looks_as_it_did(snap_compare: Any, home: Path, state: State, size: tuple[int, int]) -> None:
    app = member_app_of(home)
    app.theme = "ink" if size == NARROW else "paper"
    assert snap_compare(app, run_before=state, terminal_size=size)
