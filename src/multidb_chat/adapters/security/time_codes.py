"""`TotpCodes`: the port `TimeCodes` on pyotp and segno."""

import hmac
from datetime import datetime
from urllib.parse import quote

import pyotp

NAME = "multidb-chat"
_BESIDE = 1  # steps before and after, for clocks that differ (RFC 6238, section 5.2)
_QUIET = 2  # modules around a code
_BLOCKS = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}  # by (upper, lower) is dark


class TotpCodes:
    """The port `TimeCodes`: six digits, SHA-1, 30 seconds, what every authenticator app takes."""

    def new_secret(self) -> str:
        return pyotp.random_base32()

    def step(self, secret: str, code: str, at: datetime) -> int | None:
        totp = pyotp.TOTP(secret)
        now = int(at.timestamp()) // totp.interval
        found = None
        for step in range(now - _BESIDE, now + _BESIDE + 1):  # all of them, so that it always takes the same time
            if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode("utf-8", "replace")):
                found = step
        return found

    def uri(self, secret: str, email: str) -> str:
        # Without the issuer in front of the address, as it is in the parameters: a smaller picture fits 24 lines.
        return f"otpauth://totp/{quote(email)}?secret={secret}&issuer={NAME}"

    def picture(self, uri: str) -> tuple[str, ...]:
        import segno

        rows = [[bool(module) for module in row] for row in segno.make(uri, error="l").matrix_iter(border=_QUIET)]
        if len(rows) % 2:
            rows.append([False] * len(rows[0]))
        return tuple(
            "".join(_BLOCKS[upper, lower] for upper, lower in zip(*pair, strict=True))
            for pair in zip(rows[::2], rows[1::2], strict=True)
        )
