"""Putting one folder in the place of another in a single step, so that there is never none and never half of one."""

import ctypes
import os
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # renameat2(2), Linux 3.15


def exchange(new: Path, current: Path, aside: Path) -> None:
    """Put `new` in the place of `current`, which ends up at `aside`; without a current one, just put it there.

    All three are on one disk. Where the system can exchange two names at once this is one step, elsewhere two, of which
    the first is undone when the second fails. Raises `OSError`, with everything as it was.
    """
    if not current.exists():
        new.rename(current)
    elif _exchanged(new, current):
        new.rename(aside)
    else:
        current.rename(aside)
        try:
            new.rename(current)
        except OSError:
            aside.rename(current)
            raise
    descriptor = os.open(current.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the system or the file system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)
