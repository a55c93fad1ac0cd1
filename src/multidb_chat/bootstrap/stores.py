"""The stores, each on what the settings say; a store opens its file at the first call."""

from functools import cached_property
from typing import TYPE_CHECKING

from multidb_chat.bootstrap.guarding import Guarding

if TYPE_CHECKING:
    from multidb_chat.adapters.postgres.database import Database as PostgresDatabase
    from multidb_chat.domain.accounts import Accounts
    from multidb_chat.domain.cache import Cache
    from multidb_chat.domain.conversations import Conversations
    from multidb_chat.domain.corpus import Corpus
    from multidb_chat.domain.library import Library
    from multidb_chat.domain.tasks import Tasks


class Stores(Guarding):
    """What everything else is kept in."""

    @cached_property
    def accounts(self) -> "Accounts":
        """The store of accounts."""
        if self._server("accounts") is not None:
            from multidb_chat.adapters.postgres.accounts import PostgresAccounts
            from multidb_chat.services.resilience.ports import ACCOUNTS

            return self._guarded(PostgresAccounts(self._postgres), "accounts", ACCOUNTS)
        from multidb_chat.adapters.sqlite.accounts import SqliteAccounts

        return SqliteAccounts(self.settings.paths.data / "accounts.sqlite")

    @cached_property
    def _postgres(self) -> "PostgresDatabase":
        """The server that the accounts and what lies beside them share; closed with them."""
        from multidb_chat.adapters.postgres.database import Database

        return Database(self._server("accounts") or "")

    @cached_property
    def tasks(self) -> "Tasks":
        """The queue of background work, which lives beside the accounts."""
        if self._server("accounts") is not None:
            from multidb_chat.adapters.postgres.tasks import PostgresTasks
            from multidb_chat.services.resilience.ports import TASKS

            return self._guarded(PostgresTasks(self._postgres), "accounts", TASKS)
        from multidb_chat.adapters.sqlite.tasks import SqliteTasks

        return SqliteTasks(self.settings.paths.data / "accounts.sqlite")

    @cached_property
    def corpus(self) -> "Corpus | None":
        """The tables of what occurs in the documents, where accounts and library are on servers; None: there are none.

        Of a library that lies on one machine nothing is told to a server, which others share.
        """
        if self._server("accounts") is None or self._server("library") is None:
            return None
        from multidb_chat.adapters.postgres.corpus import PostgresCorpus

        return PostgresCorpus(self._postgres)

    @cached_property
    def conversations(self) -> "Conversations":
        """The store of conversations."""
        if (url := self._server("conversations")) is not None:
            from multidb_chat.adapters.scylla.conversations import ScyllaConversations

            return self._journaled(ScyllaConversations(url))
        from multidb_chat.adapters.sqlite.conversations import SqliteConversations

        return SqliteConversations(self.settings.paths.data / "conversations.sqlite")

    @cached_property
    def library(self) -> "Library":
        """The store of documents."""
        if (url := self._server("library")) is not None:
            from multidb_chat.adapters.mongo.library import MongoLibrary
            from multidb_chat.services.resilience.ports import LIBRARY

            return self._guarded(MongoLibrary(url), "library", LIBRARY)
        from multidb_chat.adapters.sqlite.library import SqliteLibrary

        return SqliteLibrary(self.settings.paths.data / "library.sqlite")

    @cached_property
    def cache(self) -> "Cache":
        """The store of what may be lost."""
        if (url := self._server("cache")) is not None:
            from multidb_chat.adapters.redis.cache import RedisCache
            from multidb_chat.services.resilience.ports import CACHE

            return self._guarded(RedisCache(url), "cache", CACHE)
        from multidb_chat.adapters.sqlite.cache import SqliteCache

        return SqliteCache(self.settings.paths.cache / "cache.sqlite")
