"""Coming and going in the app: welcome, log in, register, profile, log out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import DataTable, Input

from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.bootstrap import Application, open_application
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.remembered import remembered
from multidb_chat.services.identity import Who
from multidb_chat.settings import Settings
from multidb_chat.tui.app import ChatApp
from multidb_chat.tui.screens.form import FormScreen
from multidb_chat.tui.screens.help import HelpScreen
from multidb_chat.tui.screens.login import LoginScreen
from multidb_chat.tui.screens.profile import ProfileScreen
from multidb_chat.tui.screens.register import RegisterScreen, ResetScreen
from multidb_chat.tui.screens.welcome import WelcomeScreen
from tests.tui.driving import NARROW, ask, exchanges, lines, outcome, send, shown, still, toasts, until
from tests.tui.home import settings_in
from tests.tui.slowly import Held

ADA = "ada@example.org"
PASSWORD = "turning the brass key"
FOUNDED = "Who founded the Kestrel observatory?"


def quick(home: Path) -> Settings:
    """Return the settings of a home where hashing is cheap and no keyring is asked."""
    return settings_in(home, login__password_cost=4, login__keyring=False)


def app_for(home: Path, who: Who = "app", **options: str) -> ChatApp:
    """Return the app as it starts for whoever is remembered."""
    return ChatApp(lambda: open_application(quick(home), who), **options)  # type: ignore[arg-type]


@asynccontextmanager
async def elsewhere(home: Path) -> AsyncIterator[Application]:
    """Open the services a second time, as another program does."""
    async with open_application(quick(home), "local") as application:
        yield application


async def registered(home: Path, email: str = ADA) -> None:
    """Register somebody who is logged in nowhere."""
    async with elsewhere(home) as application:
        await application.authentication.register(None, email, PASSWORD, client="test")


async def fill(pilot: Pilot[int], *values: str) -> None:
    """Type into the fields of the form, one after the other, and send it."""
    await until(pilot, lambda: isinstance(pilot.app.screen, FormScreen) and isinstance(pilot.app.focused, Input))
    for value in values:
        assert isinstance(pilot.app.focused, Input)
        pilot.app.focused.value = value
        await pilot.press("enter")
        await pilot.pause()


@asynccontextmanager
async def welcomed_early(home: Path) -> AsyncIterator[tuple[Pilot[int], Held]]:
    """Show the welcome screen while the stores wait to be opened until they are let go."""
    held = Held()

    @asynccontextmanager
    async def late() -> AsyncIterator[Application]:
        await held.wait()
        async with open_application(quick(home), "app") as application:
            yield application

    async with ChatApp(late, first="welcome").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen) and held.reached.is_set())
        yield pilot, held


async def at_the_chat(pilot: Pilot[int]) -> None:
    await until(pilot, lambda: len(pilot.app.screen_stack) == 1)


def title(pilot: Pilot[int]) -> str:
    return lines(pilot)[0].strip()


def services(pilot: Pilot[int]) -> Application:
    opened = pilot.app._serving.opened  # type: ignore[attr-defined]
    assert opened is not None
    return opened  # type: ignore[no-any-return]


async def logged_in(pilot: Pilot[int]) -> None:
    """Log Ada in from the chat."""
    await send(pilot, "/login")
    await fill(pilot, ADA, PASSWORD)
    await at_the_chat(pilot)


async def test_who_is_new_is_asked_and_a_guest_is_remembered(home: Path) -> None:
    assert remembered(quick(home)) is None
    async with app_for(home, first="welcome").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen))
        assert "ask at once what everybody here may see" in shown(pilot)
        await pilot.press("g")
        await at_the_chat(pilot)
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        guest = services(pilot).account
        assert await services(pilot).accounts.account(guest.id) == guest
        assert (await ask(pilot, FOUNDED)).answer is not None
    assert remembered(quick(home)) == "guest"


async def test_a_guest_gets_in_whatever_was_pressed_until_the_stores_were_open(home: Path) -> None:
    async with welcomed_early(home) as (pilot, held):
        await pilot.press("g", "enter", "l")
        assert isinstance(pilot.app.screen, WelcomeScreen), "one choice is enough"
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        held.go.set()
        await until(pilot, lambda: remembered(quick(home)) == "guest")
        await still(pilot)
        assert isinstance(pilot.app.screen, HelpScreen), "what somebody reads stays"
        await pilot.press("escape")
        await at_the_chat(pilot)
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")


async def test_what_a_guest_types_on_the_way_in_is_asked_in_the_chat(home: Path) -> None:
    async with welcomed_early(home) as (pilot, held):
        for key in ["g", *"quite", "backspace"]:
            pilot.app.post_message(events.Key(key, "\x7f" if key == "backspace" else key))
        pilot.app.post_message(events.Paste(" rough?"))
        pilot.app.post_message(events.Key("enter", "\r"))
        await still(pilot)
        assert isinstance(pilot.app.screen, WelcomeScreen), "q does not quit any more"
        held.go.set()
        await at_the_chat(pilot)
        await until(pilot, lambda: [one.question for one in exchanges(pilot)] == ["quit rough?"])


async def test_nobody_is_kept_who_only_looked_at_the_welcome_screen(home: Path) -> None:
    async with elsewhere(home) as before:
        known = await before.accounts.list_accounts()
    async with app_for(home, first="welcome").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: pilot.app._serving._prepared.is_set())
        await pilot.press("ctrl+q")
    async with elsewhere(home) as after:
        assert await after.accounts.list_accounts() == known
    assert remembered(quick(home)) is None


async def test_the_choices_answer_to_enter_and_to_the_mouse(home: Path) -> None:
    async with app_for(home, first="welcome").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, LoginScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen))
        assert await pilot.click("#choices", offset=(5, 2))
        await until(pilot, lambda: isinstance(pilot.app.screen, RegisterScreen))


async def test_who_logs_in_is_logged_in_again_at_the_next_start(home: Path) -> None:
    await registered(home)
    async with app_for(home, first="welcome").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen))
        await pilot.press("l")
        await fill(pilot, ADA, PASSWORD)
        await at_the_chat(pilot)
        await until(pilot, lambda: title(pilot) == f"multidb-chat · {ADA}")
    assert remembered(quick(home)) == "account"
    async with app_for(home).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == f"multidb-chat · {ADA}")
        assert len(pilot.app.screen_stack) == 1


async def test_what_is_wrong_is_said_in_the_form_which_stays_open(home: Path) -> None:
    await registered(home)
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await send(pilot, "/login")
        await fill(pilot, ADA, "not the password")
        await until(pilot, lambda: "The e-mail address or the password is wrong." in shown(pilot))
        assert pilot.app.focused is pilot.app.screen.query_one("#password")
        await pilot.press(*("space" if one == " " else one for one in PASSWORD))
        await pilot.press("enter")  # what was typed has replaced what was wrong
        await at_the_chat(pilot)
        await until(pilot, lambda: title(pilot) == f"multidb-chat · {ADA}")


async def test_a_guest_who_registers_keeps_the_conversation_that_is_open(home: Path) -> None:
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        exchange = await ask(pilot, FOUNDED)
        assert exchange.answer is not None
        guest = services(pilot).account
        await send(pilot, "/register")
        await fill(pilot, ADA, PASSWORD, PASSWORD)
        await at_the_chat(pilot)
        await until(pilot, lambda: title(pilot) == f"multidb-chat · {ADA}")
        assert exchanges(pilot) == [exchange]
        await until(pilot, lambda: "Now add documents of your own: /add" in toasts(pilot))
        account = services(pilot).account
        assert (account.id, account.role) == (guest.id, "user")
        again = await ask(pilot, "Where is it?")
        assert again.answer is not None
        assert again.answer.conversation_id == exchange.answer.conversation_id
        (kept,) = await services(pilot).history.list(account)
        assert kept.id == exchange.answer.conversation_id


async def test_two_different_passwords_and_a_bad_one_register_nobody(home: Path) -> None:
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await send(pilot, "/register")
        await fill(pilot, ADA, PASSWORD, "something else")
        await until(pilot, lambda: "The two passwords are not the same." in shown(pilot))
        for field in ("password", "again"):
            pilot.app.screen.query_one(f"#{field}", Input).value = "password1"
        await until(pilot, lambda: "very weak" in shown(pilot))
        assert "are not the same" not in shown(pilot)  # it is being mended
        await pilot.click("#go")
        await until(pilot, lambda: "This password is among those that attackers try first" in shown(pilot))
        assert services(pilot).account.role == "guest"
        entry = pilot.app.screen.query_one("#password", Input)
        assert pilot.app.focused is entry
        assert entry.selected_text == "password1"
        await fill(pilot, PASSWORD, PASSWORD)
        await at_the_chat(pilot)


async def test_what_is_typed_all_at_once_goes_into_the_fields_that_it_is_for(home: Path) -> None:
    await registered(home)
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await send(pilot, "/login")
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        for one in f"{ADA}\t{PASSWORD}\n":  # as a password manager does
            name = {"\t": "tab", "\n": "enter"}.get(one, one)
            pilot.app.post_message(events.Key(name, one if one.isprintable() else None))
        await at_the_chat(pilot)
        await until(pilot, lambda: title(pilot) == f"multidb-chat · {ADA}")


async def test_an_address_that_is_taken_or_is_none_is_mended_where_it_stands(home: Path) -> None:
    await registered(home)
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await send(pilot, "/register")
        await fill(pilot, "ada", PASSWORD, PASSWORD)
        await until(pilot, lambda: "is no e-mail address" in shown(pilot))
        await fill(pilot, ADA, PASSWORD, PASSWORD)
        await until(pilot, lambda: "log in" in shown(pilot))
        assert pilot.app.focused is pilot.app.screen.query_one("#email")
        await fill(pilot, "eve@example.org", PASSWORD, PASSWORD)
        await at_the_chat(pilot)


async def test_the_strength_of_a_password_shows_while_it_is_typed(home: Path) -> None:
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await send(pilot, "/register")
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        entry = pilot.app.screen.query_one("#password", Input)
        for password, word in (("abc", "8 characters or more are needed"), (PASSWORD, "strong"), ("", "")):
            entry.value = password
            await until(pilot, lambda word=word: word in str(pilot.app.screen.query_one("#strength").render()))
        assert PASSWORD not in shown(pilot)


async def test_logging_in_as_somebody_else_leaves_an_empty_chat(home: Path) -> None:
    await registered(home)
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await ask(pilot, FOUNDED)
        await logged_in(pilot)
        await until(pilot, lambda: title(pilot) == f"multidb-chat · {ADA}")
        assert exchanges(pilot) == []
        answer = (await ask(pilot, FOUNDED)).answer
        assert answer is not None
        (kept,) = await services(pilot).history.list(services(pilot).account)
        assert kept.id == answer.conversation_id


async def test_logging_out_empties_the_chat_and_asks_who_is_there(home: Path) -> None:
    await registered(home)
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await logged_in(pilot)
        session_id = services(pilot).identity.session_id
        await ask(pilot, FOUNDED)
        await send(pilot, "/logout")
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen))
        session = await services(pilot).accounts.session(session_id)
        assert session is not None
        assert session.ended_at is not None
        assert exchanges(pilot) == []
        assert remembered(quick(home)) is None
        await pilot.press("l")
        await fill(pilot, ADA, PASSWORD)
        await at_the_chat(pilot)
        assert len(await services(pilot).history.list(services(pilot).account)) == 1


async def test_a_log_in_that_was_ended_elsewhere_asks_nothing_more(home: Path) -> None:
    await registered(home)
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await logged_in(pilot)
        account = services(pilot).account
        async with elsewhere(home) as other:
            await other.authentication.end_other_sessions(account, "")
        await send(pilot, FOUNDED)
        await until(pilot, lambda: "This log-in is over" in shown(pilot))
        assert isinstance(pilot.app.screen, WelcomeScreen)
        assert await services(pilot).history.list(account) == []


async def test_an_ended_log_in_is_noticed_without_a_question(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multidb_chat.tui.screens.chat.LOOK_AGAIN", 0.1)
    await registered(home)
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await logged_in(pilot)
        async with elsewhere(home) as other:
            await other.authentication.end_other_sessions(services(pilot).account, "")
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen))
        assert "This log-in is over" in shown(pilot)


async def test_a_disabled_account_is_out_at_once(home: Path) -> None:
    await registered(home)
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await logged_in(pilot)
        async with elsewhere(home) as other:
            await other.accounts.update_account(replace(services(pilot).account, disabled_at=datetime.now(UTC)))
        await send(pilot, FOUNDED)
        await until(pilot, lambda: "This account is disabled" in shown(pilot))
        await pilot.press("g")
        await at_the_chat(pilot)
        assert (await ask(pilot, FOUNDED)).answer is not None


async def test_who_is_in_stays_in_while_the_store_is_away(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")

        async def away(account_id: str) -> None:
            raise StoreUnavailable("accounts", "The accounts store is away.")

        monkeypatch.setattr(services(pilot).accounts, "subscriber", away)
        exchange = await ask(pilot, FOUNDED)
        assert "is away" in outcome(exchange)
        assert title(pilot) == "multidb-chat · guest"


async def test_a_stored_log_in_that_is_over_says_so_at_the_start(home: Path) -> None:
    await registered(home)
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await logged_in(pilot)
        account = services(pilot).account
    async with elsewhere(home) as other:
        await other.authentication.end_other_sessions(account, "")
    async with app_for(home).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen))
        assert "This log-in is over" in shown(pilot)


async def test_guests_have_no_profile_and_are_told_how_to_get_one(home: Path) -> None:
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await send(pilot, "/profile")
        await until(pilot, lambda: "/register" in toasts(pilot))


async def test_the_profile_shows_the_log_ins_and_ends_them(home: Path) -> None:
    await registered(home)
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await logged_in(pilot)
        await send(pilot, "/profile")
        await until(pilot, lambda: isinstance(pilot.app.screen, ProfileScreen) and "this one" in shown(pilot))
        table = pilot.app.screen.query_one(DataTable)
        assert table.row_count == 2
        await pilot.press("e")
        await until(pilot, lambda: "o logs out" in shown(pilot))
        await pilot.press("down", "e")
        await until(pilot, lambda: table.row_count == 1)
        assert "is ended" in shown(pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen))


async def test_the_profile_shows_the_plan_that_counts_with_its_last_day(home: Path) -> None:
    await registered(home)
    async with elsewhere(home) as application:
        found = await application.accounts.account_by_email(ADA)
        assert found is not None
        root = replace(found, role="admin")
        await application.plans.subscribe(root, found.id, "pro", datetime(2099, 1, 1, tzinfo=UTC))
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await logged_in(pilot)
        await send(pilot, "/profile")
        await until(pilot, lambda: "pro until 2098-12-31" in shown(pilot))


async def test_a_second_factor_is_begun_asked_for_and_removed(home: Path) -> None:
    await registered(home)
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await logged_in(pilot)
        await send(pilot, "/profile")
        await until(pilot, lambda: "f switches it on" in shown(pilot))
        await pilot.press("f")
        await until(pilot, lambda: "Scan it" in shown(pilot))
        app = pyotp.TOTP(pilot.app.screen._offer.secret)  # type: ignore[attr-defined]
        await fill(pilot, "not this", app.now())
        await until(pilot, lambda: "The password is wrong" in shown(pilot))
        await fill(pilot, PASSWORD, "000000")
        await until(pilot, lambda: "The code is wrong" in shown(pilot))
        await fill(pilot, app.now())
        await until(pilot, lambda: "Each is good once" in shown(pilot))
        code = next(word for word in shown(pilot).split() if word.count("-") == 2)
        await pilot.press("enter")
        await until(pilot, lambda: "10 recovery codes left" in shown(pilot))
        await pilot.press("o")
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen))
        await pilot.press("l")
        await fill(pilot, ADA, PASSWORD)
        await until(pilot, lambda: pilot.app.focused is pilot.app.screen.query_one("#code"))
        await fill(pilot, code)
        await at_the_chat(pilot)
        await send(pilot, "/profile")
        await until(pilot, lambda: "9 recovery codes left" in shown(pilot))
        await pilot.press("f")
        await fill(pilot, PASSWORD)
        await until(pilot, lambda: "f switches it on" in shown(pilot))


async def test_a_password_is_changed_in_the_profile(home: Path) -> None:
    await registered(home)
    new = "another brass key, turned"
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await logged_in(pilot)
        await send(pilot, "/profile")
        await until(pilot, lambda: "this one" in shown(pilot))
        await pilot.press("p")
        await fill(pilot, "not this", new, new)
        await until(pilot, lambda: "The password is wrong." in shown(pilot))
        pilot.app.screen.query_one("#present", Input).value = PASSWORD
        await pilot.click("#go")
        await until(pilot, lambda: "The password is changed" in shown(pilot))
        assert pilot.app.screen.query_one(DataTable).row_count == 1
        async with elsewhere(home) as other:
            assert (await other.authentication.log_in(ADA, new, client="test")).account.email == ADA


async def test_a_forgotten_password_is_set_anew_with_a_code(home: Path) -> None:
    await registered(home)
    new = "another brass key, turned"
    async with elsewhere(home) as other:
        admin = await other.authentication.create_first_admin("root@example.org", PASSWORD)
        account = await other.accounts.account_by_email(ADA)
        assert account is not None
        code = (await other.account_security.issue_reset(admin, account.id)).code
    async with app_for(home, "guest").run_test(size=NARROW) as pilot:
        await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
        await send(pilot, "/login")
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        await pilot.press(*ADA, "f2")
        await until(pilot, lambda: isinstance(pilot.app.screen, ResetScreen))
        assert pilot.app.screen.query_one("#email", Input).value == ADA
        await fill(pilot, "aaaa-bbbb-cccc", new, new)
        await until(pilot, lambda: "or the code is wrong" in shown(pilot))
        pilot.app.screen.query_one("#code", Input).value = code
        await pilot.click("#go")
        await until(pilot, lambda: isinstance(pilot.app.screen, LoginScreen))
        await fill(pilot, new)
        await at_the_chat(pilot)
        await until(pilot, lambda: title(pilot) == f"multidb-chat · {ADA}")


@asynccontextmanager
async def waiting_for_accounts(home: Path) -> AsyncIterator[Application]:
    """Open the services as where the accounts are on a server, which may be away."""
    application = Application(quick(home))
    application.identity._patient = True
    try:
        await application.open("app")
        yield application
    finally:
        await application.close()


@pytest.mark.parametrize("was_logged_in", [True, False])
async def test_the_app_opens_without_the_accounts_and_lets_people_in_when_they_are_back(
    home: Path, monkeypatch: pytest.MonkeyPatch, was_logged_in: bool
) -> None:
    if was_logged_in:
        await registered(home)
        async with app_for(home, "guest").run_test(size=NARROW) as pilot:
            await logged_in(pilot)

    async def away(*_: object) -> None:
        raise StoreUnavailable("accounts", "The server is away.")

    app = ChatApp(lambda: waiting_for_accounts(home))  # type: ignore[arg-type]
    monkeypatch.setattr(SqliteAccounts, "account", away)
    monkeypatch.setattr(SqliteAccounts, "session", away)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "it is tried again by itself. The server is away." in " ".join(shown(pilot).split()))
        await app._chat.entrance.still_in()
        assert isinstance(app.screen, WelcomeScreen)
        monkeypatch.undo()
        await app._chat.entrance.still_in()
        if was_logged_in:
            await until(pilot, lambda: title(pilot) == f"multidb-chat · {ADA}")
        else:
            await until(pilot, lambda: "The server is away." not in shown(pilot))
            await pilot.press("g")
            await until(pilot, lambda: title(pilot) == "multidb-chat · guest")
