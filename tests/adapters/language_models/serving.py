"""The scripted server in a thread of its own, for programs that run beside the test; and what it says to a question."""

import asyncio
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.adapters.language_models.faulty_server import Answering, Behaviour, serving


def saying(*pieces: str, tokens: tuple[int, int] = (120, 12)) -> Behaviour:
    """Return what answers with these pieces."""

    async def behave(answering: Answering) -> None:
        await answering.begin()
        for piece in pieces:
            await answering.piece(piece)
        await answering.piece("", "stop")
        await answering.usage(*tokens)
        await answering.event("[DONE]")

    return behave


def breaking_off(*pieces: str) -> Behaviour:
    """Return what says these pieces and cuts the connection."""

    async def behave(answering: Answering) -> None:
        await answering.begin()
        for piece in pieces:
            await answering.piece(piece)
        await answering.cut()

    return behave


async def failing(answering: Answering) -> None:
    """Answer that something is wrong."""
    await answering.refuse(500, "it hurts")


@contextmanager
def served(behaviour: Behaviour) -> Iterator[tuple[str, list[Answering]]]:
    """Serve from a thread; yield the address and the requests that came."""
    began: queue.Queue[tuple[str, list[Answering]]] = queue.Queue()
    over = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serving(behaviour) as served_at:
            began.put(served_at)
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield began.get(timeout=30)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
