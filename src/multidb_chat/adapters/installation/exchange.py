"""Putting one folder in the place of another in a single step, so that there is never none and never half of one."""

import ctypes
import os
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # renameat2(2), Linux 3.15


def exchange(new: Path, current: Path, aside: Path) -> None:
    """Put `new` in the place of `current`, which ends up at `aside`; without a current one, just put it there.

    All three are on one disk. Where the system can exchange two names at once, that is one step: whatever interrupts
    it, what lies at `current` is whole, and the data of before have the name that says so. Elsewhere it is two steps;
    interrupted between them, both folders are whole, under their other names. Raises `OSError`, with everything as it
    was.
    """
    if not current.exists():
        new.rename(current)
    else:
        new.rename(aside)  # before, so that no moment is left in which the data of before have the name of the new
        if not _exchanged(aside, current):
            aside.rename(new)
            _one_after_the_other(new, current, aside)
    descriptor = os.open(current.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _one_after_the_other(new: Path, current: Path, aside: Path) -> None:
    current.rename(aside)
    try:
        new.rename(current)
    except OSError:
        aside.rename(current)
        raise


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the system or the file system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)
