"""Keys in a backup, sealed with a passphrase.

A passphrase and 16 random bytes go through scrypt (RFC 7914, N = 2^15, r = 8, p = 1), which gives as many bytes as are
needed: 32 to authenticate with (HMAC-SHA256), the rest to be combined with the content, each byte once. The random
bytes are new each time, so no two contents ever meet the same stream.
"""

import hashlib
import hmac
import os

from multidb_chat.domain.errors import InvalidInput, NotPermitted

_MARK = b"multidb-chat sealed 1\n"
_SALT = 16
_MAC = 32
_N, _R, _P = 2**15, 8, 1
_MEMORY = 128 * _N * _R * 2
SHORTEST = 8
"""Characters of the shortest passphrase."""


def sealed(content: bytes, passphrase: str) -> bytes:
    """Return the content sealed. Raises `InvalidInput` for a passphrase that is too short."""
    if len(passphrase) < SHORTEST:
        raise InvalidInput(f"A passphrase for keys has at least {SHORTEST} characters.")
    salt = os.urandom(_SALT)
    key, stream = _derived(passphrase, salt, len(content))
    hidden = _combined(content, stream)
    return _MARK + salt + hmac.digest(key, salt + hidden, "sha256") + hidden


def opened(content: bytes, passphrase: str) -> bytes:
    """Return what was sealed. Raises `NotPermitted` for another passphrase, or content that was changed."""
    salt, mac, hidden = (content[len(_MARK) :][part] for part in (slice(16), slice(16, 48), slice(48, None)))
    key, stream = _derived(passphrase, salt, len(hidden))
    if not content.startswith(_MARK) or not hmac.compare_digest(mac, hmac.digest(key, salt + hidden, "sha256")):
        raise NotPermitted("The passphrase does not open the keys in this backup.")
    return _combined(hidden, stream)


def _derived(passphrase: str, salt: bytes, length: int) -> tuple[bytes, bytes]:
    secret = passphrase.encode("utf-8", "surrogatepass")
    made = hashlib.scrypt(secret, salt=salt, n=_N, r=_R, p=_P, maxmem=_MEMORY, dklen=_MAC + length)
    return made[:_MAC], made[_MAC:]


def _combined(content: bytes, stream: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(content, stream, strict=True))
