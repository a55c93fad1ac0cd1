"""From the pieces a model sends to whole sentences with the passages that they name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from multidb_chat.domain.text import clean
from multidb_chat.services.answering.sentences import split

_MARK = r"\[\s*\d{1,3}(?:\s*[,;]\s*\d{1,3})*\s*\]"
_MARKS = re.compile(rf"\s*({_MARK})")
_LEADING = re.compile(rf"^(?:\s*{_MARK})+")
_LABELS = re.compile(r"</?(?:passages|question|facts|conversation)>")  # of the prompt, which small models repeat
_UNFINISHED = re.compile(r"\[[\s\d,;]*$")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Heard:
    """A sentence as it was said, without its marks; `passages` are the numbers it names, `marker` a list item's."""

    text: str
    passages: tuple[int, ...]
    marker: str
    paragraph: int


class Listener:
    """Collects pieces; gives a sentence out as soon as the next one has begun, so that its marks are complete.

    What was said so far is looked at anew with each piece that ends a word: an answer is short.
    """

    def __init__(self) -> None:
        self._said = ""
        self._given = 0

    def hear(self, piece: str) -> Iterator[Heard]:
        """Take a piece and yield the sentences that are complete now."""
        self._said += piece
        if any(character.isspace() for character in piece):
            yield from self._new(heard(_UNFINISHED.sub("", self._said))[:-1])

    def end(self) -> Iterator[Heard]:
        """Yield what is left when nothing more comes."""
        yield from self._new(heard(self._said))

    def _new(self, sentences: list[Heard]) -> Iterator[Heard]:
        yield from sentences[self._given :]
        self._given = max(self._given, len(sentences))


def heard(said: str) -> list[Heard]:
    """Return the sentences of a whole text. Marks behind a full stop belong to the sentence before it."""
    text = _LABELS.sub("", clean(said))
    found: list[Heard] = []
    at, begins = 0, _LEADING.match(text) is not None
    for unit in split(text):
        # From the end of the one before, so that marks between two are seen; a list item's own marker is not its text.
        words = text[unit.start if unit.marker else at : unit.end]
        between = "" if not unit.marker else text[at : unit.start]
        at = unit.end
        if found and not begins and (late := _LEADING.match(between + words)):
            found[-1] = _naming(found[-1], late[0])
            words = (between + words)[late.end() :]
        text_alone = " ".join(_MARKS.sub("", words).split())
        if any(character.isalnum() for character in text_alone):
            found.append(_naming(Heard(text_alone, (), unit.marker, unit.block), " ".join(_MARKS.findall(words))))
    if found and not begins and (late := _LEADING.match(text[at:])):
        found[-1] = _naming(found[-1], late[0])
    return found


def _naming(sentence: Heard, marks: str) -> Heard:
    numbers = (*sentence.passages, *map(int, _NUMBER.findall(marks)))
    return Heard(sentence.text, tuple(dict.fromkeys(numbers)), sentence.marker, sentence.paragraph)
