"""One worker process as its client sees it: started, given a file, listened to, ended."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from multidb_chat.adapters.readers.wire import LENGTHS, BadFrame, lengths, received
from multidb_chat.domain.reading import ParsedDocument, Unreadable
from multidb_chat.domain.text import clean_line

REQUEST_LENGTH = struct.Struct(">I")
_START_SECONDS = 30.0
_CHUNK = 1 << 18
# Frames above this are taken apart in a thread, so that the event loop goes on.
_LARGE = 1 << 19


class WorkerFailed(Exception):
    """A file ended its worker; `str(error)` is the reason, fit for a user."""


class Worker:
    """A running process of `multidb_chat.adapters.readers.worker`. `spent`: it takes no further file."""

    def __init__(self, process: Process, requests: socket.socket, memory_bytes: int) -> None:
        self._process = process
        self._requests = requests
        self._memory_bytes = memory_bytes
        self._buffer = bytearray()
        self._waited = 0.0
        self._spent = False

    @classmethod
    async def start(cls, memory_bytes: int) -> "Worker":
        """Start a process and wait until it is in its sandbox. Raises `WorkerFailed`."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await _started(theirs.fileno(), memory_bytes)
            except OSError as error:
                ours.close()
                raise WorkerFailed(f"the reading process could not be started ({error.strerror})") from error
        worker = cls(process, ours, memory_bytes)
        try:
            await worker._next(_START_SECONDS)
        except BaseException:
            worker.kill()
            raise
        return worker

    @property
    def usable(self) -> bool:
        """Whether another file may be given to it."""
        return not self._spent and self._process.returncode is None

    async def read(
        self, descriptor: int, request: dict[str, Any], seconds: float
    ) -> AsyncGenerator[ParsedDocument | Unreadable, None]:
        """Yield what the worker finds in the open file. Raises `WorkerFailed` with the reason when it finds nothing.

        Only the time spent waiting for the worker counts against `seconds`, none of the caller's own.
        """
        message = json.dumps({**request, "seconds": seconds}).encode("ascii")
        self._waited = 0.0
        try:
            # A few hundred bytes into an empty buffer: this never waits.
            socket.send_fds(self._requests, [REQUEST_LENGTH.pack(len(message)) + message], [descriptor])
        except OSError:
            raise await self._death(seconds) from None
        while not isinstance(part := await self._next(seconds), dict):
            yield part
        self._spent = bool(part.get("spent"))
        if reason := clean_line(str(part.get("end", "broken: the reading process answered amiss"))):
            raise WorkerFailed(reason)

    def kill(self) -> None:
        """End the process at once, without waiting until it is gone."""
        self._spent = True
        self._requests.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        """End the process and wait until it and its pipes are gone; nobody may be reading from it."""
        self.kill()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                await pipe.read()
        await self._process.wait()

    async def _next(self, seconds: float) -> ParsedDocument | Unreadable | dict[str, Any]:
        try:
            head, body = lengths(await self._bytes(LENGTHS.size, seconds))
            header, text = await self._bytes(head, seconds), await self._bytes(body, seconds)
            if head + body > _LARGE:
                return await asyncio.to_thread(received, header, text)
            return received(header, text)
        except BadFrame:
            self._spent = True
            raise WorkerFailed("broken: the reading process answered amiss") from None

    async def _bytes(self, count: int, seconds: float) -> bytes:
        if len(self._buffer) < count:
            await self._fill(count, seconds)
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def _fill(self, count: int, seconds: float) -> None:
        output = self._process.stdout
        assert output is not None, "the process was started with a pipe"
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(max(0.0, seconds - self._waited)):
                while len(self._buffer) < count:
                    chunk = await output.read(_CHUNK)
                    if not chunk:
                        raise await self._death(seconds)
                    self._buffer += chunk
        except TimeoutError:
            self._spent = True
            raise WorkerFailed(f"took longer than {seconds:g} s") from None
        finally:
            self._waited += clock() - began

    async def _death(self, seconds: float) -> WorkerFailed:
        """Return why the process ended by itself."""
        self._spent = True
        code = await self._process.wait()
        if code == -signal.SIGXCPU:
            return WorkerFailed(f"took longer than {seconds:g} s")
        if code == -signal.SIGKILL:
            return WorkerFailed("needed more memory than there is")
        if code < 0:
            return WorkerFailed(f"broken: it crashed the reading process ({signal.Signals(-code).name})")
        message = await self._process.stderr.read() if self._process.stderr else b""
        last = clean_line(message.decode("utf-8", "replace").strip().rpartition("\n")[2])
        return WorkerFailed(f"the reading process ended with code {code}: {last[:300]}")


async def _started(requests: int, memory_bytes: int) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-X", "utf8", "-m", "multidb_chat.adapters.readers.worker", str(memory_bytes)),
        stdin=requests,
        stdout=PIPE,
        stderr=PIPE,
        env=_environment(),
        cwd="/",
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    """Return the few variables a worker needs: none of the user's secrets are there to be read."""
    path = [str(Path(entry).absolute()) for entry in sys.path if entry]
    return {
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        # One thread of numpy's: each takes address space, which is limited.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
    }
