"""What every `Accounts` does with accounts, subscriptions, usage, sessions and hostile text."""

from dataclasses import replace
from datetime import UTC, date, timedelta, timezone

import pytest

from multidb_chat.domain.accounts import Account, Accounts, Session, Subscription
from multidb_chat.domain.audit import AuditEntry, AuditFilter
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound, QuotaExceeded
from tests.contracts.accounts_processes import ADA, BOB, NOW, PERIOD, OpenAccounts

HOUR = timedelta(hours=1)


def a_session(key: str = "s1", account: str = "ada", age: int = 0) -> Session:
    return Session(key, account, NOW - age * HOUR, NOW + HOUR)


class PeopleContract:
    """A part of `AccountsContract`."""

    async def test_an_empty_store_answers_everything_with_nothing(self, open_accounts: OpenAccounts):
        async with open_accounts() as accounts:
            assert await accounts.account("ada") is None
            assert await accounts.account_by_email("ada@example.org") is None
            assert await accounts.list_accounts() == []
            assert await accounts.delete_account("ada") is False
            assert await accounts.subscriptions("ada") == []
            assert await accounts.usage("ada", PERIOD) == {}
            assert await accounts.session("s1") is None
            assert await accounts.sessions("ada") == []
            assert await accounts.end_sessions("ada", NOW) == 0
            assert await accounts.audit() == []

    async def test_a_write_for_an_unknown_account_is_refused(self, open_accounts: OpenAccounts):
        async with open_accounts() as accounts:
            for write in (
                accounts.update_account(ADA),
                accounts.put_subscription(Subscription("1", "ada", "pro", NOW)),
                accounts.take("ada", "messages", PERIOD, 1, None, "a"),
                accounts.put_session(a_session()),
            ):
                with pytest.raises(NotFound):
                    await write
            assert await accounts.usage("ada", PERIOD) == {}

    async def test_an_account_comes_back_as_it_was_stored(self, open_accounts: OpenAccounts):
        everything = Account(
            "full", "admin", "enterprise", NOW, "Åsa.Ünal@Example.org", "$2b$12$hash", NOW + HOUR,
            NOW.astimezone(timezone(timedelta(hours=-5))), 7, facts="I live in Bergen.\nÅ 'æ' \"ø\"",
        )  # fmt: skip
        async with open_accounts() as accounts:
            await accounts.create_account(everything)
            stored = await accounts.account("full")
            assert stored == everything
            assert stored is not None
            assert stored.disabled_at is not None
            assert stored.disabled_at.tzinfo is UTC
            assert stored.pseudonym == everything.pseudonym

    async def test_an_account_keeps_its_pseudonym_and_shares_it_with_nobody(self, accounts: Accounts):
        await accounts.update_account(replace(ADA, plan="pro"))
        listed = {account.id: account.pseudonym for account in await accounts.list_accounts()}
        assert listed == {"ada": ADA.pseudonym, "bob": BOB.pseudonym}
        assert len({"", *listed.values()}) == 3

    async def test_an_identifier_and_an_address_are_taken_once(self, accounts: Accounts):
        with pytest.raises(Conflict):
            await accounts.create_account(replace(ADA, email="other@example.org"))
        with pytest.raises(Conflict):
            await accounts.create_account(replace(ADA, id="eve", email="ADA@Example.ORG"))
        await accounts.create_account(replace(ADA, id="eve", email="Straße@example.org"))
        with pytest.raises(Conflict):
            await accounts.create_account(replace(ADA, id="mia", email="STRASSE@example.org"))
        assert [account.id for account in await accounts.list_accounts()] == ["ada", "bob", "eve"]

    async def test_an_address_is_found_in_any_case_and_kept_as_written(self, accounts: Accounts):
        await accounts.create_account(replace(ADA, id="eve", email="Eve@Example.org"))
        found = await accounts.account_by_email("eve@EXAMPLE.org")
        assert found is not None
        assert (found.id, found.email) == ("eve", "Eve@Example.org")

    async def test_accounts_without_address_are_many(self, accounts: Accounts):
        await accounts.create_account(replace(BOB, id="guest2"))
        assert await accounts.account_by_email("") is None

    async def test_an_update_replaces_the_account_and_raises_its_version(self, accounts: Accounts):
        changed = replace(ADA, plan="pro", email="ada@new.example", password_hash="x", disabled_at=NOW)
        assert await accounts.update_account(changed) == replace(changed, version=2)
        assert await accounts.account("ada") == replace(changed, version=2)
        assert await accounts.account_by_email("ada@example.org") is None
        assert await accounts.account_by_email("ada@new.example") == replace(changed, version=2)
        await accounts.create_account(replace(ADA, id="eve"))

    async def test_an_update_of_an_old_version_changes_nothing(self, accounts: Accounts):
        current = await accounts.update_account(replace(ADA, plan="pro"))
        with pytest.raises(Conflict):
            await accounts.update_account(replace(ADA, plan="enterprise"))
        assert await accounts.account("ada") == current

    async def test_an_update_to_a_taken_address_changes_nothing(self, accounts: Accounts):
        with pytest.raises(Conflict):
            await accounts.update_account(replace(BOB, email="ADA@EXAMPLE.ORG"))
        assert await accounts.account("bob") == BOB

    async def test_accounts_are_listed_by_page_in_order_of_id(self, accounts: Accounts):
        for key in ("é", "Zoe", "a", "b"):
            await accounts.create_account(replace(BOB, id=key))
        ordered = ["Zoe", "a", "ada", "b", "bob", "é"]
        assert [a.id for a in await accounts.list_accounts()] == ordered
        assert [a.id for a in await accounts.list_accounts("ada", 2)] == ["b", "bob"]
        assert [a.id for a in await accounts.list_accounts("aa", 2)] == ["ada", "b"]
        assert await accounts.list_accounts("é") == []
        assert await accounts.list_accounts(limit=0) == []
        assert await accounts.list_accounts(limit=-1) == []

    async def test_a_deleted_account_leaves_nothing_but_the_audit(self, accounts: Accounts):
        await accounts.put_subscription(Subscription("1", "ada", "pro", NOW))
        await accounts.put_session(a_session())
        await accounts.take("ada", "messages", PERIOD, 1, None, "a")
        await accounts.append_audit(AuditEntry(NOW, "ada", "was here"))
        assert await accounts.delete_account("ada") is True
        assert await accounts.delete_account("ada") is False
        for again in (False, True):
            if again:
                await accounts.create_account(ADA)
            assert await accounts.subscriptions("ada") == []
            assert await accounts.usage("ada", PERIOD) == {}
            assert await accounts.session("s1") is None
        assert [entry.action for entry in await accounts.audit(where=AuditFilter(actor="ada"))] == ["was here"]
        assert await accounts.take("ada", "messages", PERIOD, 1, 1, "a") == 1

    async def test_erased_accounts_and_expired_guests_are_to_go(self, accounts: Accounts):
        user = replace(ADA, id="user", email=None, expires_at=NOW)
        erased = replace(ADA, id="gone", email=None, disabled_at=NOW, erased_at=NOW)
        late, soon = (replace(BOB, id=f"guest{n}", expires_at=NOW + n * HOUR) for n in (2, 1))
        for account in (user, erased, late, soon):
            await accounts.create_account(account)
        assert await accounts.leaving(NOW) == [erased]
        assert await accounts.leaving(NOW + HOUR) == [erased, soon]
        assert await accounts.leaving(NOW + 2 * HOUR, 2) == [erased, soon]
        assert [one.id for one in await accounts.leaving(NOW + 24 * HOUR)] == ["bob", "gone", "guest1", "guest2"]
        assert await accounts.account("gone") == erased

    async def test_subscriptions_are_replaced_by_id_and_listed_latest_first(self, accounts: Accounts):
        old = Subscription("2", "ada", "free", NOW - HOUR, NOW)
        new = Subscription("1", "ada", "pro", NOW)
        for subscription in (new, old, replace(new, plan="enterprise")):
            await accounts.put_subscription(subscription)
        await accounts.put_subscription(Subscription("3", "bob", "pro", NOW))
        assert await accounts.subscriptions("ada") == [replace(new, plan="enterprise"), old]
        assert await accounts.subscriber("ada") == (ADA, [replace(new, plan="enterprise"), old])
        assert await accounts.subscriber("nobody") is None


