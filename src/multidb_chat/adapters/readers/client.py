"""`SubprocessReader`: the port `DocumentReader` in processes of its own."""

import asyncio
import contextlib
import errno
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterator
from io import FileIO
from pathlib import Path

from multidb_chat.adapters.readers.process import Worker, WorkerFailed
from multidb_chat.adapters.readers.source import Refusal, too_large
from multidb_chat.domain.errors import UnreadableDocument
from multidb_chat.domain.reading import ParsedDocument, Unreadable

_REASONS = {
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.ELOOP: "a link that leads back to itself",
    errno.ENAMETOOLONG: "its name is too long",
}
# Longer names than any file system takes are cut from the left: the suffix counts.
_LONGEST_NAME = 2000


class SubprocessReader:
    """Reads files in up to `workers` processes, started at first use, kept between files, replaced when they fail.

    A process is in a sandbox (no network, no writing, limits of memory and time for each file) and is ended when a
    `read` is cancelled or left early.
    """

    def __init__(
        self,
        *,
        max_file_bytes: int = 50_000_000,
        memory_mb: int = 2048,
        timeout_s: float = 120.0,
        workers: int | None = 1,
    ) -> None:
        """`max_file_bytes` is also the limit of each archive member; `memory_mb` comes on top of the worker's own.

        `timeout_s` is what one file may take; `workers` None: one for every two processors, four at most.
        """
        self._max_file_bytes = max_file_bytes
        self._memory_bytes = memory_mb * 1_000_000
        self._timeout_s = timeout_s
        self._free = asyncio.Semaphore(workers or min(4, max(1, (os.cpu_count() or 2) // 2)))
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    async def read(self, path: Path, name: str, content_type: str = "") -> AsyncIterator[ParsedDocument | Unreadable]:
        """Yield the documents of the file; see the port. What was yielded before an error came is void."""
        try:
            file, before = await asyncio.to_thread(_opened, path, self._max_file_bytes)
            with file:
                async for part in self._parts(file.fileno(), name, content_type):
                    yield part
            if await asyncio.to_thread(_identity, path) != before:
                raise Refusal("changed while it was read")
        except OSError as error:
            raise UnreadableDocument(name, _REASONS.get(error.errno or 0) or f"broken: {error.strerror}") from error
        except (Refusal, WorkerFailed) as error:
            raise UnreadableDocument(name, str(error)) from error

    async def close(self) -> None:
        """End the worker processes; a second call does nothing."""
        self._closed = True
        for worker in self._busy:
            worker.kill()  # Whoever reads from it is told, and lets go of it.
        for worker in self._idle:
            self._end(worker)
        self._idle.clear()
        await asyncio.gather(*self._ending)

    async def _parts(
        self, file: int, name: str, content_type: str
    ) -> AsyncGenerator[ParsedDocument | Unreadable, None]:
        media_type, _, parameters = content_type.partition(";")
        charset = parameters.partition("charset=")[2].partition(";")[0].strip(" \"'")
        request = {
            "name": name[-_LONGEST_NAME:],
            "content_type": media_type.strip()[:200],
            "charset": charset[:50],
            "member_bytes": self._max_file_bytes,
        }
        async with self._free:
            worker = await self._worker()
            self._busy.add(worker)
            finished = False
            try:
                async with contextlib.aclosing(worker.read(file, request, self._timeout_s)) as parts:
                    async for part in parts:
                        yield part
                finished = True
            except WorkerFailed:
                finished = worker.usable  # It answered with a reason and waits for the next file.
                raise
            finally:
                self._busy.discard(worker)
                self._put_back(worker, finished)

    async def _worker(self) -> Worker:
        if self._closed:
            raise Refusal("the reader is closed")
        while self._idle:
            worker = self._idle.pop()
            if worker.usable:
                return worker
            self._end(worker)
        return await Worker.start(self._memory_bytes)

    def _put_back(self, worker: Worker, finished: bool) -> None:
        if finished and worker.usable and not self._closed:
            self._idle.append(worker)
        else:
            self._end(worker)

    def _end(self, worker: Worker) -> None:
        worker.kill()
        task = asyncio.get_running_loop().create_task(worker.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _opened(path: Path, limit: int) -> tuple[FileIO, tuple[int, ...]]:
    """Open a regular file for reading. Raises `Refusal` or `OSError`."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):  # Seen before it is opened: a device may do something when that happens.
        raise Refusal("is a folder" if stat.S_ISDIR(mode) else "not a regular file")
    file = FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "r")
    size = os.fstat(file.fileno()).st_size
    if not size or size > limit:
        file.close()
        raise too_large(size, limit) if size else Refusal("empty")
    return file, _identity(path)


def _identity(path: Path) -> tuple[int, ...]:
    """Return what changes when a file does."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
