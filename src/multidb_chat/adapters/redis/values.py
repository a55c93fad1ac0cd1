"""Values and lines of inboxes as they lie in Redis. A form that is not known, of a newer program say, is no value."""

import json
import zlib
from datetime import UTC, datetime

from multidb_chat.domain.cache import Notification
from multidb_chat.domain.errors import InvalidInput

# A value is a byte that tells its form, the length of its owner in a byte, the owner, and the bytes themselves.
_PLAIN, _DEFLATED = 1, 2
_LINE = 1
# An answer takes a third of its room deflated; vectors gain nothing, and what is short is not worth the time.
_WORTH_DEFLATING = 512
_FAST = 1
_GAIN = 0.9
MOMENT = len("2024-02-29T12:00:00.000000+00:00")


def encoded(text: str) -> bytes:
    """Return any text as bytes, half characters too."""
    return text.encode("utf-8", "surrogatepass")


def packed(value: bytes, owner: str) -> bytes:
    """Return a value with whose it is. Raises `InvalidInput` for an owner of more than 255 bytes."""
    name = encoded(owner)
    if len(name) > 255:
        raise InvalidInput("The name of an account is too long.")
    if len(value) >= _WORTH_DEFLATING:
        deflated = zlib.compress(value, _FAST)
        if len(deflated) < _GAIN * len(value):
            return bytes((_DEFLATED, len(name))) + name + deflated
    return bytes((_PLAIN, len(name))) + name + value


def unpacked(data: bytes) -> bytes | None:
    """Return the value in what was stored; None where it cannot be read."""
    if len(data) < 2 or data[0] not in (_PLAIN, _DEFLATED):
        return None
    value = data[2 + data[1] :]
    if data[0] == _PLAIN:
        return value
    try:
        return zlib.decompress(value)
    except zlib.error:
        return None


def place_of(line: Notification) -> bytes:
    """Return what sorts a line in its inbox: its moment, then its id."""
    return encoded(line.at.astimezone(UTC).isoformat(timespec="microseconds") + line.id)


def packed_line(line: Notification) -> bytes:
    """Return what a line says; its moment and its id are its place."""
    fields = [_LINE, line.title, line.body, line.task_id]
    return encoded(json.dumps(fields, ensure_ascii=False, separators=(",", ":")))


def unpacked_line(account_id: str, place: bytes, data: bytes) -> Notification | None:
    """Return the line at a place of an inbox; None where it cannot be read."""
    try:
        form, title, body, task_id = json.loads(data.decode("utf-8", "surrogatepass"))
        text = place.decode("utf-8", "surrogatepass")
        at, line_id = datetime.fromisoformat(text[:MOMENT]), text[MOMENT:]
    except ValueError:
        return None
    return Notification(line_id, account_id, at, title, body, task_id) if form == _LINE else None
