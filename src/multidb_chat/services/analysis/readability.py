"""How hard a text is to read, by formulas that can be checked by hand.

- Flesch Reading Ease: 206.835 - 1.015 x words per sentence - 84.6 x syllables per word (R. Flesch, "A new readability
  yardstick", Journal of Applied Psychology 32, 1948). English; 100 is very easy, 0 very hard.
- Flesch-Kincaid grade: 0.39 x words per sentence + 11.8 x syllables per word - 15.59 (Kincaid, Fishburne, Rogers and
  Chissom, Research Branch Report 8-75, US Navy, 1975). English; years of school.
- LIX: words per sentence + 100 x words of more than six letters per word (C.-H. Bjoernsson, "Laesbarhet", 1968). Any
  language that writes spaces; below 30 is easy, above 50 hard.
"""

import re
from dataclasses import dataclass

from multidb_chat.services.analysis.figures import Readability

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_VOWELS = re.compile("[aeiouy]+")
# An e at the end is silent, but not the one of "table", "wanted" or "boxes".
_SILENT = re.compile("(?:[^aeiouyl]e|[aeiouy]les?|[^aeiouytd]ed|[^aeiouylszxcgh]es)$")
# Vowels that stand together and are spoken apart: material, radio, various, medium, annual, going, video; and -ism.
_HIATUS = re.compile("(?<![ct])ia|io(?!n|u)|(?<![ctxg])iou|iu|(?<![qg])ua(?!r)|[aeiouy]ing|(?:vid|rod|ster)eo|ism$")
_LONG = 6


@dataclass(slots=True)
class Reading:
    """What the formulas need of a text, to be added up over many."""

    sentences: int = 0
    words: int = 0
    long_words: int = 0
    syllables: int = 0

    def add(self, sentence: str, english: bool) -> None:
        """Count one sentence; the syllables of English words only."""
        words = _WORD.findall(sentence)
        if not words:
            return
        self.sentences += 1
        self.words += len(words)
        self.long_words += sum(len(word) > _LONG for word in words)
        if english:
            self.syllables += sum(map(syllables, words))

    def join(self, other: "Reading") -> None:
        """Add what was counted elsewhere."""
        self.sentences += other.sentences
        self.words += other.words
        self.long_words += other.long_words
        self.syllables += other.syllables

    @property
    def words_per_sentence(self) -> float:
        """The mean length of the sentences, 0.0 when there are none."""
        return self.words / self.sentences if self.sentences else 0.0

    @property
    def lix(self) -> float | None:
        """Bjoernsson's LIX, None without words."""
        return self.words_per_sentence + 100 * self.long_words / self.words if self.words else None

    @property
    def flesch(self) -> float | None:
        """Flesch Reading Ease, None without words whose syllables were counted."""
        if not self.syllables:
            return None
        return 206.835 - 1.015 * self.words_per_sentence - 84.6 * self.syllables / self.words

    @property
    def grade(self) -> float | None:
        """The Flesch-Kincaid grade, None without words whose syllables were counted."""
        if not self.syllables:
            return None
        return 0.39 * self.words_per_sentence + 11.8 * self.syllables / self.words - 15.59


def syllables(word: str) -> int:
    """Return about how many syllables an English word has: its groups of vowels, with the commonest exceptions."""
    plain = "".join(letter for letter in word.lower() if letter.isascii() and letter.isalpha())
    if not plain:
        return 1
    count = len(_VOWELS.findall(plain)) + len(_HIATUS.findall(plain))
    if count > 1 and _SILENT.search(plain):
        count -= 1
    return max(count, 1)


def readability(all_: Reading, english: Reading) -> Readability:
    """Return the measures of all sentences, and of the English ones those that are for English."""
    return Readability(
        all_.sentences,
        all_.words,
        round(all_.words_per_sentence, 2),
        _rounded(all_.lix),
        _rounded(english.flesch),
        _rounded(english.grade),
    )


def ease_of(flesch: float) -> str:
    """Return Flesch's own words for a reading ease."""
    steps = ((90, "very easy"), (80, "easy"), (70, "fairly easy"), (60, "plain English"), (50, "fairly difficult"))
    return next((name for least, name in steps if flesch >= least), "difficult" if flesch >= 30 else "very difficult")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