class UsageContract:
    """A part of `AccountsContract`."""

    async def test_uses_add_up_by_account_resource_and_period(self, accounts: Accounts):
        assert await accounts.take("ada", "messages", PERIOD, 1, 5, "a") == 1
        assert await accounts.take("ada", "messages", PERIOD, 4, 5, "b") == 5
        assert await accounts.take("ada", "documents", PERIOD, 2, None, "c") == 2
        assert await accounts.take("ada", "messages", date(2026, 3, 1), 1, 5, "d") == 1
        assert await accounts.take("bob", "messages", PERIOD, 1, 5, "a") == 1
        assert await accounts.usage("ada", PERIOD) == {"messages": 5, "documents": 2}
        assert await accounts.usage("bob", PERIOD) == {"messages": 1}

    @pytest.mark.parametrize(("amount", "limit"), [(1, 0), (3, 2), (1, -1)])
    async def test_more_than_the_limit_is_refused_at_once(self, accounts: Accounts, amount: int, limit: int):
        with pytest.raises(QuotaExceeded):
            await accounts.take("ada", "messages", PERIOD, amount, limit, "a")
        assert await accounts.usage("ada", PERIOD) == {}

    async def test_a_refused_use_takes_nothing_and_may_be_repeated_under_a_higher_limit(self, accounts: Accounts):
        await accounts.take("ada", "messages", PERIOD, 3, 4, "a")
        with pytest.raises(QuotaExceeded):
            await accounts.take("ada", "messages", PERIOD, 2, 4, "b")
        assert await accounts.usage("ada", PERIOD) == {"messages": 3}
        assert await accounts.take("ada", "messages", PERIOD, 1, 4, "c") == 4
        assert await accounts.take("ada", "messages", PERIOD, 2, 10, "b") == 6

    async def test_a_repeated_operation_counts_once_even_at_the_limit(self, accounts: Accounts):
        assert await accounts.take("ada", "messages", PERIOD, 2, 2, "a") == 2
        for resource, period, figure in (
            ("messages", PERIOD, 2),
            ("messages", date(2026, 3, 1), 0),
            ("pages", PERIOD, 0),
        ):
            assert await accounts.take("ada", resource, period, 2, 2, "a") == figure
        assert await accounts.usage("ada", PERIOD) == {"messages": 2}
        assert await accounts.usage("ada", date(2026, 3, 1)) == {}

    @pytest.mark.parametrize("amount", [0, -1, 2**63, 2**80])
    async def test_an_amount_that_cannot_be_counted_is_refused(self, accounts: Accounts, amount: int):
        await accounts.take("ada", "messages", PERIOD, 1, None, "a")
        with pytest.raises(InvalidInput):
            await accounts.take("ada", "messages", PERIOD, amount, None, "b")
        assert await accounts.usage("ada", PERIOD) == {"messages": 1}

    async def test_a_figure_that_grows_too_large_is_refused_and_not_rounded(self, accounts: Accounts):
        await accounts.take("ada", "messages", PERIOD, 2**63 - 2, None, "a")
        with pytest.raises(InvalidInput):
            await accounts.take("ada", "messages", PERIOD, 2, None, "b")
        assert await accounts.take("ada", "messages", PERIOD, 1, None, "b") == 2**63 - 1


