"""What every `Accounts` does with second factors, one-time codes, attempts, and sessions that rotate."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from multidb_chat.domain.accounts import Accounts, Session
from multidb_chat.domain.credentials import OneTimeCode, SecondFactor
from multidb_chat.domain.errors import NotFound
from tests.contracts.accounts_processes import NOW, OpenAccounts

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def codes(*hashes: str, expires_at: datetime | None = None, owner: str = "ada") -> list[OneTimeCode]:
    return [OneTimeCode(owner, "recovery", text, expires_at) for text in hashes]


def doubling(failures: int) -> timedelta:
    return SECOND * 2**failures


class CredentialsContract:
    """A part of `AccountsContract`."""

    async def test_an_account_has_one_second_factor(self, accounts: Accounts):
        assert await accounts.second_factor("ada") is None
        first = SecondFactor("ada", "SECRET")
        await accounts.put_second_factor(first)
        assert await accounts.second_factor("ada") == first
        confirmed = replace(first, confirmed_at=NOW, last_step=5)
        await accounts.put_second_factor(confirmed)
        assert await accounts.second_factor("ada") == confirmed
        assert await accounts.second_factor("bob") is None

    async def test_what_is_for_an_unknown_account_is_refused(self, accounts: Accounts):
        with pytest.raises(NotFound):
            await accounts.put_second_factor(SecondFactor("eve", "SECRET"))
        with pytest.raises(NotFound):
            await accounts.put_codes("eve", "recovery", codes("a", owner="eve"))
        assert await accounts.use_step("eve", 1) is False
        assert await accounts.remove_second_factor("eve") is False
        assert await accounts.use_code("eve", "recovery", "a", NOW) is False
        assert await accounts.codes_left("eve", "recovery", NOW) == 0

    async def test_a_step_is_used_once_and_never_an_earlier_one(self, accounts: Accounts):
        await accounts.put_second_factor(SecondFactor("ada", "SECRET"))
        assert [await accounts.use_step("ada", step) for step in (3, 3, 2, 4, 3)] == [True, False, False, True, False]

    async def test_of_many_that_use_one_step_one_does(self, open_accounts: OpenAccounts, accounts: Accounts):
        await accounts.put_second_factor(SecondFactor("ada", "SECRET"))
        async with open_accounts() as other:
            used = await asyncio.gather(*(store.use_step("ada", 7) for store in (accounts, other) * 5))
        assert used.count(True) == 1

    async def test_a_code_is_used_once_by_its_account_and_for_its_kind(self, accounts: Accounts):
        await accounts.put_codes("ada", "recovery", codes("a", "b"))
        assert await accounts.use_code("bob", "recovery", "a", NOW) is False
        assert await accounts.use_code("ada", "reset", "a", NOW) is False
        assert await accounts.codes_left("ada", "recovery", NOW) == 2
        assert [await accounts.use_code("ada", "recovery", text, NOW) for text in "aab"] == [True, False, True]
        assert await accounts.codes_left("ada", "recovery", NOW) == 0

    async def test_of_many_that_use_one_code_one_does(self, open_accounts: OpenAccounts, accounts: Accounts):
        await accounts.put_codes("ada", "recovery", codes("a"))
        async with open_accounts() as other:
            used = await asyncio.gather(*(s.use_code("ada", "recovery", "a", NOW) for s in (accounts, other) * 5))
        assert used.count(True) == 1

    async def test_an_expired_code_is_none(self, accounts: Accounts):
        await accounts.put_codes("ada", "recovery", codes("a", expires_at=NOW))
        assert await accounts.use_code("ada", "recovery", "a", NOW) is False
        assert await accounts.codes_left("ada", "recovery", NOW) == 0
        assert await accounts.codes_left("ada", "recovery", NOW - SECOND) == 1
        assert await accounts.use_code("ada", "recovery", "a", NOW - SECOND) is True

    async def test_new_codes_take_the_place_of_the_old_ones_of_their_kind(self, accounts: Accounts):
        await accounts.put_codes("ada", "recovery", codes("a"))
        await accounts.put_codes("ada", "reset", [OneTimeCode("ada", "reset", "r", NOW + HOUR)])
        await accounts.put_codes("bob", "recovery", codes("a", owner="bob"))
        await accounts.put_codes("ada", "recovery", codes("b", "c"))
        assert await accounts.use_code("ada", "recovery", "a", NOW) is False
        assert await accounts.codes_left("ada", "recovery", NOW) == 2
        assert await accounts.codes_left("ada", "reset", NOW) == 1
        assert await accounts.codes_left("bob", "recovery", NOW) == 1
        await accounts.put_codes("ada", "reset", [])
        assert await accounts.codes_left("ada", "reset", NOW) == 0

    async def test_the_recovery_codes_go_with_the_second_factor(self, accounts: Accounts):
        await accounts.put_second_factor(SecondFactor("ada", "SECRET"))
        await accounts.put_codes("ada", "recovery", codes("a"))
        await accounts.put_codes("ada", "reset", [OneTimeCode("ada", "reset", "r")])
        assert await accounts.remove_second_factor("ada") is True
        assert await accounts.remove_second_factor("ada") is False
        assert await accounts.second_factor("ada") is None
        assert await accounts.codes_left("ada", "recovery", NOW) == 0
        assert await accounts.codes_left("ada", "reset", NOW) == 1

    async def test_credentials_go_with_the_account(self, accounts: Accounts):
        ada = await accounts.account("ada")
        assert ada is not None
        await accounts.put_second_factor(SecondFactor("ada", "SECRET"))
        await accounts.put_codes("ada", "reset", [OneTimeCode("ada", "reset", "r")])
        await accounts.delete_account("ada")
        await accounts.create_account(ada)
        assert await accounts.second_factor("ada") is None
        assert await accounts.codes_left("ada", "reset", NOW) == 0

    async def test_attempts_have_to_wait_longer_and_longer(self, accounts: Accounts):
        at = NOW
        for failures in range(1, 6):
            assert await accounts.admit("key", at, doubling, HOUR) is None
            ready = at + doubling(failures)
            for early in (timedelta(0), doubling(failures) - timedelta(microseconds=1)):
                assert await accounts.admit("key", at + early, doubling, HOUR) == ready
            assert await accounts.admit(f"other {failures}", at, doubling, HOUR) is None
            at = ready

    async def test_a_row_of_attempts_is_forgotten_after_a_while(self, accounts: Accounts):
        for number in range(3):
            await accounts.admit("key", NOW + number * timedelta(minutes=1), doubling, HOUR)
        later = NOW + timedelta(minutes=2) + HOUR
        assert await accounts.admit("key", later, doubling, HOUR) is None
        assert await accounts.admit("key", later, doubling, HOUR) == later + doubling(1)

    async def test_who_has_to_wait_longer_than_a_row_lasts_waits(self, accounts: Accounts):
        assert await accounts.admit("key", NOW, lambda failures: 2 * HOUR, HOUR) is None
        assert await accounts.admit("key", NOW + 1.5 * HOUR, doubling, HOUR) == NOW + 2 * HOUR

    async def test_attempts_that_were_no_failures_are_taken_back(self, accounts: Accounts):
        await accounts.admit("key", NOW, doubling, HOUR)
        await accounts.admit("key", NOW + HOUR / 2, doubling, HOUR)
        at = NOW + HOUR / 2
        await accounts.take_back("key", 1)
        assert await accounts.admit("key", at, doubling, HOUR) is None
        assert await accounts.admit("key", at, doubling, HOUR) == at + doubling(2)
        await accounts.take_back("key")
        assert await accounts.admit("key", at, doubling, HOUR) is None
        assert await accounts.admit("key", at, doubling, HOUR) == at + doubling(1)
        await accounts.take_back("key", 1)
        await accounts.take_back("key", 1)
        await accounts.take_back("unknown")
        assert await accounts.admit("key", at, doubling, HOUR) is None
        assert await accounts.admit("key", at, doubling, HOUR) == at + doubling(1)

    async def test_of_attempts_at_the_same_time_one_is_admitted(self, open_accounts: OpenAccounts, accounts: Accounts):
        async with open_accounts() as other:
            admitted = await asyncio.gather(*(s.admit("key", NOW, doubling, HOUR) for s in (accounts, other) * 5))
        assert admitted.count(None) == 1
        assert set(admitted) == {None, NOW + doubling(1)}

    async def test_a_session_rotates_from_what_it_was(self, accounts: Accounts):
        session = Session("s1", "ada", NOW, NOW + HOUR, "one")
        await accounts.put_session(session)
        rotated = replace(session, refresh_hash="two", previous_refresh_hash="one", rotated_at=NOW)
        assert await accounts.rotate_session(rotated, "two") is False
        assert await accounts.session("s1") == session
        assert await accounts.rotate_session(rotated, "one") is True
        assert await accounts.session("s1") == rotated
        assert await accounts.rotate_session(rotated, "one") is False
        assert await accounts.rotate_session(replace(session, id="unknown"), "one") is False

    async def test_an_ended_session_does_not_rotate(self, accounts: Accounts):
        session = Session("s1", "ada", NOW, NOW + HOUR, "one")
        await accounts.put_session(session)
        await accounts.end_sessions("ada", NOW)
        assert await accounts.rotate_session(replace(session, refresh_hash="two"), "one") is False
        assert await accounts.session("s1") == replace(session, ended_at=NOW)

    async def test_of_many_rotations_from_one_state_one_is_done(self, open_accounts: OpenAccounts, accounts: Accounts):
        session = Session("s1", "ada", NOW, NOW + HOUR, "one")
        await accounts.put_session(session)
        async with open_accounts() as other:
            done = await asyncio.gather(
                *(
                    store.rotate_session(replace(session, refresh_hash=f"new {n}"), "one")
                    for n, store in enumerate((accounts, other) * 5)
                )
            )
        assert done.count(True) == 1
        stored = await accounts.session("s1")
        assert stored is not None
        assert stored.refresh_hash == f"new {done.index(True)}"
