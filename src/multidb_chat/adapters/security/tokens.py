"""`JwtSigner`: the port `TokenSigner` on PyJWT."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import jwt

from multidb_chat.domain.keys import Key

ALGORITHM = "HS256"
KIND = "at+jwt"  # RFC 9068, section 2.1
NAME = "multidb-chat"
_REQUIRED = ("exp", "iat", "iss", "aud", "sub", "jti")


class JwtSigner:
    """The port `TokenSigner`: HMAC-SHA256 and no other algorithm, whatever a token says of itself (RFC 8725, 3.1)."""

    def __init__(self) -> None:
        self._jwt = jwt.PyJWT(options={"enforce_minimum_key_length": True})

    def sign(self, claims: Mapping[str, object], key: Key) -> str:
        named = {"iss": NAME, "aud": NAME, **claims}
        return self._jwt.encode(named, key.secret, ALGORITHM, headers={"typ": KIND, "kid": key.kid})

    def read(self, token: str, keys: Sequence[Key], at: datetime) -> Mapping[str, object] | None:
        try:
            header = jwt.get_unverified_header(token)
            key = next((key for key in keys if key.kid == header.get("kid")), None)
            if key is None or header.get("typ") != KIND:
                return None
            claims: dict[str, object] = self._jwt.decode(
                token,
                key.secret,
                algorithms=[ALGORITHM],
                issuer=NAME,
                audience=NAME,
                # The times are compared below, with the caller's clock.
                options={"require": list(_REQUIRED), "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except (jwt.PyJWTError, UnicodeError):
            return None
        return claims if _is_good(claims, at) else None


def _is_good(claims: Mapping[str, object], at: datetime) -> bool:
    begin, end = claims["iat"], claims["exp"]
    return isinstance(begin, int) and isinstance(end, int) and begin <= at.timestamp() < end
