"""Redis servers of a test's own, to be killed, flushed and configured; on free ports, in a temporary folder."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

PROGRAM = shutil.which("redis-server")
needs_program = pytest.mark.skipif(PROGRAM is None, reason="redis-server is not installed")


class RedisProcess:
    """A `redis-server` (or Sentinel) in the folder, which it keeps over a restart; `options` are lines of its file."""

    def __init__(self, folder: Path, *options: str, sentinel: bool = False, port: int | None = None) -> None:
        self.port = port or free_port()
        self._folder = folder / str(self.port)
        self._folder.mkdir()
        self._file = self._folder / "redis.conf"
        own = [f"bind 127.0.0.1\nport {self.port}"] if not any("tls-port" in line for line in options) else []
        self._file.write_text("\n".join([*own, f"dir {self._folder}", "save ''", *options]) + "\n")
        self._sentinel = sentinel
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        assert PROGRAM
        with (self._folder / "log").open("ab") as log:
            command = [PROGRAM, str(self._file), *(["--sentinel"] if self._sentinel else [])]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        while not await asyncio.to_thread(listens, self.port):
            assert self._process.poll() is None, (self._folder / "log").read_text()
            await asyncio.sleep(0.02)

    def kill(self) -> None:
        """End it at once (-9)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        assert self._process
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        os.kill(self._process.pid, signal.SIGCONT)


class Started:
    """Starts processes, and ends them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[RedisProcess] = []

    async def __call__(self, *options: str, sentinel: bool = False, port: int | None = None) -> RedisProcess:
        process = RedisProcess(self._folder, *options, sentinel=sentinel, port=port)
        self._started.append(process)
        await process.start()
        return process

    def end(self) -> None:
        for process in self._started:
            process.kill()


async def told(url: str, *command: str) -> object:
    """Return what a server answers, as soon as it does."""
    client = Redis.from_url(url, protocol=2, decode_responses=True)
    client.response_callbacks.clear()  # as it was said
    try:
        while True:
            with contextlib.suppress(RedisError, OSError):
                return await client.execute_command(*command)
            await asyncio.sleep(0.05)
    finally:
        await client.aclose()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
