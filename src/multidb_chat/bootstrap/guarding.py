"""What stands between the program and stores on servers; embedded stores need none of it and load none of it."""

import os
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from multidb_chat.adapters.sqlite.journal import SqliteJournal
    from multidb_chat.domain.accounts import Accounts
    from multidb_chat.services.resilience.guard import Guard
    from multidb_chat.services.resilience.guarded import Port
    from multidb_chat.services.resilience.journaled_conversations import ClosableConversations, JournaledConversations
    from multidb_chat.services.resilience.leases import Leases
    from multidb_chat.services.resilience.outage_log import OutageLog
    from multidb_chat.settings import Settings

P = TypeVar("P")
# A turn asks the cache four times, one after the other, and loses nothing by not asking: a frozen one shall not cost
# four times the wait.
_SOONER = {"cache": 2}


class Guarding:
    """Guards, and what waits while a store is away."""

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings
        self._guards: dict[str, Guard] = {}
        self._late: JournaledConversations | None = None

    @cached_property
    def journal(self) -> "SqliteJournal":
        """What waits on this machine for stores that are away."""
        from multidb_chat.adapters.sqlite.journal import SqliteJournal

        return SqliteJournal(self.settings.paths.data / "journal.sqlite")

    @cached_property
    def outage_log(self) -> "OutageLog":
        """Which stores were found to be away."""
        from multidb_chat.services.resilience.outage_log import OutageLog

        return OutageLog(self.journal)

    def _guarded(self, store: P, name: str, port: "Port") -> P:
        """Return a store on a server behind the guard of all that lives on that server."""
        from multidb_chat.services.resilience.guarded import guarded

        guard = self._guard(name)
        guard.making = lambda: getattr(store, "making", False)
        return guarded(store, port, guard)

    def _is_making(self, name: str) -> bool:
        """Tell whether the tables of a store on a server are being made."""
        return name in self._guards and self._guards[name].making()

    def _guard(self, name: str) -> "Guard":
        from multidb_chat.services.resilience.breaker import FAILURES, Breaker
        from multidb_chat.services.resilience.guard import Guard

        if name not in self._guards:
            failures = _SOONER.get(name, FAILURES)
            self._guards[name] = Guard(Breaker(name, failures=failures, changed=self.outage_log.changed))
        return self._guards[name]

    def _journaled(self, store: "ClosableConversations") -> "JournaledConversations":
        """Return conversations on a server, with the journal before them; closed with it."""
        from multidb_chat.services.resilience.journaled_conversations import JournaledConversations
        from multidb_chat.services.resilience.ports import CONVERSATIONS
        from multidb_chat.services.resilience.replaying import Replayer
        from multidb_chat.services.resilience.talk_entries import STORE
        from multidb_chat.services.resilience.talk_replay import TalkReplay

        guarded = self._guarded(store, STORE, CONVERSATIONS)
        self.talk_replayer: Replayer = Replayer(self.journal, STORE, TalkReplay(guarded))
        self._late = JournaledConversations(guarded, self.journal, self.talk_replayer.wake)
        return self._late

    def _leases(self, accounts: "Accounts") -> "Leases | None":
        """Return what lets people go on for a while without accounts on a server; None where they are embedded."""
        if self._server("accounts") is None:
            return None
        from multidb_chat.domain.plans import MESSAGES
        from multidb_chat.services.resilience.leases import STORE, Leases, UseReplay
        from multidb_chat.services.resilience.replaying import Replayer

        self.use_replayer: Replayer = Replayer(self.journal, STORE, UseReplay(accounts, MESSAGES))
        return Leases(self.journal, self.use_replayer.wake)

    def _server(self, store: str) -> str | None:
        """Return the URL of the server that a store lives on, with its password; None: it is embedded."""
        from multidb_chat.settings.secrets import server_url

        return server_url(self.settings, store, keyring_secret, os.environ)

    def _secret(self, key: str) -> str | None:
        """Return the secret that a setting names the place of. Raises `InvalidSetting` when it is not there."""
        from multidb_chat.settings.secrets import secret

        return secret(self.settings, key, keyring_secret, os.environ)


def keyring_secret(name: str) -> str | None:
    """Return the secret of this name in the desktop's keyring."""
    from multidb_chat.adapters.security.keyring_secrets import KeyringSecret

    return KeyringSecret(name).get()
