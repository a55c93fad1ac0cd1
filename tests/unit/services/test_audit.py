"""The audit log on the embedded stores: what is recorded, and that nobody changes it unnoticed."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multidb_chat.adapters.security.anchor_file import AnchorFile
from multidb_chat.adapters.security.key_file import KeyFile
from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.audit import ACTORLESS, AuditFilter
from multidb_chat.domain.errors import NotPermitted, StoreFull
from multidb_chat.services.audit import AuditLog, Verification
from tests.contracts import processes

NOW = datetime(2026, 2, 28, 23, 59, tzinfo=UTC)
ADA = Account("ada", "user", "free", NOW, "ada@example.org")
ADMIN = Account("root", "admin", "free", NOW, "root@example.org")
COLUMNS = ("seq", "at", "actor", "action", "target", "origin", "details", "mac")


def opened(folder: Path, accounts: SqliteAccounts) -> AuditLog:
    keys, anchor = KeyFile(folder / "keys.json"), AnchorFile(folder / "audit.head")
    return AuditLog(accounts, keys, anchor, origin="ssh 203.0.113.7", clock=lambda: NOW)


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[SqliteAccounts]:
    store = SqliteAccounts(tmp_path / "accounts.sqlite")
    yield store
    await store.close()


@pytest.fixture
def log(tmp_path: Path, accounts: SqliteAccounts) -> AuditLog:
    return opened(tmp_path, accounts)


async def some(log: AuditLog) -> None:
    """Record five entries of different kinds."""
    await log.record(ADA, "session.begin", "s1", client="shell")
    await log.record(ADMIN, "account.role", ADA, role="support")
    await log.record(None, "session.refuse", ADA)
    await log.record(ADA, "document.remove", "é\x1b[31m\n1")
    await log.record(ADA, "session.end", "s1")


async def test_an_entry_says_who_did_what_to_what_when_and_from_where(log: AuditLog):
    await some(log)
    newest = await log.entries(ADMIN)
    assert [entry.seq for entry in newest] == [5, 4, 3, 2, 1]
    entry = newest[3]
    assert (entry.at, entry.actor, entry.action, entry.target) == (
        NOW, ADMIN.pseudonym, "account.role", ADA.pseudonym,
    )  # fmt: skip
    assert (entry.origin, entry.details) == ("ssh 203.0.113.7", {"role": "support"})
    assert newest[2].actor == ACTORLESS
    assert newest[1].target == "é 1"


async def test_no_entry_names_a_person(log: AuditLog, tmp_path: Path, accounts: SqliteAccounts):
    await accounts.create_account(ADA)
    await some(log)
    text = json.dumps([[e.actor, e.target, dict(e.details)] for e in await accounts.audit()])
    assert "ada" not in text


async def test_only_who_may_read_it_reads_it_and_everybody_sees_the_own_part(log: AuditLog):
    await some(log)
    for account in (ADA, replace(ADMIN, disabled_at=NOW), replace(ADA, role="guest")):
        with pytest.raises(NotPermitted):
            await log.entries(account)
        with pytest.raises(NotPermitted):
            await log.verify(account)
    assert [entry.seq for entry in await log.own_entries(ADA)] == [5, 4, 1]
    assert [entry.seq for entry in await log.entries(ADMIN, AuditFilter(action="session."), limit=2)] == [5, 3]


async def test_a_log_that_nobody_touched_is_sound(log: AuditLog, tmp_path: Path, accounts: SqliteAccounts):
    assert (await log.verify(ADMIN)).entries == 0
    await some(log)
    assert (await opened(tmp_path, accounts).verify(ADMIN)).entries == 5
    assert (await log.verify(ADMIN)).sound


async def test_entries_of_older_keys_stay_sound(log: AuditLog, tmp_path: Path):
    await some(log)
    await KeyFile(tmp_path / "keys.json").rotate("audit")
    await some(log)
    assert await log.verify(ADMIN) == await opened(tmp_path, log._trail).verify(ADMIN)  # type: ignore[arg-type]
    assert (await log.verify(ADMIN)).sound
    assert [entry.mac.partition(":")[0] for entry in await log.entries(ADMIN)] == ["audit-2"] * 5 + ["audit-1"] * 5


async def test_erasing_an_account_keeps_the_log_sound_and_tells_nobody_whose_entries_they_were(
    log: AuditLog, accounts: SqliteAccounts, tmp_path: Path
):
    await accounts.create_account(ADA)
    await some(log)
    await accounts.delete_account("ada")
    assert (await log.verify(ADMIN)).sound
    await accounts.close()
    assert ADA.pseudonym in [entry.actor for entry in await opened(tmp_path, again(tmp_path)).entries(ADMIN)]
    with closing(sqlite3.connect(tmp_path / "accounts.sqlite")) as file:
        assert file.execute("SELECT count(*) FROM accounts").fetchone() == (0,)


def again(folder: Path) -> SqliteAccounts:
    return SqliteAccounts(folder / "accounts.sqlite")


# Whoever has the file can change it; the log shows that it was done.


def attack(folder: Path, *statements: str) -> None:
    """Change the file behind the program's back, its triggers taken away first."""
    with closing(sqlite3.connect(folder / "accounts.sqlite", isolation_level=None)) as file:
        for name in ("changed", "removed", "replaced"):
            file.execute(f"DROP TRIGGER IF EXISTS audit_is_not_{name}")
        for statement in statements:
            file.execute(statement)


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (["DELETE FROM audit WHERE seq = 3"], "Entry 3 is missing"),
        (["DELETE FROM audit WHERE seq = 1"], "Entry 1 is missing"),
        (["DELETE FROM audit WHERE seq > 3"], "cut off: 3 entries are left of at least 5"),
        (["DELETE FROM audit"], "cut off: 0 entries are left of at least 5"),
        (["DELETE FROM audit WHERE seq = 3", "UPDATE audit SET seq = seq - 1 WHERE seq > 3"], "Entry 3 is not what"),
        (
            ["UPDATE audit SET seq = 99 WHERE seq = 2", "UPDATE audit SET seq = 2 WHERE seq = 3",
             "UPDATE audit SET seq = 3 WHERE seq = 99"],
            "Entry 2 is not what",
        ),
        (["INSERT INTO audit SELECT 6, at, actor, action, target, origin, details, mac FROM audit WHERE seq = 5"],
         "Entry 6 is not what"),
        (["UPDATE audit SET mac = '' WHERE seq = 4"], "Entry 4 is not what"),
        (["UPDATE audit SET mac = 'other-1:' || substr(mac, 9)"], "Entry 1 is not what"),
        (["UPDATE audit SET details = '{\"role\":\"support\"}' WHERE seq = 2"], "Entry 2 of the audit log"),
    ],
)  # fmt: skip
async def test_what_is_removed_moved_added_or_cut_off_is_found(
    log: AuditLog, tmp_path: Path, statements: list[str], problem: str
):
    await some(log)
    attack(tmp_path, *statements)
    found = await log.verify(ADMIN)
    assert not found.sound
    assert problem in found.problem


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with five entries, to be copied."""
    folder = tmp_path_factory.mktemp("recorded")

    async def story() -> None:
        accounts = again(folder)
        await some(opened(folder, accounts))
        await accounts.close()

    asyncio.run(story())
    return folder


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_flipped_byte_is_found(recorded: Path, data: st.DataObject):
    seq, column = data.draw(st.integers(1, 5)), data.draw(st.sampled_from(COLUMNS))
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(recorded, folder, dirs_exist_ok=True)
        with closing(sqlite3.connect(folder / "accounts.sqlite")) as file:
            (value,) = file.execute(f"SELECT {column} FROM audit WHERE seq = ?", (seq,)).fetchone()
        attack(folder, f"UPDATE audit SET {column} = {flipped(value, data)} WHERE seq = {seq}")

        async def verified() -> Verification:
            accounts = again(folder)
            found = await opened(folder, accounts).verify(ADMIN)
            await accounts.close()
            return found

        found = asyncio.run(verified())
        assert not found.sound
        assert found.entries <= 5


def flipped(value: int | str, data: st.DataObject) -> str:
    """Return a value with one bit (a number) or one byte (a text) changed, as SQL."""
    if isinstance(value, int):
        return str(value ^ (1 << data.draw(st.integers(4, 50))))
    if not value:
        return "'x'"
    raw = bytearray(value.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    return f"CAST(x'{raw.hex()}' AS TEXT)"


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda head: head.unlink(), "missing"),
        (lambda head: head.write_text("{"), "missing or cannot be read"),
        (lambda head: head.write_text(head.read_text().replace('"seq": 5', '"seq": 4')), "not what was written"),
    ],
)
async def test_a_spoilt_head_is_found(log: AuditLog, tmp_path: Path, spoil: Callable[[Path], object], problem: str):
    await some(log)
    spoil(tmp_path / "audit.head")
    assert problem in (await log.verify(ADMIN)).problem


async def test_a_shorter_log_with_a_head_made_for_it_is_found(log: AuditLog, tmp_path: Path):
    await some(log)
    mac = next(entry.mac for entry in await log.entries(ADMIN) if entry.seq == 3)
    attack(tmp_path, "DELETE FROM audit WHERE seq > 3")
    (tmp_path / "audit.head").write_text(json.dumps({"seq": 3, "mac": mac, "seal": "0" * 64}))
    assert "not what was written" in (await log.verify(ADMIN)).problem


class FullAnchor(AnchorFile):
    """An anchor on a full disk."""

    async def advance(self, head: object) -> None:
        raise StoreFull("audit anchor", "No space is left.")


async def test_an_entry_counts_also_where_its_head_cannot_be_written(
    accounts: SqliteAccounts, log: AuditLog, tmp_path: Path
):
    await some(log)
    full = AuditLog(accounts, KeyFile(tmp_path / "keys.json"), FullAnchor(tmp_path / "audit.head"))
    await full.record(ADA, "session.begin")
    assert (await log.verify(ADMIN)).entries == 6
    await log.record(ADA, "session.end")
    attack(tmp_path, "DELETE FROM audit WHERE seq = 7")
    assert "cut off" in (await log.verify(ADMIN)).problem


async def record_many(folder: Path, name: str, times: int) -> None:
    """Record entries; say their numbers."""
    accounts = again(folder)
    log = opened(folder, accounts)
    processes.starting_line()
    for _ in range(times):
        processes.say(str((await log.record(None, name)).seq))
    await accounts.close()


async def test_several_processes_make_one_chain(log: AuditLog, tmp_path: Path):
    said = processes.race([processes.start(record_many, tmp_path, f"p{n}", 20) for n in range(3)])
    assert sorted(int(word) for words in said for word in words) == list(range(1, 61))
    assert (await log.verify(ADMIN)).entries == 60
    assert (await log.verify(ADMIN)).sound
    assert json.loads((tmp_path / "audit.head").read_text())["seq"] == 60


async def test_a_long_log_is_read_in_pieces(log: AuditLog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("multidb_chat.services.audit._PAGE", 2)
    await some(log)
    assert (await log.verify(ADMIN)).entries == 5
    assert [e.at for e in await log.entries(ADMIN, AuditFilter(until=NOW + timedelta(1)), after=3)] == [NOW, NOW]
