"""Making a source readable: a file on the disk with the hash of its content, whatever it was before."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from multidb_chat.domain.errors import UnreadableDocument
from multidb_chat.domain.reading import Fetcher
from multidb_chat.services.ingesting.sources import Source


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A file to read. `original` are its bytes where it cannot be read again later."""

    path: Path
    name: str
    size_bytes: int
    content_hash: str
    content_type: str = ""
    original: bytes | None = field(default=None, repr=False)


@asynccontextmanager
async def opened(source: Source, fetcher: Fetcher, max_bytes: int, keep_original: bool) -> AsyncIterator[OpenSource]:
    """Give the source as a file, which is removed afterwards where it was made for this.

    Raises `UnreadableDocument` when it is larger than `max_bytes`, `OSError` when it cannot be read, and what
    `Fetcher.fetch` raises.
    """
    if source.path is not None:
        yield await asyncio.to_thread(_hashed, Path(source.path), source.name, max_bytes)
    elif source.data is not None:
        # Made here, not on the thread: whoever is cancelled while the thread writes knows what to remove.
        handle, name = tempfile.mkstemp(prefix="multidb-chat-")
        try:
            await asyncio.to_thread(_write, handle, source.data)
            yield await asyncio.to_thread(_hashed, Path(name), source.name, max_bytes, "", keep_original)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)
    else:
        fetched = await fetcher.fetch(source.key)
        try:
            yield await asyncio.to_thread(
                _hashed, fetched.path, fetched.name, max_bytes, fetched.content_type, keep_original
            )
        finally:
            fetched.path.unlink(missing_ok=True)


def _hashed(path: Path, name: str, max_bytes: int, content_type: str = "", keep: bool = False) -> OpenSource:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise UnreadableDocument(name, f"too large ({size / 1e6:,.1f} MB, limit {max_bytes / 1e6:,.1f} MB)")
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return OpenSource(path, name, size, digest, content_type, path.read_bytes() if keep else None)


def _write(handle: int, data: bytes) -> None:
    with os.fdopen(handle, "wb") as file:
        file.write(data)
