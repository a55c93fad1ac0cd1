"""The piece of a text that shows why it was found."""

import re
import unicodedata
from collections.abc import Sequence

from multidb_chat.domain.text import clean_line
from multidb_chat.domain.words import words_of

_BEFORE = 24
"""Characters before the first word that was looked for."""


def excerpt(text: str, looked_for: str, room: int) -> str:
    """Return at most `room` characters of the text on one line, from shortly before the first word looked for."""
    line = clean_line(text)
    at = _first(line, list(words_of(looked_for)))
    begin = 0
    if at > _BEFORE and len(line) > room:
        begin = line.find(" ", at - _BEFORE, at) + 1 or at
    kept = ("…" if begin else "") + line[begin:]
    return kept if len(kept) <= room else f"{kept[: room - 1].rstrip()}…"


def _first(line: str, words: Sequence[str]) -> int:
    """Return where the first word begins that begins with one of these, 0 where none does."""
    wanted = tuple(_plain(word) for word in words)
    found = (match.start() for match in re.finditer(r"\w+", line) if wanted and _plain(match[0]).startswith(wanted))
    return next(found, 0)


def _plain(word: str) -> str:
    """Return a word without case and accents."""
    return "".join(char for char in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(char))
