"""The proxy of the fault tests does what the tests rely on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.faults.proxy import Proxy


class Echo:
    """A server that answers each line with the line, and remembers what it has done."""

    def __init__(self) -> None:
        self.done: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                self.done.append(line)
                writer.write(line)
                await writer.drain()
        writer.close()


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, line: bytes) -> bytes:
        self.writer.write(line)
        return await self.reader.readline()


@contextlib.asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


async def answer(proxy: Proxy, line: bytes) -> bytes:
    """Ask on a connection of its own; nothing where that broke, which may be seen while connecting or after."""
    with contextlib.suppress(ConnectionError):
        async with connected(proxy) as client:
            return await client.ask(line)
    return b""


@contextlib.asynccontextmanager
async def before(echo: Echo) -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Proxy(f"echo://127.0.0.1:{server.sockets[0].getsockname()[1]}/x?y=1") as proxy:
        yield proxy


async def test_what_is_said_passes_either_way():
    async with before(Echo()) as proxy, connected(proxy) as client, connected(proxy) as other:
        assert await client.ask(b"one\n") == b"one\n"
        assert await other.ask(b"two\n") == b"two\n"
        assert proxy.connections == 2


@pytest.mark.parametrize(
    ("url", "through"),
    [
        ("redis://:pass@localhost:6379/0", "redis://:pass@127.0.0.1:{}/0"),
        ("scylla://[::1]:9042/space?datacenter=one", "scylla://127.0.0.1:{}/space?datacenter=one"),
        ("mongodb://127.0.0.1:27017", "mongodb://127.0.0.1:{}"),
    ],
)
async def test_the_address_leads_through_the_proxy_and_all_else_of_it_stays(url: str, through: str):
    async with Proxy(url) as proxy:
        assert proxy.url == through.format(proxy.port)


async def test_frozen_it_is_silent_and_thawed_it_says_what_it_held_back():
    echo = Echo()
    async with before(echo) as proxy, connected(proxy) as client:
        assert await client.ask(b"one\n") == b"one\n"
        proxy.freeze()
        asked = asyncio.create_task(client.ask(b"two\n"))
        assert await asyncio.wait({asked}, timeout=0.1) == (set(), {asked})
        assert echo.done == [b"one\n"]
        proxy.thaw()
        assert await asked == b"two\n"


async def test_reset_breaks_what_is_open_and_takes_what_comes():
    async with before(Echo()) as proxy:
        async with connected(proxy) as client:
            await client.ask(b"one\n")
            proxy.reset()
            with pytest.raises(ConnectionResetError):
                await client.ask(b"two\n")
        assert await answer(proxy, b"three\n") == b"three\n"


async def test_refusing_breaks_every_connection_until_it_admits_them():
    async with before(Echo()) as proxy:
        proxy.refuse()
        assert await answer(proxy, b"one\n") == b""
        proxy.admit()
        assert await answer(proxy, b"two\n") == b"two\n"


async def test_a_swallowed_reply_is_to_something_that_was_done():
    echo = Echo()
    async with before(echo) as proxy, connected(proxy) as client, connected(proxy) as other:
        proxy.swallow_reply(to=b"commit")
        assert await other.ask(b"begin\n") == b"begin\n"
        with pytest.raises(ConnectionResetError):
            await client.ask(b"commit\n")
        await proxy.cut.wait()
        assert echo.done == [b"begin\n", b"commit\n"]
        assert await other.ask(b"commit\n") == b"commit\n"


async def test_a_truncated_reply_ends_in_the_middle():
    async with before(Echo()) as proxy, connected(proxy) as client:
        proxy.truncate_reply(3)
        client.writer.write(b"commit\n")
        assert await client.reader.readexactly(3) == b"com"
        with pytest.raises(ConnectionResetError):
            await client.reader.readline()


async def test_delayed_it_answers_all_the_same():
    async with before(Echo()) as proxy, connected(proxy) as client:
        proxy.delay = 0.01
        assert await client.ask(b"one\n") == b"one\n"


async def test_a_server_that_is_not_there_breaks_the_connection():
    async with Proxy("echo://127.0.0.1:1") as proxy:
        assert await answer(proxy, b"one\n") == b""
