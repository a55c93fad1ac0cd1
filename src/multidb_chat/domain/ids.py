"""Identifiers: UUID version 7 (RFC 9562), time-ordered as bytes and as text, made once by the writer."""

import os
import threading
import time
from datetime import UTC, datetime

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def new_id() -> str:
    """Return a new UUIDv7 as 36 lower-case characters.

    Within a process the identifiers strictly increase, even when the clock goes back: the millisecond never falls
    and the 12 bits after the version count within it (RFC 9562, section 6.2, method 1).
    """
    global _last_ms, _counter
    with _lock:
        now = time.time_ns() // 1_000_000
        if now > _last_ms:
            _last_ms, _counter = now, int.from_bytes(os.urandom(2)) & 0x3FF
        else:
            _counter += 1
            if _counter > 0xFFF:
                _last_ms, _counter = _last_ms + 1, 0
        ms, counter = _last_ms, _counter
    tail = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    digits = f"{(ms << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | tail:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def made_at(identifier: str) -> datetime | None:
    """Return the time (UTC, to the millisecond) that a UUIDv7 was made at; None for anything else."""
    digits = identifier.replace("-", "")
    try:
        number = int(digits, 16) if len(digits) == 32 else 0
    except ValueError:
        return None
    if (number >> 76) & 0xF != 7:
        return None
    try:
        return datetime.fromtimestamp((number >> 80) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
