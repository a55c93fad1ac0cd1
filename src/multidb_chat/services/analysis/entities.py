"""Names, dates and amounts, recognised by how they are written; no list of names and no model is behind it.

A name is a run of capitalised words, or one such word that also stands inside sentences and is not mostly written
small. What stands only at the beginning of sentences is not taken for a name. In languages that capitalise every noun
(German) only runs of two and more count.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from multidb_chat.services.analysis.figures import Entities, EntityCount
from multidb_chat.services.analysis.frequencies import Frequencies
from multidb_chat.services.answering.lexicon import DAYS, MONTHS
from multidb_chat.services.answering.words import fold, is_function_word

_MOST = 50_000
_SHOWN = 30
_WORD = r"[^\W\d_][\w'’&-]*"
# Words that join the parts of a name: "Bank of England", "Vincent van Gogh".
_JOINT = r"(?:of(?:\s+the)?|de|del|della|di|da|du|la|van|von|der|den|&)"
_CAPITAL = rf"(?:(?=[^\W\d_])(?![a-zß-öø-ÿ]){_WORD}|[A-Z]\.)"
_RUN = re.compile(rf"{_CAPITAL}(?:\s+(?:{_JOINT}\s+){{0,2}}{_CAPITAL})*")
# What often opens a sentence, before a name too, and is no part of it.
_OPENERS = {
    *("later", "earlier", "meanwhile", "finally", "next", "first", "second", "third", "last", "initially", "recently"),
    *("currently", "originally", "eventually", "sometimes", "usually", "similarly", "additionally", "furthermore"),
    *("moreover", "nevertheless", "nonetheless", "therefore", "consequently", "otherwise", "afterwards", "soon"),
}
_SMALL = re.compile(r"(?<![\w'’-])[a-zß-öø-ÿ][\w'’-]*")
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December|" + (
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
)
_DATE = re.compile(
    rf"(?<![\w.,])(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}(?:st|nd|rd|th|\.)?\s+{_MONTH}\.?(?:,?\s+\d{{4}})?"
    rf"|{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,\s+\d{{4}}|{_MONTH}\s+\d{{4}}|(?:1[5-9]\d\d|20\d\d))\b(?![.,]\d|%)"
)
_NUMBER = r"\d{1,3}(?:[,.   ]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
_SCALE = r"(?:\s(?:thousand|million|billion|trillion)|\s?(?:k|m|bn)\b)?"
_UNIT = (
    "percent|per cent|%|°C|°F|km/h|mph|kWh|MWh|kW|MW|kg|km|cm|mm|ms|GB|MB|TB|Hz|GHz|MHz|metres?|meters?|"
    "kilomet(?:er|re)s?|miles?|litres?|liters?|tonnes?|tons?|grams?|hours?|days?|weeks?|months?|years?|minutes?|seconds?|"
    "euros?|dollars?|pounds?|EUR|USD|GBP|CHF|NOK|SEK|m|g|l|h|s"
)
_AMOUNT = re.compile(
    rf"(?<![\w.,])(?:[$€£¥]\s?(?:{_NUMBER}){_SCALE}|(?:{_NUMBER}){_SCALE}\s?[€£](?!\w)"
    rf"|(?:{_NUMBER}){_SCALE}\s?(?:{_UNIT})(?!\w))"
)


@dataclass(slots=True)
class EntityTally:
    """Counts what is found in sentences. `of` is told once a sentence, `met` once a document."""

    names: Frequencies = field(default_factory=lambda: Frequencies(_MOST))
    dates: Frequencies = field(default_factory=lambda: Frequencies(_MOST))
    amounts: Frequencies = field(default_factory=lambda: Frequencies(_MOST))
    small: Counter[str] = field(default_factory=Counter)
    inside: Counter[str] = field(default_factory=Counter)
    _found: tuple[Counter[str], Counter[str], Counter[str]] = field(
        default_factory=lambda: (Counter(), Counter(), Counter())
    )

    def of(self, sentence: str, language: str) -> None:
        """Count what stands in a sentence of a language (ISO 639-1, "" unknown)."""
        names, dates, amounts = self._found
        for name, first in names_in(sentence):
            if language != "de" or " " in name:
                names[name] += 1
                self.inside[name] += not first
        dates.update(" ".join(found[0].split()) for found in _DATE.finditer(sentence))
        amounts.update(" ".join(found[0].split()) for found in _AMOUNT.finditer(sentence))
        self.small.update(found[0] for found in _SMALL.finditer(sentence))
        if len(self.small) > 4 * _MOST:
            self.small = Counter({word: count for word, count in self.small.items() if count > 1})

    def met(self) -> None:
        """Take what was found since the last time as that of one document."""
        for kept, found in zip((self.names, self.dates, self.amounts), self._found, strict=True):
            kept.add(found)
            kept.met(found)
            found.clear()

    def entities(self) -> Entities:
        """Return the most frequent of each; of the names those that are names."""
        names = [row for row in self.names.top(_MOST) if self._is_name(row[0])][:_SHOWN]
        return Entities(*(_records(rows) for rows in (names, self.dates.top(_SHOWN), self.amounts.top(_SHOWN))))

    def _is_name(self, name: str) -> bool:
        if " " in name or (name.isupper() and len(name) > 1):
            return True
        return self.inside[name] > 0 and self.small[name.lower()] <= self.inside[name]


def names_in(sentence: str) -> Iterator[tuple[str, bool]]:
    """Yield what is written like a name, and whether it stands first, where every word is capitalised."""
    begin = len(sentence) - len(sentence.lstrip("\"'“‘«([*_#- \t"))
    shouting = sentence.isupper()
    for found in () if shouting else _RUN.finditer(sentence):
        words = found[0].split()
        first = found.start() <= begin
        while words and (is_function_word(words[0]) or fold(words[0]) in _OPENERS | MONTHS | DAYS):
            words, first = words[1:], False
        while words and (fold(words[-1]).rstrip(".") in MONTHS | DAYS or words[-1].islower()):
            words = words[:-1]
        name = " ".join(words).removesuffix("'s").removesuffix("’s").rstrip("-'’&")
        if len(name) > 1 and any(character.isalpha() for character in name):
            yield name, first and len(words) == 1


def _records(rows: list[tuple[str, int, int]]) -> tuple[EntityCount, ...]:
    return tuple(EntityCount(*row) for row in rows)
