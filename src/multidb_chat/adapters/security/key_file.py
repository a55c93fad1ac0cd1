"""`KeyFile`: the port `Keys` in a file that only its owner can read."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from multidb_chat.adapters.security.private_file import PrivateFile
from multidb_chat.domain.errors import StoreCorrupt
from multidb_chat.domain.keys import Key, Purpose
from multidb_chat.domain.text import clean_line

_BYTES = 32


class KeyFile:
    """The port `Keys` in the file `path` (JSON, mode 0600), which is made when a key is first needed."""

    def __init__(self, path: Path) -> None:
        self._file = PrivateFile(path, "keys")

    async def current(self, purpose: Purpose) -> Key:
        return (await self.keys(purpose))[-1]

    async def key(self, purpose: Purpose, kid: str) -> Key | None:
        return next((key for key in await self.keys(purpose) if key.kid == kid), None)

    async def keys(self, purpose: Purpose) -> list[Key]:
        return await asyncio.to_thread(self._found_or_made, purpose)

    async def rotate(self, purpose: Purpose) -> Key:
        return await asyncio.to_thread(self._made, purpose)

    def _found_or_made(self, purpose: Purpose) -> list[Key]:
        if not (found := self._all().get(purpose, [])):
            with self._file.locked():
                found = self._all().get(purpose, []) or [self._added(purpose)]
        return found

    def _made(self, purpose: Purpose) -> Key:
        with self._file.locked():
            return self._added(purpose)

    def _added(self, purpose: Purpose) -> Key:
        """Make a key while nobody else does."""
        everything = self._all()
        made = Key(f"{purpose}-{len(everything.get(purpose, [])) + 1}", os.urandom(_BYTES))
        everything.setdefault(purpose, []).append(made)
        written = {
            name: [{"kid": key.kid, "secret": key.secret.hex()} for key in of] for name, of in everything.items()
        }
        self._file.write(json.dumps(written, indent=1).encode())
        return made

    def _all(self) -> dict[str, list[Key]]:
        content = self._file.read()
        if content is None:
            return {}
        try:
            stored: dict[str, list[dict[str, Any]]] = json.loads(content)
            return {name: [Key(str(one["kid"]), _secret(one["secret"])) for one in of] for name, of in stored.items()}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            path = clean_line(str(self._file.path))
            raise StoreCorrupt("keys", f"The key file {path} cannot be read: restore it from a backup.") from error


def _secret(stored: str) -> bytes:
    secret = bytes.fromhex(stored)
    if len(secret) != _BYTES:
        raise ValueError
    return secret
