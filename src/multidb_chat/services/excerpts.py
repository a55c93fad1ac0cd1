"""The piece of a text that shows why it was found, and how pieces of documents are shown."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import accumulate, pairwise

from multidb_chat.domain.text import clean_line
from multidb_chat.domain.words import words_of

_BEFORE = 24
"""Characters before the first word that was looked for."""
_MARKDOWN = ("markdown", "notebook", "")  # kinds of documents; what is only given with a question has none
# Marks of headings, fences around code, and code within a paragraph: what is quoted as a command in a program is none.
_MARKS = re.compile(
    r"^[ \t]*(?P<line>#{1,6}[ \t]+|(?:```|~~~)[^\n]*$)"
    r"|(?<![\w=`\\])(?P<open>`+)(?!`)(?:(?!\n[ \t]*\n)[\s\S]){1,400}?(?<!`)(?P<close>(?P=open))(?!`)",
    re.MULTILINE,
)


def excerpt(text: str, looked_for: str, room: int) -> str:
    """Return at most `room` characters of the text on one line, from shortly before the first word looked for."""
    line = clean_line(text)
    at = _first(line, list(words_of(looked_for)))
    begin = 0
    if at > _BEFORE and len(line) > room:
        begin = line.find(" ", at - _BEFORE, at) + 1 or at
    kept = ("…" if begin else "") + line[begin:]
    return kept if len(kept) <= room else f"{kept[: room - 1].rstrip()}…"


def unmarked(*pieces: str, kind: str = "") -> list[str]:
    """Return pieces of a document that follow one another without marks of Markdown, which say nothing unless drawn.

    `kind` is the document's, empty where it is not known; others than Markdown keep all their characters. For showing
    alone: what is cited and copied stays letter for letter what the document says.
    """
    if kind not in _MARKDOWN:
        return list(pieces)
    text = "".join(pieces)
    spans = (found.span(name) for found in _MARKS.finditer(text) for name in ("line", "open", "close"))
    gone = {at for start, end in spans for at in range(start, end)}
    ends = list(accumulate(map(len, pieces), initial=0))
    return ["".join(text[at] for at in range(*span) if at not in gone) for span in pairwise(ends)]


def _first(line: str, words: Sequence[str]) -> int:
    """Return where the first word begins that begins with one of these, 0 where none does."""
    wanted = tuple(_plain(word) for word in words)
    found = (match.start() for match in re.finditer(r"\w+", line) if wanted and _plain(match[0]).startswith(wanted))
    return next(found, 0)


def _plain(word: str) -> str:
    """Return a word without case and accents."""
    return "".join(char for char in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(char))
