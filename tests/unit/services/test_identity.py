"""Who is talking: the stored log-in, refreshed without a word, by several programs at once."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from multidb_chat.adapters.security.stored_log_in import LogInFile
from multidb_chat.domain.errors import LogInRefused, NotPermitted, SessionEnded, StoreUnavailable
from multidb_chat.services.accounts import LOCAL_ACCOUNT_ID, AccountService
from multidb_chat.services.identity import Identity, Who
from tests.contracts import processes
from tests.unit.services.signing_in import ADA, PASSWORD, Gate, gate_in


class Run:
    """One run of the program."""

    def __init__(self, folder: Path, gate: Gate, *, patient: bool = False) -> None:
        self.gate = gate
        self.stored = LogInFile(folder / "login.json")
        service = AccountService(gate.accounts, clock=lambda: gate.now)
        self.identity = Identity(service, lambda: gate.service, self.stored, patient=patient)

    async def open(self, who: Who) -> Identity:
        await self.identity.open(who)
        return self.identity


Start = Callable[[], Run]


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Gate]:
    async with gate_in(tmp_path) as opened:
        yield opened


@pytest.fixture
def start(tmp_path: Path, gate: Gate) -> Start:
    return lambda: Run(tmp_path, gate)


async def test_the_shell_is_the_local_account_until_somebody_logs_in(start: Start, gate: Gate):
    identity = await start().open("shell")
    assert (identity.account.id, identity.session_id, identity.chosen) == (LOCAL_ACCOUNT_ID, "", True)
    await identity.register(ADA, PASSWORD)
    assert identity.account.email == ADA
    again = await start().open("shell")
    assert (again.account, again.session_id) == (identity.account, identity.session_id)
    assert (await start().open("local")).account.id == LOCAL_ACCOUNT_ID


async def test_a_token_is_refreshed_without_a_word_and_the_next_run_takes_the_new_one(start: Start, gate: Gate):
    await (await start().open("shell")).register(ADA, PASSWORD)
    first = await start().stored.load()
    gate.later(minutes=11)
    assert (await start().open("shell")).account.email == ADA
    second = await start().stored.load()
    assert second != first
    gate.later(minutes=5)
    assert (await start().open("shell")).account.email == ADA
    assert await start().stored.load() == second


async def test_a_run_that_reads_old_tokens_takes_those_that_another_one_refreshed(start: Start, gate: Gate):
    await (await start().open("shell")).register(ADA, PASSWORD)
    late = start()
    old = await late.stored.load()
    gate.later(minutes=11)
    await start().open("shell")
    gate.later(minutes=1)  # beyond the time in which the token before is good
    assert old is not None
    assert (await late.identity._let_in(old)).account.email == ADA
    assert (await start().open("shell")).account.email == ADA


async def test_an_ended_log_in_lets_nobody_go_on_as_somebody_else(start: Start, gate: Gate):
    identity = await start().open("shell")
    account = await identity.register(ADA, PASSWORD)
    await gate.accounts.end_sessions(account.id, gate.now)
    with pytest.raises(SessionEnded, match=r"log in again.*multidb-chat logout"):
        await start().open("shell")
    app = await start().open("app")
    assert (app.account.role, app.chosen) == ("guest", False)
    assert "log in again" in app.notice
    assert (await start().open("shell")).account.id == LOCAL_ACCOUNT_ID  # forgotten when it was told


async def test_a_disabled_account_is_told_so(start: Start, gate: Gate):
    account = await (await start().open("shell")).register(ADA, PASSWORD)
    await gate.accounts.update_account(replace(account, disabled_at=gate.now))
    with pytest.raises(SessionEnded, match="disabled"):
        await start().open("shell")


async def test_logging_in_again_ends_the_log_in_before(start: Start, gate: Gate):
    first = await start().open("shell")
    account = await first.register(ADA, PASSWORD)
    await (await start().open("local")).log_in(ADA, PASSWORD)
    assert len(await gate.service.sessions(account)) == 1
    with pytest.raises(SessionEnded):
        await first.recheck()


async def test_a_refused_log_in_leaves_all_as_it_was(start: Start, gate: Gate):
    identity = await start().open("shell")
    account = await identity.register(ADA, PASSWORD)
    before = await start().stored.load()
    with pytest.raises(LogInRefused):
        await identity.log_in(ADA, "not the password")
    assert identity.account == account
    assert await start().stored.load() == before


async def test_logging_out_ends_the_session_wherever_the_run_began(start: Start, gate: Gate):
    for who in ("shell", "local"):
        account = await (await start().open("local")).register(f"{who}@example.org", PASSWORD)
        identity = await start().open(who)  # type: ignore[arg-type]
        assert (await identity.log_out()).id == LOCAL_ACCOUNT_ID
        assert await gate.service.sessions(account) == []
        assert await start().stored.load() is None
        assert identity.session_id == ""


async def test_in_the_app_somebody_new_has_to_choose_and_is_nobody_until_then(start: Start, gate: Gate):
    app = await start().open("app")
    assert (app.account.role, app.chosen) == ("guest", False)
    assert await gate.accounts.list_accounts() == []
    guest = await app.enter_as_guest()
    assert app.chosen
    assert await gate.accounts.list_accounts() == [guest]
    assert await start().stored.remembered() == "guest"
    assert (await app.enter_as_guest()).id != guest.id


async def test_a_guest_who_registers_stays_and_one_who_logs_in_becomes_somebody_else(start: Start, gate: Gate):
    app = await start().open("guest")
    guest = app.account
    assert (await app.register(ADA, PASSWORD)).id == guest.id
    other = await start().open("guest")
    assert (await other.log_in(ADA, PASSWORD)).id == guest.id
    assert other.account.id == guest.id


async def test_who_registers_before_choosing_is_a_new_account(start: Start, gate: Gate):
    app = await start().open("app")
    await app.register(ADA, PASSWORD)
    assert [account.email for account in await gate.accounts.list_accounts()] == [ADA]


async def test_a_guest_at_the_app_leaves_the_stored_log_in_alone(start: Start, gate: Gate):
    await (await start().open("shell")).register(ADA, PASSWORD)
    await start().open("guest")
    assert (await start().open("shell")).account.email == ADA


async def test_leaving_the_app_leaves_a_log_in_alone_that_was_made_in_the_shell_meanwhile(start: Start, gate: Gate):
    guest, member = await start().open("guest"), await start().open("app")
    await member.register("bob@example.org", PASSWORD)
    await (await start().open("shell")).register(ADA, PASSWORD)
    for app in (guest, member):
        await app.log_out()
        assert not app.chosen
    assert (await start().open("shell")).account.email == ADA


async def test_leaving_the_app_forgets_its_own_log_in_and_guest(start: Start, gate: Gate):
    app = await start().open("app")
    await app.enter_as_guest()
    await app.log_out()
    assert await start().stored.remembered() is None
    await app.register(ADA, PASSWORD)
    await app.log_out()
    assert await start().stored.remembered() is None


async def test_looking_again_finds_what_changed(start: Start, gate: Gate):
    app = await start().open("app")
    account = await app.register(ADA, PASSWORD)
    await gate.accounts.update_account(replace(account, plan="pro"))
    assert (await app.recheck()).plan == "pro"
    guest = await start().open("guest")
    assert await guest.recheck() == guest.account
    gate.later(days=2)
    with pytest.raises(NotPermitted, match="over"):
        await guest.recheck()


@asynccontextmanager
async def run_in(folder: Path) -> AsyncIterator[Run]:
    async with AsyncExitStack() as stack:
        yield Run(folder, await stack.enter_async_context(gate_in(folder)))


async def come_in(folder: Path, times: int) -> None:
    """Open as the stored log-in again and again, each time when its token has just ended."""
    async with run_in(folder) as run:
        processes.starting_line()
        for number in range(1, times + 1):
            run.gate.now = run.gate.now.replace(microsecond=0)
            run.gate.later(minutes=11 * number)
            again = Run(folder, run.gate)
            processes.say((await again.open("shell")).account.email or "nobody")


async def test_many_programs_that_refresh_at_once_stay_logged_in(start: Start, gate: Gate, tmp_path: Path):
    await (await start().open("shell")).register(ADA, PASSWORD)
    said = processes.race([processes.start(come_in, tmp_path, 4) for _ in range(3)])
    assert said == [[ADA] * 4] * 3
    gate.later(hours=2)
    assert (await start().open("shell")).account.email == ADA


@pytest.mark.parametrize("logged_in", [True, False])
async def test_the_app_opens_while_the_accounts_are_away_and_lets_in_when_they_are_back(
    tmp_path: Path, gate: Gate, start: Start, monkeypatch: pytest.MonkeyPatch, logged_in: bool
):
    if logged_in:
        await (await start().open("app")).register(ADA, PASSWORD)

    async def away(_: str) -> None:
        raise StoreUnavailable("accounts", "It is away.")

    with monkeypatch.context() as outage:
        outage.setattr(gate.accounts, "account", away)
        outage.setattr(gate.accounts, "session", away)
        with pytest.raises(StoreUnavailable):
            await start().open("app")
        identity = await Run(tmp_path, gate, patient=True).open("app")
        assert (identity.waiting, identity.chosen, identity.account.role) == (True, False, "guest")
        assert identity.notice == "Nobody can log in or ask for now, and it is tried again by itself. It is away."
        with pytest.raises(StoreUnavailable):
            await Run(tmp_path, gate, patient=True).open("shell")
    await identity.open("app")
    assert (identity.waiting, identity.chosen, identity.notice) == (False, logged_in, "")
    assert identity.account.email == (ADA if logged_in else None)
