"""Moving the stores whose places two configurations say differently."""

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from multidb_chat.bootstrap.guarding import Guarding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from multidb_chat.bootstrap.application import Application
    from multidb_chat.domain.transfer import Transfer
    from multidb_chat.services.migration.migration import Migration
    from multidb_chat.settings import Settings

DURABLE = ("accounts", "conversations", "library")
"""The stores that are carried; nothing durable is in the cache."""


@asynccontextmanager
async def migrating(application: "Application", target: "Settings") -> "AsyncIterator[Migration]":
    """Compose what carries the stores from where they are to where `target` says, and close it afterwards.

    The application may be closed meanwhile.
    """
    from multidb_chat.adapters.sqlite.transfer_comparison import SqliteComparison
    from multidb_chat.services.migration.migration import Migration, Move

    here, there = Places(application.settings), Places(target)
    comparison = SqliteComparison()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(comparison.close)
        moves = []
        for store in DURABLE:
            if here.url(store) != there.url(store):
                source, destination = here.transfer(store), there.transfer(store)
                stack.push_async_callback(source.close)
                stack.push_async_callback(destination.close)
                moves.append(Move(source, destination, here.shown(store), there.shown(store)))

        yield Migration(moves, comparison, application.audit, application.waiting_for)


class Places(Guarding):
    """Where a configuration says that the stores are."""

    def url(self, store: str) -> str | None:
        """Return the URL of a store's server, with its password; None: it is embedded."""
        return self._server(store)

    def shown(self, store: str) -> str:
        """Return where a store is, fit to be shown."""
        return self.settings.shown_value(f"stores.{store}")

    def transfer(self, store: str) -> "Transfer":
        """Return what carries the rows of a store."""
        url = self._server(store)
        if url is None:
            from multidb_chat.adapters.sqlite import transfer

            return getattr(transfer, f"{store}_transfer")(self.settings.paths.data)  # type: ignore[no-any-return]
        return _on_server(store, url)


def _on_server(store: str, url: str) -> "Transfer":
    if store == "accounts":
        from multidb_chat.adapters.postgres.database import Database
        from multidb_chat.adapters.postgres.transfer import PostgresTransfer

        return PostgresTransfer(Database(url))
    if store == "library":
        from multidb_chat.adapters.mongo.transfer import MongoTransfer

        return MongoTransfer(url)
    from multidb_chat.adapters.scylla.transfer import ScyllaTransfer

    return ScyllaTransfer(url)
