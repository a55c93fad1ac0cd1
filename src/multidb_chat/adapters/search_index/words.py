"""Text as full text search sees it: what is indexed, and which words of a question are searched."""

import re
import unicodedata
from collections.abc import Iterator

# English function words and the words questions are made of: they say nothing about what is asked. In other languages
# such words are common in the collection itself, so that BM25 weighs them low.
_ENGLISH = """
    a about all also am an and any are as at be been being both but by can could did do does each few for from had has
    have he her here him his how i if in into is it its me more most my no nor not of on only or other our own same she
    should so some such than that the their them then there these they this those through to too upon us very was we
    were what when where which while who whom whose why will with within would you your
"""
STOP_WORDS = frozenset(_ENGLISH.split())
# Words searched for: a question has fewer; of a pasted page these are enough to find what it is about.
MOST_WORDS = 64
# How much of a question is looked at, in characters, and of one word.
MOST_CHARACTERS = 20_000
LONGEST_WORD = 100

# Scripts written without spaces: Thai, Lao, Myanmar, Khmer, kana, Han. (Hangul has spaces, yet its particles cling to
# the words, so that pairs of syllables find more; Lucene's CJK analysis treats it likewise.)
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")


def indexed(text: str) -> str:
    """Return what is given to the tokenizer for `text`: NFKC, and pairs of characters where words have no spaces.

    `数据库` becomes `数据 据库 库`: every word of two characters is found, and so is every character, as a beginning.
    NULs and lone surrogates, which SQLite cannot store, become spaces.
    """
    if text.isascii():
        return text.replace("\x00", " ")
    text = unicodedata.normalize("NFKC", text).replace("\x00", " ")
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _UNSPACED_RUN.sub(lambda run: f" {' '.join(_pairs(run[0]))} {run[0][-1]} ", text)


def searched(question: str) -> list[str]:
    """Return the FTS5 terms of a question, each once: its words but the stop words, unless it has no others."""
    words = list(dict.fromkeys(_words(question[:MOST_CHARACTERS])))
    telling = [word for word in words if word not in STOP_WORDS] or words
    return [_term(word) for word in telling[:MOST_WORDS]]


def _words(question: str) -> Iterator[str]:
    text = unicodedata.normalize("NFKC", question).encode("utf-8", "replace").decode("utf-8").lower()
    text = _UNSPACED_RUN.sub(lambda run: f" {' '.join(_pairs(run[0]) or run[0])} ", text)
    for word in "".join(char if _belongs(char) else " " for char in text).split():
        yield word[:LONGEST_WORD]


def _belongs(char: str) -> bool:
    """Tell whether a character is part of words: letters, digits, and marks, without which Indic words fall apart."""
    return char.isalnum() or char == "_" or unicodedata.category(char)[0] == "M"


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _term(word: str) -> str:
    """Quote a word: nothing in it can be syntax. A single character of a script without spaces is a beginning."""
    return f'"{word}" *' if len(word) == 1 and _UNSPACED_RUN.match(word) else f'"{word}"'
