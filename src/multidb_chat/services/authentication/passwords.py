"""What a password must be, and how it is hashed.

Eight characters or more, any characters, none of those that attackers try first (OWASP ASVS 5.0, 6.2.1, 6.2.5, 6.2.9,
6.2.12); taken exactly as typed (6.2.8). bcrypt reads 72 bytes and no NUL, so what is hashed is the base64 of
HMAC-SHA256 of the password under the installation's pepper, which does not lie in the store.
"""

import base64
import hmac

from multidb_chat.domain.errors import UnfitPassword
from multidb_chat.domain.keys import Key, Keys
from multidb_chat.domain.signing_in import PasswordHasher, PasswordJudge, Strength

SHORTEST = 8
ADVISED = 15
LONGEST = 1_024


class Passwords:
    """Checks, hashes and verifies. A stored hash is the pepper's name and bcrypt's: `pepper-1$2b$12$...`."""

    def __init__(self, hasher: PasswordHasher, judge: PasswordJudge, keys: Keys) -> None:
        self._hasher = hasher
        self._judge = judge
        self._keys = keys

    async def require_good(self, password: str, email: str) -> None:
        """Raise `UnfitPassword` for a password that is not good enough for this address's account."""
        if len(password) < SHORTEST:
            raise UnfitPassword(f"A password has {SHORTEST} characters or more; {ADVISED} are better.")
        if len(password) > LONGEST:
            raise UnfitPassword(f"A password has at most {LONGEST:,} characters.")
        if password.casefold() in _of_the_address(email):
            raise UnfitPassword("The e-mail address is no password; choose another one.")
        if await self._judge.is_breached(password):
            raise UnfitPassword("This password is among those that attackers try first; choose another one.")

    async def strength(self, password: str, email: str) -> Strength:
        """Estimate how hard it is to guess, and advise."""
        if 0 < len(password) < SHORTEST:
            return Strength(0, 1, f"{SHORTEST} characters or more are needed")
        if password and await self._judge.is_breached(password):
            return Strength(0, 1, "one of those that attackers try first")
        return await self._judge.strength(password, list(_of_the_address(email)))

    async def hash(self, password: str) -> str:
        """Return what is stored."""
        pepper = await self._keys.current("pepper")
        return f"{pepper.kid}{await self._hasher.hash(_peppered(password, pepper))}"

    async def verify(self, password: str, stored: str | None) -> bool:
        """Tell whether it is the password; without a stored one it takes the same time and is False."""
        stored = stored or ""
        kid, mark, hashed = stored.partition("$")
        pepper = await self._keys.key("pepper", kid) if mark else None
        if pepper is None:
            await self.hash(password)  # what checking costs, from the first time on and in every process
            return False
        return await self._hasher.verify(_peppered(password, pepper), mark + hashed)

    async def is_current(self, stored: str) -> bool:
        """Tell whether it was hashed with today's pepper and cost."""
        kid, mark, hashed = stored.partition("$")
        return kid == (await self._keys.current("pepper")).kid and self._hasher.is_current(mark + hashed)


def _peppered(password: str, pepper: Key) -> bytes:
    return base64.b64encode(hmac.digest(pepper.secret, password.encode("utf-8", "surrogatepass"), "sha256"))


def _of_the_address(email: str) -> set[str]:
    folded = email.casefold()
    return {folded, folded.partition("@")[0]} - {""}
