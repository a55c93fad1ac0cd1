"""Backups: made while others write, checked to the last byte, put back whole or not at all."""

import asyncio
import json
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multidb_chat.adapters.installation.in_use import InUse
from multidb_chat.bootstrap import Application
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Message
from multidb_chat.domain.errors import (
    Conflict,
    InvalidInput,
    MultidbChatError,
    NotPermitted,
    SchemaTooNew,
    StoreCorrupt,
    StoreUnavailable,
)
from multidb_chat.domain.ids import new_id
from multidb_chat.services.installation import archive
from multidb_chat.services.installation.sealing import opened, sealed
from multidb_chat.settings import load_settings

NOW = datetime(2026, 1, 31, tzinfo=UTC)
ADMIN = Account(new_id(), "admin", "free", NOW, "root@example.org")


@asynccontextmanager
async def installation(home: Path) -> AsyncIterator[Application]:
    """Open the installation in a folder, as a program does."""
    app = Application(load_settings(environ={"MULTIDB_CHAT_HOME": str(home)}))
    try:
        await app.open("local")
        yield app
    finally:
        await app.close()


@asynccontextmanager
async def administered(home: Path) -> AsyncIterator[Application]:
    """Open an installation with an administrator, an entry of the knowledge base and so a record of it."""
    async with installation(home) as app:
        await app.accounts.create_account(ADMIN)
        await app.curation.add(ADMIN, "Why tides?", "The moon.")
        yield app


async def restored(app: Application, path: Path, passphrase: str = "") -> Path | None:
    """Put a backup back; return where the data of before are."""
    prepared = await app.restoring.prepare(ADMIN, path, passphrase=passphrase)
    await app.close()
    return (await app.restoring.commit(prepared)).aside


async def answers(app: Application) -> list[str]:
    return [one.entry.answer for one in await app.curation.entries(ADMIN)]


