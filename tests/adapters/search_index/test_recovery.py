"""The index may be lost, damaged, foreign or unwritable at any time; what is found stays right."""

import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from multidb_chat.adapters.search_index import EmbeddedSearchIndex, tables
from multidb_chat.adapters.search_index.tables import Tables
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.errors import StoreFull, StoreUnavailable
from multidb_chat.domain.library import Change, DocumentContent, Library
from tests.adapters.search_index.worlds import ALL, a_library, answers, clean_answers, some_document
from tests.contracts.search_index import PAPERS, a_vector, nearest


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[SqliteLibrary]:
    library = await a_library(tmp_path / "library.sqlite", 40)
    yield library
    await library.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
async def index(folder: Path, library: Library) -> AsyncIterator[EmbeddedSearchIndex]:
    index = EmbeddedSearchIndex(folder, library)
    await index.refresh()
    yield index
    await index.close()


def half(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def each(pattern: str, harm: Callable[[Path], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        # Whoever has a database open maps its -shm file: cutting that one ends the process, inside SQLite.
        paths = [path for path in folder.glob(pattern) if harm is Path.unlink or not path.name.endswith("-shm")]
        assert paths
        for path in paths:
            harm(path)

    return damage


def other_version(folder: Path) -> None:
    with sqlite3.connect(folder / "index.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")


def other_program(folder: Path) -> None:
    for path in folder.glob("index.sqlite*"):
        path.unlink()
    with sqlite3.connect(folder / "index.sqlite") as connection:
        connection.execute("CREATE TABLE stamps (id INTEGER)")


def without_a_table(folder: Path) -> None:
    with sqlite3.connect(folder / "index.sqlite") as connection:
        connection.execute("DROP TABLE documents")


DAMAGES = {
    "the folder is gone": shutil.rmtree,
    "the rows are gone": each("index.sqlite*", Path.unlink),
    "the rows are empty": each("index.sqlite*", lambda path: path.write_bytes(b"")),
    "the rows are no database": each("index.sqlite*", lambda path: path.write_bytes(b"no database " * 1000)),
    "the rows are cut": each("index.sqlite", half),
    "the rows are of another version": other_version,
    "the rows are of another program": other_program,
    "a table is gone": without_a_table,
    "the vectors are cut": each("*.f32", half),
    "the vectors are gone": each("*.f32", Path.unlink),
    "the small vectors are cut": each("*.i8", half),
    "the small vectors are gone": each("*.i8", Path.unlink),
    "all is empty": each("*", lambda path: path.write_bytes(b"")),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_a_lost_or_damaged_index_comes_back_when_it_is_opened(
    folder: Path, library: Library, index: EmbeddedSearchIndex, damage: Callable[[Path], None]
):
    before = await answers(index)
    await index.close()
    damage(folder)
    again = EmbeddedSearchIndex(folder, library)
    await again.refresh()
    assert await answers(again) == before
    await again.close()


@pytest.mark.parametrize("damage", [damage for what, damage in DAMAGES.items() if "vectors" in what])
async def test_vectors_that_are_damaged_while_a_search_waits_for_its_vector_come_back(
    folder: Path, index: EmbeddedSearchIndex, damage: Callable[[Path], None]
):
    search = await index.nearest(ALL, 10_000)
    before = await search(a_vector(0))
    damage(folder)
    after = await search(a_vector(0))
    assert (sorted(after.keys), after.scores) == (sorted(before.keys), pytest.approx(before.scores, abs=1e-6))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_an_index_that_is_lost_or_damaged_while_it_is_open_comes_back(
    folder: Path, library: Library, index: EmbeddedSearchIndex, damage: Callable[[Path], None]
):
    before = await answers(index)
    damage(folder)
    await index.refresh()
    assert await answers(index) == before
    await library.put_documents([some_document(7, version=3)])
    await index.refresh()
    assert await answers(index) == await clean_answers(folder.with_name("clean"), library) != before


async def test_one_process_replaces_a_damaged_index_and_the_other_follows(folder: Path, library: Library):
    one, two = (EmbeddedSearchIndex(folder, library) for _ in range(2))
    await one.refresh()
    before = await answers(one)
    assert await answers(two) == before
    half(next(folder.glob("*.f32")))
    assert await answers(one) == before
    rebuilt = {path.name: path.stat().st_ino for path in folder.glob("*.f32")}
    await two.refresh()
    assert await answers(two) == before
    assert {path.name: path.stat().st_ino for path in folder.glob("*.f32")} == rebuilt, "it was built twice"
    await one.close()
    await two.close()


async def test_who_comes_late_does_not_discard_what_another_process_has_built_anew(
    folder: Path, library: Library, index: EmbeddedSearchIndex
):
    early, late = Tables(folder), Tables(folder)
    for each_one in (early, late):
        with each_one.reading() as connection:
            connection.execute("SELECT 1")
    early.discard()
    await index.refresh()
    before = {path.name for path in folder.iterdir()}
    late.discard()
    assert {path.name for path in folder.iterdir()} == before
    early.close()
    late.close()


async def test_what_an_interrupted_writer_left_behind_is_overwritten_and_swept(
    folder: Path, library: Library, index: EmbeddedSearchIndex
):
    await index.close()
    for path in [*folder.glob("*.f32"), *folder.glob("*.i8")]:
        with path.open("ab") as file:
            file.write(b"\xff" * 10_001)
    (folder / "abandoned.f32").write_bytes(b"nothing")
    (folder / "somebody's.txt").write_bytes(b"notes")
    await library.put_documents([some_document(number) for number in range(40, 60)])
    again = EmbeddedSearchIndex(folder, library)
    assert await again.refresh() == 20
    assert await answers(again) == await clean_answers(folder.with_name("clean"), library)
    assert not (folder / "abandoned.f32").exists()
    assert (folder / "somebody's.txt").exists()
    await again.close()


@pytest.mark.parametrize("changes", ["fewer", "as many", "more"])
async def test_an_index_of_another_library_is_built_anew(
    tmp_path: Path, folder: Path, library: Library, index: EmbeddedSearchIndex, changes: str
):
    await index.close()
    count = {"fewer": 3, "as many": await library.version(), "more": await library.version() + 600}[changes]
    second = await a_library(tmp_path / "other.sqlite", count)
    other = EmbeddedSearchIndex(folder, second)
    await other.refresh()
    assert await answers(other) == await clean_answers(tmp_path / "clean", second)
    await other.close()
    await second.close()


async def test_an_index_of_a_library_that_was_put_back_is_built_anew(
    tmp_path: Path, folder: Path, index: EmbeddedSearchIndex, library: SqliteLibrary
):
    await index.close()
    await library.close()
    path = tmp_path / "library.sqlite"
    backup = path.read_bytes()
    later = SqliteLibrary(path)
    await later.put_documents([some_document(number) for number in range(40, 60)])
    index = EmbeddedSearchIndex(folder, later)
    await index.refresh()
    await index.close()
    await later.close()
    path.write_bytes(backup)
    earlier = SqliteLibrary(path)
    index = EmbeddedSearchIndex(folder, earlier)
    await index.refresh()
    assert await answers(index) == await clean_answers(tmp_path / "clean", earlier)
    await index.close()
    await earlier.close()


async def test_dead_passages_are_cleared_away_when_they_are_many(
    folder: Path, library: Library, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("multidb_chat.adapters.search_index.writer.FEWEST_DEAD", 10)
    index, reader = (EmbeddedSearchIndex(folder, library) for _ in range(2))
    await index.refresh()
    await nearest(reader, a_vector(1), PAPERS, 1)
    sizes = []
    for version in range(1, 8):
        await library.put_documents([some_document(number, version) for number in range(0, 40, 2)])
        assert await index.refresh() == 20
        assert await answers(reader) == await answers(index) == await clean_answers(folder / f"{version}", library)
        sizes.append(sum(path.stat().st_size for path in folder.glob("*.f32")))
    assert len(list(folder.glob("*.f32"))) == len(list(folder.glob("*.i8"))) == 2
    assert max(sizes) < 2 * sizes[0]
    await index.close()
    await reader.close()


class Late:
    """A library of a server: a change is seen only after ones with higher numbers, since it was committed later."""

    def __init__(self, library: Library, late: DocumentContent) -> None:
        self._library = library
        self._late: str | None = late.document.id

    def __getattr__(self, name: str) -> object:
        return getattr(self._library, name)

    def commit(self) -> None:
        self._late = None

    async def changes(self, after: int, limit: int = 1000) -> list[Change]:
        return [change for change in await self._library.changes(after, limit) if change.document_id != self._late]


async def test_a_change_that_is_committed_after_later_ones_is_not_missed(folder: Path, library: SqliteLibrary):
    late = some_document(100)
    server = Late(library, late)
    index = EmbeddedSearchIndex(folder, server)  # type: ignore[arg-type]
    await library.put_documents([late, some_document(101)])
    await index.refresh()
    assert late.document.id not in {hit.document_id for hit in await nearest(index, a_vector(1), ALL, 999)}
    server.commit()
    await library.put_documents([some_document(102)])
    assert await index.refresh() == 2
    assert await answers(index) == await clean_answers(folder.with_name("clean"), library)
    await index.close()


async def test_while_another_process_writes_there_are_answers_from_what_there_is(
    folder: Path, library: Library, index: EmbeddedSearchIndex, monkeypatch: pytest.MonkeyPatch
):
    before = await answers(index)
    monkeypatch.setattr(tables, "PATIENCE", 0.05)
    await library.put_documents([some_document(50)])
    other = EmbeddedSearchIndex(folder, library)
    with sqlite3.connect(folder / "index.sqlite", isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert await other.refresh() == 0
        assert await answers(other) == before
        writer.execute("ROLLBACK")
    assert await other.refresh() == 1
    await other.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", place]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


async def test_on_a_full_disk_the_index_is_read_and_follows_later(disk: Path, library: SqliteLibrary):
    index = EmbeddedSearchIndex(disk / "index", library)
    await index.refresh()
    before = await answers(index)
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            pass
    await library.put_documents([some_document(number) for number in range(40, 140)])
    with pytest.raises(StoreFull, match="No space is left for the search index"):
        await index.refresh()
    assert await answers(index) == before
    ballast.unlink()
    assert await index.refresh() == 100
    assert await answers(index) == await clean_answers(disk.with_name("clean"), library)
    await index.close()


async def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path, library: Library):
    (tmp_path / "file").write_text("in the way")
    index = EmbeddedSearchIndex(tmp_path / "file" / "index", library)
    with pytest.raises(StoreUnavailable, match=r"The search index .*index cannot be opened or written \(.*\); check"):
        await index.refresh()
    await index.close()
