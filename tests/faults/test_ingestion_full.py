"""A disk that fills up while documents are added: the run ends with a clear error, and what was told is there."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from multidb_chat.adapters.readers.client import SubprocessReader
from multidb_chat.domain.errors import StoreFull
from multidb_chat.services.ingesting.events import FileDone
from tests.faults.ingest_process import PAPERS, add, ingestion_into
from tests.unit.services.ingesting import OWNER, contents


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", place], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


async def test_a_full_disk_ends_the_run_and_keeps_what_was_acknowledged(disk: Path, tmp_path: Path):
    files = tmp_path / "files"
    files.mkdir()
    for number in range(60):
        (files / f"{number:02}.txt").write_text(f"File {number} repeats itself. " * 4_000)
    (disk / "ballast").write_bytes(b"x" * 300_000)
    reader = SubprocessReader()
    done: set[str] = set()

    async def fill() -> None:
        async with ingestion_into(disk / "library.db", reader) as (_, ingestion):
            async for event in ingestion.add(OWNER, PAPERS, [files]):
                if isinstance(event, FileDone):
                    done.add(Path(event.source).name)

    with pytest.raises(StoreFull, match="No space is left"):
        await fill()
    assert 0 < len(done) < 60
    (disk / "ballast").unlink()
    async with ingestion_into(disk / "library.db", reader) as (library, _):
        stored = {content.document.name: content for content in await contents(library, PAPERS)}
    assert done <= set(stored)
    assert all(all(chunk.vector for chunk in content.chunks) for content in stored.values())
    for path in files.iterdir():  # with what is left there is room for a few: those are completed
        if path.name not in sorted(stored)[:3]:
            path.unlink()
    finished = await add(disk / "library.db", files, reader)
    assert (finished.failed, finished.unchanged + finished.added) == (0, 3)
    await reader.close()
