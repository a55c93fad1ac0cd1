"""Codes that are good once: 59 random bits in letters that are not mistaken for each other, kept as keyed hashes.

The hash is HMAC-SHA256 under the installation's first pepper, so that whoever has the store alone cannot try them out
(OWASP ASVS 5.0, 6.5.2).
"""

import hmac
import secrets

from multidb_chat.domain.keys import Keys

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # 31, without i, l, o, 0 and 1
_GROUPS, _LENGTH = 3, 4


def new_code() -> str:
    """Return a new code: `k7mf-2qxw-9rta`."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def plain(code: str) -> str:
    """Return a code without what people write between its letters."""
    return "".join(character for character in code.casefold() if character.isalnum())


async def hash_of(code: str, keys: Keys) -> str:
    """Return what is stored of a code."""
    first = (await keys.keys("pepper"))[0]
    return hmac.digest(first.secret, b"code\0" + plain(code).encode("utf-8", "surrogatepass"), "sha256").hex()
