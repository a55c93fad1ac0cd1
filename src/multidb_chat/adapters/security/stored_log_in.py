"""The port `StoredLogIn`: in the keyring of the desktop where there is one, else in a file for its owner alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from multidb_chat.adapters.security.keyring_secrets import KeyringSecret
from multidb_chat.adapters.security.private_file import PrivateFile
from multidb_chat.domain.errors import StoreCorrupt, StoreError
from multidb_chat.domain.text import clean_line

if TYPE_CHECKING:  # nobody who never logged in needs it
    from multidb_chat.domain.signing_in import Remembered, Tokens

_IN_KEYRING = {"in": "keyring"}
_GUEST = {"in": "guest"}


class LogInFile:
    """The port `StoredLogIn` in the file `path` (mode 0600); with a `keyring` it only says that the tokens are there.

    Without a keyring that can be used they are in the file. Nobody who never logged in pays for loading a keyring.
    """

    def __init__(self, path: Path, *, keyring: KeyringSecret | None = None) -> None:
        self._file = PrivateFile(path, "log-in")
        self._keyring = keyring

    async def remembered(self) -> "Remembered | None":
        return await asyncio.to_thread(self.remembered_now)

    async def load(self) -> "Tokens | None":
        return await asyncio.to_thread(self._load)

    async def store(self, tokens: "Tokens") -> None:
        await asyncio.to_thread(self._store, tokens)

    async def remember_guest(self) -> None:
        await asyncio.to_thread(self._remember_guest)

    async def clear(self) -> None:
        await asyncio.to_thread(self._clear)

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        lock = self._file.locked()
        await asyncio.to_thread(lock.__enter__)
        try:
            yield
        finally:
            lock.__exit__(None, None, None)

    def remembered_now(self) -> "Remembered | None":
        """Return how the program was used last, without a loop: what paints first depends on it."""
        stored = self._stored()
        if stored is None:
            return None
        return "guest" if stored == _GUEST else "account"

    def _load(self) -> "Tokens | None":
        stored = self._stored()
        if stored is None or stored == _GUEST:
            return None
        from multidb_chat.domain.signing_in import Tokens

        try:
            if stored == _IN_KEYRING:
                kept = self._keyring.get() if self._keyring is not None else None
                if kept is None:
                    return None
                stored = json.loads(kept)
            return Tokens(stored["access"], stored["refresh"])
        except (ValueError, TypeError, KeyError) as error:
            raise self._unreadable() from error

    def _stored(self) -> dict[str, str] | None:
        content = self._file.read()
        try:
            stored = None if content is None else json.loads(content)
        except ValueError as error:
            raise self._unreadable() from error
        if stored is not None and not isinstance(stored, dict):
            raise self._unreadable()
        return stored

    def _unreadable(self) -> StoreCorrupt:
        path = clean_line(str(self._file.path))
        return StoreCorrupt("log-in", f"The log-in in {path} cannot be read; remove it: multidb-chat logout")

    def _store(self, tokens: "Tokens") -> None:
        stored = {"access": tokens.access, "refresh": tokens.refresh}
        if self._keyring is not None and self._keyring.put(json.dumps(stored)):
            stored = _IN_KEYRING
        self._file.write(json.dumps(stored).encode())

    def _remember_guest(self) -> None:
        self._clear()
        self._file.write(json.dumps(_GUEST).encode())

    def _clear(self) -> None:
        try:
            in_keyring = self._stored() == _IN_KEYRING
        except StoreError:  # removing it is what mends it
            in_keyring = False
        if in_keyring and self._keyring is not None:
            self._keyring.remove()
        self._file.remove()
