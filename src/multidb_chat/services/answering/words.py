"""The normal form of words, under which a question and a document are compared."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Protocol

from multidb_chat.services.answering import lexicon

# A number with its separators, or a word with an inner apostrophe. Identifiers such as max_file_mb or --no-cache give
# their parts.
_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*(?![^\W\d_])|[^\W_]+(?:['’][^\W_]+)?")
# Scripts that are written without spaces: their runs are compared by pairs of characters.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_YEAR = re.compile(r"1[0-9]{3}|20[0-9]{2}")


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802 - the library's name


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text: where it stands, its normal form, and whether it is written like a name."""

    start: int
    end: int
    key: str
    name: bool = False

    @property
    def number(self) -> bool:
        """Whether it is a number."""
        return self.key[0].isdigit()

    @property
    def year(self) -> bool:
        """Whether it is a number that reads as a year, 1000 to 2099."""
        return bool(_YEAR.fullmatch(self.key))


def fold(text: str) -> str:
    """Return `text` case-folded, compatibility forms and accents folded; its length may change."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c) or c > "\u0eff"))


class Words:
    """Makes tokens. Keeps what it stemmed, so one serves a whole answer; not for two threads at once."""

    def __init__(self) -> None:
        from snowballstemmer import stemmer  # type: ignore[import-untyped]

        self._stemmer: _Stemmer = stemmer("english")
        self._keys: dict[str, str] = {}

    def key(self, word: str) -> str:
        """Return the normal form of one word: numbers without thousands marks, words folded and stemmed (Porter 2)."""
        found = self._keys.get(word)
        if found is None:
            found = self._keys[word] = self._make_key(word)
        return found

    def _make_key(self, word: str) -> str:
        plain = fold(word).replace("’", "'")
        if plain[:1].isdigit():
            return _THOUSANDS.sub("", plain)
        plain = plain.removesuffix("'s")
        plain = lexicon.NUMBERS.get(plain) or lexicon.IRREGULAR.get(plain, plain)
        return self._stemmer.stemWord(plain) or plain or word

    def tokens(self, text: str) -> list[Token]:
        """Return all words of `text`, function words included."""
        tokens: list[Token] = []
        for found in _TOKEN.finditer(text):
            word, start = found[0], found.start()
            if not word.isascii() and _UNSPACED.search(word):
                tokens.extend(self._pairs(word, start))
            else:
                tokens.append(Token(start, found.end(), self.key(word), word[0].isupper()))
        return tokens

    @staticmethod
    def _pairs(word: str, offset: int) -> list[Token]:
        pairs = []
        for run in _UNSPACED.finditer(word):
            start, end = run.span()
            pairs += [
                Token(offset + at, offset + min(at + 2, end), word[at : at + 2])
                for at in range(start, max(start + 1, end - 1))
            ]
        return pairs

    def near(self, key: str) -> frozenset[str]:
        """Return the keys that come near a key in meaning."""
        found: set[str] = set()
        for group in lexicon.NEAR:
            # Words of one key begin alike, so that few are stemmed to find the groups.
            if any(word[:3] == key[:3] and self.key(word) == key for word in group):
                found.update(map(self.key, group))
        return frozenset(found - {key})


def is_function_word(text: str) -> bool:
    """Tell whether a word as written says nothing about a topic."""
    return fold(text).replace("’", "'") in lexicon.FUNCTION_WORDS
