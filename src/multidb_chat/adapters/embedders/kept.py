"""Vectors that are kept for texts that come again: an embedder around another one, which costs more than a disk.

One SQLite file for each embedder, by the SHA-256 of the text. Trouble with it is no trouble: what cannot be read is
made, and what cannot be written is not kept.
"""

import asyncio
import hashlib
import logging
import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from multidb_chat.domain.search import Embedder

_LOG = logging.getLogger(__name__)
_ASKED_AT_ONCE = 500
_OVERHEAD = 80  # bytes of a row besides its vector
_TABLE = "CREATE TABLE IF NOT EXISTS vectors (n INTEGER PRIMARY KEY, text BLOB UNIQUE NOT NULL, vector BLOB NOT NULL)"


class KeepingEmbedder:
    """The `Embedder` `inner`, whose vectors of passages are kept in `folder`, the newest ones up to `most_bytes`.

    A run that is interrupted has kept what it made: `docs reprocess` goes on where it was. Nothing is dropped before
    `close`, so that what one run makes for another is there, however much it is.
    """

    def __init__(self, inner: Embedder, folder: Path, most_bytes: int) -> None:
        self.inner = inner
        self.name = inner.name
        self.dimensions = inner.dimensions
        self._path = folder / f"{re.sub(r'[^a-z0-9.-]+', '-', inner.name)}.sqlite"
        self._most = most_bytes // (4 * inner.dimensions + _OVERHEAD)

    async def embed_query(self, text: str) -> bytes:
        """Return the vector of a question, which is not kept here."""
        return await self.inner.embed_query(text)

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        """Return the vectors of passages, those made that are not kept."""
        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        found = await asyncio.to_thread(self._kept, keys)
        lacking = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if lacking:
            made = await self.inner.embed_documents([*lacking.values()])
            new = dict(zip(lacking, made, strict=True))
            await asyncio.to_thread(self._keep, new)
            found |= new
        return [found[key] for key in keys]

    async def close(self) -> None:
        """Drop the oldest vectors that are too many, and close the embedder."""
        await asyncio.to_thread(self._drop)
        await self.inner.close()

    def _kept(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        if not self._path.exists():
            return {}
        found: dict[bytes, bytes] = {}
        try:
            with closing(self._opened()) as connection:
                for at in range(0, len(keys), _ASKED_AT_ONCE):
                    part = keys[at : at + _ASKED_AT_ONCE]
                    query = f"SELECT text, vector FROM vectors WHERE text IN ({','.join('?' * len(part))})"  # noqa: S608
                    found.update(connection.execute(query, part))
        except sqlite3.Error as error:
            _LOG.warning("kept vectors cannot be read: %s", error)
        return {key: vector for key, vector in found.items() if len(vector) == 4 * self.dimensions}

    def _keep(self, vectors: dict[bytes, bytes]) -> None:
        try:
            with closing(self._opened()) as connection, connection:
                connection.executemany("INSERT OR REPLACE INTO vectors (text, vector) VALUES (?, ?)", vectors.items())
        except (sqlite3.Error, OSError) as error:
            _LOG.warning("vectors cannot be kept: %s", error)

    def _drop(self) -> None:
        if not self._path.exists():
            return
        try:
            with closing(self._opened()) as connection:
                last = "SELECT n FROM vectors ORDER BY n DESC LIMIT 1 OFFSET ?"
                with connection:
                    dropped = connection.execute(f"DELETE FROM vectors WHERE n <= ({last})", (self._most,)).rowcount  # noqa: S608
                if dropped > 0:
                    connection.execute("VACUUM")
        except sqlite3.Error as error:
            _LOG.warning("kept vectors cannot be dropped: %s", error)

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))  # for its owner alone, also what lies beside it
        connection = sqlite3.connect(self._path, timeout=10)
        connection.execute(_TABLE)
        return connection
