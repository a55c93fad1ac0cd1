"""`kill -9` at any moment of a write: what was acknowledged is there, nothing is there by half."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.library import DocumentContent

DOCUMENTS = 20
CHUNKS = 12

# Replaces the same documents with the next version of them, batch by batch, and tells each one that was acknowledged.
WRITER = f"""
import asyncio, datetime, pathlib, sys
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.library import Chunk, Collection, Document, DocumentContent
from multidb_chat.domain.reading import Block

def content(n, version):
    now = datetime.datetime.now(datetime.UTC)
    piece = f"version {{version:06}} " * 40
    chunks = tuple(
        Chunk(f"d{{n}}", o, o * len(piece), (o + 1) * len(piece), piece, vector=version.to_bytes(4, "little") * 384)
        for o in range({CHUNKS})
    )
    blocks = tuple(Block(c.start, c.end, "paragraph") for c in chunks)
    document = Document(f"d{{n}}", "c", f"/docs/{{n}}", f"{{n}}", str(version), "text", str(version), now, now)
    return DocumentContent(document, piece * {CHUNKS}, blocks, chunks, str(version).encode())

async def main():
    library = SqliteLibrary(pathlib.Path(sys.argv[1]))
    if await library.collection("c") is None:
        await library.create_collection(Collection("c", "ada", "Docs", datetime.datetime.now(datetime.UTC)))
    first = await library.version() + 1
    for version in range(first, first + 100_000):
        await library.put_documents([content(n, version) for n in range({DOCUMENTS})])
        sys.stdout.write(f"{{version}}\\n")
        sys.stdout.flush()

asyncio.run(main())
"""


def write_until_killed(path: Path, after: float) -> int:
    """Let a process write, kill it so many seconds after its first acknowledgement; return the last one."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(after)
    process.kill()
    output, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors.decode()
    acknowledged = [int(line) for line in (first + output).splitlines(keepends=True) if line.endswith(b"\n")]
    return acknowledged[-1]


def version_of(content: DocumentContent) -> int:
    """Return the version of a document, after looking that every part of it is of that version."""
    version = int(content.document.content_hash)
    assert content.document.title == str(version)
    assert content.original == str(version).encode()
    assert content.text == f"version {version:06} " * 40 * CHUNKS
    assert len(content.chunks) == len(content.blocks) == CHUNKS
    assert {chunk.vector for chunk in content.chunks} == {version.to_bytes(4, "little") * 384}
    return version


async def test_killed_at_ten_moments_nothing_acknowledged_is_lost_and_nothing_is_there_by_half(tmp_path: Path):
    path = tmp_path / "library.db"
    moments = random.Random(20240229)
    for _ in range(10):
        acknowledged = write_until_killed(path, moments.uniform(0, 0.15))
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        library = SqliteLibrary(path)
        contents = [await library.content(f"d{n}") for n in range(DOCUMENTS)]
        versions = {version_of(content) for content in contents if content}
        assert len(versions) == 1, "a batch is there by half"
        assert versions.pop() >= acknowledged
        changes = await library.changes(0)
        assert {change.document_id for change in changes} == {f"d{n}" for n in range(DOCUMENTS)}
        await library.close()


@pytest.mark.parametrize("writers", [3])
async def test_processes_that_write_at_once_are_all_heard(tmp_path: Path, writers: int):
    path = tmp_path / "library.db"
    assert write_until_killed(path, 0) >= 1
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(writers)
    ]
    for process in processes:
        for _ in range(5):
            assert process.stdout.readline().endswith(b"\n")
    for process in processes:
        assert process.poll() is None, process.stderr.read()
        process.kill()
        process.communicate()
    library = SqliteLibrary(path)
    document = await library.document("d0")
    assert document is not None
    assert document.revision > writers * 5
    assert version_of(await library.content("d0")) > 0
    await library.close()
