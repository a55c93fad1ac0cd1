"""A server that speaks the protocol of OpenAI's chat completions, as well or as badly as a test wants."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Behaviour = Callable[["Answering"], Awaitable[None]]


class Answering:
    """One request and what is written for it."""

    def __init__(self, writer: asyncio.StreamWriter, request: dict[str, object], headers: dict[str, str]) -> None:
        self._writer = writer
        self.request = request
        self.headers = headers

    async def refuse(self, status: int, message: str, *headers: str, code: str | None = None) -> None:
        """Answer with an error."""
        body = json.dumps({"error": {"message": message, "type": "error", "code": code}}).encode()
        kind = ("Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close", *headers)
        head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} X", *kind))
        await self.raw(f"{head}\r\n".encode() + body)

    async def begin(self) -> None:
        """Begin a stream."""
        await self.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")

    async def piece(self, text: str, finish: str | None = None) -> None:
        """Send a piece."""
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
        await self.event(json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                                     "choices": [choice]}))  # fmt: skip

    async def usage(self, tokens_in: int, tokens_out: int) -> None:
        """Send the count of tokens."""
        usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
        await self.event(json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                                     "choices": [], "usage": usage}))  # fmt: skip

    async def event(self, data: str) -> None:
        """Send an event with this data."""
        await self.raw(f"data: {data}\n\n".encode())

    async def raw(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)
        await self._writer.drain()

    async def cut(self) -> None:
        """Cut the connection off."""
        self._writer.transport.abort()


@asynccontextmanager
async def serving(behaviour: Behaviour) -> AsyncIterator[tuple[str, list[Answering]]]:
    """Serve requests by a behaviour; yield the address and the requests that came."""
    came: list[Answering] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            came.append(Answering(writer, json.loads(body), headers))
            await behaviour(came[-1])
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", came
    finally:
        server.close()