class SessionsContract:
    """A part of `AccountsContract`."""

    async def test_a_session_is_replaced_by_its_id(self, accounts: Accounts):
        rotated = Session("s1", "ada", NOW, NOW + HOUR, "new", "old", NOW, None, "terminal")
        await accounts.put_session(a_session())
        await accounts.put_session(rotated)
        assert await accounts.session("s1") == rotated
        assert await accounts.sessions("ada") == [rotated]

    async def test_sessions_are_listed_latest_first(self, accounts: Accounts):
        for key, age in (("middle", 2), ("old", 3), ("new", 1)):
            await accounts.put_session(a_session(key, age=age))
        await accounts.put_session(a_session("bobs", "bob"))
        assert [session.id for session in await accounts.sessions("ada")] == ["new", "middle", "old"]

    async def test_ending_all_sessions_leaves_ended_ones_and_other_accounts(self, accounts: Accounts):
        ended = replace(a_session("ended"), ended_at=NOW - HOUR)
        for session in (ended, a_session("s1"), a_session("s2"), a_session("bobs", "bob")):
            await accounts.put_session(session)
        assert await accounts.end_sessions("ada", NOW) == 2
        assert await accounts.end_sessions("ada", NOW + HOUR) == 0
        assert {s.id: s.ended_at for s in await accounts.sessions("ada")} == {
            "ended": NOW - HOUR,
            "s1": NOW,
            "s2": NOW,
        }
        assert await accounts.session("bobs") == a_session("bobs", "bob")

    async def test_only_the_named_sessions_of_the_account_end(self, accounts: Accounts):
        for session in (a_session("s1"), a_session("s2"), a_session("bobs", "bob")):
            await accounts.put_session(session)
        assert await accounts.end_sessions("ada", NOW, []) == 0
        assert await accounts.end_sessions("ada", NOW, ["s2", "s2", "bobs", "unknown"]) == 1
        assert await accounts.session("s1") == a_session("s1")
        assert await accounts.session("s2") == replace(a_session("s2"), ended_at=NOW)
        assert await accounts.session("bobs") == a_session("bobs", "bob")


