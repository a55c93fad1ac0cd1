"""`kill -9` at any moment of adding a folder: what is there is whole, and running again completes the rest."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from multidb_chat.adapters.readers.client import SubprocessReader
from multidb_chat.domain.library import DocumentContent
from tests.faults.ingest_process import PAPERS, add, ingestion_into
from tests.unit.services.ingesting import contents, timeless

MOMENTS = int(os.environ.get("MULTIDB_CHAT_KILLS", "10"))
ROOT = Path(__file__).parents[2]


def write_files(folder: Path, version: int) -> None:
    """Write 30 sources, 69 documents: in two versions that differ in all of them, the second with fewer documents."""
    folder.mkdir(exist_ok=True)
    for number in range(28):
        sentence = f"Version {version} of file {number} says so again and again. "
        (folder / f"{number:02}.md").write_text(f"# File {number}\n\n" + sentence * (20 + 12 * number))
    for name in ("x", "y"):
        lines = (f'{{"id": "{name}{n}", "text": "Line {n}, version {version}."}}\n' for n in range(41 - 20 * version))
        (folder / f"{name}.jsonl").write_text("".join(lines))


async def all_contents(path: Path, reader: SubprocessReader) -> list[DocumentContent]:
    async with ingestion_into(path, reader) as (library, _):
        found = await contents(library, PAPERS)
    return sorted(map(timeless, found), key=lambda content: content.document.id)


async def run_until_killed(path: Path, files: Path, moment: float) -> bool:
    """Start a run and kill it so many seconds after its first event; tell whether it was still at work."""
    command = [sys.executable, "-m", "tests.faults.ingest_process", str(path), str(files)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"Discovered\n"
        time.sleep(moment)
        process.kill()
        return b"Finished" not in process.stdout.read()


def assert_whole(found: list[DocumentContent], versions: list[list[DocumentContent]]) -> None:
    """Each document is exactly what a complete run makes of one of the versions."""
    complete = {content.document.id: [] for version in versions for content in version}
    for version in versions:
        for content in version:
            complete[content.document.id].append(content)
    assert all(content in complete[content.document.id] for content in found)


async def test_killed_at_random_moments_nothing_is_half_stored_and_a_second_run_completes_it(tmp_path: Path):
    seed = random.randrange(1 << 30)
    choose = random.Random(seed)
    reader = SubprocessReader()
    versions, took = [], 0.0
    for version in range(2):
        write_files(tmp_path / f"v{version}", version)
        write_files(tmp_path / "files", version)
        began = time.perf_counter()
        await add(tmp_path / f"clean{version}.db", tmp_path / "files", reader)
        took = max(took, time.perf_counter() - began)
        versions.append(await all_contents(tmp_path / f"clean{version}.db", reader))
    interrupted = 0
    for number in range(MOMENTS):
        path = tmp_path / f"library{number // 3}.db"  # new, then twice one in which everything is there and changes
        write_files(tmp_path / "files", number % 2)
        interrupted += await run_until_killed(path, tmp_path / "files", choose.uniform(0, 1.2 * took))
        assert_whole(await all_contents(path, reader), versions)
        await add(path, tmp_path / "files", reader)
        assert await all_contents(path, reader) == versions[number % 2], f"seed {seed}, moment {number}"
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    await reader.close()
    assert interrupted, f"seed {seed}: no run was at work when it was killed"


@pytest.fixture(autouse=True)
def no_events_on_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    """The runs in this process print their events as well."""
