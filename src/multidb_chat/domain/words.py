"""The words of a text, as full text search sees them, also where a script has no spaces between them."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

LONGEST_WORD = 100

# Scripts written without spaces: Thai, Lao, Myanmar, Khmer, kana, Han. (Hangul has spaces, yet its particles cling to
# the words, so that pairs of syllables find more; Lucene's CJK analysis treats it likewise.)
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)


@cache
def _unspaced_run() -> re.Pattern[str]:
    """Return what finds such a run: made at first use, since it takes a millisecond and plain ASCII has none."""
    return re.compile(f"[{_UNSPACED}]+")


def spaced(text: str) -> str:
    """Return what is given to a tokenizer for `text`: NFKC, and pairs of characters where words have no spaces.

    `数据库` becomes `数据 据库 库`: every word of two characters is found, and so is every character, as a beginning.
    NULs and lone surrogates, which stores refuse, become spaces.
    """
    if text.isascii():
        return text.replace("\x00", " ")
    text = unicodedata.normalize("NFKC", text).replace("\x00", " ")
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _unspaced_run().sub(lambda run: f" {' '.join(_pairs(run[0]))} {run[0][-1]} ", text)


def words_of(text: str) -> Iterator[str]:
    """Yield the words to search for, in lower case and at most `LONGEST_WORD` characters of each."""
    text = unicodedata.normalize("NFKC", text).encode("utf-8", "replace").decode("utf-8").lower()
    text = _unspaced_run().sub(lambda run: f" {' '.join(_pairs(run[0]) or run[0])} ", text)
    for word in "".join(char if _belongs(char) else " " for char in text).split():
        yield word[:LONGEST_WORD]


def is_unspaced(text: str) -> bool:
    """Tell whether the text begins in a script without spaces."""
    return _unspaced_run().match(text) is not None


def _belongs(char: str) -> bool:
    """Tell whether a character is part of words: letters, digits, and marks, without which Indic words fall apart."""
    return char.isalnum() or char == "_" or unicodedata.category(char)[0] == "M"


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]