def contents(folder: Path) -> dict[str, bytes]:
    """Return what lies in a folder, but for the lock and what SQLite keeps beside its files."""
    kept = [path for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm", ".lock"))]
    return {path.name: path.read_bytes() for path in kept}


async def test_what_was_backed_up_is_there_again_and_what_came_after_lies_aside(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "backup.zip"
    async with administered(home) as app:
        made = await app.backups.create(ADMIN, file)
        assert made == archive.read(file)
        assert [copy.name for copy in made.copies] == [
            "audit.head", "conversations.sqlite", "library.sqlite", "accounts.sqlite", "keys",
        ]  # fmt: skip
        assert file.stat().st_mode & 0o777 == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["home", "backup.zip"] or len(
            list(tmp_path.iterdir())
        ) == 2
        await app.curation.edit(ADMIN, "Why tides?", answer="The sun.")
        aside = await restored(app, file)
    assert aside is not None
    async with installation(home) as app:
        assert await answers(app) == ["The moon."]
        assert (await app.audit.verify(ADMIN)).sound
        actions = [entry.action for entry in await app.audit.entries(ADMIN)]
        assert actions == ["backup.restore", "knowledge.add"]
        await app.curation.add(ADMIN, "Why ebb?", "The moon.")
        assert (await app.audit.verify(ADMIN)).sound
    aside.rename(tmp_path / "old")
    (tmp_path / "old home").mkdir()
    (tmp_path / "old").rename(tmp_path / "old home" / "data")
    async with installation(tmp_path / "old home") as app:
        assert await answers(app) == ["The sun."]
        assert (await app.audit.verify(ADMIN)).sound


async def test_a_backup_made_while_others_write_holds_one_state_of_each_store(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with administered(home) as app:
        talk = await app.history.start(ADMIN, "Tides")
        written, stop = 0, asyncio.Event()

        async def write() -> None:
            nonlocal written
            while not stop.is_set():
                asked = Message(new_id(), talk.id, ADMIN.id, "user", "Why?" * 50, NOW)
                said = Message(new_id(), talk.id, ADMIN.id, "assistant", "So." * 50, NOW, asked.id)
                await app.history.append_turn(ADMIN, talk.id, asked, said)
                await app.audit.record(ADMIN, "test.turn", str(written))
                written += 1

        writers = [asyncio.create_task(write()) for _ in range(3)]
        for number in range(4):
            before = written
            await app.backups.create(ADMIN, tmp_path / f"{number}.zip")
            while written == before:  # nobody was kept from writing for longer than the backup took
                await asyncio.sleep(0)
        stop.set()
        await asyncio.gather(*writers)
    for number in range(4):
        other = tmp_path / f"home {number}"
        async with installation(other) as app:
            await restored(app, tmp_path / f"{number}.zip")
        async with installation(other) as app:
            messages = await app.conversations.messages(talk.id, limit=100_000)
            by_id = {message.id for message in messages}
            assert all(message.parent_id in by_id for message in messages if message.role == "assistant")
            assert (await app.audit.verify(ADMIN)).sound


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A backup as bytes."""
    folder = tmp_path_factory.mktemp("good")

    async def make() -> bytes:
        async with administered(folder / "home") as app:
            await app.backups.create(ADMIN, folder / "backup.zip")
        return (folder / "backup.zip").read_bytes()

    return asyncio.run(make())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_changed_or_missing_byte_is_found(
    good: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(good) - 1))
    file = tmp_path_factory.mktemp("bad") / "backup.zip"
    file.write_bytes(good[:place] + bytes([good[place] ^ data.draw(st.integers(1, 255))]) + good[place + 1 :])
    with pytest.raises((StoreCorrupt, InvalidInput)):
        archive.read(file)
    file.write_bytes(good[:place])
    with pytest.raises((StoreCorrupt, InvalidInput)):
        archive.read(file)


async def test_a_damaged_backup_is_refused_and_nothing_is_changed(good: bytes, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    file.write_bytes(good[:5_000] + bytes([good[5_000] ^ 1]) + good[5_001:])
    async with administered(tmp_path / "home") as app:
        with pytest.raises(StoreCorrupt, match="Use another backup"):
            await app.restoring.prepare(ADMIN, file)
        assert await answers(app) == ["The moon."]
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["cache", "data"]


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all" * 20])
async def test_another_file_is_no_backup(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    async with installation(tmp_path / "home") as app:
        with pytest.raises(InvalidInput, match="no backup"):
            await app.restoring.inspect(app.account, tmp_path / "file")
        with pytest.raises(InvalidInput, match="cannot be read"):
            await app.restoring.inspect(app.account, tmp_path / "nothing")


def remade(good: bytes, folder: Path, change: "dict[str, object]", schema: dict[str, int] | None = None) -> Path:
    """Return a backup whose manifest says something else, properly closed."""
    (folder / "good.zip").write_bytes(good)
    manifest = archive.read(folder / "good.zip")
    unpacked = folder / "unpacked"
    unpacked.mkdir()
    archive.extract(folder / "good.zip", manifest, unpacked)
    for copy in manifest.copies:
        if schema and (version := schema.get(copy.name)):
            with sqlite3.connect(unpacked / copy.name) as connection:
                connection.execute(f"PRAGMA user_version = {version}")
            connection.close()
    copies = tuple(
        archive.copy_of(unpacked / copy.name, (schema or {}).get(copy.name, copy.schema))
        for copy in manifest.copies
        if copy.name not in change.get("without", ())  # type: ignore[operator]
    )
    made = archive.Manifest(manifest.program, manifest.made_at, manifest.keys, copies, int(change.get("format", 1)))  # type: ignore[call-overload]
    archive.write(folder / "remade.zip", made, unpacked)
    return folder / "remade.zip"


@pytest.mark.parametrize(
    ("change", "schema", "error"),
    [
        ({}, {"accounts.sqlite": 999}, SchemaTooNew),
        ({"without": ("library.sqlite",)}, None, StoreCorrupt),
        ({"format": 2}, None, StoreCorrupt),
    ],
)
async def test_a_backup_that_this_program_cannot_use_is_refused(
    good: bytes, tmp_path: Path, change: dict[str, object], schema: dict[str, int] | None, error: type[Exception]
) -> None:
    file = remade(good, tmp_path, change, schema)
    async with administered(tmp_path / "home") as app:
        with pytest.raises(error):
            await app.restoring.prepare(ADMIN, file)
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["cache", "data"]


async def test_while_another_program_runs_nothing_is_replaced(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "backup.zip").write_bytes(good)
    home = tmp_path / "home"
    async with administered(home) as app:
        await app.curation.edit(ADMIN, "Why tides?", answer="The sun.")
        holding = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(home / "data")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert holding.stdout is not None
        assert holding.stdout.readline() == "held\n"
        with pytest.raises(StoreUnavailable, match="Another multidb-chat"):
            await restored(app, tmp_path / "backup.zip")
        holding.kill()  # and the lock is gone with it
        holding.communicate()
    async with installation(home) as app:
        assert await answers(app) == ["The sun."]
        await restored(app, tmp_path / "backup.zip")
    async with installation(home) as app:
        assert await answers(app) == ["The moon."]
    assert len([path for path in home.iterdir() if path.name.startswith("data")]) == 2


HOLD = """
import sys
from pathlib import Path
from multidb_chat.adapters.installation.in_use import InUse
held = InUse(Path(sys.argv[1]))
held.share()
print("held", flush=True)
sys.stdin.read()
"""


async def test_a_program_that_starts_during_a_restore_is_told_to_wait(tmp_path: Path) -> None:
    with InUse(tmp_path / "data").alone(), pytest.raises(StoreUnavailable, match="being restored"):
        async with installation(tmp_path):
            pass


def test_a_lock_of_a_folder_that_was_replaced_is_taken_anew(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    first = InUse(tmp_path / "data")
    first.share()
    (tmp_path / "data").rename(tmp_path / "aside")
    second = InUse(tmp_path / "data")
    assert not second.by_others()
    second.share()
    assert InUse(tmp_path / "data").by_others()
    first.release()
    assert InUse(tmp_path / "data").by_others()
    second.release()
    assert not InUse(tmp_path / "data").by_others()


async def test_an_existing_file_is_not_overwritten_and_a_missing_folder_not_made(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    async with administered(tmp_path / "home") as app:
        with pytest.raises(Conflict):
            await app.backups.create(ADMIN, tmp_path / "there")
        with pytest.raises(InvalidInput):
            await app.backups.create(ADMIN, tmp_path / "no folder" / "backup.zip")
        assert [entry.action for entry in await app.audit.entries(ADMIN)] == ["knowledge.add"]
    assert (tmp_path / "there").read_text() == "mine"


async def test_keys_are_sealed_by_a_passphrase_and_open_with_it_alone(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "backup.zip"
    async with administered(home) as app:
        secret = json.loads((home / "data" / "keys.json").read_text())["audit"][0]["secret"]
        with pytest.raises(InvalidInput, match="at least 8"):
            await app.backups.create(ADMIN, file, keys="sealed", passphrase="short")
        await app.backups.create(ADMIN, file, keys="sealed", passphrase="correct horse")
    with zipfile.ZipFile(file) as packed:
        assert secret.encode() not in packed.read("keys")
    async with installation(tmp_path / "other") as app:
        with pytest.raises(NotPermitted, match="passphrase"):
            await app.restoring.prepare(app.account, file, passphrase="wrong horse")
        await restored(app, file, "correct horse")
    async with installation(tmp_path / "other") as app:
        assert (await app.audit.verify(ADMIN)).sound
    assert (tmp_path / "other" / "data" / "keys.json").stat().st_mode & 0o777 == 0o600


async def test_without_keys_those_of_the_installation_stay(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "backup.zip"
    async with administered(home) as app:
        made = await app.backups.create(ADMIN, file, keys="none")
        assert "keys" not in [copy.name for copy in made.copies]
        await restored(app, file)
    async with installation(home) as app:
        assert (await app.audit.verify(ADMIN)).sound


@given(st.binary(max_size=300), st.text(min_size=8, max_size=20))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_was_sealed_opens_again(content: bytes, passphrase: str) -> None:
    hidden = sealed(content, passphrase)
    assert opened(hidden, passphrase) == content
    with pytest.raises(NotPermitted):
        opened(hidden, passphrase + "x")
    with pytest.raises(NotPermitted):
        opened(hidden[:-1] + bytes([hidden[-1] ^ 1]), passphrase)


async def test_only_administrators_make_and_restore_backups_once_there_is_one(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "backup.zip").write_bytes(good)
    async with administered(tmp_path / "home") as app:
        for call in (
            app.backups.create(app.account, tmp_path / "new.zip"),
            app.backups.check(app.account, tmp_path / "backup.zip"),
            app.restoring.inspect(app.account, tmp_path / "backup.zip"),
            app.restoring.prepare(app.account, tmp_path / "backup.zip"),
        ):
            with pytest.raises(NotPermitted):
                await call


async def test_an_account_that_was_erased_since_does_not_come_back(tmp_path: Path) -> None:
    home = tmp_path / "home"
    people = [Account(new_id(), "user", "free", NOW, f"{name}@example.org", "hash") for name in ("eve", "bob", "max")]
    async with administered(home) as app:
        for person in people:
            await app.accounts.create_account(person)
            await app.history.start(person, "Tides")
        await app.administration.delete(ADMIN, people[2].id)
        await app.backups.create(ADMIN, tmp_path / "backup.zip")
        await app.administration.delete(ADMIN, people[0].id)
        await restored(app, tmp_path / "backup.zip")
    async with installation(home) as app:
        eve, bob, gone = [await app.accounts.account(person.id) for person in people]
        assert (bob, gone) == (people[1], None)
        assert eve is not None
        assert eve.email is None
        assert eve.erased_at is not None
        await app.retention.run(ADMIN)
        assert await app.accounts.account(eve.id) is None
        assert await app.conversations.conversations(eve.id) == []
        assert len(await app.conversations.conversations(people[1].id)) == 1
        assert (await app.audit.verify(ADMIN)).sound


async def test_what_is_derived_from_the_data_goes_with_them(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "backup.zip").write_bytes(good)
    home = tmp_path / "home"
    async with administered(home) as app:
        await app.cache.put("cache:faq:x", b"old", 60)
        (home / "cache" / "index").mkdir()
        await restored(app, tmp_path / "backup.zip")
    assert not (home / "cache" / "index").exists()
    async with installation(home) as app:
        assert await app.cache.get("cache:faq:x") is None


async def test_when_the_folders_cannot_be_exchanged_at_once_they_are_one_after_the_other(
    good: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multidb_chat.adapters.installation.exchange._exchanged", lambda *_: False)
    (tmp_path / "backup.zip").write_bytes(good)
    async with administered(tmp_path / "home") as app:
        await app.curation.edit(ADMIN, "Why tides?", answer="The sun.")
        aside = await restored(app, tmp_path / "backup.zip")
    assert aside is not None
    async with installation(tmp_path / "home") as app:
        assert await answers(app) == ["The moon."]


async def test_when_the_exchange_fails_everything_is_as_it_was(
    good: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "backup.zip").write_bytes(good)
    home = tmp_path / "home"
    real = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if ".restoring-" in self.name:
            raise OSError(5, "Input/output error")
        return real(self, target)

    async with administered(home) as app:
        prepared = await app.restoring.prepare(ADMIN, tmp_path / "backup.zip")
        await app.close()
        before = contents(home / "data")
        monkeypatch.setattr("multidb_chat.adapters.installation.exchange._exchanged", lambda *_: False)
        monkeypatch.setattr(Path, "rename", failing)
        with pytest.raises(MultidbChatError, match="nothing was changed"):
            await app.restoring.commit(prepared)
    assert contents(home / "data") == before
    assert [path.name for path in home.iterdir() if path.name.startswith("data")] == ["data"]


async def test_interrupted_right_behind_the_exchange_the_data_of_before_have_their_name(
    good: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    (tmp_path / "backup.zip").write_bytes(good)
    home = tmp_path / "home"
    async with administered(home) as app:
        await app.curation.edit(ADMIN, "Why tides?", answer="The sun.")
        prepared = await app.restoring.prepare(ADMIN, tmp_path / "backup.zip")
        await app.close()
        monkeypatch.setattr("multidb_chat.adapters.installation.exchange.os.fsync", killed)
        with pytest.raises(Killed):
            await app.restoring.commit(prepared)
    monkeypatch.undo()
    (aside,) = [path for path in home.iterdir() if path.name.startswith("data.")]
    assert ".before-restore-" in aside.name
    async with installation(home) as app:
        assert await answers(app) == ["The moon."]


async def test_a_store_that_does_not_exist_yet_is_an_empty_copy(tmp_path: Path) -> None:
    async with installation(tmp_path / "home") as app:
        await app.accounts.create_account(ADMIN)
        assert not (tmp_path / "home" / "data" / "library.sqlite").exists()
        made = await app.backups.create(ADMIN, tmp_path / "backup.zip")
        assert {copy.name: copy.schema for copy in made.copies}["library.sqlite"] == 0
        await restored(app, tmp_path / "backup.zip")
    async with installation(tmp_path / "home") as app:
        assert await app.library.version() == 0
        assert await answers(app) == []
