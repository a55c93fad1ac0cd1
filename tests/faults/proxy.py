"""A TCP proxy in front of a server that delays, freezes, resets, refuses, truncates and swallows, as a test says.

::

    async with Proxy(url_of("redis")) as proxy:
        store = open_store(proxy.url)     # the server's URL with the proxy's port
        proxy.freeze()                    # as SIGSTOP: connections open, nothing answers; `thaw` ends it
        proxy.swallow_reply(to=b"INCR")   # the server does it, the client never hears of it: the connection breaks

It runs in the loop of the test, on 127.0.0.1 and a port of its own, and touches the server no more than a client does.
"""

import asyncio
import contextlib
import re
import socket
import ssl
import struct
from typing import NamedTuple, Self

_ADDRESS = re.compile(r"(?<=[/@])(?P<host>\[[^\]]+\]|[^:/@?,]+):(?P<port>\d+)(?=[/?]|$)")
_PIECE = 65_536


class _Cut(NamedTuple):
    """The reply to the next request with these bytes in it is cut off after so many bytes."""

    to: bytes
    keep: int


class _Link:
    """One client's connection with the server's; broken at once on both sides."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.writers = (client, server)
        self.cut: _Cut | None = None

    def reset(self) -> None:
        for writer in self.writers:
            socket_ = writer.get_extra_info("socket")
            if socket_ is not None and not writer.transport.is_closing():
                # Without lingering, what is closed is reset (RST) instead of ended (FIN).
                socket_.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Proxy:
    """Stands before the server at `url` (`scheme://user:password@host:port/...`) from `async with` on."""

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: clients have to speak it; the server behind is spoken to without."""
        found = _ADDRESS.search(url)
        assert found, f"no host and port in {url}"
        self._address = found["host"].strip("[]"), int(found["port"])
        self._given = url
        self._tls = tls
        self._span = found.span()
        self._listener: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._cuts: list[_Cut] = []
        self.delay = 0.0
        """Seconds that each piece waits, either way."""
        self.connections = 0
        """How many connections were made so far, the refused ones included."""
        self.cut = asyncio.Event()
        """Set as soon as a reply was swallowed or truncated."""

    @property
    def port(self) -> int:
        assert self._listener, "the proxy is not open"
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The server's URL, leading through the proxy."""
        start, end = self._span
        return f"{self._given[:start]}127.0.0.1:{self.port}{self._given[end:]}"

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *raised: object) -> None:
        assert self._listener
        self._listener.close()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def freeze(self) -> None:
        """Let nothing pass any more, either way; connections are accepted and stay open."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Let everything pass again, what was held back first."""
        self._flowing.set()

    def reset(self) -> None:
        """Break all connections there are (RST)."""
        for link in self._links:
            link.reset()

    def refuse(self) -> None:
        """Break all connections there are, and every new one at once, until `admit`."""
        self._refusing = True
        self.reset()

    def admit(self) -> None:
        """Take connections again."""
        self._refusing = False

    def swallow_reply(self, to: bytes = b"") -> None:
        """Let the server do the next request with these bytes in it, but break the connection instead of its reply."""
        self.truncate_reply(0, to)

    def truncate_reply(self, keep: int, to: bytes = b"") -> None:
        """Pass only the first `keep` bytes of the reply to the next request with these bytes in it, then break."""
        self.cut.clear()
        self._cuts.append(_Cut(to, keep))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            if self._refusing:
                _Link(writer, writer).reset()
            else:
                await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flowing.wait()
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._address)
        except OSError:
            _Link(writer, writer).reset()
            return
        link = _Link(writer, server_writer)
        self._links.add(link)
        try:
            requests, replies = self._requests(link, reader), self._replies(link, server_reader)
            await asyncio.gather(requests, replies)
        finally:
            self._links.discard(link)
            for end in link.writers:
                end.close()

    async def _requests(self, link: _Link, reader: asyncio.StreamReader) -> None:
        server = link.writers[1]
        while piece := await reader.read(_PIECE):
            await self._pass()
            cut = next((cut for cut in self._cuts if cut.to in piece), None)
            if cut:
                self._cuts.remove(cut)
                link.cut = cut
            server.write(piece)
            await server.drain()
        server.close()

    async def _replies(self, link: _Link, reader: asyncio.StreamReader) -> None:
        client = link.writers[0]
        while piece := await reader.read(_PIECE):
            await self._pass()
            if link.cut:
                client.write(piece[: link.cut.keep])
                await client.drain()
                link.reset()
                self.cut.set()
                return
            client.write(piece)
            await client.drain()
        client.close()

    async def _pass(self) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        await self._flowing.wait()
