"""Files that are not what they should be: truncated, foreign, newer, older, not to be opened."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.database import Database
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.errors import MultidbChatError, SchemaTooNew, StoreCorrupt, StoreError, StoreUnavailable
from tests.contracts.library import a_collection, a_content

OLD = ("CREATE TABLE things (id TEXT PRIMARY KEY, body TEXT); -- the first; version\n",)
STEPS = (
    *OLD,
    "ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 0; UPDATE things SET size = length(body);",
    "CREATE TABLE log (line TEXT); CREATE TRIGGER note AFTER INSERT ON things BEGIN INSERT INTO log VALUES (';'); END;",
    "INSERT INTO log VALUES ('migrated');",
)
BROKEN = (*OLD, "UPDATE things SET body = 'lost'; CREATE TABLE things (id);")


def everything(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT * FROM things ORDER BY id").fetchall()


async def an_old_file(path: Path) -> None:
    database = Database(path, "things", OLD)
    await database.write(
        lambda c: c.executemany("INSERT INTO things VALUES (?, ?)", [("a", "body"), ("b", "")]) and None
    )
    await database.close()


async def a_library(path: Path) -> None:
    library = SqliteLibrary(path)
    await library.create_collection(a_collection())
    await library.put_documents([a_content(f"{n}.md", "words " * 900, pieces=5) for n in range(30)])
    await library.close()


async def use(library: SqliteLibrary) -> None:
    for document in await library.documents(["papers"], limit=1_000):
        assert await library.content(document.id) is not None
    await library.put_documents([a_content("new.md", "words " * 900)])


def one_clear_line(error: StoreError, path: Path, *words: str) -> None:
    message = str(error)
    assert "\n" not in message
    for word in (str(path), error.store, *words):
        assert word in message


@pytest.mark.parametrize("part", [0.01, 0.3, 0.5, 0.9, 0.999])
async def test_a_truncated_file_is_said_to_be_damaged(tmp_path: Path, part: float):
    path = tmp_path / "library.db"
    await a_library(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    library = SqliteLibrary(path)
    with pytest.raises(StoreCorrupt) as caught:
        await use(library)
    one_clear_line(caught.value, path, "restore a backup", "move it away")
    await library.close()


@pytest.mark.parametrize(
    "content", [b"# Not a database\n" * 300, b"\x89PNG\r\n", bytes(8192)], ids=["text", "png", "zeros"]
)
async def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path, content: bytes):
    path = tmp_path / "library.db"
    path.write_bytes(content)
    library = SqliteLibrary(path)
    for call in (library.version(), library.create_collection(a_collection())):
        with pytest.raises(StoreCorrupt) as caught:
            await call
        one_clear_line(caught.value, path, "not a database")
    await library.close()
    assert path.read_bytes() == content


async def test_an_overwritten_middle_is_never_read_as_documents(tmp_path: Path):
    path = tmp_path / "library.db"
    await a_library(path)
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xee" * (path.stat().st_size - 8192))
    library = SqliteLibrary(path)
    with pytest.raises(StoreCorrupt):
        await use(library)
    await library.close()


async def test_a_newer_schema_is_refused_and_not_touched(tmp_path: Path):
    path = tmp_path / "library.db"
    await a_library(path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
    before = path.read_bytes()
    library = SqliteLibrary(path)
    with pytest.raises(SchemaTooNew) as caught:
        await library.documents(["papers"])
    one_clear_line(caught.value, path, "schema 7", "update the program")
    await library.close()
    assert path.read_bytes() == before


async def test_another_stores_file_is_refused_and_not_touched(tmp_path: Path):
    path = tmp_path / "things.db"
    await an_old_file(path)
    before = path.read_bytes()
    library = SqliteLibrary(path)
    with pytest.raises(StoreUnavailable, match="holds something else"):
        await library.create_collection(a_collection())
    await library.close()
    assert path.read_bytes() == before


async def test_an_older_schema_is_migrated_behind_a_backup(tmp_path: Path):
    path = tmp_path / "things.db"
    await an_old_file(path)
    database = Database(path, "things", STEPS)
    assert await database.read(everything) == [("a", "body", 4), ("b", "", 0)]
    await database.write(lambda c: c.execute("INSERT INTO things VALUES ('c', '', 0)") and None)
    assert await database.read(lambda c: c.execute("SELECT line FROM log").fetchall()) == [("migrated",), (";",)]
    await database.close()
    assert {file.name for file in tmp_path.iterdir()} == {"things.db", "things.db.v1-backup"}
    backup = tmp_path / "things.db.v1-backup"
    assert backup.stat().st_mode & 0o777 == 0o600
    restored = Database(backup, "things", OLD)
    assert await restored.read(everything) == [("a", "body"), ("b", "")]
    await restored.close()


async def test_the_backup_holds_what_only_the_log_held(tmp_path: Path):
    path = tmp_path / "things.db"
    old = Database(path, "things", OLD)
    await old.write(lambda c: c.execute("INSERT INTO things VALUES ('a', 'in the log')") and None)
    new = Database(path, "things", STEPS)
    assert await new.read(everything) == [("a", "in the log", 10)]
    await new.close()
    await old.close()
    restored = Database(tmp_path / "things.db.v1-backup", "things", OLD)
    assert await restored.read(everything) == [("a", "in the log")]
    await restored.close()


async def test_a_migration_that_fails_changes_nothing(tmp_path: Path):
    path = tmp_path / "things.db"
    await an_old_file(path)
    database = Database(path, "things", BROKEN)
    with pytest.raises(StoreError, match="already exists"):
        await database.read(everything)
    await database.close()
    again = Database(path, "things", OLD)
    assert await again.read(everything) == [("a", "body"), ("b", "")]
    await again.close()


OPEN = """
import asyncio, json, pathlib, sys
from multidb_chat.adapters.sqlite.database import Database

