"""The installation as a whole: its health, what it holds, and backups of it."""

from contextlib import asynccontextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from multidb_chat.bootstrap.members import Members
from multidb_chat.bootstrap.reading import SPOOL
from multidb_chat.bootstrap.security import ANCHOR, KEYS, audit_log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from multidb_chat.domain.database_roles import DatabaseRoles
    from multidb_chat.domain.upkeep import FileUpkeep, Upkeep
    from multidb_chat.services.audit import AuditLog
    from multidb_chat.services.installation.backup import Backups
    from multidb_chat.services.installation.health import Health
    from multidb_chat.services.installation.overview import Overviews
    from multidb_chat.services.installation.restoring import Restoring, Staged
    from multidb_chat.services.resilience.refusals import Refusals
    from multidb_chat.services.resilience.states import Probe, StoreStates

_DURABLE = ("conversations", "library", "accounts")  # those first that refer to others


class Installation(Members):
    """What whoever runs the program looks after."""

    @cached_property
    def upkeep(self) -> "tuple[Upkeep, ...]":
        """What looks after the stores, those first that refer to others; the cache is the last."""
        return tuple(self._upkeep_of(store) for store in (*_DURABLE, "cache"))

    def _upkeep_of(self, store: str) -> "Upkeep":
        if self._server(store) is not None:
            return self._server_upkeep(store)
        if store != "cache":
            return _embedded_upkeep(self.settings.paths.data, store)
        from multidb_chat.adapters.sqlite.upkeeps import cache_upkeep

        return cache_upkeep(self.settings.paths.cache)

    def _server_upkeep(self, store: str) -> "Upkeep":
        """Return what looks after a store on its server."""
        if store == "library":
            from multidb_chat.adapters.mongo.upkeep import MongoUpkeep

            return MongoUpkeep(self._server(store) or "")
        if store == "accounts":
            from multidb_chat.adapters.postgres.upkeep import PostgresUpkeep

            return PostgresUpkeep(self._server(store) or "")
        if store == "cache":
            from multidb_chat.adapters.redis.upkeep import RedisUpkeep

            return RedisUpkeep(self._server(store) or "")
        from multidb_chat.adapters.scylla.upkeep import ScyllaUpkeep

        return ScyllaUpkeep(self._server(store) or "")

    @cached_property
    def database_roles(self) -> "DatabaseRoles | None":
        """What makes roles on the server that the accounts live on; None: they are embedded."""
        url = self._server("accounts")
        if url is None:
            return None
        from multidb_chat.adapters.postgres.roles import PostgresRoles

        return PostgresRoles(url)

    @property
    def _elsewhere(self) -> "Mapping[str, str]":
        """The durable stores that are on servers, each with its place, fit to be shown."""
        shown = self.settings.shown_value
        return {store: shown(f"stores.{store}") for store in _DURABLE if self._server(store) is not None}

    @property
    def _embedded(self) -> tuple[str, ...]:
        return tuple(store for store in _DURABLE if self._server(store) is None)

    @property
    def _waiting(self) -> tuple[str, ...]:
        """The journal, where a store is on a server and something may wait for it."""
        return ("journal",) if self._elsewhere else ()

    @cached_property
    def store_states(self) -> "StoreStates":
        """Which stores on servers are away, and what waits for them."""
        from multidb_chat.services.resilience.states import StoreStates

        probes: dict[str, Probe] = {
            "accounts": lambda: self.accounts.account(""),
            "conversations": lambda: self.conversations.knowledge("", "probe"),
            "library": lambda: self.library.version(),
            "cache": lambda: self.cache.get("probe"),
        }
        on_servers = {store: probe for store, probe in probes.items() if self._server(store) is not None}
        return StoreStates(on_servers, lambda: self.journal, {"library": self.spool.backlog}, making=self._is_making)

    @cached_property
    def refusals(self) -> "Refusals":
        """What stores on servers would not take."""
        from multidb_chat.services.resilience.refusals import Refusals

        async def talk() -> None:
            self.conversations  # noqa: B018 - making it makes what does what waits
            await self.talk_replayer.drain()

        async def uses() -> None:
            self.plans  # noqa: B018 - as above
            await self.use_replayer.drain()

        attempts = {"conversations": talk, "library": self.spool.store_waiting, "accounts": uses}
        on_servers = {store: work for store, work in attempts.items() if self._server(store) is not None}
        return Refusals(self.journal, self.spool, self.audit, on_servers)

    @cached_property
    def health(self) -> "Health":
        """What may be wrong with the installation."""
        from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
        from multidb_chat.adapters.embedders.span_reader import MiniLMSpanReader
        from multidb_chat.adapters.installation.files import InstallationFiles
        from multidb_chat.services.installation.health import Health

        paths = self.settings.paths
        return Health(
            self.upkeep,
            self.index,
            self.keys,
            InstallationFiles(paths.data, paths.cache, paths.config_file),
            states=self.store_states.now,
            verify_models=[MiniLMEmbedder(1).verify, MiniLMSpanReader(1).verify],
            describe_embedder=self.embedders.describe,
            has_keys=(paths.data / KEYS).exists,
        )

    @cached_property
    def overviews(self) -> "Overviews":
        """What the installation is and holds."""
        from multidb_chat.services.installation.overview import Overviews

        return Overviews(self.upkeep, self.accounts, self.accounts, self.tasks, self.store_states.now)

    @cached_property
    def backups(self) -> "Backups":
        """Backups, made while everything goes on."""
        from multidb_chat.services.installation.backup import Backups

        data = self.settings.paths.data
        files = [_embedded_upkeep(data, store) for store in (*self._waiting, *self._embedded)]
        return Backups(
            files, data / ANCHOR, data / KEYS, self.audit, elsewhere=tuple(self._elsewhere), spool=data / SPOOL
        )

    @cached_property
    def restoring(self) -> "Restoring":
        """Backups, put back."""
        from multidb_chat.adapters.installation.data_folder import EmbeddedDataFolder
        from multidb_chat.services.installation.restoring import Restoring

        paths = self.settings.paths
        cache = paths.cache / "cache.sqlite"
        derived = (paths.cache / "index", *(cache.with_name(cache.name + end) for end in ("", "-wal", "-shm")))
        data = EmbeddedDataFolder(paths.data, derived, stay=("models",))
        on_server = "accounts" in self._elsewhere
        staging = partial(
            _staging, stores=self._embedded, waiting=self._waiting, audit=self.audit if on_server else None
        )
        return Restoring(
            data,
            staging,
            self.accounts,
            keys=KEYS,
            elsewhere=self._elsewhere,
            waiting=self._waiting_for_servers,
            spool=SPOOL,
        )

    async def _waiting_for_servers(self) -> int:
        return sum([await self.waiting_for(store) for store in self._elsewhere])

    async def waiting_for(self, store: str) -> int:
        """Return how much waits on this machine for a store on a server that was away."""
        backlog = await (self.spool.backlog() if store == "library" else self.journal.backlog(store))
        return backlog.waiting


