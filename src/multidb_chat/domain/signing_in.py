"""What logging in needs of the outside: hashing, judging and tokens, codes, and where this machine keeps its log-in."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from multidb_chat.domain.keys import Key


@dataclass(frozen=True, slots=True)
class Strength:
    """How hard a password is to guess: `score` 0 (at once) to 4 (very), the guesses needed, one line of advice."""

    score: int
    guesses: float
    hint: str = ""


class PasswordHasher(Protocol):
    """Hashes slowly, outside the loop, a bounded number at once."""

    async def hash(self, secret: bytes) -> str:
        """Return a salted hash of up to 72 bytes without NUL."""

    async def verify(self, secret: bytes, hashed: str) -> bool:
        """Tell whether it is the hash of the secret; takes the same time when it is not. False for what is no hash."""

    def is_current(self, hashed: str) -> bool:
        """Tell whether the hash was made as this hasher makes it now."""


class PasswordJudge(Protocol):
    """Knows which passwords are bad."""

    async def is_breached(self, password: str) -> bool:
        """Tell whether it is one of those that attackers try first, in any case of its letters."""

    async def strength(self, password: str, about: Sequence[str] = ()) -> Strength:
        """Estimate how hard it is to guess for somebody who knows `about` its owner."""


class TokenSigner(Protocol):
    """Signed tokens with an end (JWT, RFC 7519)."""

    def sign(self, claims: Mapping[str, object], key: Key) -> str:
        """Return a token with these claims; it names the key."""

    def read(self, token: str, keys: Sequence[Key], at: datetime) -> Mapping[str, object] | None:
        """Return the claims of a token that one of the keys signed and that is good at `at`; None otherwise.

        A token without `exp`, `iat`, `iss`, `aud`, `sub` or `jti`, of another kind, issuer or audience is none.
        """


class TimeCodes(Protocol):
    """Codes of six digits that change every 30 seconds (RFC 6238)."""

    def new_secret(self) -> str:
        """Return a new secret (160 bits, base32)."""

    def step(self, secret: str, code: str, at: datetime) -> int | None:
        """Return the step whose code it is, the one at `at` or one beside it; None when it is none of these."""

    def uri(self, secret: str, email: str) -> str:
        """Return the address (`otpauth:`) by which an authenticator app takes the secret."""

    def picture(self, uri: str) -> tuple[str, ...]:
        """Return the address as a QR code: lines of half blocks, light where they are drawn."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What shows that somebody is logged in: a short-lived token, and one to get the next with."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


Remembered = Literal["account", "guest"]


class StoredLogIn(Protocol):
    """Where this machine keeps its log-in, or that it is used by guests. Raises `StoreError` (store `log-in`)."""

    async def remembered(self) -> Remembered | None:
        """Return how the program was used last; None for the first time and behind a log-out."""

    async def load(self) -> Tokens | None:
        """Return the tokens stored last; None when there are none."""

    async def store(self, tokens: Tokens) -> None:
        """Store, durably, in the place of what is there."""

    async def remember_guest(self) -> None:
        """Store that the program is used by a guest, in the place of what is there."""

    async def clear(self) -> None:
        """Forget what is there."""

    def locked(self) -> AbstractAsyncContextManager[None]:
        """Keep other processes from changing it for as long as a block lasts."""
