"""Changing and resetting passwords, second factors and recovery codes, on the embedded store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import (
    Conflict,
    InvalidInput,
    LogInRefused,
    NotFound,
    NotPermitted,
    SecondFactorNeeded,
    SessionEnded,
    TooManyAttempts,
    WrongPassword,
)
from tests.unit.services.signing_in import ADA, NOW, PASSWORD, Gate, gate_in

OTHER = "another brass key, turned"
ADMIN = Account("root", "admin", "free", NOW, "root@example.org", "")
SUPPORT = Account("desk", "support", "free", NOW, "desk@example.org", "")


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Gate]:
    async with gate_in(tmp_path) as opened:
        yield opened


# The password


async def test_a_changed_password_is_the_only_one_and_ends_all_other_sessions(gate: Gate):
    first, second = await gate.ada(), await gate.log_in()
    await gate.security.change_password(first.account, PASSWORD, OTHER, session_id=first.session.id)
    assert await gate.service.check(first.tokens.access) is not None
    with pytest.raises(SessionEnded):
        await gate.service.check(second.tokens.access)
    with pytest.raises(LogInRefused):
        await gate.log_in()
    await gate.log_in(password=OTHER)
    assert "account.password" in await gate.actions()


async def test_a_password_is_changed_by_who_knows_it_and_to_a_good_one(gate: Gate):
    account = (await gate.ada()).account
    with pytest.raises(LogInRefused, match="password is wrong"):
        await gate.security.change_password(account, "not this", OTHER)
    with pytest.raises(InvalidInput, match="attackers"):
        await gate.security.change_password(account, PASSWORD, "password1")
    await gate.log_in()


async def test_guessing_the_present_password_has_to_wait_too(gate: Gate):
    account = (await gate.ada()).account
    for _ in range(6):
        with pytest.raises(LogInRefused):
            await gate.security.change_password(account, "not this", OTHER)
    for attempt in (gate.security.remove_factor(account, PASSWORD), gate.log_in()):
        with pytest.raises(TooManyAttempts):
            await attempt


async def test_an_account_without_a_password_has_none_to_change(gate: Gate):
    local = Account("local", "user", "enterprise", NOW)
    await gate.accounts.create_account(local)
    for attempt in (gate.security.change_password(local, "", OTHER), gate.security.offer_factor(local)):
        with pytest.raises(InvalidInput, match="register"):
            await attempt


# A reset


async def test_a_code_from_an_administrator_sets_a_new_password_once_and_ends_all_sessions(gate: Gate):
    begun = await gate.ada()
    reset = await gate.security.issue_reset(ADMIN, begun.account.id)
    await gate.log_in()
    await gate.security.reset_password(ADA.upper(), f" {reset.code.upper().replace('-', ' ')} ", OTHER)
    await gate.log_in(password=OTHER)
    with pytest.raises(SessionEnded):
        await gate.service.check(begun.tokens.access)
    with pytest.raises(LogInRefused):
        await gate.security.reset_password(ADA, reset.code, PASSWORD)
    assert [action for action in await gate.actions() if "reset" in action] == [
        "account.reset-issue", "account.reset", "account.reset-refuse",
    ]  # fmt: skip


async def test_a_code_is_too_old_after_a_day(gate: Gate):
    reset = await gate.security.issue_reset(ADMIN, (await gate.ada()).account.id)
    gate.now = reset.expires_at
    with pytest.raises(LogInRefused):
        await gate.security.reset_password(ADA, reset.code, OTHER)
    await gate.log_in()


async def test_a_new_code_takes_the_place_of_the_one_before(gate: Gate):
    account = (await gate.ada()).account
    old, new = [await gate.security.issue_reset(ADMIN, account.id) for _ in range(2)]
    with pytest.raises(LogInRefused):
        await gate.security.reset_password(ADA, old.code, OTHER)
    await gate.security.reset_password(ADA, new.code, OTHER)


async def test_a_code_is_not_used_up_by_a_bad_password_and_not_stored_as_it_is(gate: Gate, tmp_path: Path):
    reset = await gate.security.issue_reset(ADMIN, (await gate.ada()).account.id)
    with pytest.raises(InvalidInput):
        await gate.security.reset_password(ADA, reset.code, "short")
    assert not any(reset.code.encode() in path.read_bytes() for path in tmp_path.iterdir())
    assert reset.code not in repr(reset)
    await gate.security.reset_password(ADA, reset.code, OTHER)


async def test_a_wrong_code_and_an_unknown_address_are_told_in_the_same_words_and_slowed_down(gate: Gate):
    account = (await gate.ada()).account
    await gate.security.issue_reset(ADMIN, account.id)
    said = []
    for email in (ADA, "nobody@example.org"):
        for _ in range(6):
            with pytest.raises(LogInRefused) as refused:
                await gate.security.reset_password(email, "aaaa-bbbb-cccc", OTHER)
            said.append(str(refused.value))
        with pytest.raises(TooManyAttempts):
            await gate.security.reset_password(email, "aaaa-bbbb-cccc", OTHER)
    assert len(set(said)) == 1


async def test_support_resets_the_passwords_of_users_alone(gate: Gate):
    account = (await gate.ada()).account
    await gate.security.issue_reset(SUPPORT, account.id)
    for role in ("support", "admin"):
        made = await gate.service.create(ADMIN, f"{role}@example.org", PASSWORD, role)
        with pytest.raises(NotPermitted, match="Only an administrator"):
            await gate.security.issue_reset(SUPPORT, made.id)
        await gate.security.issue_reset(ADMIN, made.id)
    with pytest.raises(NotFound):
        await gate.security.issue_reset(ADMIN, "nobody")


# The second factor


async def test_a_second_factor_counts_when_it_is_confirmed(gate: Gate):
    account = (await gate.ada()).account
    offer = await gate.security.offer_factor(account)
    assert offer.uri.startswith("otpauth://totp/ada%40example.org?secret=" + offer.secret)
    assert len({len(line) for line in offer.picture}) == 1
    await gate.log_in()
    assert (await gate.security.factor(account)).since is None
    app, codes = await gate.with_factor(account)
    with pytest.raises(SecondFactorNeeded):
        await gate.log_in()
    await gate.log_in(code=gate.code(app))
    state = await gate.security.factor(account)
    assert (state.since, state.recovery_codes) == (NOW, 10)
    assert len(set(codes)) == 10
    with pytest.raises(Conflict):
        await gate.security.offer_factor(account)


async def test_a_second_factor_is_confirmed_by_who_knows_the_password_and_another_one_uses_no_code_up(gate: Gate):
    account = (await gate.ada()).account
    app = pyotp.TOTP((await gate.security.offer_factor(account)).secret)
    with pytest.raises(WrongPassword):
        await gate.security.confirm_factor(account, "not this", gate.code(app))
    assert (await gate.security.factor(account)).since is None
    await gate.log_in()
    await gate.security.confirm_factor(account, PASSWORD, gate.code(app))
    assert (await gate.security.factor(account)).since == NOW


@pytest.mark.parametrize("password", [PASSWORD, "not this"])
async def test_guessing_at_what_confirms_a_second_factor_has_to_wait_too(gate: Gate, password: str):
    account = (await gate.ada()).account
    await gate.security.offer_factor(account)
    for _ in range(6):
        with pytest.raises(LogInRefused):
            await gate.security.confirm_factor(account, password, "000000")
    with pytest.raises(TooManyAttempts):
        await gate.security.confirm_factor(account, PASSWORD, "000000")


async def test_the_second_factor_is_asked_for_only_behind_the_right_password(gate: Gate):
    app, codes = await gate.with_factor((await gate.ada()).account)
    for code in ("", gate.code(app), codes[0]):
        with pytest.raises(LogInRefused):
            await gate.log_in(password="not the password", code=code)
    await gate.log_in(code=codes[0])


async def test_a_code_is_good_once_even_within_its_time(gate: Gate):
    app, _ = await gate.with_factor((await gate.ada()).account)
    code = gate.code(app)
    await gate.log_in(code=code)
    with pytest.raises(LogInRefused, match="used already"):
        await gate.log_in(code=code)
    with pytest.raises(LogInRefused):
        await gate.log_in(code=gate.code(app, -1))
    await gate.log_in(code=f"{gate.code(app, 1)[:3]} {gate.code(app, 1)[3:]}")


async def test_a_clock_may_be_wrong_by_one_step_and_not_by_two(gate: Gate):
    account = (await gate.ada()).account
    app, _ = await gate.with_factor(account)
    for steps, good in ((-2, False), (2, False), (-1, False), (1, True)):  # the step before was used to confirm
        gate.later(seconds=0)
        try:
            await gate.log_in(code=gate.code(app, steps))
            assert good
        except LogInRefused:
            assert not good


async def test_the_code_that_confirmed_is_used_up(gate: Gate):
    account = (await gate.ada()).account
    app, _ = await gate.with_factor(account)
    gate.later(seconds=-30)
    with pytest.raises(LogInRefused):
        await gate.log_in(code=gate.code(app))


async def test_wrong_codes_have_to_wait_like_wrong_passwords(gate: Gate):
    await gate.with_factor((await gate.ada()).account)
    for _ in range(6):
        with pytest.raises(LogInRefused):
            await gate.log_in(code="000000")
    with pytest.raises(TooManyAttempts):
        await gate.log_in(code="000000")


async def test_asking_which_accounts_have_a_second_factor_does_not_stop_the_count(gate: Gate):
    await gate.with_factor((await gate.ada()).account)
    outcomes = []
    for number in range(8):
        with pytest.raises((LogInRefused, SecondFactorNeeded, TooManyAttempts)) as refused:
            await gate.log_in(code="000000" if number % 2 else "")
        outcomes.append(type(refused.value))
    assert outcomes[-1] is TooManyAttempts


async def test_a_recovery_code_is_good_once_in_any_writing(gate: Gate):
    account = (await gate.ada()).account
    _, codes = await gate.with_factor(account)
    await gate.log_in(code=f" {codes[3].upper().replace('-', '')} ")
    with pytest.raises(LogInRefused):
        await gate.log_in(code=codes[3])
    assert (await gate.security.factor(account)).recovery_codes == 9


async def test_new_recovery_codes_take_the_place_of_the_old_ones(gate: Gate):
    account = (await gate.ada()).account
    _, old = await gate.with_factor(account)
    new = await gate.security.new_recovery_codes(account, PASSWORD)
    with pytest.raises(LogInRefused):
        await gate.log_in(code=old[0])
    await gate.log_in(code=new[0])


async def test_a_second_factor_is_removed_by_who_knows_the_password(gate: Gate):
    account = (await gate.ada()).account
    _, codes = await gate.with_factor(account)
    with pytest.raises(LogInRefused):
        await gate.security.remove_factor(account, "not this")
    await gate.security.remove_factor(account, PASSWORD)
    await gate.log_in()
    for attempt in (
        gate.security.remove_factor(account, PASSWORD),
        gate.security.new_recovery_codes(account, PASSWORD),
        gate.security.confirm_factor(account, PASSWORD, "000000"),
    ):
        with pytest.raises(InvalidInput):
            await attempt
    await gate.with_factor(account)
    with pytest.raises(LogInRefused):
        await gate.log_in(code=codes[0])


async def test_an_administrator_removes_the_second_factor_of_who_lost_it(gate: Gate):
    account = (await gate.ada()).account
    await gate.with_factor(account)
    assert await gate.security.clear_factor(ADMIN, account.id) is True
    assert await gate.security.clear_factor(ADMIN, account.id) is False
    await gate.log_in()


async def test_a_reset_password_leaves_the_second_factor(gate: Gate):
    account = (await gate.ada()).account
    app, _ = await gate.with_factor(account)
    reset = await gate.security.issue_reset(ADMIN, account.id)
    await gate.security.reset_password(ADA, reset.code, OTHER)
    with pytest.raises(SecondFactorNeeded):
        await gate.log_in(password=OTHER)
    await gate.log_in(password=OTHER, code=gate.code(app))


async def test_guests_and_disabled_accounts_have_nothing_to_change(gate: Gate):
    account = (await gate.ada()).account
    for nobody in (replace(account, role="guest"), replace(account, disabled_at=NOW)):
        for attempt in (
            gate.security.change_password(nobody, PASSWORD, OTHER),
            gate.security.offer_factor(nobody),
            gate.security.factor(nobody),
        ):
            with pytest.raises(NotPermitted):
                await attempt


# Judging


@pytest.mark.parametrize(
    ("password", "low", "high", "hint"),
    [
        ("", 0, 0, ""),
        ("abc", 0, 0, "8 characters"),
        ("Password1", 0, 0, "attackers"),
        ("aaaaaaaaaaaa", 0, 1, "guess"),
        ("correct horse battery staple moose", 4, 4, ""),
    ],
)
async def test_the_strength_is_judged_with_a_line_of_advice(gate: Gate, password: str, low: int, high: int, hint: str):
    strength = await gate.service.strength(password, ADA)
    assert low <= strength.score <= high
    assert hint in strength.hint
    assert "\n" not in strength.hint


async def test_what_is_about_its_owner_makes_a_password_weaker(gate: Gate):
    about = "zorblaxian-quux"
    assert (await gate.service.strength(f"{about}1", f"{about}@example.org")).guesses < (
        await gate.service.strength(f"{about}1", "other@example.org")
    ).guesses
