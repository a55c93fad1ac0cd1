"""Putting a backup in the place of what is there: all of it or nothing, with what was there kept aside."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from multidb_chat.domain.accounts import Account, Accounts
from multidb_chat.domain.audit import AuditFilter
from multidb_chat.domain.errors import InvalidInput, SchemaTooNew, StoreCorrupt, StoreUnavailable
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean_line
from multidb_chat.domain.upkeep import FileUpkeep
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.audit import Recorder
from multidb_chat.services.handbook import OWNER as HANDBOOK_OWNER
from multidb_chat.services.installation import archive, uploads
from multidb_chat.services.installation.archive import KEYS, SPOOL, Manifest
from multidb_chat.services.installation.sealing import opened
from multidb_chat.services.wording import counted

_PAGE = 200


async def _nothing() -> int:
    return 0


class DataFolder(Protocol):
    """The folder that holds the stores of this machine."""

    @property
    def path(self) -> Path:
        """Where it is."""

    async def replace(self, new: Path, aside: Path) -> None:
        """Put the folder `new`, which lies beside it, in its place, and what was there at `aside`, in one step.

        What is derived from the data is discarded. Raises `StoreUnavailable` while another program uses the folder.
        """


class Belongings(Protocol):
    """What accounts have in the stores that are restored."""

    def owners(self) -> AsyncIterator[str]:
        """Yield the accounts that something belongs to, each once."""

    async def erase(self, account_id: str) -> None:
        """Remove all that belongs to an account."""


@dataclass(frozen=True)
class Staged:
    """The embedded stores in a folder that is to become the data folder, and the audit log of the installation.

    `accounts` are those in the folder; None: they are on a server, and stay what they are.
    """

    stores: tuple[FileUpkeep, ...]
    accounts: Accounts | None
    audit: Recorder
    belongings: Belongings


Staging = Callable[[Path], AbstractAsyncContextManager[Staged]]
"""Opens the stores in a folder, which brings them to the schema of this program."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place, and where the data lie that were there before (None: there were none)."""

    manifest: Manifest
    aside: Path | None


