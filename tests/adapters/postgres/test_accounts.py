"""Accounts in PostgreSQL: the contract, and what lies on the server."""

from functools import partial

import psycopg
import pytest

from multidb_chat.domain.audit import AuditEntry
from multidb_chat.domain.errors import StoreCorrupt
from tests.adapters.postgres.opening import accounts_at, stranger
from tests.contracts.accounts import AccountsContract
from tests.contracts.accounts_processes import NOW, OpenAccounts
from tests.servers import needs

pytestmark = needs("postgres")


class TestPostgresAccounts(AccountsContract):
    @pytest.fixture
    def open_accounts(self, emptied: str) -> OpenAccounts:
        return partial(accounts_at, emptied)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE seq = 2",
        "TRUNCATE audit",
        "INSERT INTO audit SELECT * FROM audit ON CONFLICT (seq) DO UPDATE SET actor = 'nobody'",
        "SET session_replication_role = replica; DELETE FROM audit",
    ],
)
async def test_the_server_itself_refuses_to_change_the_audit(url: str, attack: str):
    async with accounts_at(url) as store:
        entries = [await store.append_audit(AuditEntry(NOW, "ada", action)) for action in ("a", "b")]
        async with await stranger(url) as other:
            with pytest.raises(psycopg.Error, match="append-only"):
                await other.execute(attack)
        assert await store.audit() == entries


@pytest.mark.parametrize("details", ['{"a":"b"}', '{"a": "\\u0062"}', "no JSON", "[]"])
async def test_an_entry_that_lies_otherwise_than_it_is_written_is_not_taken_for_one(url: str, details: str):
    async with accounts_at(url) as store:
        await store.append_audit(AuditEntry(NOW, "ada", "a", details={"a": "b"}))
        async with await stranger(url) as owner:
            await owner.execute("ALTER TABLE audit DISABLE TRIGGER audit_is_not_changed")
            await owner.execute("UPDATE audit SET details = %s", (details,))
        with pytest.raises(StoreCorrupt, match="Entry 1 of the audit log"):
            await store.audit()
