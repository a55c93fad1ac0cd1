"""Each fault that is planted is found, said, and mended where that is safe; a sound installation has none."""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from multidb_chat.adapters.embedders.minilm import FOLDER, MiniLMEmbedder
from multidb_chat.adapters.installation.in_use import InUse
from multidb_chat.bootstrap import Application
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.upkeep import Finding, Room
from multidb_chat.services.installation import checks
from multidb_chat.settings import load_settings

ADMIN = Account(new_id(), "admin", "free", datetime(2026, 1, 31, tzinfo=UTC), "root@example.org")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with documents, an index, an audit log and a conversation; not to be changed."""
    import asyncio

    home = tmp_path_factory.mktemp("sound") / "home"

    async def fill() -> None:
        app = application(home)
        await app.open("local")
        papers = home.parent / "papers"
        papers.mkdir()
        for number in range(5):
            (papers / f"{number}.md").write_text(f"# Paper {number}\n\nIt was written in {2000 + number}.\n")
        collection = await app.documents.ensure_collection(app.account, "documents")
        async for _ in app.ingestion.add(app.account, collection, [papers]):
            pass
        await app.index.refresh()
        await app.cache.put("cache:faq:x", b"x", 60)
        await app.accounts.create_account(ADMIN)
        await app.curation.add(ADMIN, "Why tides?", "The moon.")
        await app.history.start(app.account, "Tides")
        await app.close()

    asyncio.run(fill())
    return home


def application(home: Path) -> Application:
    return Application(load_settings(environ={"MULTIDB_CHAT_HOME": str(home)}))


@pytest.fixture
async def app(sound: Path, tmp_path: Path) -> AsyncIterator[Application]:
    """A copy of the sound installation, not opened."""
    shutil.copytree(sound, tmp_path / "home")
    made = application(tmp_path / "home")
    yield made
    await made.close()


async def findings(app: Application) -> list[Finding]:
    return [finding async for finding in app.health.examine()]


def wrong(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.severity == "wrong"]


async def test_nothing_is_wrong_with_a_sound_installation(app: Application) -> None:
    found = await findings(app)
    assert wrong(found) == []
    assert {finding.about for finding in found} == {
        "stores", "cache", "index", "model", "embedder", "keys", "permissions", "leftovers", "clock", "disk", "locks",
    }  # fmt: skip


async def test_nothing_is_wrong_with_no_installation_and_none_is_made(tmp_path: Path) -> None:
    app = application(tmp_path / "home")
    assert wrong(await findings(app)) == []
    assert not (tmp_path / "home").exists()
    await app.close()


def flip(path: Path, at: int = 8_192) -> None:
    """Overwrite some of a file; in a database, the beginning of its third page."""
    content = bytearray(path.read_bytes())
    content[at : at + 600] = b"\xa5" * 600
    path.write_bytes(content)


def execute(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@dataclass(frozen=True)
class Fault:
    """How a fault is planted in a home, what is then said, and whether it is mended by itself."""

    plant: Callable[[Path], object]
    about: str
    said: str
    mended: bool = False


FAULTS = {
    "damaged accounts": Fault(lambda home: flip(home / "data/accounts.sqlite"), "stores", "accounts store is damaged"),
    "damaged conversations": Fault(
        lambda home: flip(home / "data/conversations.sqlite"), "stores", "conversations store is damaged"
    ),
    "damaged library": Fault(lambda home: flip(home / "data/library.sqlite"), "stores", "library store is damaged"),
    "no database": Fault(lambda home: (home / "data/library.sqlite").write_text("x" * 9_999), "stores", "damaged"),
    "rows that refer to nothing": Fault(
        lambda home: execute(
            home / "data/conversations.sqlite",
            "PRAGMA foreign_keys = OFF",
            "INSERT INTO messages (id, conversation_id, account_id, role, body, created_at, meta)"
            " VALUES ('m', 'gone', 'a', 'user', '', 0, '')",
        ),
        "stores",
        "refers to nothing in conversations",
    ),
    "newer schema": Fault(
        lambda home: execute(home / "data/library.sqlite", "PRAGMA user_version = 999"), "stores", "newer version"
    ),
    "damaged cache": Fault(lambda home: flip(home / "cache/cache.sqlite", 0), "cache", "cache store is", mended=True),
    "another index": Fault(
        lambda home: execute(home / "cache/index/index.sqlite", "UPDATE state SET library = 'other'"),
        "index",
        "another library",
        mended=True,
    ),
    "index without a document": Fault(
        lambda home: execute(
            home / "cache/index/index.sqlite", "DELETE FROM documents WHERE first = (SELECT min(first) FROM documents)"
        ),
        "index",
        "documents that are missing: 1",
        mended=True,
    ),
    "index ahead": Fault(
        lambda home: execute(home / "cache/index/index.sqlite", "UPDATE state SET watermark = 1000"),
        "index",
        "earlier state",
        mended=True,
    ),
    "index with an old document": Fault(
        lambda home: execute(
            home / "cache/index/index.sqlite",
            "UPDATE documents SET seq = 0 WHERE first = (SELECT min(first) FROM documents)",
        ),
        "index",
        "not as they are",
        mended=True,
    ),
    "index that is no database": Fault(
        lambda home: (home / "cache/index/index.sqlite").write_bytes(b"x" * 9_999), "index", "damaged", mended=True
    ),
    "wrong vectors": Fault(
        lambda home: [path.write_bytes(b"\x01" * path.stat().st_size) for path in vector_files(home)],
        "index",
        "",
        mended=True,
    ),
    "missing keys": Fault(lambda home: (home / "data/keys.json").unlink(), "keys", "key file is missing"),
    "unreadable keys": Fault(lambda home: (home / "data/keys.json").write_text("{"), "keys", "cannot be read"),
    "readable keys": Fault(lambda home: (home / "data/keys.json").chmod(0o644), "keys", "by others"),
    "open file": Fault(
        lambda home: (home / "data/library.sqlite").chmod(0o644), "permissions", "library.sqlite (0644", mended=True
    ),
    "open folder": Fault(
        lambda home: (home / "data").chmod(0o755), "permissions", "data (0755, not 0700)", mended=True
    ),
    "writable configuration": Fault(
        lambda home: [(home / "config.toml").touch(), (home / "config.toml").chmod(0o666)],
        "permissions",
        "config.toml (0666, not 0644)",
        mended=True,
    ),
    "interrupted restore": Fault(
        lambda home: (home / "data.restoring-1").mkdir(), "leftovers", "interrupted restore", mended=True
    ),
    "clock behind": Fault(
        lambda home: execute(
            home / "data/conversations.sqlite", "UPDATE conversations SET last_activity = last_activity + 3600000000"
        ),
        "clock",
        "the newest record is of",
    ),
}


def vector_files(home: Path) -> list[Path]:
    found = [path for path in (home / "cache/index").iterdir() if ".sqlite" not in path.name and path.name != "lock"]
    assert found
    return found


@pytest.mark.parametrize("name", FAULTS)
async def test_a_planted_fault_is_found_and_mended_where_that_is_safe(app: Application, name: str) -> None:
    fault = FAULTS[name]
    home = app.settings.paths.data.parent
    fault.plant(home)
    found = [finding for finding in wrong(await findings(app)) if finding.about == fault.about]
    assert any(fault.said in finding.text for finding in found), await findings(app)
    assert all(finding.safe is fault.mended and (finding.mend or not fault.mended) for finding in found)
    done = await app.health.mend(found)
    await app.close()
    again = application(home)
    left = [finding for finding in wrong(await findings(again)) if finding.about == fault.about]
    await again.close()
    assert bool(done) is fault.mended
    assert bool(left) is not fault.mended, left


async def test_an_older_store_and_data_put_aside_are_told(app: Application) -> None:
    home = app.settings.paths.data.parent
    (home / "data.before-restore-20260131-000000").mkdir()
    execute(home / "data/library.sqlite", "PRAGMA user_version = 1")
    notes = [finding.text for finding in await findings(app) if finding.severity == "note"]
    assert any("older version" in text for text in notes)
    assert any("before a restore" in text for text in notes)


async def test_what_another_program_may_be_using_is_told_and_left_alone(app: Application) -> None:
    home = app.settings.paths.data.parent
    (home / "data.restoring-1").mkdir()
    flip(home / "cache/cache.sqlite", 0)
    other = InUse(app.settings.paths.data)
    other.share()
    found = await findings(app)
    assert [finding.severity for finding in found if finding.about in ("locks", "leftovers")] == ["note", "note"]
    with pytest.raises(StoreUnavailable, match="Another multidb-chat"):
        await app.health.mend(wrong(found))
    other.release()
    assert (home / "data.restoring-1").is_dir()
    assert await app.health.mend(wrong(await findings(app))) == ["removed data.restoring-1", "began a new cache"]


async def test_a_store_that_another_program_holds_is_told(app: Application) -> None:
    holding = sqlite3.connect(app.settings.paths.data / "library.sqlite", isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    (found,) = [finding for finding in wrong(await findings(app)) if finding.about == "locks"]
    assert "library" in found.text
    assert found.mend
    holding.close()
    assert wrong(await findings(app)) == []


async def test_a_changed_model_is_found(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "model")
    flip(tmp_path / "model" / "tokenizer.json")
    embedder = MiniLMEmbedder(1, tmp_path / "model")
    (found,) = await checks.models([embedder.verify])
    await embedder.close()
    assert found.severity == "wrong"
    assert "tokenizer.json" in found.text


@pytest.mark.parametrize(("free", "severity"), [(2_000_000_000, "ok"), (500_000_000, "note"), (50_000_000, "wrong")])
async def test_little_room_is_told(app: Application, free: int, severity: str) -> None:
    class Tight:
        def room(self) -> list[Room]:
            return [Room(Path("/data"), free)]

    (found,) = await checks.disk(Tight())  # type: ignore[arg-type]
    assert found.severity == severity


async def test_the_clock_may_be_a_little_behind(app: Application) -> None:
    reports = [await upkeep.report() for upkeep in app.upkeep]
    newest = max(report.newest for report in reports if report.newest)
    for minutes, severity in ((4, "ok"), (6, "wrong")):
        (found,) = await checks.clock(reports, newest - timedelta(minutes=minutes))
        assert found.severity == severity


async def test_what_an_installation_holds_is_told_in_figures(app: Application) -> None:
    await app.accounts.create_account(Account(new_id(), "user", "free", datetime.now(UTC), "eve@example.org"))
    await app.backups.create(ADMIN, app.settings.paths.data.with_name("backup.zip"))
    seen = await app.overviews.now(ADMIN)
    holds = {kind: count for report in seen.stores for kind, count in report.records.items()}
    assert (holds["accounts"], holds["documents"], holds["knowledge entries"], holds["conversations"]) == (3, 5, 1, 1)
    assert seen.queue == {}
    assert seen.since is not None
    assert seen.backed_up_at is not None
    assert seen.backed_up_at > seen.since
    assert all(report.schema == report.known_schema and report.size_bytes for report in seen.stores)
    assert json.dumps([report.place for report in seen.stores])
