"""What waits on this machine for a store that is away, and the port that keeps it.

Entries of one lane (a conversation, the audit log) are done in their order; lanes do not wait for each other. Doing an
entry twice is the same as once. One that the store refuses is set aside with the reason: kept and shown, in nobody's
way.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Something to be done in `store` for an account, acknowledged at `at`; `seq` is given by the journal.

    `kind` says what it is and `payload` holds it as JSON. `refusal` is why the store did not take it, empty while it
    waits.
    """

    store: str
    lane: str
    account_id: str
    kind: str
    payload: str = field(repr=False)
    at: datetime
    seq: int = 0
    refusal: str = ""


class Backlog(NamedTuple):
    """How much waits for a store, since when the oldest of it does, and how much was refused."""

    waiting: int = 0
    oldest: datetime | None = None
    refused: int = 0


class Refused(NamedTuple):
    """Something that a store would not take: what it is (`kind`), since when it is kept, and why it was not taken."""

    id: str
    store: str
    kind: str
    account_id: str
    at: datetime
    reason: str


class Outage(NamedTuple):
    """A store was found to be away, since when and why."""

    since: datetime
    error: str


class StoreState(NamedTuple):
    """How a store on a server is: away since when and why (None: it answers), and what waits for it here."""

    store: str
    outage: Outage | None
    backlog: Backlog = Backlog()


class Journal(Protocol):
    """Keeps entries of all processes of one installation. Nothing is acknowledged that a power cut could take away.

    Reads cost next to nothing as long as nothing was ever journaled. Raises `StoreError` named "journal".
    """

    async def add(self, *entries: JournalEntry) -> None:
        """Append the entries, all or none, in the order given; durable when the call returns.

        Raises `NotFound` for an account that was erased, `InvalidInput` for text that is none.
        """

    async def lane(self, store: str, lane: str) -> list[JournalEntry]:
        """Return what waits in a lane, in order."""

    async def of_account(self, store: str, account_id: str) -> list[JournalEntry]:
        """Return what waits of an account, in order."""

    async def waiting(self, store: str, after: int = 0, limit: int = 500) -> list[JournalEntry]:
        """Return what waits for a store, in order of `seq`, from just behind `after`."""

    async def refused(self, store: str, limit: int = 100) -> list[JournalEntry]:
        """Return what was set aside, in order."""

    async def remove(self, seqs: Sequence[int]) -> None:
        """Remove entries that are done."""

    async def refuse(self, refusals: Mapping[int, str]) -> None:
        """Set entries aside, each with the reason."""

    async def wait_again(self, seqs: Sequence[int]) -> None:
        """Let entries that were set aside wait once more, at the place in their lane that they had."""

    async def clear_lane(self, store: str, lane: str) -> int:
        """Remove all of a lane, refused ones too; return how many there were."""

    async def erase(self, account_id: str) -> int:
        """Remove all of an account, refused ones too, and take no more of it; return how many there were."""

    async def backlog(self, store: str) -> Backlog:
        """Return how much waits and was refused."""

    def replaying(self, store: str) -> AbstractContextManager[bool]:
        """Hold the right to do what waits for a store; False where another process of the installation has it.

        It ends with the process that holds it.
        """

    async def set_outage(self, store: str, outage: Outage | None) -> None:
        """Remember for all processes that a store is away; None: that it is back. The earliest `since` is kept."""

    async def outages(self) -> Mapping[str, Outage]:
        """Return which stores are away, as far as any process has found."""
