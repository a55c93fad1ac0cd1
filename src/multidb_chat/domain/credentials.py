"""What proves who somebody is besides the password: second factors and one-time codes; and attempts, slowed down.

Codes and tokens are kept as hashes alone. What belongs to an account goes with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

CodeKind = Literal["recovery", "reset"]
"""A code instead of a second factor, or instead of a forgotten password."""


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A secret for time-based codes (RFC 6238). It counts from `confirmed_at` on; `last_step` was the last one used."""

    account_id: str
    secret: str = field(repr=False)
    confirmed_at: datetime | None = None
    last_step: int = 0


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """A code that is good once, until `expires_at` (None: for good)."""

    account_id: str
    kind: CodeKind
    hash: str = field(repr=False)
    expires_at: datetime | None = None


Pause = Callable[[int], timedelta]
"""Returns how long to wait after so many failed attempts (1 or more)."""


class Credentials(Protocol):
    """Keeps them. A write that names an unknown account raises `NotFound`; durable when the call returns."""

    async def put_second_factor(self, factor: SecondFactor) -> None:
        """Add or replace the account's second factor."""

    async def second_factor(self, account_id: str) -> SecondFactor | None:
        """Return the account's second factor, an unconfirmed one too."""

    async def use_step(self, account_id: str, step: int) -> bool:
        """Make `step` the last one used if it is later than that, atomically; tell whether it was."""

    async def remove_second_factor(self, account_id: str) -> bool:
        """Remove the second factor with its recovery codes; False when there is none."""

    async def put_codes(self, account_id: str, kind: CodeKind, codes: Sequence[OneTimeCode]) -> None:
        """Put these codes in the place of all the account's codes of the kind, in one step."""

    async def use_code(self, account_id: str, kind: CodeKind, code_hash: str, at: datetime) -> bool:
        """Use the code up if it is there and not expired at `at`, atomically; tell whether it was."""

    async def codes_left(self, account_id: str, kind: CodeKind, at: datetime) -> int:
        """Return how many codes are neither used nor expired."""

    async def admit(self, key: str, at: datetime, pause: Pause, forget: timedelta) -> datetime | None:
        """Count an attempt of whoever `key` stands for, unless it comes too early; all in one step.

        Returns None when it is admitted: from now on nobody is before `at + pause(n)`, this being the n-th attempt in a
        row. Returns the time to wait for when it comes before that; it is not counted then. A row ends `forget` after
        its last attempt. `pause` only computes and may be called more than once.
        """

    async def take_back(self, key: str, attempts: int | None = None) -> None:
        """Take attempts back (None: the whole row), since they were no failures; nobody waits for those any more."""
