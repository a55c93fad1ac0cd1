"""`SubprocessReader`: what it yields, why it refuses, and that no file takes it down."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from multidb_chat.adapters.readers import SubprocessReader
from multidb_chat.domain.errors import UnreadableDocument
from multidb_chat.domain.reading import ParsedDocument
from tests.adapters.readers import making
from tests.adapters.readers.rules import assert_well_formed, children, collected, parts_of, refused, until

on_linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to see the processes")


@pytest_asyncio.fixture
async def reader() -> AsyncIterator[SubprocessReader]:
    async with contextlib.aclosing(_Closing(SubprocessReader(max_file_bytes=30_000_000))) as closing:
        yield closing.reader


class _Closing:
    def __init__(self, reader: SubprocessReader) -> None:
        self.reader = reader

    async def aclose(self) -> None:
        await self.reader.close()


def _slow(folder: Path) -> Path:
    """A file whose parsing takes many seconds."""
    path = folder / "slow.md"
    path.write_text("> " * 40 + "a\n" + "- a\n\n  | a | b |\n  |---|---|\n" * 150_000)
    return path


async def _still_reads(reader: SubprocessReader, folder: Path) -> bool:
    path = folder / "good.txt"
    path.write_text("A good text.")
    (part,) = await collected(reader, path)
    return isinstance(part, ParsedDocument) and part.text == "A good text."


async def test_every_format_comes_through_the_process_as_it_was_parsed(
    reader: SubprocessReader, tmp_path: Path
) -> None:
    for name, make in making.SAMPLES.items():
        path, data = tmp_path / name, make()
        path.write_bytes(data)
        found = await collected(reader, path)
        assert found == parts_of(name, data)
        for part in found:
            if isinstance(part, ParsedDocument):
                assert_well_formed(part)


@on_linux
async def test_one_process_is_started_and_serves_many_files(reader: SubprocessReader, tmp_path: Path) -> None:
    before = children()
    assert await _still_reads(reader, tmp_path)
    started = children() - before
    assert len(started) == 1
    for _ in range(5):
        assert await _still_reads(reader, tmp_path)
    assert children() - before == started
    await reader.close()
    await reader.close()
    assert children() == before


async def test_several_processes_read_side_by_side(tmp_path: Path) -> None:
    reader = SubprocessReader(workers=2)
    paths = [tmp_path / f"{n}.txt" for n in range(6)]
    for path in paths:
        path.write_text(f"This is {path.name}.")
    found = await asyncio.gather(*(collected(reader, path) for path in paths))
    assert [parts[0].text for parts in found if isinstance(parts[0], ParsedDocument)] == [
        f"This is {path.name}." for path in paths
    ]
    await reader.close()


async def test_what_cannot_be_opened_is_named(reader: SubprocessReader, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large.txt").write_bytes(b"x" * 30_000_001)
    assert await refused(reader, tmp_path / "empty.txt") == "empty"
    assert await refused(reader, tmp_path / "loop") == "a link that leads back to itself"
    assert await refused(reader, tmp_path / "dangling") == "no such file"
    assert await refused(reader, tmp_path / "pipe") == "not a regular file"
    assert await refused(reader, tmp_path) == "is a folder"
    assert await refused(reader, tmp_path / "large.txt") == "too large (30.0 MB, limit 30.0 MB)"
    assert await refused(reader, Path("/dev/zero")) == "not a regular file"
    assert await refused(reader, tmp_path / ("n" * 300)) == "its name is too long"


async def test_a_file_without_permission_says_so(reader: SubprocessReader, tmp_path: Path) -> None:
    path = tmp_path / "locked.txt"
    path.write_text("secret")
    path.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)  # Permissions do not count for root.
    try:
        assert await refused(reader, path) == "no permission"
    finally:
        if root:
            os.seteuid(0)


async def test_a_link_to_a_file_is_read(reader: SubprocessReader, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("linked text")
    (tmp_path / "link.txt").symlink_to("a.txt")
    (part,) = await collected(reader, tmp_path / "link.txt")
    assert isinstance(part, ParsedDocument)
    assert part.text == "linked text"


async def test_a_name_may_hold_anything(reader: SubprocessReader, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("some text")
    for name in ("a\x1b[31m\nb.txt", "\udcff.txt", "x" * 5000 + ".txt", "", "\u202egpj.txt"):
        (part,) = await collected(reader, tmp_path / "a", name)
        assert isinstance(part, ParsedDocument)
        assert "\x1b" not in part.title
        part.name.encode()


async def test_the_charset_of_the_content_type_counts(reader: SubprocessReader, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("Море".encode("koi8-r"))
    (part,) = await collected(reader, tmp_path / "a", "a.txt", 'text/plain; charset="koi8-r"')
    assert isinstance(part, ParsedDocument)
    assert part.text == "Море"


async def test_a_file_that_changes_while_it_is_read_is_refused(reader: SubprocessReader, tmp_path: Path) -> None:
    path = tmp_path / "growing.jsonl"
    path.write_text("".join(json.dumps({"id": str(n), "text": "word " * 50}) + "\n" for n in range(2000)))
    found = []

    async def read_and_append() -> None:
        async for part in reader.read(path, path.name):
            found.append(part)
            with path.open("a") as file:  # As fast as it is read: it must not be followed for ever.
                file.write('{"text": "more"}\n')

    with pytest.raises(UnreadableDocument, match="changed while it was read"):
        await read_and_append()
    assert len(found) == 2000
    assert await _still_reads(reader, tmp_path)


async def test_a_file_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    reader = SubprocessReader(memory_mb=100)
    (tmp_path / "a.json").write_text("[" + "[[[]]]," * 1_500_000 + "1]")
    assert await refused(reader, tmp_path / "a.json") == "needed more than 100 MB of memory"
    assert await _still_reads(reader, tmp_path)
    await reader.close()


async def test_a_file_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    reader = SubprocessReader(timeout_s=2)
    assert await _still_reads(reader, tmp_path)
    assert await refused(reader, _slow(tmp_path)) == "took longer than 2 s"
    assert await _still_reads(reader, tmp_path)
    await reader.close()


async def test_the_callers_own_time_does_not_count(tmp_path: Path) -> None:
    reader = SubprocessReader(timeout_s=1.0)
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"id": str(n), "text": "word " * 2000}) + "\n" for n in range(500)))
    count = 0
    async for _ in reader.read(path, path.name):
        count += 1
        if count % 100 == 0:
            await asyncio.sleep(0.3)
    assert count == 500
    await reader.close()


@on_linux
async def test_a_killed_process_costs_one_file(reader: SubprocessReader, tmp_path: Path) -> None:
    before = children()
    reading = asyncio.create_task(refused(reader, _slow(tmp_path)))
    await until(lambda: children() - before)
    await asyncio.sleep(0.3)
    for process in children() - before:
        os.kill(process, signal.SIGKILL)
    assert await reading == "needed more memory than there is"
    assert await _still_reads(reader, tmp_path)


@on_linux
async def test_cancelling_ends_the_process(reader: SubprocessReader, tmp_path: Path) -> None:
    before = children()
    reading = asyncio.create_task(collected(reader, _slow(tmp_path)))
    await until(lambda: children() - before)
    await asyncio.sleep(0.2)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await until(lambda: children() == before)
    assert await _still_reads(reader, tmp_path)


@on_linux
async def test_leaving_early_ends_the_process(reader: SubprocessReader, tmp_path: Path) -> None:
    before = children()
    path = tmp_path / "a.jsonl"
    path.write_text((json.dumps({"text": "word " * 500}) + "\n") * 5000)
    async with contextlib.aclosing(reader.read(path, path.name)) as parts:  # type: ignore[type-var]
        async for _ in parts:
            break
    await until(lambda: children() == before)
    assert await _still_reads(reader, tmp_path)


async def test_a_closed_reader_reads_no_more(tmp_path: Path) -> None:
    reader = SubprocessReader()
    await reader.close()
    (tmp_path / "a.txt").write_text("text")
    assert await refused(reader, tmp_path / "a.txt") == "the reader is closed"


async def test_a_long_file_of_lines_is_never_held_whole(tmp_path: Path) -> None:
    reader = SubprocessReader(memory_mb=60)
    path = tmp_path / "long.jsonl"
    with path.open("w") as file:
        for n in range(20_000):
            file.write(json.dumps({"id": str(n), "text": f"{n} " + "word " * 400}) + "\n")
    assert path.stat().st_size > 40_000_000
    count = 0
    async for _ in reader.read(path, path.name):
        count += 1
    assert count == 20_000
    await reader.close()
