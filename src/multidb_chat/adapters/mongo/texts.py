"""Python's strings in BSON, whose strings are UTF-8 and hold no lone surrogates.

What is looked up or compared is a key: every string has one, keys sort as their strings do on every server (some
compare UTF-8, some UTF-16), and the key of a prefix is a prefix of the key. What is only kept is a value: the string
itself, which the server can search, or its bytes.
"""

import json
import re
from typing import Any

# The last character before the surrogates. It and all behind it are written as itself and six hexadecimal digits.
_ESCAPE = "\ud7ff"
_BEHIND = re.compile("[\ud7ff-\U0010ffff]")
_ESCAPED = re.compile(f"{_ESCAPE}([0-9a-f]{{6}})")


def key_of(text: str) -> str:
    """Return the key of a string."""
    return text if text.isascii() else _BEHIND.sub(lambda found: f"{_ESCAPE}{ord(found[0]):06x}", text)


def text_of(key: str) -> str:
    """Return the string of a key."""
    return key if key.isascii() else _ESCAPED.sub(lambda found: chr(int(found[1], 16)), key)


def prefixed(prefix: str) -> dict[str, str]:
    """Return the condition for keys of the strings that begin with `prefix`; nothing in it is a pattern."""
    key = key_of(prefix)
    return {"$gte": key, "$lt": key[:-1] + chr(ord(key[-1]) + 1)} if key else {"$gte": ""}


def value_of(text: str) -> str | bytes:
    """Return the value of a string."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def text_in(value: str | bytes) -> str:
    """Return the string of a value."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def packed(value: object) -> bytes:
    """Return a JSON value as bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def unpacked(data: bytes) -> Any:
    """Return the JSON value in the bytes."""
    return json.loads(data.decode("utf-8", "surrogatepass"))
