"""Attempts that have to wait longer and longer, by account and by address (OWASP ASVS 5.0, 6.1.1 and 6.3.1).

Nobody is ever locked out: the longest wait is a quarter of an hour for an account and a minute for an address. Attempts
are counted when they begin, so that many at the same time gain nothing; the right password takes its count back.
"""

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

from multidb_chat.domain.credentials import Credentials, Pause
from multidb_chat.domain.errors import TooManyAttempts
from multidb_chat.domain.keys import Keys

FORGET = timedelta(hours=1)


def doubling(free: int, longest: timedelta) -> Pause:
    """Return a pause that begins with a second behind `free` attempts and doubles with each one more."""

    def pause(failures: int) -> timedelta:
        beyond = failures - free
        return timedelta(0) if beyond <= 0 else min(timedelta(seconds=2 ** min(beyond - 1, 30)), longest)

    return pause


BY_ACCOUNT = doubling(5, timedelta(minutes=15))
BY_ADDRESS = doubling(30, timedelta(minutes=1))


class Throttle:
    """Counts attempts. What it stores are keyed hashes: neither e-mail addresses nor those of machines."""

    def __init__(self, credentials: Credentials, keys: Keys, clock: Callable[[], datetime]) -> None:
        self._credentials = credentials
        self._keys = keys
        self._clock = clock

    async def admit(self, email: str, origin: str) -> None:
        """Count an attempt on the account of this address from this origin. Raises `TooManyAttempts`."""
        await self._one(await self._key("address", origin), BY_ADDRESS)
        await self._one(await self._key("account", email.casefold()), BY_ACCOUNT)

    async def admit_origin(self, what: str, origin: str) -> None:
        """Count an attempt at something that is not about an account yet. Raises `TooManyAttempts`."""
        await self._one(await self._key(what, origin), BY_ADDRESS)

    async def succeeded(self, email: str, origin: str) -> None:
        """Take the attempt back, and those on the account before it."""
        await self._credentials.take_back(await self._key("account", email.casefold()))
        await self._credentials.take_back(await self._key("address", origin), 1)

    async def _one(self, key: str, pause: Pause) -> None:
        now = self._clock()
        ready = await self._credentials.admit(key, now, pause, FORGET)
        if ready is not None:
            seconds = max(1, round((ready - now).total_seconds() + 0.5))
            wait = f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} minutes"
            raise TooManyAttempts(
                f"Too many attempts; the next one is possible in {wait} ({ready:%H:%M:%S} UTC).", ready
            )

    async def _key(self, kind: str, name: str) -> str:
        first = (await self._keys.keys("pepper"))[0]  # rotating the pepper lets nobody begin anew
        return hmac.digest(first.secret, f"{kind}\0{name}".encode("utf-8", "surrogatepass"), "sha256").hex()
