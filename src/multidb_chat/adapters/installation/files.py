"""The files of an installation: who may read them, how much room is left, and what interrupted work left behind."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from multidb_chat.adapters.installation.in_use import InUse
from multidb_chat.domain.upkeep import LooseFile, Room

_PRIVATE_FILE, _PRIVATE_FOLDER, _MINE_TO_WRITE = 0o600, 0o700, 0o644


class InstallationFiles:
    """The files below the folders `data` and `cache`, and the configuration file."""

    def __init__(self, data: Path, cache: Path, configuration: Path) -> None:
        self._data = data
        self._cache = cache
        self._configuration = configuration

    def loose(self) -> list[LooseFile]:
        """Return what others than the owner could read or write: files of data and cache, 0600 in folders of 0700.

        The configuration file may be read by others, as it has no secrets unless somebody puts them there.
        """
        found = [one for folder in (self._data, self._cache) for one in _loose_below(folder)]
        return found + list(_loose(self._configuration, _MINE_TO_WRITE))

    def tighten(self, loose: LooseFile) -> None:
        """Take from others what they may not. Raises `OSError`."""
        loose.path.chmod(loose.wanted)

    def room(self) -> list[Room]:
        """Return the free bytes where data and cache lie."""
        return [Room(folder, shutil.disk_usage(_existing(folder)).free) for folder in (self._data, self._cache)]

    def used_by_others(self) -> bool:
        """Tell whether another program has the data open."""
        return self._data.exists() and InUse(self._data).by_others()

    def left_behind(self) -> list[Path]:
        """Return folders that interrupted restores unpacked and did not remove."""
        return sorted(self._data.parent.glob(f"{self._data.name}.restoring-*"))

    def set_aside(self) -> list[Path]:
        """Return the data of before each restore."""
        return sorted(self._data.parent.glob(f"{self._data.name}.before-restore-*"))

    def remove(self, folder: Path) -> None:
        """Remove a folder with what is in it. Raises `OSError`."""
        shutil.rmtree(folder)

    def discard_cache(self) -> None:
        """Remove the cache's file, which comes back empty. Raises `OSError`."""
        for end in ("", "-wal", "-shm"):
            (self._cache / f"cache.sqlite{end}").unlink(missing_ok=True)


def _loose_below(folder: Path) -> Iterator[LooseFile]:
    if not folder.is_dir():
        return
    yield from _loose(folder, _PRIVATE_FOLDER)
    for parent, folders, files in os.walk(folder):
        for name in folders:
            yield from _loose(Path(parent, name), _PRIVATE_FOLDER)
        for name in files:
            yield from _loose(Path(parent, name), _PRIVATE_FILE)


def _loose(path: Path, wanted: int) -> Iterator[LooseFile]:
    try:
        found = path.lstat()
    except OSError:  # it went while we looked
        return
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISLNK(found.st_mode) and mode & ~wanted & 0o077:
        yield LooseFile(path, mode, mode & wanted)


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
