"""Accounts in SQLite: the contract, and what lies in the file."""

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from multidb_chat.domain.audit import AuditEntry
from multidb_chat.domain.errors import StoreCorrupt
from tests.adapters.sqlite.opening import accounts_in
from tests.contracts.accounts import AccountsContract
from tests.contracts.accounts_processes import NOW, OpenAccounts


class TestSqliteAccounts(AccountsContract):
    @pytest.fixture
    def open_accounts(self, path: Path) -> OpenAccounts:
        return partial(accounts_in, path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.db"


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE seq = 2",
        "INSERT OR REPLACE INTO audit SELECT 1, at, 'nobody', action, target, origin, details, mac FROM audit LIMIT 1",
        "REPLACE INTO audit SELECT 1, at, 'nobody', action, target, origin, details, mac FROM audit LIMIT 1",
    ],
)
async def test_the_file_itself_refuses_to_change_the_audit(path: Path, attack: str):
    async with accounts_in(path) as store:
        entries = [await store.append_audit(AuditEntry(NOW, "ada", action)) for action in ("a", "b")]
        with sqlite3.connect(path) as stranger, pytest.raises(sqlite3.IntegrityError, match="append-only"):
            stranger.execute(attack)
        assert await store.audit() == entries


@pytest.mark.parametrize(
    ("column", "value"),
    [("details", '{"a":"b"}'), ("details", '{"a": "\\u0062"}'), ("details", "no JSON"), ("details", "[]"), ("at", "x")],
)
async def test_an_entry_that_lies_otherwise_than_it_is_written_is_not_taken_for_one(
    path: Path, column: str, value: str
):
    async with accounts_in(path) as store:
        await store.append_audit(AuditEntry(NOW, "ada", "a", details={"a": "b"}))
    with sqlite3.connect(path) as stranger:
        stranger.execute("DROP TRIGGER audit_is_not_changed")
        stranger.execute(f"UPDATE audit SET {column} = ?", (value,))
    async with accounts_in(path) as store:
        with pytest.raises(StoreCorrupt, match="Entry 1 of the audit log"):
            await store.audit()
