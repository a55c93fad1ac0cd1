"""Work that is begun beside other work: it is over with what it was begun for."""

import asyncio

import pytest

from multidb_chat.services.side_by_side import side_by_side


async def test_what_was_begun_is_there_when_it_is_wanted():
    async def work() -> str:
        return "done"

    async with side_by_side() as begin:
        task = begin(work())
        assert await task == "done"


async def test_what_nobody_wants_any_more_ends_before_the_block_does():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with side_by_side() as begin:
        begin(work())
        await begun.wait()
    assert ended.is_set()


async def test_a_failure_that_nobody_waits_for_is_passed_over_and_one_that_is_awaited_is_raised():
    async def work() -> None:
        raise KeyError

    async with side_by_side() as begin:
        begin(work())
    with pytest.raises(KeyError):
        async with side_by_side() as begin:
            await begin(work())
