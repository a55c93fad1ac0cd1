"""Registering, logging in, and sessions, on the embedded store with real hashes and tokens."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import (
    Conflict,
    InvalidInput,
    LogInRefused,
    NotFound,
    NotPermitted,
    SessionEnded,
    TooManyAttempts,
)
from multidb_chat.domain.signing_in import Tokens
from tests.contracts import processes
from tests.unit.services.signing_in import ADA, CHEAP, NOW, PASSWORD, Gate, gate_in

ADMIN = Account("root", "admin", "free", NOW, "root@example.org", "")


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Gate]:
    async with gate_in(tmp_path) as opened:
        yield opened


# Registering


async def test_whoever_registers_is_logged_in_as_a_user_on_the_free_plan(gate: Gate):
    begun = await gate.service.register(None, f"  {ADA} ", PASSWORD, client="shell")
    account = begun.account
    assert (account.role, account.plan, account.email, account.expires_at) == ("user", "free", ADA, None)
    signed_in = await gate.service.check(begun.tokens.access)
    assert signed_in is not None
    assert (signed_in.account, signed_in.session.client) == (account, "shell")
    assert await gate.actions() == ["account.register", "session.begin"]


async def test_neither_the_password_nor_a_token_is_stored_or_shown(gate: Gate, tmp_path: Path):
    begun = await gate.ada()
    await gate.accounts.close()
    secrets = [PASSWORD, begun.tokens.access, begun.tokens.refresh, begun.tokens.refresh.split(".")[1]]
    for path in tmp_path.iterdir():
        for secret in secrets:
            assert secret.encode() not in path.read_bytes()
    assert not any(secret in repr(begun) for secret in [*secrets, begun.account.password_hash or "?"])


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "@example.org", "a b@example.org", "ada@exa\x1bmple.org", "a@b@c"]
)
async def test_what_is_no_address_is_refused(gate: Gate, address: str):
    with pytest.raises(InvalidInput, match="no e-mail address"):
        await gate.service.register(None, address, PASSWORD, client="test")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("1234567", "8 characters or more"),
        ("", "8 characters or more"),
        ("x" * 1_025, "at most 1,024"),
        ("password1", "attackers try first"),
        ("PassWord1", "attackers try first"),
        ("1qaz2wsx", "attackers try first"),
        ("ADA@example.org", "no password"),
    ],
)
async def test_a_bad_password_is_refused_with_the_reason(gate: Gate, password: str, reason: str):
    with pytest.raises(InvalidInput, match=reason):
        await gate.service.register(None, ADA, password, client="test")
    assert await gate.accounts.list_accounts() == []


@pytest.mark.parametrize(
    "password",
    ["x7§ kq9Z", "только кириллица и ещё раз кириллица " * 3, "a b c d e f g h", " leading", "🎉" * 64, "x\0y" * 9],
)
async def test_any_other_password_is_taken_exactly_as_it_is(gate: Gate, password: str):
    await gate.service.register(None, ADA, password, client="test")
    await gate.log_in(password=password)
    for other in (password + " ", password[:-1], password.upper() if password.upper() != password else "x" * 20):
        with pytest.raises(LogInRefused):
            await gate.log_in(password=other)


async def test_an_address_registers_once_in_any_case(gate: Gate):
    await gate.ada()
    with pytest.raises(Conflict, match="already; log in"):
        await gate.service.register(None, ADA.upper(), PASSWORD, client="test")
    assert len(await gate.accounts.list_accounts()) == 1


async def test_a_guest_who_registers_stays_the_same_account(gate: Gate):
    guest = Account("guest", "guest", "free", NOW, expires_at=NOW + timedelta(hours=1))
    await gate.accounts.create_account(guest)
    begun = await gate.service.register(guest, ADA, PASSWORD, client="app")
    assert (begun.account.id, begun.account.role, begun.account.expires_at) == ("guest", "user", None)
    assert begun.account.pseudonym == guest.pseudonym
    assert (await gate.log_in()).account.id == "guest"
    with pytest.raises(Conflict, match="registered already"):
        await gate.service.register(guest, "other@example.org", PASSWORD, client="app")


async def test_a_guest_whose_time_is_over_or_who_is_gone_does_not_register(gate: Gate):
    guest = Account("guest", "guest", "free", NOW, expires_at=NOW)
    for _ in range(2):
        with pytest.raises(NotPermitted, match="over"):
            await gate.service.register(guest, ADA, PASSWORD, client="app")
        await gate.accounts.create_account(guest) if not await gate.accounts.account("guest") else None
    assert await gate.accounts.account_by_email(ADA) is None


async def test_registering_again_and_again_from_one_place_has_to_wait(gate: Gate):
    for number in range(31):
        await gate.service.register(None, f"a{number}@example.org", PASSWORD, client="test")
    with pytest.raises(TooManyAttempts):
        await gate.service.register(None, ADA, PASSWORD, client="test")
    gate.later(seconds=1)
    await gate.ada()


# Logging in


async def test_the_address_is_found_in_any_case_and_with_spaces_around(gate: Gate):
    first = await gate.ada()
    again = await gate.log_in(f" {ADA.upper()} ")
    assert again.account.id == first.account.id
    assert again.session.id != first.session.id


async def test_a_wrong_password_and_an_unknown_address_are_told_in_the_same_words(gate: Gate):
    await gate.ada()
    said = []
    for email, password in ((ADA, "not the password"), ("nobody@example.org", PASSWORD), ("", ""), ("\0", "x" * 9_999)):
        with pytest.raises(LogInRefused) as refused:
            await gate.log_in(email, password)
        said.append(str(refused.value))
    assert len(set(said)) == 1
    refusals = (await gate.accounts.audit())[2:]
    assert [entry.action for entry in refusals] == ["session.refuse"] * 4
    assert [bool(entry.target) for entry in refusals] == [True, False, False, False]


async def test_an_unknown_address_costs_as_many_hashes_as_a_known_one(gate: Gate, monkeypatch: pytest.MonkeyPatch):
    await gate.ada()
    work: list[str] = []
    verify, hash_ = gate.hasher.verify, gate.hasher.hash

    async def verified(secret: bytes, hashed: str) -> bool:
        work.append("verify")
        return await verify(secret, hashed)

    async def hashed(secret: bytes) -> str:
        work.append("hash")
        return await hash_(secret)

    monkeypatch.setattr(gate.hasher, "verify", verified)
    monkeypatch.setattr(gate.hasher, "hash", hashed)
    for email in (ADA, "nobody@example.org"):
        with pytest.raises(LogInRefused):
            await gate.log_in(email, "not the password")
    assert work == ["verify", "hash"], "one each, also for the first unknown one of a process"


async def test_an_account_without_a_password_is_like_an_unknown_one(gate: Gate):
    await gate.accounts.create_account(Account("odd", "user", "free", NOW, ADA))
    with pytest.raises(LogInRefused):
        await gate.log_in(password="")


async def test_a_disabled_account_is_told_only_to_who_knows_its_password(gate: Gate):
    account = (await gate.ada()).account
    await gate.accounts.update_account(replace(account, disabled_at=NOW))
    with pytest.raises(LogInRefused):
        await gate.log_in(password="not the password")
    with pytest.raises(NotPermitted, match="disabled; ask an administrator"):
        await gate.log_in()


async def test_a_password_is_hashed_anew_when_the_cost_or_the_pepper_changes(gate: Gate, tmp_path: Path):
    before = (await gate.ada()).account.password_hash or ""
    async with gate_in(tmp_path, cost=CHEAP + 1) as dearer:
        account = (await dearer.log_in()).account
        assert (account.password_hash or "").startswith(f"pepper-1$2b${CHEAP + 1:02}$")
    await gate.keys.rotate("pepper")
    account = (await gate.log_in()).account
    assert (account.password_hash or "").startswith(f"pepper-2$2b${CHEAP:02}$")
    assert before.startswith("pepper-1$2b$")
    assert (await gate.log_in()).account == account


# Waiting


async def test_after_five_wrong_passwords_the_wait_doubles_and_ends_at_a_quarter_of_an_hour(gate: Gate):
    await gate.ada()
    waits = []
    for _ in range(40):
        with pytest.raises((LogInRefused, TooManyAttempts)) as refused:
            await gate.log_in(password="not the password")
        if isinstance(refused.value, TooManyAttempts):
            waits.append((refused.value.retry_at - gate.now).total_seconds())
            gate.now = refused.value.retry_at
    assert waits[:13] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


async def test_who_waits_is_let_in_with_the_right_password_and_begins_anew(gate: Gate):
    await gate.ada()
    for _ in range(6):
        with pytest.raises(LogInRefused):
            await gate.log_in(password="not the password")
    with pytest.raises(TooManyAttempts, match=r"possible in 2 s \(12:00:01 UTC\)"):
        await gate.log_in()
    gate.later(seconds=1)
    await gate.log_in()
    for _ in range(5):
        with pytest.raises(LogInRefused):
            await gate.log_in(password="not the password")
    await gate.log_in()


async def test_unknown_addresses_have_to_wait_like_known_ones(gate: Gate):
    await gate.ada()
    for email in (ADA, "nobody@example.org"):
        outcomes = []
        for _ in range(8):
            with pytest.raises((LogInRefused, TooManyAttempts)) as refused:
                await gate.log_in(email, "not the password")
            outcomes.append(type(refused.value))
        assert outcomes == [LogInRefused] * 6 + [TooManyAttempts] * 2


async def test_many_accounts_from_one_place_have_to_wait_and_others_elsewhere_do_not(gate: Gate, tmp_path: Path):
    await gate.ada()
    for number in range(31):
        with pytest.raises(LogInRefused):
            await gate.log_in(f"a{number}@example.org", "not the password")
    with pytest.raises(TooManyAttempts):
        await gate.log_in()
    async with gate_in(tmp_path, origin="ssh 203.0.113.7") as elsewhere:
        await elsewhere.log_in()


async def test_attempts_at_the_same_time_gain_nothing(gate: Gate, tmp_path: Path):
    await gate.ada()
    async with gate_in(tmp_path) as other:
        tries = (one.log_in(password="not the password") for one in (gate, other) * 10)
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, LogInRefused) for outcome in outcomes) == 6
    assert sum(isinstance(outcome, TooManyAttempts) for outcome in outcomes) == 14


async def test_waiting_outlasts_the_program(gate: Gate, tmp_path: Path):
    await gate.ada()
    for _ in range(6):
        with pytest.raises(LogInRefused):
            await gate.log_in(password="not the password")
    async with gate_in(tmp_path) as restarted:
        with pytest.raises(TooManyAttempts):
            await restarted.log_in()


# Tokens


def header_of(token: str) -> dict[str, object]:
    return dict(jwt.get_unverified_header(token))


async def test_an_access_token_is_good_for_ten_minutes(gate: Gate):
    begun = await gate.ada()
    gate.later(minutes=10, seconds=-1)
    assert await gate.service.check(begun.tokens.access) is not None
    gate.later(seconds=1)
    assert await gate.service.check(begun.tokens.access) is None


async def test_an_access_token_says_what_it_is_and_which_key_signed_it(gate: Gate):
    begun = await gate.ada()
    assert header_of(begun.tokens.access) == {"alg": "HS256", "typ": "at+jwt", "kid": "tokens-1"}
    claims = jwt.decode(begun.tokens.access, options={"verify_signature": False})
    assert set(claims) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert claims["exp"] - claims["iat"] == 600


@pytest.mark.parametrize("missing", ["exp", "iat", "iss", "aud", "sub", "jti"])
async def test_a_token_without_a_claim_it_must_have_is_none(gate: Gate, missing: str):
    begun = await gate.ada()
    key = await gate.keys.current("tokens")
    claims = jwt.decode(begun.tokens.access, options={"verify_signature": False})
    for forged in ({**claims}, {name: value for name, value in claims.items() if name != missing}):
        token = jwt.encode(forged, key.secret, "HS256", {"typ": "at+jwt", "kid": key.kid})
        assert (await gate.service.check(token) is None) == (missing not in forged)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "other"}, {"aud": "other"}, {"aud": ["other"]}, {"sub": "somebody"}, {"sub": 5}, {"exp": "soon"},
        {"exp": 0}, {"iat": 9e9}, {"sid": "none"}, {"sid": None}, {"iat": None},
    ],
)  # fmt: skip
async def test_a_token_with_another_claim_lets_nobody_in(gate: Gate, change: dict[str, object]):
    begun = await gate.ada()
    key = await gate.keys.current("tokens")
    claims = jwt.decode(begun.tokens.access, options={"verify_signature": False})
    token = jwt.encode({**claims, **change}, key.secret, "HS256", {"typ": "at+jwt", "kid": key.kid})
    try:
        assert await gate.service.check(token) is None
    except SessionEnded:
        assert "sid" in change


async def test_a_token_of_another_kind_key_or_algorithm_is_none(gate: Gate):
    begun = await gate.ada()
    key = await gate.keys.current("tokens")
    claims = jwt.decode(begun.tokens.access, options={"verify_signature": False})
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt","kid":"tokens-1"}').rstrip(b"=").decode()
    for token in (
        jwt.encode(claims, key.secret, "HS256", {"typ": "JWT", "kid": key.kid}),
        jwt.encode(claims, key.secret, "HS256", {"typ": "at+jwt"}),
        jwt.encode(claims, key.secret, "HS256", {"typ": "at+jwt", "kid": "tokens-9"}),
        jwt.encode(claims, b"x" * 32, "HS256", {"typ": "at+jwt", "kid": key.kid}),
        jwt.encode(claims, key.secret * 2, "HS512", {"typ": "at+jwt", "kid": key.kid}),
        f"{none}.{body}.",
        begun.tokens.access[:-2] + ("AA" if begun.tokens.access[-2:] != "AA" else "BB"),
        begun.tokens.refresh, "", "a.b.c", "\ud800",
    ):  # fmt: skip
        assert await gate.service.check(token) is None


async def test_tokens_of_an_older_key_stay_good_and_of_a_made_up_one_never_are(gate: Gate):
    begun = await gate.ada()
    await gate.keys.rotate("tokens")
    assert await gate.service.check(begun.tokens.access) is not None
    again = await gate.service.refresh(begun.tokens.refresh)
    assert header_of(again.tokens.access)["kid"] == "tokens-2"


# Sessions


async def test_the_rows_decide_whatever_a_token_says(gate: Gate):
    begun = await gate.ada()
    await gate.service.log_out(begun.account, begun.session.id)
    for use in (gate.service.check(begun.tokens.access), gate.service.refresh(begun.tokens.refresh)):
        with pytest.raises(SessionEnded, match="log in again"):
            await use
    assert (await gate.actions())[-1] == "session.end"


async def test_a_disabled_or_erased_account_is_out_at_once(gate: Gate):
    begun = await gate.ada()
    current = await gate.accounts.update_account(replace(begun.account, disabled_at=NOW))
    for use in (gate.service.check(begun.tokens.access), gate.service.refresh(begun.tokens.refresh)):
        with pytest.raises(SessionEnded, match="disabled"):
            await use
    await gate.accounts.update_account(replace(current, disabled_at=None))
    assert await gate.service.check(begun.tokens.access) is not None
    await gate.accounts.delete_account(begun.account.id)
    with pytest.raises(SessionEnded):
        await gate.service.check(begun.tokens.access)


async def test_a_session_ends_after_thirty_days_however_often_it_was_refreshed(gate: Gate):
    tokens = (await gate.ada()).tokens
    for _ in range(29):
        gate.later(days=1)
        tokens = (await gate.service.refresh(tokens.refresh)).tokens
    gate.later(days=1)
    with pytest.raises(SessionEnded):
        await gate.service.refresh(tokens.refresh)


async def test_made_up_refresh_tokens_end_nothing(gate: Gate):
    begun = await gate.ada()
    session_id, secret, tag = begun.tokens.refresh.split(".")
    for token in (f"{session_id}.{secret[::-1]}.{tag}", f"{session_id}.x.y", session_id, "", "..", begun.tokens.access):
        with pytest.raises(SessionEnded):
            await gate.service.refresh(token)
    assert await gate.service.refresh(begun.tokens.refresh)


async def test_sessions_are_listed_and_ended_by_their_owner_alone(gate: Gate):
    first, second = await gate.ada(), await gate.log_in()
    other = await gate.service.register(None, "bob@example.org", PASSWORD, client="test")
    account = first.account
    assert [session.id for session in await gate.service.sessions(account)] == [second.session.id, first.session.id]
    with pytest.raises(NotFound):
        await gate.service.end_session(account, other.session.id)
    with pytest.raises(NotFound):
        await gate.service.end_session(account, first.session.id[-3:])
    assert (await gate.service.end_session(account, first.session.id[-8:].upper())).id == first.session.id
    assert [session.id for session in await gate.service.sessions(account)] == [second.session.id]
    with pytest.raises(SessionEnded):
        await gate.service.check(first.tokens.access)
    third = await gate.log_in()
    assert await gate.service.end_other_sessions(account, third.session.id) == 1
    assert await gate.service.check(third.tokens.access) is not None
    assert await gate.service.check(other.tokens.access) is not None


async def test_an_ambiguous_end_of_an_id_is_told(gate: Gate):
    begun = await gate.ada()
    await gate.accounts.put_session(replace(begun.session, id=f"other-{begun.session.id[-4:]}"))
    with pytest.raises(InvalidInput, match="Several"):
        await gate.service.end_session(begun.account, begun.session.id[-4:])


# Staff


async def test_an_administrator_makes_accounts_and_ends_sessions(gate: Gate):
    made = await gate.service.create(ADMIN, ADA, PASSWORD, "support")
    assert made.role == "support"
    begun = await gate.log_in()
    assert [session.id for session in await gate.service.sessions_of(ADMIN, made.id)] == [begun.session.id]
    assert await gate.service.end_sessions_of(ADMIN, made.id) == 1
    with pytest.raises(SessionEnded):
        await gate.service.check(begun.tokens.access)
    with pytest.raises(NotFound):
        await gate.service.end_sessions_of(ADMIN, "nobody")
    with pytest.raises(InvalidInput):
        await gate.service.create(ADMIN, "g@example.org", PASSWORD, "guest")


async def test_the_first_administrator_is_made_once(gate: Gate):
    await gate.ada()
    first = await gate.service.create_first_admin("root@example.org", PASSWORD)
    assert first.role == "admin"
    with pytest.raises(Conflict, match="administrator already"):
        await gate.service.create_first_admin("other@example.org", PASSWORD)
    assert await gate.actions() == ["account.register", "session.begin", "account.create"]


# Several processes


async def register_and_enter(folder: Path) -> None:
    """Register one address as others do at the same time, then log in."""
    async with gate_in(folder) as gate:
        await gate.keys.current("pepper")
        processes.starting_line()
        try:
            await gate.ada()
            processes.say("registered")
        except Conflict:
            processes.say("taken")
        await gate.log_in()
        processes.say("in")


async def test_processes_that_register_one_address_make_one_account(tmp_path: Path, gate: Gate):
    said = processes.race([processes.start(register_and_enter, tmp_path) for _ in range(3)])
    assert sorted(words[0] for words in said) == ["registered", "taken", "taken"]
    assert [words[1] for words in said] == ["in"] * 3
    assert len(await gate.accounts.list_accounts()) == 1


async def refresh_once(folder: Path, token: str) -> None:
    """Refresh the same token as others do at the same time; say the new one."""
    async with gate_in(folder) as gate:
        processes.starting_line()
        processes.say((await gate.service.refresh(token)).tokens.refresh)


async def test_processes_that_refresh_one_token_at_once_all_go_on_and_one_token_is_left(tmp_path: Path, gate: Gate):
    begun = await gate.ada()
    said = processes.race([processes.start(refresh_once, tmp_path, begun.tokens.refresh) for _ in range(3)])
    session = await gate.accounts.session(begun.session.id)
    assert session is not None
    assert session.ended_at is None
    assert len({words[0] for words in said}) == 3
    assert Tokens("", said[0][0]).refresh.startswith(begun.session.id)
