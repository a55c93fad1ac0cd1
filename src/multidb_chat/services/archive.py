"""A zip file that is written piece by piece, that only its owner can read, and that is there whole or not at all."""

import asyncio
import json
import os
import zipfile
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from multidb_chat.domain.errors import InvalidInput
from multidb_chat.domain.text import clean_line

# Pieces are gathered to this many bytes before a thread compresses them.
_GATHERED = 1 << 20


class Archive:
    """The zip file `path` (mode 0600). In a block of `async with`; left with an error, there is no file.

    Raises `InvalidInput` when the file exists already or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unfinished = path.with_name(f".{path.name}.{os.getpid()}")

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._begin)
        except OSError as error:
            raise self._failed(error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await asyncio.to_thread(self._end, kind is None)
        except OSError as failure:
            raise self._failed(failure) from failure

    async def add(self, name: str, pieces: Iterable[str | bytes]) -> None:
        """Add a file of these pieces."""

        async def each() -> AsyncIterator[str | bytes]:
            for piece in pieces:
                yield piece

        await self._add(name, each())

    async def add_pieces(self, name: str, first: str, pieces: AsyncIterator[str]) -> None:
        """Add a file of pieces that come one by one."""

        async def all_of_them() -> AsyncIterator[str | bytes]:
            yield first
            async for piece in pieces:
                yield piece

        await self._add(name, all_of_them())

    async def add_list(self, name: str, records: AsyncIterator[Any]) -> int:
        """Add a JSON list of records that come one by one; return how many there were."""
        count = 0

        async def counted() -> AsyncIterator[Any]:
            nonlocal count
            async for record in records:
                count += 1
                yield record

        await self._add(name, _joined("[\n", counted(), "\n]\n"))
        return count

    async def add_object(self, name: str, fields: dict[str, Any], key: str, records: AsyncIterator[Any]) -> None:
        """Add a JSON object with these fields, and under `key` a list of records that come one by one."""
        head = json.dumps(fields, indent=2).rstrip("}\n ")
        await self._add(name, _joined(f'{head},\n  "{key}": [\n', records, "\n  ]\n}\n"))

    async def _add(self, name: str, pieces: AsyncIterator[str | bytes]) -> None:
        try:
            entry = await asyncio.to_thread(self._zip.open, zipfile.ZipInfo(name, _now()), "w", force_zip64=True)
            try:
                gathered: list[bytes] = []
                size = 0
                async for piece in pieces:
                    gathered.append(piece.encode("utf-8", "replace") if isinstance(piece, str) else piece)
                    size += len(gathered[-1])
                    if size >= _GATHERED:
                        await asyncio.to_thread(entry.write, b"".join(gathered))
                        gathered, size = [], 0
                await asyncio.to_thread(entry.write, b"".join(gathered))
            finally:
                await asyncio.to_thread(entry.close)
        except OSError as error:
            raise self._failed(error) from error

    def _begin(self) -> None:
        self._refuse_existing()
        self._unfinished.unlink(missing_ok=True)  # left by a killed process that had the same number
        descriptor = os.open(self._unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, allowZip64=True)

    def _end(self, complete: bool) -> None:
        try:
            if complete:
                self._zip.close()
                self._file.flush()
                os.fsync(self._file.fileno())
                self._refuse_existing()
                self._unfinished.replace(self._path)
        finally:
            with suppress(OSError):
                self._zip.close()
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                self._unfinished.unlink(missing_ok=True)

    def _refuse_existing(self) -> None:
        if os.path.lexists(self._path):
            raise InvalidInput(f"{clean_line(str(self._path))} is there already; name another file.")

    def _failed(self, error: OSError) -> InvalidInput:
        return InvalidInput(f"{clean_line(str(self._path))}: it cannot be written ({error.strerror or error}).")


async def _joined(first: str, records: AsyncIterator[Any], last: str) -> AsyncIterator[str | bytes]:
    between = first
    async for record in records:
        yield between + json.dumps(record, indent=2)
        between = ",\n"
    yield (first if between == first else "") + last


def _now() -> tuple[int, int, int, int, int, int]:
    import time

    year, month, day, hour, minute, second = time.gmtime()[:6]
    return max(year, 1980), month, day, hour, minute, second  # a zip file knows no time before
