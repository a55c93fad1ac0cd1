"""Making a backup while everything goes on."""

import asyncio
import errno
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from multidb_chat import __version__
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import Conflict, InvalidInput, StoreFull
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean_line
from multidb_chat.domain.upkeep import FileUpkeep
from multidb_chat.services.accounts import utc_now
from multidb_chat.services.audit import Recorder
from multidb_chat.services.installation import archive, uploads
from multidb_chat.services.installation.archive import KEYS, SPOOL, Copy, KeysIn, Manifest, copy_of
from multidb_chat.services.installation.sealing import sealed

Step = Callable[[str, float], None]
"""Is told what is being copied, and the share of it that is done."""
_SPARE = 50_000_000


class Backups:
    """Makes backups of the durable stores and the keys; the cache and the search index come back by themselves.

    `stores` come in the order in which they are copied: those that refer to others first, so that what they refer to is
    in the copy. `anchor` is the head of the audit log and is copied before them, `keys` behind them: both only grow.
    Stores `elsewhere`, on servers, are named in the backup and not in it: the servers' own tools copy them. What waits
    on this machine for those was acknowledged, so it is in the backup: the journal is one of the `stores`, the uploads
    lie in the folder `spool`.
    """

    def __init__(
        self,
        stores: Sequence[FileUpkeep],
        anchor: Path,
        keys: Path,
        audit: Recorder,
        *,
        elsewhere: tuple[str, ...] = (),
        spool: Path | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._stores = stores
        self._anchor = anchor
        self._keys = keys
        self._audit = audit
        self._elsewhere = elsewhere
        self._spool = spool
        self._clock = clock

    async def create(
        self,
        actor: Account,
        target: Path,
        *,
        keys: KeysIn = "plain",
        passphrase: str = "",
        step: Step = lambda _what, _share: None,
    ) -> Manifest:
        """Write a new backup and read it again to check it; the file has its name only when it is good.

        Raises `NotPermitted`, `Conflict` when the file exists, `InvalidInput` for a place that cannot be written or a
        passphrase that is too short, and `StoreError`.
        """
        require(actor, Permission.MANAGE_INSTALLATION)
        target = await asyncio.to_thread(_checked, target)
        await self._require_space(target.parent)
        try:
            with tempfile.TemporaryDirectory(prefix=".multidb-chat-backup-", dir=target.parent) as folder:
                copies = await self._copies(Path(folder), keys, passphrase, step)
                made_at = self._clock().astimezone(UTC).isoformat()
                manifest = Manifest(__version__, made_at, keys, tuple(copies), elsewhere=self._elsewhere)
                await asyncio.to_thread(_write, target, manifest, Path(folder))
        except OSError as error:
            raise _failed(target, error) from error
        await self._audit.record(actor, "backup.create", target.name, keys=keys, bytes=str(manifest.size))
        return manifest

    async def check(self, actor: Account, path: Path) -> Manifest:
        """Read a backup and check every byte of it. Raises `NotPermitted`, `InvalidInput` or `StoreCorrupt`."""
        require(actor, Permission.MANAGE_INSTALLATION)
        return await asyncio.to_thread(archive.read, path)

    async def _copies(self, folder: Path, keys: KeysIn, passphrase: str, step: Step) -> list[Copy]:
        copies: list[Copy | None] = [await asyncio.to_thread(_copied, self._anchor, folder)]
        if self._spool is not None:
            copies.append(await asyncio.to_thread(uploads.packed, self._spool, folder / SPOOL))
        for upkeep in self._stores:
            name = f"{upkeep.store}.sqlite"
            schema = await upkeep.save(folder / name, partial(step, upkeep.store))
            await upkeep.check_copy(folder / name)
            copies.append(await asyncio.to_thread(copy_of, folder / name, schema))
        if keys != "none":
            copies.append(await asyncio.to_thread(_keys, self._keys, folder, keys, passphrase))
        return [copy for copy in copies if copy is not None]

    async def _require_space(self, folder: Path) -> None:
        """Raise `StoreFull` where the copies and the backup made of them would hardly fit."""
        size = sum([(await upkeep.report()).size_bytes or 0 for upkeep in self._stores])
        if self._spool is not None:
            size += await asyncio.to_thread(uploads.size_of, self._spool)
        needed, free = 2 * size + _SPARE, shutil.disk_usage(folder).free
        if free < needed:
            raise StoreFull(
                "backup",
                f"A backup needs {needed / 1e6:,.0f} MB in {clean_line(str(folder))}, {free / 1e6:,.0f} MB are free.",
            )


def _checked(target: Path) -> Path:
    """Return the absolute path of a file that can be made. Raises `Conflict` or `InvalidInput`."""
    target = target.expanduser().absolute()
    if target.exists():
        raise Conflict(f"{clean_line(str(target))} exists already: give the backup another name.")
    if not target.parent.is_dir():
        raise InvalidInput(f"{clean_line(str(target.parent))} is no folder to put a backup in.")
    return target


def _copied(path: Path, folder: Path) -> Copy | None:
    """Copy a small file of the data folder, if there is one."""
    if not path.exists():
        return None
    shutil.copyfile(path, folder / path.name)
    return copy_of(folder / path.name)


def _keys(path: Path, folder: Path, keys: KeysIn, passphrase: str) -> Copy | None:
    if not path.exists():
        return None
    content = path.read_bytes()
    (folder / KEYS).write_bytes(sealed(content, passphrase) if keys == "sealed" else content)
    return copy_of(folder / KEYS)


def _write(target: Path, manifest: Manifest, folder: Path) -> None:
    with archive.unfinished(target) as beside:
        archive.write(beside, manifest, folder)
        archive.read(beside)
        beside.rename(target)


def _failed(target: Path, error: OSError) -> Exception:
    what = f"{clean_line(str(target))}: the backup cannot be written ({error.strerror or type(error).__name__})"
    return StoreFull("backup", f"{what}.") if error.errno in (errno.ENOSPC, errno.EDQUOT) else InvalidInput(what)