async def main():
    database = Database(pathlib.Path(sys.argv[1]), "things", json.loads(sys.argv[2]))
    sys.stdout.write("ready\\n"), sys.stdout.flush(), sys.stdin.readline()
    await database.write(lambda c: c.execute("INSERT INTO things (id) VALUES (?)", (sys.argv[3],)) and None)
    await database.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("existing", [True, False], ids=["an old file", "no file"])
async def test_processes_that_open_at_once_migrate_once(tmp_path: Path, existing: bool):
    path = tmp_path / "things.db"
    if existing:
        await an_old_file(path)
    steps = json.dumps(STEPS)
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN, path, steps, f"p{n}"], stdin=-1, stdout=-1, stderr=-1, text=True)
        for n in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = await asyncio.to_thread(process.communicate)
        assert process.returncode == 0, errors
    database = Database(path, "things", STEPS)
    lines = await database.read(lambda c: c.execute("SELECT line FROM log WHERE line <> ';'").fetchall())
    assert lines == [("migrated",)]
    found = [row[0] for row in await database.read(everything)]
    assert found == (["a", "b"] if existing else []) + [f"p{n}" for n in range(4)]
    await database.close()
    backups = [file.name for file in tmp_path.iterdir() if "backup" in file.name]
    assert backups == (["things.db.v1-backup"] if existing else [])


async def test_a_place_where_no_file_can_be_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "library.db", tmp_path):
        library = SqliteLibrary(path)
        with pytest.raises(StoreUnavailable) as caught:
            await library.version()
        one_clear_line(caught.value, path, "cannot be opened")
        await library.close()


async def test_a_path_with_control_characters_stays_one_line(tmp_path: Path):
    path = tmp_path / "a\nb\x1b[31m" / "library.db"
    path.parent.mkdir()
    path.write_bytes(b"no database at all, just some text")
    library = SqliteLibrary(path)
    with pytest.raises(StoreCorrupt) as caught:
        await library.version()
    assert str(caught.value).isprintable()
    await library.close()


async def test_a_file_that_became_unusable_works_again_once_it_is_restored(tmp_path: Path):
    path = tmp_path / "library.db"
    await a_library(path)
    shutil.copy(path, tmp_path / "good")
    path.write_bytes(b"garbage" * 2_000)
    library = SqliteLibrary(path)
    with pytest.raises(MultidbChatError):
        await library.version()
    shutil.copy(tmp_path / "good", path)
    assert await library.version() == 30
    await library.close()
