"""What every `Accounts` does with the audit log."""

from dataclasses import replace
from datetime import timedelta

import pytest

from multidb_chat.domain.accounts import Accounts
from multidb_chat.domain.audit import AuditEntry, AuditFilter
from multidb_chat.domain.errors import InvalidInput
from tests.contracts.accounts_processes import NOW, OpenAccounts

HOUR = timedelta(hours=1)
ENTRIES = (
    AuditEntry(NOW, "ada", "session.begin"),
    AuditEntry(NOW + HOUR, "bob", "session.begin", "s1"),
    AuditEntry(NOW + 2 * HOUR, "ada", "document.add", "s1"),
    AuditEntry(NOW + 3 * HOUR, "ada", "session.end", "s1"),
    AuditEntry(NOW + 4 * HOUR, "bob", "sessions"),
)


class AuditContract:
    """A part of `AccountsContract`."""

    async def test_entries_are_numbered_in_order_and_come_back_as_they_were(self, accounts: Accounts):
        entry = AuditEntry(NOW, "ada", "login", "s1", "::1", {"b": "2", "a": "ä\n"}, "mac", seq=99)
        assert [await accounts.append_audit(entry) for _ in range(3)] == [replace(entry, seq=n) for n in (1, 2, 3)]
        stored = await accounts.audit()
        assert stored == [replace(entry, seq=n) for n in (1, 2, 3)]
        assert list(stored[0].details) == ["b", "a"]

    @pytest.mark.parametrize(
        ("where", "fits"),
        [
            (AuditFilter(), [1, 2, 3, 4, 5]),
            (AuditFilter(actor="ada"), [1, 3, 4]),
            (AuditFilter(actor=""), []),
            (AuditFilter(action="session.begin"), [1, 2]),
            (AuditFilter(action="session."), [1, 2, 4]),
            (AuditFilter(action="session"), []),
            (AuditFilter(action="."), []),
            (AuditFilter(action="sess%."), []),
            (AuditFilter(target="s1"), [2, 3, 4]),
            (AuditFilter(target=""), [1, 5]),
            (AuditFilter(since=NOW + HOUR, until=NOW + 3 * HOUR), [2, 3]),
            (AuditFilter("ada", "session.", "s1", NOW, NOW + 9 * HOUR), [4]),
        ],
    )
    async def test_entries_are_narrowed_by_all_that_is_given(
        self, accounts: Accounts, where: AuditFilter, fits: list[int]
    ):
        for entry in ENTRIES:
            await accounts.append_audit(entry)
        assert [entry.seq for entry in await accounts.audit(where=where)] == fits
        assert [entry.seq for entry in await accounts.audit(where=where, newest=True)] == fits[::-1]

    async def test_entries_are_read_by_page_from_both_ends(self, accounts: Accounts):
        for entry in ENTRIES:
            await accounts.append_audit(entry)

        async def numbers(after: int, limit: int, actor: str | None = None, newest: bool = False) -> list[int]:
            return [e.seq for e in await accounts.audit(after, limit, AuditFilter(actor), newest=newest)]

        assert await numbers(1, 2) == [2, 3]
        assert await numbers(1, 1, "ada") == [3]
        assert await numbers(5, 9) == []
        assert await numbers(0, 2, newest=True) == [5, 4]
        assert await numbers(4, 2, newest=True) == [3, 2]
        assert await numbers(3, 9, "ada", newest=True) == [1]
        assert await numbers(1, 9, newest=True) == []
        assert await numbers(0, -1) == await numbers(0, 0, newest=True) == []

    async def test_each_entry_is_sealed_behind_the_one_before(self, accounts: Accounts):
        def seal(entry: AuditEntry, before: str) -> str:
            return f"{before}|{entry.seq}{entry.actor}"

        for entry in ENTRIES[:3]:
            await accounts.append_audit(replace(entry, mac="not this"), seal)
        macs = ["|1ada", "|1ada|2bob", "|1ada|2bob|3ada"]
        assert [entry.mac for entry in await accounts.audit()] == macs

    async def test_an_entry_that_cannot_be_sealed_is_not_there(self, accounts: Accounts):
        def fail(entry: AuditEntry, before: str) -> str:
            raise InvalidInput("no")

        with pytest.raises(InvalidInput):
            await accounts.append_audit(ENTRIES[0], fail)
        assert (await accounts.append_audit(ENTRIES[1])).seq == 1

    async def test_erasing_an_account_leaves_the_log_as_it_was(self, open_accounts: OpenAccounts, accounts: Accounts):
        ada = await accounts.account("ada")
        assert ada is not None
        await accounts.append_audit(AuditEntry(NOW, ada.pseudonym, "session.begin"))
        before = await accounts.audit()
        await accounts.delete_account("ada")
        async with open_accounts() as again:
            assert await again.audit() == before
            assert ada.pseudonym not in {account.pseudonym for account in await again.list_accounts()}