HOSTILE = [
    "",
    "\x00",
    "a\x00b",
    "\ud800",
    "a\udfffb",
    "\x1b[31m",
    "'; DROP TABLE accounts; --",
    "%_*?",
    "🎉",
    "e\u0301",
]


class HostileTextContract:
    """A part of `AccountsContract`."""

    @pytest.mark.parametrize("text", HOSTILE, ids=ascii)
    async def test_any_text_comes_back_exactly_or_is_refused_cleanly(self, accounts: Accounts, text: str):
        account = replace(ADA, id=f"id {text}", email=f"{text}@example.org")
        entry = AuditEntry(NOW, text, text, text, text, {f"key{text}": text}, text, 1)
        session = replace(a_session(f"s {text}"), client=text, refresh_hash=text)
        try:
            await accounts.create_account(account)
            assert await accounts.account_by_email(f"{text}@example.org") == account
            await accounts.append_audit(entry)
            await accounts.put_session(session)
            assert await accounts.take("ada", text, PERIOD, 1, None, text) == 1
        except InvalidInput:
            assert [a.id for a in await accounts.list_accounts()] == ["ada", "bob"]
            return
        assert await accounts.account(account.id) == account
        assert await accounts.audit() == [entry]
        assert await accounts.audit(where=AuditFilter(text, text, text)) == [entry]
        assert await accounts.session(session.id) == session
        assert await accounts.usage("ada", PERIOD) == {text: 1}

    @pytest.mark.parametrize("text", ["\ud800", "\x00"], ids=ascii)
    async def test_asking_for_hostile_text_finds_nothing(self, accounts: Accounts, text: str):
        for ask in (
            accounts.account(text),
            accounts.account_by_email(text),
            accounts.session(text),
            accounts.subscriptions(text),
        ):
            try:
                assert not await ask
            except InvalidInput:
                continue
