"""What the screens about who one is look like. New pictures: pytest THIS_FILE --snapshot-update.

The services are the real ones; what is random or the day's own in them is always the same here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from multidb_chat.adapters.security.time_codes import TotpCodes
from multidb_chat.bootstrap import open_application
from multidb_chat.domain.accounts import Session
from multidb_chat.services.authentication.security import FactorOffer, FactorState
from multidb_chat.tui.app import ChatApp
from multidb_chat.tui.screens.form import FormScreen
from multidb_chat.tui.screens.profile import ProfileScreen
from multidb_chat.tui.screens.second_factor import FactorOnScreen, RecoveryCodesScreen
from multidb_chat.tui.screens.welcome import WelcomeScreen
from tests.tui.driving import NARROW, WIDE, shown, until
from tests.tui.home import settings_in
from tests.tui.slowly import Services

State = Callable[[Pilot[int]], Awaitable[None]]
DAY = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SESSIONS = [
    Session("0195-0000-a1b2c3d4", "ada", DAY, DAY.replace(month=4), client="app"),
    Session("0195-0000-99aa88bb", "ada", DAY, DAY.replace(month=4), client="shell, ssh 203.0.113.7"),
]
CODES = tuple(f"{letter * 4}-{letter * 4}-{letter * 4}" for letter in "abcdefghjk")


class Steady:
    """A real service of which some methods always say the same."""

    def __init__(self, real: Any, **said: Any) -> None:
        self._real, self._said = real, said

    def __getattr__(self, name: str) -> Any:
        if name not in self._said:
            return getattr(self._real, name)

        async def say(*given: Any, **named: Any) -> Any:
            return self._said[name]

        return say


def offer() -> FactorOffer:
    codes = TotpCodes()
    uri = codes.uri("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "ada@example.org")
    return FactorOffer("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", uri, codes.picture(uri))


@asynccontextmanager
async def ada_in(home: Path) -> AsyncIterator[Any]:
    """Open the services with Ada logged in since the same day, and nothing to be prepared."""
    settings = settings_in(home, login__password_cost=4, login__keyring=False)

    async def nothing() -> None:
        """No handbook: nothing is asked here."""

    async with open_application(settings, "app") as app:
        account = await app.identity.register("ada@example.org", "turning the brass key")
        identity = Steady(app.identity)
        identity.__dict__.update(session_id=SESSIONS[0].id, chosen=True, notice="")
        yield Services(
            app,
            account=replace(account, created_at=DAY),
            identity=identity,
            prepare=nothing,
            authentication=Steady(app.authentication, sessions=SESSIONS),
            account_security=Steady(app.account_security, factor=FactorState(None, 0), offer_factor=offer()),
        )


async def welcome(pilot: Pilot[int]) -> None:
    pilot.app.push_screen(WelcomeScreen(pilot.app._serving, "This log-in is over; log in again."))  # type: ignore[attr-defined]
    await until(pilot, lambda: "This log-in is over" in shown(pilot))


async def form(pilot: Pilot[int], command: str) -> None:
    await until(pilot, lambda: pilot.app._serving._prepared.is_set())  # type: ignore[attr-defined]
    getattr(pilot.app._chat.entrance, command)()  # type: ignore[attr-defined]
    await until(pilot, lambda: isinstance(pilot.app.screen, FormScreen) and isinstance(pilot.app.focused, Input))


async def login(pilot: Pilot[int]) -> None:
    await form(pilot, "log_in")
    await pilot.press(*"ada@example.org", "enter", *"wrong", "enter")
    await until(pilot, lambda: "or the password is wrong" in shown(pilot))


async def register(pilot: Pilot[int]) -> None:
    await form(pilot, "register")
    await pilot.press(*"eve@example.org", "enter", *"brasskey", "enter", *"brass", "enter")
    await until(pilot, lambda: "not the same" in shown(pilot) and "fair" in shown(pilot))


async def profile(pilot: Pilot[int]) -> None:
    await until(pilot, lambda: pilot.app._serving._prepared.is_set())  # type: ignore[attr-defined]
    pilot.app.push_screen(ProfileScreen(pilot.app._serving))  # type: ignore[attr-defined]
    await until(pilot, lambda: "this one" in shown(pilot))


async def factor(pilot: Pilot[int]) -> None:
    await profile(pilot)
    await pilot.press("f")
    await until(pilot, lambda: isinstance(pilot.app.screen, FactorOnScreen) and "Confirm" in shown(pilot))


async def codes(pilot: Pilot[int]) -> None:
    await profile(pilot)
    pilot.app.push_screen(RecoveryCodesScreen(CODES))
    await until(pilot, lambda: "Each is good once" in shown(pilot))


LOOKS = [(NARROW, "ink", "narrow"), (WIDE, "paper", "wide-paper")]


@pytest.mark.parametrize(("size", "theme"), [look[:2] for look in LOOKS], ids=[look[2] for look in LOOKS])
@pytest.mark.parametrize("state", [welcome, login, register, profile, factor, codes], ids=lambda state: state.__name__)
def test_a_screen_looks_as_it_did(
    snap_compare: Any, tmp_path: Path, state: State, size: tuple[int, int], theme: str
) -> None:
    app = ChatApp(lambda: ada_in(tmp_path), theme)
    assert snap_compare(app, run_before=state, terminal_size=size)
