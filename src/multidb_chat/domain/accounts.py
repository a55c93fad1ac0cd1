"""Who is talking: accounts, sessions, usage and the audit log; and the port that keeps them.

Times are timezone-aware UTC everywhere in the domain.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

from multidb_chat.domain.audit import AuditTrail
from multidb_chat.domain.credentials import Credentials

Role = Literal["guest", "user", "support", "admin"]
Plan = Literal["free", "pro", "enterprise"]


def new_pseudonym() -> str:
    """Return a random name that says nothing: 64 bits, as 16 hexadecimal digits."""
    return os.urandom(8).hex()


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who talks. A guest has no e-mail address and an `expires_at`; `version` grows by one at each update.

    One with `erased_at` is on its way out: nobody can log in to it, and what is left of it is removed.
    `pseudonym` stands for the account in the audit log and nowhere else; it stays the same and goes with the account.
    `facts` is what it wants remembered in its conversations, one fact a line.
    """

    id: str
    role: Role
    plan: Plan
    created_at: datetime
    email: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    disabled_at: datetime | None = None
    version: int = 1
    pseudonym: str = field(default_factory=new_pseudonym, compare=False)
    erased_at: datetime | None = None
    facts: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One account's plan from `starts_at` until `ends_at` (None: open)."""

    id: str
    account_id: str
    plan: Plan
    starts_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in. The row is the truth: a token is good only while its session is here, not ended and not expired."""

    id: str
    account_id: str
    created_at: datetime
    expires_at: datetime
    refresh_hash: str = field(default="", repr=False)
    previous_refresh_hash: str = field(default="", repr=False)
    rotated_at: datetime | None = None
    ended_at: datetime | None = None
    client: str = ""


class Accounts(AuditTrail, Credentials, Protocol):
    """Accounts, subscriptions, usage, sessions, credentials and the audit log.

    Every write is durable when the call returns. Reads see all writes acknowledged before them, from any process.
    An unknown identifier gives None or an empty list; a write that names one raises `NotFound`.
    Raises `StoreError` when the store cannot do its work.
    """

    async def create_account(self, account: Account) -> None:
        """Add an account. Raises `Conflict` when the id or the e-mail address (compared case-folded) is taken."""

    async def account(self, account_id: str) -> Account | None:
        """Return the account, disabled and expired ones included."""

    async def account_by_email(self, email: str) -> Account | None:
        """Return the account with this address, compared case-folded."""

    async def update_account(self, account: Account) -> Account:
        """Replace the account if its stored `version` is still `account.version`; return it with the next version.

        Raises `NotFound`, or `Conflict` when it changed meanwhile or the new address is taken.
        """

    async def list_accounts(self, after: str = "", limit: int = 100) -> list[Account]:
        """Return accounts in order of id, from just behind `after`."""

    async def leaving(self, at: datetime, limit: int = 100) -> list[Account]:
        """Return accounts that are to go, in order of id: those with `erased_at`, and guests expired by `at`."""

    async def delete_account(self, account_id: str) -> bool:
        """Remove the account with all that is its own here (never the audit); False if unknown."""

    async def put_subscription(self, subscription: Subscription) -> None:
        """Add or replace a subscription by its id. Raises `NotFound` when the account is unknown."""

    async def subscriber(self, account_id: str) -> tuple[Account, list[Subscription]] | None:
        """Return what `account` and `subscriptions` return, read at once: every question needs both."""

    async def subscriptions(self, account_id: str) -> list[Subscription]:
        """Return the account's subscriptions, the latest start first."""

    async def take(
        self, account_id: str, resource: str, period: date, amount: int, limit: int | None, operation_id: str
    ) -> int:
        """Use `amount` (1 or more) of a resource in the period, atomically; return what is used of it now.

        The same `operation_id` of the same account again changes nothing and returns the present figure, also for
        another resource or period. Raises `QuotaExceeded` and takes nothing (nor remembers the operation) when the
        total would pass `limit` (None: unlimited), `NotFound` for an unknown account, `InvalidInput` for the amount.
        """

    async def usage(self, account_id: str, period: date) -> dict[str, int]:
        """Return what was used in the period, by resource."""

    async def put_session(self, session: Session) -> None:
        """Add or replace a session by its id. Raises `NotFound` when the account is unknown."""

    async def session(self, session_id: str) -> Session | None:
        """Return the session, ended and expired ones included."""

    async def sessions(self, account_id: str) -> list[Session]:
        """Return the account's sessions, the latest first."""

    async def rotate_session(self, session: Session, expected: str) -> bool:
        """Replace the session if it has not ended and its stored `refresh_hash` is still `expected`, in one step.

        False when it is unknown, has ended, or was rotated meanwhile.
        """

    async def end_sessions(self, account_id: str, at: datetime, session_ids: Sequence[str] | None = None) -> int:
        """End the named sessions of the account (None: all) that are not ended yet; return how many, 0 if unknown."""
