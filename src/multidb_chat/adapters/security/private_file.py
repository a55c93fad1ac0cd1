"""Small files that hold secrets: readable by their owner alone, written whole, one process at a time."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from multidb_chat.domain.errors import StoreError, StoreFull, StoreUnavailable
from multidb_chat.domain.text import clean_line


class PrivateFile:
    """A file with mode 0600. `store` names it in errors.

    A reader sees the whole old content or the whole new one. `locked` keeps other processes out for as long as a block
    lasts; the lock is a file beside it, since the file itself is replaced.
    """

    def __init__(self, path: Path, store: str) -> None:
        self.path = path
        self._store = store

    def read(self) -> bytes | None:
        """Return the content, None when there is no file. Raises `StoreUnavailable`, also for a looser mode."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed(error) from error
        with os.fdopen(descriptor, "rb") as file:
            self._refuse_loose(os.fstat(descriptor))
            return file.read()

    def write(self, content: bytes) -> None:
        """Replace the content, durably. Raises `StoreError`."""
        unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished.unlink(missing_ok=True)  # left by a killed process that had the same number
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            unfinished.replace(self.path)
            _sync(self.path.parent)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the file, if there is one. Raises `StoreError`."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._failed(error) from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep out whoever else locks this file, in any thread and process. Raises `StoreError`."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._failed(error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)  # and with it the lock

    def _refuse_loose(self, found: os.stat_result) -> None:
        mode = stat.S_IMODE(found.st_mode)
        if mode & 0o077:
            raise StoreUnavailable(
                self._store,
                f"{clean_line(str(self.path))} can be read or written by others (mode {mode:04o}):"
                f" look who may have seen it, then chmod 600 it.",
            )

    def _failed(self, error: OSError) -> StoreError:
        kind = StoreFull if error.errno in _FULL else StoreUnavailable
        name, reason = clean_line(str(self.path)), error.strerror or type(error).__name__
        if kind is StoreFull:
            return StoreFull(self._store, f"No space is left for {name}: free some, then try again.")
        return kind(
            self._store, f"{name} cannot be opened or written ({reason}); check it and its folder's permissions."
        )


_FULL = frozenset({28, 122})  # ENOSPC, EDQUOT


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
