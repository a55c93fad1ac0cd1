"""What somebody was writing and did not send: kept in a file, so that it survives a program that is killed."""

import asyncio
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.permissions import Permission, require

MOST_CHARACTERS = 100_000
_GUESTS = "guest"


class Drafts:
    """One draft for each account, in a folder that only its owner on this machine can read (0600, in 0700).

    Guests are new each time, and share one: it is the next one's on this machine, unless it was forgotten. All methods
    raise `NotPermitted` for an account that may not ask, and `StoreUnavailable` when the file cannot be read or
    written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, account: Account, text: str) -> None:
        """Keep this text instead of what was kept before; nothing where it is blank."""
        require(account, Permission.CHAT)
        if not text.strip():
            await self.forget(account)
            return
        await asyncio.to_thread(self._write, self._file(account), text[:MOST_CHARACTERS])

    async def recall(self, account: Account) -> str:
        """Return what was kept, empty when there is nothing."""
        require(account, Permission.CHAT)
        return await asyncio.to_thread(self._read, self._file(account))

    async def forget(self, account: Account) -> None:
        """Keep nothing."""
        require(account, Permission.CHAT)
        await asyncio.to_thread(self._remove, self._file(account))

    async def erase(self, owner: Account) -> None:
        """Keep nothing of an account that goes, and may not ask any more; a guest's draft is the next guest's."""
        if owner.role != "guest":
            await asyncio.to_thread(self._remove, self._file(owner))

    def _file(self, account: Account) -> Path:
        return self._folder / f"{_GUESTS if account.role == 'guest' else account.id}.txt"

    def _write(self, file: Path, text: str) -> None:
        """Replace the file in one step: whoever is killed while writing leaves the one before."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".draft-")  # 0600
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as written:
                    written.write(text)
                os.replace(name, file)
            except BaseException:
                with suppress(OSError):
                    os.unlink(name)
                raise
        except OSError as error:
            raise _away(file, error) from error

    @staticmethod
    def _read(file: Path) -> str:
        try:
            return file.read_text(encoding="utf-8", errors="replace")[:MOST_CHARACTERS]
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise _away(file, error) from error

    @staticmethod
    def _remove(file: Path) -> None:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise _away(file, error) from error


def _away(file: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable("drafts", f"The draft in {file} cannot be kept: {error.strerror}")