class Restoring:
    """Restores backups. `keys` is the name of the key file in the data folder.

    `elsewhere` are the durable stores that are on servers now, with their places: a backup never touches those.
    `waiting` tells how much waits in the data folder for a server that was away, `spool` names the folder of uploads
    that do.
    """

    def __init__(
        self,
        folder: DataFolder,
        staging: Staging,
        accounts: Accounts,
        *,
        keys: str,
        elsewhere: Mapping[str, str] = MappingProxyType({}),
        waiting: Callable[[], Awaitable[int]] = _nothing,
        spool: str = "spool",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._folder = folder
        self._staging = staging
        self._accounts = accounts
        self._keys = keys
        self._elsewhere = elsewhere
        self._waiting = waiting
        self._spool = spool
        self._clock = clock

    async def inspect(self, actor: Account, path: Path) -> Manifest:
        """Return what the backup is, every byte of it checked; nothing is changed.

        An installation that has no administrator yet may be filled from a backup by whoever may write its files.
        Raises `NotPermitted`, `InvalidInput`, or `StoreCorrupt`.
        """
        await self._require(actor)
        return await asyncio.to_thread(archive.read, path)

    async def prepare(self, actor: Account, path: Path, *, passphrase: str = "") -> "Prepared":
        """Unpack the backup beside the data folder, check its stores, and record in them that they were restored.

        Raises like `inspect`, `NotPermitted` for a wrong passphrase, `InvalidInput` unless the backup holds just the
        stores that are embedded now, `StoreUnavailable` while something waits for a server, and `SchemaTooNew`.
        """
        await self._require(actor)
        manifest = await asyncio.to_thread(archive.read, path)
        self._require_same_places(manifest)
        await self._require_nothing_waiting()
        folder = self._folder.path.with_name(f"{self._folder.path.name}.restoring-{os.getpid()}")
        prepared = Prepared(manifest, folder)
        try:
            await asyncio.to_thread(_unpack, path, manifest, folder)
            await asyncio.to_thread(self._put_keys, folder, manifest, passphrase)
            await asyncio.to_thread(uploads.unpack, folder / SPOOL, folder / self._spool)
            async with self._staging(folder) as staged:
                await _check(manifest, folder, staged)
                again = await self._erase_again(staged, datetime.fromisoformat(manifest.made_at))
                await staged.audit.record(
                    actor, "backup.restore", path.name, made_at=manifest.made_at, erased_again=str(again)
                )
        except OSError as error:
            prepared.discard()
            what = f"{clean_line(str(folder))}: the backup cannot be unpacked ({error.strerror})"
            raise InvalidInput(what) from error
        except BaseException:
            prepared.discard()
            raise
        return prepared

    async def commit(self, prepared: "Prepared") -> Restored:
        """Put what was prepared in place. Every store of this program must be closed, and no other program may run.

        Raises `StoreUnavailable`; then everything is as it was, and what was prepared is gone.
        """
        path = self._folder.path
        aside = path.with_name(f"{path.name}.before-restore-{self._clock():%Y%m%d-%H%M%S}")
        there = path.exists()
        try:
            await self._folder.replace(prepared.folder, aside)
        finally:
            prepared.discard()
        return Restored(prepared.manifest, aside if there and aside.exists() else None)

    async def _erase_again(self, staged: Staged, made_at: datetime) -> int:
        """Let nobody come back by the backup who was erased since it was made; return how many that were."""
        if staged.accounts is None:
            return await self._erase_strangers(staged.belongings)
        return await self._mark_erased(staged.accounts, made_at)

    async def _erase_strangers(self, belongings: Belongings) -> int:
        """Remove what belongs to accounts that are not there any more."""
        erased = 0
        async for owner in belongings.owners():
            if owner != HANDBOOK_OWNER and await self._accounts.account(owner) is None:
                await belongings.erase(owner)
                erased += 1
        return erased

    async def _mark_erased(self, restored: Accounts, made_at: datetime) -> int:
        """Mark the accounts in the backup that were erased since; what is theirs goes as after any erasure."""
        erased: set[str] = set()
        after, where = 0, AuditFilter(action="account.erase", since=made_at)
        while entries := await self._accounts.audit(after, _PAGE, where):
            erased.update(entry.target for entry in entries)
            after = entries[-1].seq
        marked, after_id = 0, ""
        while erased and (page := await restored.list_accounts(after_id, _PAGE)):
            for account in page:
                if account.pseudonym in erased:
                    now = self._clock()
                    gone = replace(account, email=None, password_hash=None, disabled_at=now, erased_at=now)
                    await restored.update_account(gone)
                    marked += 1
            after_id = page[-1].id
        return marked

    async def _require(self, actor: Account) -> None:
        if not await self._is_new():
            require(actor, Permission.MANAGE_INSTALLATION)

    def _require_same_places(self, manifest: Manifest) -> None:
        held = {copy.name.removesuffix(".sqlite") for copy in manifest.copies if copy.name.endswith(".sqlite")}
        for store, place in self._elsewhere.items():
            if store in held:
                raise InvalidInput(
                    f"The backup holds the {store} store, which is on {place} now:"
                    f' to restore it, set stores.{store} to "embedded" first.'
                )
        for store in manifest.elsewhere:
            if store not in self._elsewhere:
                raise InvalidInput(
                    f"The {store} store was on a server when the backup was made, and is not in it:"
                    f" set stores.{store} to that server first."
                )

    async def _require_nothing_waiting(self) -> None:
        if waiting := await self._waiting():
            raise StoreUnavailable(
                "installation",
                f"{counted(waiting, 'thing waits', 'things wait')} here for a server that was away, and would be put"
                " aside with the data: start the program until all is written, then restore.",
            )

    async def _is_new(self) -> bool:
        """Tell whether there is no administrator."""
        after = ""
        while page := await self._accounts.list_accounts(after, _PAGE):
            if any(account.role == "admin" for account in page):
                return False
            after = page[-1].id
        return True

    def _put_keys(self, folder: Path, manifest: Manifest, passphrase: str) -> None:
        """Leave the keys in the folder: those of the backup, else those of this installation.

        Accounts on a server were made with the keys of this installation, or with those of the backup on a new machine.
        """
        packed, target, present = folder / KEYS, folder / self._keys, self._folder.path / self._keys
        if "accounts" in self._elsewhere and present.exists():
            packed.unlink(missing_ok=True)
        if packed.exists():
            content = packed.read_bytes()
            packed.unlink()
            _write_private(target, opened(content, passphrase) if manifest.keys == "sealed" else content)
        elif present.exists():
            _write_private(target, present.read_bytes())


@dataclass(frozen=True, slots=True)
class Prepared:
    """A backup that was unpacked and found good."""

    manifest: Manifest
    folder: Path

    def discard(self) -> None:
        """Remove what was unpacked, unless it was put in place."""
        shutil.rmtree(self.folder, ignore_errors=True)


async def _check(manifest: Manifest, folder: Path, staged: Staged) -> None:
    """Raise `StoreCorrupt` or `SchemaTooNew` unless every store is there, whole, and known to this program."""
    copies = {copy.name: copy for copy in manifest.copies}
    for upkeep in staged.stores:
        name = f"{upkeep.store}.sqlite"
        if name not in copies:
            raise StoreCorrupt("backup", f"The {upkeep.store} store is missing in the backup.")
        known = (await upkeep.report()).known_schema or 0
        if copies[name].schema > known:
            raise SchemaTooNew(
                upkeep.store,
                f"The {upkeep.store} store in the backup was written by a newer version of multidb-chat"
                f" (schema {copies[name].schema}, this one knows {known}): update the program.",
            )
        await upkeep.check_copy(folder / name)


def _unpack(path: Path, manifest: Manifest, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    archive.extract(path, manifest, folder)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def left_behind(folder: Path) -> list[Path]:
    """Return what interrupted restores left beside the data folder."""
    with contextlib.suppress(OSError):
        return sorted(folder.parent.glob(f"{folder.name}.restoring-*"))
    return []
