"""Who uses the data folder: every program that has it open holds a lock; what replaces the folder wants it alone."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from multidb_chat.domain.errors import StoreUnavailable
from multidb_chat.domain.text import clean_line

NAME = "in-use.lock"


class InUse:
    """The lock (flock(2)) of a data folder. It ends with the process, so that a killed one leaves nothing behind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: int | None = None

    def share(self) -> None:
        """Hold the folder together with others, until `release`. Where no lock can be made (a read-only disk), go on.

        Raises `StoreUnavailable` while the folder is being replaced.
        """
        while self._held is None:
            try:
                descriptor = self._open()
            except OSError:
                return
            if not _locked(descriptor, fcntl.LOCK_SH):
                os.close(descriptor)
                raise StoreUnavailable(
                    "installation", "The data are being restored or moved right now: try again in a moment."
                )
            if self._is_the_one(descriptor):
                self._held = descriptor
            else:  # the folder was replaced between the two steps
                os.close(descriptor)

    def release(self) -> None:
        """Let go of the folder."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Have the folder for oneself as long as the block lasts. Raises `StoreUnavailable` when others use it."""
        descriptor = self._open()
        try:
            if not _locked(descriptor, fcntl.LOCK_EX):
                raise StoreUnavailable(
                    "installation",
                    f"Another multidb-chat uses {clean_line(str(self._folder))}: end it, then try again.",
                )
            yield
        finally:
            os.close(descriptor)

    def by_others(self) -> bool:
        """Tell whether another program has the folder open now."""
        try:
            with self.alone():
                return False
        except (OSError, StoreUnavailable):
            return True

    def _open(self) -> int:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(self._folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _is_the_one(self, descriptor: int) -> bool:
        try:
            there = os.stat(self._folder / NAME)
        except FileNotFoundError:
            return False
        mine = os.fstat(descriptor)
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
