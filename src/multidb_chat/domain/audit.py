"""The audit log: who did what to what, when, from where; and the ports that keep it.

Actors and targets that are people stand in it by `Account.pseudonym`, which goes with the account: what an erased
account did stays in the chain, and nothing tells any more whose it was.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

ACTORLESS = "system"
"""The actor of what nobody did: retention, or an attempt by somebody unknown."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, when, from where. `mac` chains it to the entry before; `seq` is given by the store."""

    at: datetime
    actor: str
    action: str
    target: str = ""
    origin: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    mac: str = ""
    seq: int = 0


class AuditFilter(NamedTuple):
    """Which entries are asked for; everything given must fit.

    An `action` that ends with a dot stands for all that begin so (`session.`). `since` is included, `until` is not.
    """

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = AuditFilter()

Seal = Callable[[AuditEntry, str], str]
"""Returns the `mac` of an entry that has its number, given the `mac` of the entry before (empty for the first)."""


class AuditTrail(Protocol):
    """Keeps the entries, append-only: no entry can be changed or removed, by no caller and in no way.

    Raises `StoreError` when the store cannot do its work.
    """

    async def append_audit(self, entry: AuditEntry, seal: Seal | None = None) -> AuditEntry:
        """Append an entry; return it with its `seq` (1, 2, 3 ... without gaps) and, with `seal`, its `mac`.

        `seal` is called while nobody else, in any process, can append; it may be called more than once and only
        computes. Durable when the call returns.
        """

    async def audit(
        self, after: int = 0, limit: int = 100, where: AuditFilter = EVERYTHING, *, newest: bool = False
    ) -> list[AuditEntry]:
        """Return entries that fit, oldest first, those with `seq` above `after`.

        `newest`: newest first, those with `seq` below `after` (0: from the end). Raises `StoreCorrupt`, naming the
        entry, when one does not lie in the store as it would be written.
        """


@dataclass(frozen=True, slots=True)
class Head:
    """How far the log was known to reach: its last entry then. `seal` is what only a holder of the key can write."""

    seq: int
    mac: str
    seal: str = field(repr=False)


class Anchor(Protocol):
    """Remembers the head of the log outside its store, so that a log that was cut off is found."""

    async def head(self) -> Head | None:
        """Return what was remembered last; None when there is nothing, or nothing that can be read."""

    async def advance(self, head: Head) -> None:
        """Remember this head unless a later one is remembered already; safe in several processes."""
