"""A full disk and a read-only one: reading goes on, nothing is acknowledged that is not stored."""

import asyncio
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.cache import SqliteCache
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.errors import StoreFull, StoreUnavailable
from tests.contracts.library import a_collection, a_content


def mount(*arguments: object) -> None:
    try:
        done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", place)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            return ballast


async def fill_with_documents(library: SqliteLibrary) -> list[str]:
    """Add documents until there is no space; return the ids of those that were acknowledged."""
    kept: list[str] = []

    async def add() -> None:
        for n in range(1_000):
            content = a_content(f"{n}", f"words {n} " * 500, source=f"/docs/{n}", pieces=3, original=b"raw" * 900)
            await library.put_documents([content])
            kept.append(content.document.id)

    with pytest.raises(StoreFull, match="No space is left for the library file"):
        await add()
    assert len(kept) > 5
    return kept


async def test_documents_that_were_acknowledged_before_the_disk_was_full_stay(disk: Path):
    path = disk / "library.db"
    library = SqliteLibrary(path)
    await library.create_collection(a_collection())
    kept = await fill_with_documents(library)
    assert {document.id for document in await library.documents(["papers"], limit=2_000)} == set(kept)
    assert await library.content(kept[-1]) is not None
    await library.close()
    again = SqliteLibrary(path)
    assert {document.id for document in await again.documents(["papers"], limit=2_000)} == set(kept)
    assert len(await again.changes(0)) == len(kept)
    await again.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_store_is_opened_and_read_while_the_disk_is_full(disk: Path):
    path = disk / "library.db"
    library = SqliteLibrary(path)
    await library.create_collection(a_collection())
    content = a_content(text="words " * 9_000, pieces=9)
    await library.put_documents([content])
    await library.close()
    fill(disk)
    again = SqliteLibrary(path)
    assert await again.content(content.document.id) == content
    with pytest.raises(StoreFull):
        await again.put_documents([content])
    assert await again.content(content.document.id) == content
    await again.close()


async def test_on_a_full_disk_a_log_left_behind_is_never_overlooked(disk: Path):
    library = SqliteLibrary(disk / "library.db")
    await library.version()
    await library.close()
    library = SqliteLibrary(disk / "library.db")
    await library.create_collection(a_collection())
    for copied in ("library.db", "library.db-wal"):  # as a killed process leaves them: the log holds the collection
        (disk / f"left-{copied}").write_bytes((disk / copied).read_bytes())
    await library.close()
    fill(disk)
    left = SqliteLibrary(disk / "left-library.db")
    with pytest.raises(StoreFull):
        await left.collection("papers")
    (disk / "ballast").unlink()
    assert await left.collection("papers") == a_collection()
    await left.close()


async def test_a_store_goes_on_writing_once_there_is_space(disk: Path):
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * 300_000)
    library = SqliteLibrary(disk / "library.db")
    await library.create_collection(a_collection())
    await fill_with_documents(library)
    with pytest.raises(StoreFull):
        await library.put_documents([a_content(text="w" * 600_000)])
    ballast.unlink()
    content = a_content()
    await library.put_documents([content])
    assert await library.content(content.document.id) == content
    await library.close()


async def test_a_large_write_that_does_not_fit_fails_alone(disk: Path):
    library = SqliteLibrary(disk / "library.db")
    await library.create_collection(a_collection())
    with pytest.raises(StoreFull):
        await library.put_documents([a_content(f"{n}", "w" * 200_000) for n in range(20)])
    assert await library.documents(["papers"]) == []
    await library.put_documents([a_content()])
    await library.close()


async def test_a_store_cannot_be_made_on_a_full_disk(disk: Path):
    ballast = fill(disk)
    library = SqliteLibrary(disk / "library.db")
    with pytest.raises(StoreFull):
        await library.create_collection(a_collection())
    ballast.unlink()
    await library.create_collection(a_collection())
    await library.close()


async def test_a_full_cache_is_said_to_be_full_and_still_read(disk: Path):
    cache = SqliteCache(disk / "cache.db")
    await cache.put("first", b"value", 3_600)
    writes = [cache.put(f"key-{n}", b"x" * 20_000, 3_600) for n in range(200)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert results.count(None) >= 10
    assert {type(result) for result in results if result} == {StoreFull}
    for n in range(200):
        assert await cache.get(f"key-{n}") == (b"x" * 20_000 if results[n] is None else None)
    assert await cache.get("first") == b"value"
    await cache.close()


async def test_a_read_only_disk_is_read_and_said_to_be_one(disk: Path):
    path = disk / "library.db"
    library = SqliteLibrary(path)
    await library.create_collection(a_collection())
    await library.close()
    mount("-o", "remount,ro", disk)
    library = SqliteLibrary(path)
    assert await library.collection("papers") == a_collection()
    with pytest.raises(StoreUnavailable, match="cannot be opened or written"):
        await library.create_collection(a_collection("essays"))
    await library.close()
    beside = SqliteLibrary(disk / "new" / "library.db")
    with pytest.raises(StoreUnavailable, match=r"cannot be opened or written \(Read-only file system\)"):
        await beside.create_collection(a_collection())
    await beside.close()
