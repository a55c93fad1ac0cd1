"""The installation as a whole: its health, what it holds, and backups of it."""

from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from multidb_chat.bootstrap.members import Members
from multidb_chat.bootstrap.security import ANCHOR, KEYS, audit_log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from multidb_chat.domain.upkeep import Upkeep
    from multidb_chat.services.installation.backup import Backups
    from multidb_chat.services.installation.health import Health
    from multidb_chat.services.installation.overview import Overviews
    from multidb_chat.services.installation.restoring import Restoring, Staged


class Installation(Members):
    """What whoever runs the program looks after."""

    @cached_property
    def upkeep(self) -> "tuple[Upkeep, ...]":
        """What looks after the stores, those first that refer to others; the cache is the last."""
        from multidb_chat.adapters.sqlite.upkeeps import cache_upkeep

        return (*_durable_upkeep(self.settings.paths.data), cache_upkeep(self.settings.paths.cache))

    @cached_property
    def health(self) -> "Health":
        """What may be wrong with the installation."""
        from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
        from multidb_chat.adapters.installation.files import InstallationFiles
        from multidb_chat.services.installation.health import Health

        paths = self.settings.paths
        return Health(
            self.upkeep,
            self.index,
            self.keys,
            InstallationFiles(paths.data, paths.cache, paths.config_file),
            verify_model=MiniLMEmbedder(1).verify,
            has_keys=(paths.data / KEYS).exists,
        )

    @cached_property
    def overviews(self) -> "Overviews":
        """What the installation is and holds."""
        from multidb_chat.services.installation.overview import Overviews

        return Overviews(self.upkeep, self.accounts, self.accounts, self.tasks)

    @cached_property
    def backups(self) -> "Backups":
        """Backups, made while everything goes on."""
        from multidb_chat.services.installation.backup import Backups

        data = self.settings.paths.data
        return Backups(_durable_upkeep(data), data / ANCHOR, data / KEYS, self.audit)

    @cached_property
    def restoring(self) -> "Restoring":
        """Backups, put back."""
        from multidb_chat.adapters.installation.data_folder import EmbeddedDataFolder
        from multidb_chat.services.installation.restoring import Restoring

        paths = self.settings.paths
        cache = paths.cache / "cache.sqlite"
        derived = (paths.cache / "index", *(cache.with_name(cache.name + end) for end in ("", "-wal", "-shm")))
        return Restoring(EmbeddedDataFolder(paths.data, derived), _staging, self.accounts, keys=KEYS)


def _durable_upkeep(folder: Path) -> "tuple[Upkeep, ...]":
    from multidb_chat.adapters.sqlite import upkeeps

    return upkeeps.conversations_upkeep(folder), upkeeps.library_upkeep(folder), upkeeps.accounts_upkeep(folder)


@asynccontextmanager
async def _staging(folder: Path) -> "AsyncIterator[Staged]":
    """Open the stores that lie in a folder which is to become the data folder."""
    from multidb_chat.adapters.security.key_file import KeyFile
    from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
    from multidb_chat.services.installation.restoring import Staged

    accounts = SqliteAccounts(folder / "accounts.sqlite")
    try:
        yield Staged(_durable_upkeep(folder), accounts, audit_log(folder, accounts, KeyFile(folder / KEYS)))
    finally:
        await accounts.close()
