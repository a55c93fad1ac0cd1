"""A loop in a thread of its own: it goes on while nothing is asked of it, and Ctrl-C ends what is done, in order."""

import asyncio
import os
import signal
import threading

import pytest

from multidb_chat.cli.looping import running_loop


async def value(of: int) -> int:
    await asyncio.sleep(0)
    return of


def test_what_comes_of_the_work_is_returned_or_raised() -> None:
    async def fail() -> None:
        raise ValueError("so")

    with running_loop() as loop:
        assert [loop.run(value(number)) for number in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="so"):
            loop.run(fail())
        assert loop.run(value(3)) == 3


def test_what_was_begun_goes_on_while_the_main_thread_waits_and_ends_with_the_block() -> None:
    told, ended = threading.Event(), threading.Event()
    begun: list[asyncio.Task[None]] = []

    async def tell() -> None:
        try:
            await asyncio.sleep(0.05)
            told.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def begin() -> None:
        begun.append(asyncio.create_task(tell()))

    with running_loop() as loop:
        loop.run(begin())
        assert told.wait(30)
        assert not ended.is_set()
    assert ended.is_set()
    assert "loop" not in {thread.name for thread in threading.enumerate()}


def test_ctrl_c_waits_until_the_work_has_ended() -> None:
    steps: list[str] = []

    async def tidy() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            steps.append("tidied")

    with running_loop() as loop:
        with pytest.raises(KeyboardInterrupt):
            loop.run(tidy())
        assert steps == ["tidied"]
        assert loop.run(value(1)) == 1


def test_ctrl_c_behind_the_end_of_the_work_loses_nothing_of_it() -> None:
    async def finish() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done all the same"
        return "never"

    with running_loop() as loop:
        assert loop.run(finish()) == "done all the same"
