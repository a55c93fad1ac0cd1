"""Which partition of its conversation a message lies in."""

import time

LENGTH = 5
"""How many characters of an id name its bucket: of a UUIDv7 20 bits of its time, 2^28 ms or 3.1 days each."""

_FIRST, _LAST = "01900", "03fff"  # UUIDv7 of 2024 and 2109


def bucket_of(message_id: str) -> str:
    """Return the bucket of a message. Part of the schema: never changed.

    It never decreases along the order of ids, whatever they are: ids below or above those of this century share the
    first or the last one.
    """
    return min(max(message_id[:LENGTH], _FIRST), _LAST)


def current_bucket() -> str:
    """Return the bucket of what is written now."""
    return bucket_of(f"{time.time_ns() // 1_000_000:012x}")
