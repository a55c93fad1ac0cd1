"""The installation's own secrets, and the port that keeps them."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

Purpose = Literal["audit", "tokens", "pepper"]
"""What a key is for: the chain of the audit log, log-in tokens, or what is mixed into passwords before hashing."""


@dataclass(frozen=True, slots=True)
class Key:
    """32 random bytes and the short name (`kid`) by which what was made with them says so."""

    kid: str
    secret: bytes = field(repr=False)


class Keys(Protocol):
    """Keeps the keys of each purpose, every version of them: what an older one made can still be checked.

    Safe in several processes. Raises `StoreError` (store `keys`) when they cannot be read or written, also when others
    than their owner could.
    """

    async def current(self, purpose: Purpose) -> Key:
        """Return the newest key of the purpose; one is made the first time."""

    async def key(self, purpose: Purpose, kid: str) -> Key | None:
        """Return the key of this name."""

    async def keys(self, purpose: Purpose) -> list[Key]:
        """Return all keys of the purpose, the oldest first; one is made the first time."""

    async def rotate(self, purpose: Purpose) -> Key:
        """Make a new key of the purpose and return it: the current one from now on, in every process."""
