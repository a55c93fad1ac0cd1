"""What every `Upkeep` does, written once: a backend's test class gives the fixtures below."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from multidb_chat.domain.errors import StoreCorrupt
from multidb_chat.domain.upkeep import FileUpkeep, Upkeep

Write = Callable[[int], Awaitable[None]]
Count = Callable[[Path], int]


class UpkeepContract:
    """Give it fixtures: `upkeep` of a store that is not made yet, and `write`, which adds a record of that number and
    makes the store."""

    async def test_a_store_that_is_not_made_yet_is_sound_and_empty(self, upkeep: Upkeep):
        report = await upkeep.report()
        assert (report.store, report.schema, report.size_bytes) == (upkeep.store, 0, 0)
        assert report.known_schema
        assert await upkeep.problems() == []
        assert await upkeep.obstacle() == ""
        assert (await upkeep.report()).schema == 0

    async def test_a_store_tells_what_it_holds(self, upkeep: Upkeep, write: Write):
        for number in range(3):
            await write(number)
        report = await upkeep.report()
        assert report.schema == report.known_schema
        assert report.size_bytes
        assert 3 in report.records.values()
        assert report.newest is not None
        assert await upkeep.problems() == []
        assert await upkeep.obstacle() == ""


class FileUpkeepContract(UpkeepContract):
    """Give it a fixture `count` besides, which returns how many records a copy holds."""

    async def test_a_copy_of_a_store_that_is_not_made_yet_is_sound_and_empty(self, upkeep: FileUpkeep, tmp_path: Path):
        assert await upkeep.save(tmp_path / "copy") == 0
        await upkeep.check_copy(tmp_path / "copy")
        assert (await upkeep.report()).schema == 0

    async def test_a_copy_holds_all_that_was_acknowledged_and_one_state(
        self, upkeep: FileUpkeep, write: Write, count: Count, tmp_path: Path
    ):
        written, wrote, stop = 0, asyncio.Event(), asyncio.Event()

        async def keep_writing() -> None:
            nonlocal written
            while not stop.is_set():
                await write(written)
                written += 1
                wrote.set()

        writer = asyncio.create_task(keep_writing())
        for number in range(5):
            while written < 5 * number + 1:
                wrote.clear()
                await wrote.wait()
            before = written
            shares: list[float] = []
            schema = await upkeep.save(tmp_path / f"copy {number}", shares.append)
            assert schema == (await upkeep.report()).known_schema
            assert shares[-1] == 1.0
            await upkeep.check_copy(tmp_path / f"copy {number}")
            assert before <= count(tmp_path / f"copy {number}") <= written + 1
        stop.set()
        await writer

    async def test_a_changed_copy_is_refused(self, upkeep: FileUpkeep, write: Write, tmp_path: Path):
        for number in range(200):
            await write(number)
        await upkeep.save(tmp_path / "copy")
        content = bytearray((tmp_path / "copy").read_bytes())
        content[8_192:8_500] = b"\xa5" * 308
        (tmp_path / "copy").write_bytes(content)
        with pytest.raises(StoreCorrupt):
            await upkeep.check_copy(tmp_path / "copy")

    async def test_a_copy_that_is_cancelled_ends(self, upkeep: FileUpkeep, write: Write, tmp_path: Path):
        await write(0)
        copying = asyncio.create_task(upkeep.save(tmp_path / "copy"))
        await asyncio.sleep(0)
        copying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await copying
        await write(1)
