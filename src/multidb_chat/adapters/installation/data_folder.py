"""`EmbeddedDataFolder`: the folder of the embedded stores, and how a restored one takes its place."""

import asyncio
import errno
import shutil
from pathlib import Path

from multidb_chat.adapters.installation.exchange import exchange
from multidb_chat.adapters.installation.in_use import InUse
from multidb_chat.domain.errors import StoreFull, StoreUnavailable
from multidb_chat.domain.text import clean_line


class EmbeddedDataFolder:
    """The folder `path`; `derived` are files and folders that are made from what is in it.

    `stay` are names in it of what no backup holds and every restored folder needs again.
    """

    def __init__(self, path: Path, derived: tuple[Path, ...], stay: tuple[str, ...] = ()) -> None:
        self.path = path
        self._derived = derived
        self._stay = stay

    async def replace(self, new: Path, aside: Path) -> None:
        """Exchange the folders while nobody uses them. Raises `StoreUnavailable`, with the data as they were."""
        await asyncio.to_thread(self._replace, new, aside)

    def _replace(self, new: Path, aside: Path) -> None:
        try:
            with InUse(self.path).alone():
                for path in self._derived:  # before: without them all works, with old ones answers would be old
                    _remove(path)
                exchange(new, self.path, aside)
                for name in self._stay:
                    if (aside / name).exists():
                        (aside / name).rename(self.path / name)
        except OSError as error:
            kind = StoreFull if error.errno == errno.ENOSPC else StoreUnavailable
            what = f"{clean_line(str(self.path))} cannot be replaced ({error.strerror}); nothing was changed."
            raise kind("installation", what) from error


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
