"""Uploads that wait on this machine for a library that is away: a checksummed copy of each, stored when it is back.

::

    spool/<id>/manifest.json    whose, for which collection, and for each source its key, name, size and SHA-256
    spool/<id>/0, 1, 2 ...      the copies; an address has none, it is fetched when it is stored

A folder has its name only when all of it is on the disk; one that begins with a dot was never acknowledged.
"""

import asyncio
import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import MultidbChatError, NotPermitted, StoreError, StoreFull, StoreUnavailable
from multidb_chat.domain.ids import made_at, new_id
from multidb_chat.domain.journal import Backlog, Refused
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean_line
from multidb_chat.services.ingesting.events import Failure, Finished, IngestEvent
from multidb_chat.services.ingesting.sources import Input, Source, discover
from multidb_chat.services.wording import counted

_MANIFEST, _REFUSED, _REASON, _LOCK = "manifest.json", ".refused", "reason", ".lock"
STORE = "library"
_PIECE = 1_048_576
_EVERY = 10.0  # seconds between two looks at a library that is away
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept: how many sources, and what could not be."""

    sources: int
    failures: tuple[Failure, ...] = ()

    def told(self, error: StoreUnavailable) -> str:
        """Return in a line what becomes of it."""
        refused = f" {counted(len(self.failures), 'file')} could not be read." if self.failures else ""
        kept = f"{counted(self.sources, 'file')} kept on this machine, to be added when the library is back"
        return f"{kept}.{refused} {error}"


@dataclass(frozen=True, slots=True)
class _Copy:
    key: str
    name: str
    size_bytes: int = 0
    sha256: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class _Manifest:
    account_id: str
    collection: str
    shared: bool | None
    copies: tuple[_Copy, ...]


class Adder(Protocol):
    """Adds sources to a collection of an account, which is made if there is none of this name."""

    def __call__(
        self, account: Account, collection: str, shared: bool | None, inputs: Sequence[Input]
    ) -> AsyncIterator[IngestEvent]:
        """Yield the events; the last one is `Finished`."""


class Spool:
    """The uploads in a folder. Raises `StoreUnavailable` or `StoreFull` named "spool" where it cannot be written."""

    def __init__(
        self, folder: Path, max_file_bytes: int, find: Callable[[str], Awaitable[Account]], add: Adder
    ) -> None:
        """`find` returns the account as it is now; it raises `NotPermitted` when that may not be used any more."""
        self._folder = folder
        self._max_file_bytes = max_file_bytes
        self._find = find
        self._add = add

    async def keep(self, account: Account, collection: str, shared: bool | None, inputs: Sequence[Input]) -> Kept:
        """Copy what is to be added; durable when it returns. Raises `NotPermitted` for an account that may not add."""
        require(account, Permission.INGEST)
        return await asyncio.to_thread(self._keep, account.id, collection, shared, inputs)

    async def store_waiting(self) -> int:
        """Add what waits, in the order in which it was kept; return how much. Raises `StoreError` when it cannot be.

        Another process that does it already is left to it.
        """
        if not self._folder.exists():
            return 0
        stored = 0
        with self._alone() as mine:
            for upload in self._waiting() if mine else ():
                await self._store(upload)
                stored += 1
        return stored

    async def run(self) -> None:
        """Add what waits whenever the library is there, until cancelled."""
        while True:
            try:
                await self.store_waiting()
            except StoreError as error:
                _log.info("Uploads go on waiting: %s", error)
            except Exception:  # noqa: BLE001 - one upload is no reason to give up the others
                _log.exception("Uploads could not be stored.")
            await asyncio.sleep(_EVERY)

    async def backlog(self) -> Backlog:
        """Return how many uploads wait, since when the oldest of them does, and how many were refused."""
        waiting = self._waiting()
        return Backlog(len(waiting), made_at(waiting[0].name) if waiting else None, len(self._set_aside()))

    async def refused(self) -> list[Refused]:
        """Return the uploads that were set aside, the oldest first."""
        return await asyncio.to_thread(lambda: [_refused(upload) for upload in self._set_aside()])

    async def wait_again(self, uploads: Sequence[str]) -> None:
        """Let uploads that were set aside wait once more. Raises `StoreError`."""
        for upload in self._of(uploads):
            with self._changing():
                (upload / _REASON).unlink(missing_ok=True)
                upload.rename(upload.with_name(upload.name.removesuffix(_REFUSED)))

    async def drop(self, uploads: Sequence[str]) -> None:
        """Remove uploads that were set aside, with their copies. Raises `StoreError`."""
        for upload in self._of(uploads):
            with self._changing():
                await asyncio.to_thread(shutil.rmtree, upload)

    async def erase(self, owner: Account) -> None:
        """Remove the uploads of an account that goes."""
        for upload in self._folder.iterdir() if self._folder.exists() else ():
            with suppress(OSError, ValueError):
                if _manifest(upload).account_id == owner.id:
                    await asyncio.to_thread(shutil.rmtree, upload)

    def _keep(self, account_id: str, collection: str, shared: bool | None, inputs: Sequence[Input]) -> Kept:
        upload = self._folder / new_id()
        unfinished = upload.with_name(f".{upload.name}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished.mkdir(mode=0o700)
            copies, failures = self._copied(inputs, unfinished)
            if copies:
                manifest = _Manifest(account_id, collection, shared, copies)
                _write(unfinished / _MANIFEST, json.dumps(asdict(manifest)).encode())
                _sync(unfinished)
                unfinished.rename(upload)
                _sync(self._folder)
            return Kept(len(copies), failures)
        except OSError as error:
            raise _translated(error, self._folder) from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _copied(self, inputs: Sequence[Input], folder: Path) -> tuple[tuple[_Copy, ...], tuple[Failure, ...]]:
        """Copy all that is found; what cannot be read is a failure, what cannot be written raises `OSError`."""
        copies: list[_Copy] = []
        failures: list[Failure] = []
        for found in discover(inputs):
            if isinstance(found, Failure):
                failures.append(found)
            elif found.size_bytes > self._max_file_bytes:
                failures.append(Failure(found.key, f"too large ({found.size_bytes / 1e6:,.1f} MB)"))
            elif found.path is None and found.data is None:
                copies.append(_Copy(found.key, found.name))
            else:
                try:
                    data = Path(found.path).read_bytes() if found.path is not None else found.data or b""
                except OSError as error:
                    failures.append(Failure(found.key, error.strerror or str(error)))
                    continue
                file = str(len(copies))
                _write(folder / file, data)
                copies.append(_Copy(found.key, found.name, len(data), hashlib.sha256(data).hexdigest(), file))
        return tuple(copies), tuple(failures)

    async def _store(self, upload: Path) -> None:
        try:
            manifest = await asyncio.to_thread(_manifest, upload)
            inputs = await asyncio.to_thread(lambda: [_source(upload, copy) for copy in manifest.copies])
            account = await self._find(manifest.account_id)
            async for event in self._add(account, manifest.collection, manifest.shared, inputs):
                if isinstance(event, Finished) and event.failures:
                    _log.warning("%d of an upload could not be read or were refused.", len(event.failures))
        except NotPermitted:  # the account is gone, and so is what it wanted to add
            await asyncio.to_thread(shutil.rmtree, upload)
        except StoreError:
            raise
        except (MultidbChatError, OSError, ValueError) as error:
            _log.warning("The upload %s is set aside: %s", upload.name, error)
            with suppress(OSError):  # without the reason, which the log has, too
                await asyncio.to_thread(_write, upload / _REASON, str(error).encode("utf-8", "replace"))
            await asyncio.to_thread(upload.rename, upload.with_name(upload.name + _REFUSED))
        else:
            await asyncio.to_thread(shutil.rmtree, upload)

    def _waiting(self) -> list[Path]:
        if not self._folder.exists():
            return []
        return sorted(path for path in self._folder.iterdir() if path.is_dir() and "." not in path.name)

    def _set_aside(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_REFUSED}")) if self._folder.exists() else []

    def _of(self, uploads: Sequence[str]) -> list[Path]:
        return [upload for upload in self._set_aside() if upload.name.removesuffix(_REFUSED) in uploads]

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _translated(error, self._folder) from error

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        try:
            lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _translated(error, self._folder) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(lock)


def _manifest(upload: Path) -> _Manifest:
    """Return what an upload is. Raises `OSError`, or `ValueError` for what is no manifest."""
    try:
        values = json.loads((upload / _MANIFEST).read_bytes())
        copies = tuple(_Copy(**copy) for copy in values.pop("copies"))
        return _Manifest(**values, copies=copies)
    except (TypeError, KeyError) as error:
        raise ValueError("its manifest cannot be read") from error


def _refused(upload: Path) -> Refused:
    """Return what is known of an upload that was set aside."""
    key, account_id, what, reason = upload.name.removesuffix(_REFUSED), "", "upload", ""
    with suppress(OSError, ValueError):
        manifest = _manifest(upload)
        account_id, what = manifest.account_id, f"upload of {counted(len(manifest.copies), 'file')}"
    with suppress(OSError):
        reason = (upload / _REASON).read_text("utf-8", "replace")
    return Refused(key, STORE, what, account_id, made_at(key) or datetime.fromtimestamp(0, UTC), reason)


def _source(upload: Path, copy: _Copy) -> Source:
    """Return a source that is read from its copy. Raises `ValueError` when that is not what was kept."""
    if not copy.file:
        return Source(copy.key, copy.name)
    path = upload / copy.file
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != copy.sha256:
            raise ValueError(f"the copy of {clean_line(copy.name)} is not what was kept")
    return Source(copy.key, copy.name, copy.size_bytes, str(path))


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _translated(error: OSError, folder: Path) -> StoreError:
    where = f"the uploads in {clean_line(str(folder))}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull("spool", f"No space is left for {where}: free some, then try again.")
    return StoreUnavailable("spool", f"There is no way to keep {where} ({error.strerror}).")
