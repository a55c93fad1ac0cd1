"""Bytes to text: byte order marks, what was declared, UTF-8, and only then a guess."""

import codecs
import re

from multidb_chat.adapters.readers.guessing import guessed

# The longer marks first: that of UTF-32 little-endian begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 65_536
_NO_LEAD_BYTE = bytes(range(0xC0))
# Control characters no text uses; tab, newlines, form feed, backspace and escape occur in honest text files.
_CONTROL = re.compile("[\x01-\x07\x0e-\x1a\x1c-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(data: bytes, declared: str = "") -> str | None:
    """Return `data` as text, None when it is no text. `declared` is the encoding its carrier named, if any."""
    text = _decoded(data, declared)
    if text is None or not _is_text(text):
        return None
    return text.lstrip("\ufeff")


def normal(text: str) -> str:
    """Return `text` with `\\n` line ends, without NUL and with half characters replaced."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x00" in text:
        text = text.replace("\x00", " ")
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _decoded(data: bytes, declared: str) -> str | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    wide = _wide(data[:_SAMPLE])
    for encoding in (wide, declared, "utf-8"):
        text = _strictly(data, encoding)
        if text is not None:
            return text
    return _nearly_utf8(data) or guessed(data)


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding) if encoding else None
    except (LookupError, ValueError):
        return None


def _wide(sample: bytes) -> str:
    """Tell UTF-16 and UTF-32 without a mark: most characters of western text have zeros in the same places."""
    zeros = [sample[place::4].count(0) * 4 / max(len(sample), 1) for place in range(4)]
    if min(zeros[1:]) > 0.9 > zeros[0]:
        return "utf-32-le"
    if min(zeros[:3]) > 0.9 > zeros[3]:
        return "utf-32-be"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if odd > 0.6 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 and odd < 0.1 else ""


def _nearly_utf8(data: bytes) -> str | None:
    """Return UTF-8 with few errors (a file cut in the middle, one bad byte) as text, else None."""
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    good = len(data.translate(None, _NO_LEAD_BYTE))
    return text if wrong * 10 <= good else None


def _is_text(text: str) -> bool:
    sample = text[:_SAMPLE]
    if len(text) > 2 * _SAMPLE:
        middle = len(text) // 2
        sample += text[middle : middle + _SAMPLE]
    return len(_CONTROL.findall(sample)) * 50 <= len(sample) and sample.count("\x00") * 3 <= len(sample)
