"""Which encoding a text without any mark or declaration is in, once it is known that it is not Unicode."""

import re

_SAMPLE = 65_536
_NOT_ASCII = re.compile(b"[\x80-\xff]")
_KANA = re.compile("[\u3041-\u30ff]")
_NOT_LATIN = re.compile("[\u0370-\uffef]")
# What central European (cp1250) or DOS (cp437, cp850) letters look like when they are read as western ones: letters
# that the large western languages do not have, and signs in the middle of words.
_NOT_WESTERN = re.compile(r"[šž]|(?<=[^\W\d_])[³¹¿º¼¾£‚ƒ„†‡ˆ‰‹”•˜™›](?=[^\W\d_])|\b[³¹](?=[a-z])", re.IGNORECASE)
_HUNGARIAN = re.compile("[õû]", re.IGNORECASE)
_ROMANCE = re.compile("[ãçèàêñ]", re.IGNORECASE)
# These were tried before.
_UNICODE = ["utf_7", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le"]
# Turkish, by its own letters, and what those look like when they are read as western ones.
_LIKE_TURKISH = re.compile("[þðý]", re.IGNORECASE)
_TURKISH = {"cp1254", "iso8859_9", "mac_turkish", "cp857"}


def guessed(data: bytes) -> str:
    """Return `data` as text in the encoding it is most likely in."""
    first = _NOT_ASCII.search(data)
    begin = max(0, first.start() - 1024) if first else 0
    return data.decode(_encoding(data[begin : begin + _SAMPLE]), "replace")


def _encoding(sample: bytes) -> str:
    if _is_japanese_euc(sample):
        return "euc_jp"
    if _is_ascii_with_accents(sample) and _is_western(sample) and not _LIKE_TURKISH.search(sample.decode("cp1252")):
        return "cp1252"
    import charset_normalizer

    best = charset_normalizer.from_bytes(sample, cp_exclusion=_UNICODE).best()
    if best is None:
        return "cp1252"
    # It tells scripts apart well, but takes western European texts for eastern ones.
    latin = best.encoding not in _TURKISH and not _NOT_LATIN.search(_letters(sample.decode(best.encoding, "replace")))
    return "cp1252" if latin and _is_western(sample) else best.encoding


def _is_ascii_with_accents(sample: bytes) -> bool:
    return 4 * len(sample.translate(None, bytes(range(0x80)))) <= len(sample)


def _is_western(sample: bytes) -> bool:
    try:
        text = sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    if _HUNGARIAN.search(text) and not _ROMANCE.search(text):
        return False
    return not _NOT_WESTERN.search(text)


def _is_japanese_euc(sample: bytes) -> bool:
    """Tell EUC-JP: read so, Japanese has many kana; Chinese and Korean encodings have nearly none in that place."""
    text = sample.decode("euc_jp", "replace")
    return (
        len(_KANA.findall(text)) > 0.1 * len(sample.translate(None, bytes(range(0x80)))) / 2
        and "\ufffd" not in text[:-1]
    )


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))