def _embedded_upkeep(folder: Path, store: str) -> "FileUpkeep":
    from multidb_chat.adapters.sqlite import upkeeps

    makers = {
        "conversations": upkeeps.conversations_upkeep,
        "library": upkeeps.library_upkeep,
        "accounts": upkeeps.accounts_upkeep,
        "journal": upkeeps.journal_upkeep,
    }
    return makers[store](folder)


@asynccontextmanager
async def _staging(
    folder: Path, *, stores: "Sequence[str]", waiting: "Sequence[str]", audit: "AuditLog | None"
) -> "AsyncIterator[Staged]":
    """Open the stores that lie in a folder which is to become the data folder; `audit` where the accounts do not."""
    from multidb_chat.adapters.security.key_file import KeyFile
    from multidb_chat.adapters.sqlite.accounts import SqliteAccounts
    from multidb_chat.adapters.sqlite.belongings import SqliteBelongings
    from multidb_chat.services.installation.restoring import Staged

    found = tuple(
        _embedded_upkeep(folder, store)
        for store in (*stores, *waiting)
        if store in stores or (folder / f"{store}.sqlite").exists()  # backups of before have no journal
    )
    accounts, belongings = SqliteAccounts(folder / "accounts.sqlite"), SqliteBelongings(folder, stores)
    try:
        if audit is not None:
            yield Staged(found, None, audit, belongings)
        else:
            yield Staged(found, accounts, audit_log(folder, accounts, KeyFile(folder / KEYS)), belongings)
    finally:
        await belongings.close()
        await accounts.close()
