"""Passages taken apart, and what stands around each unit: headings, lead-ins, the unit it leans on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from multidb_chat.domain.search import Match
from multidb_chat.services.answering.lexicon import LEANING
from multidb_chat.services.answering.sentences import Unit, split
from multidb_chat.services.answering.words import Token, Words, fold

_HEADWORD = 8  # words of a line that names what follows, its pronunciation and the like included

_PARTS_OF_SPEECH = (" n.", " v.", " vt.", " vi.", " adj.", " adv.")


@dataclass(slots=True)
class Passage:
    """A match taken apart. `around` are the keys of its headings, `title` those of its document's title and name."""

    match: Match
    rank: int
    units: list[Unit]
    tokens: list[list[Token]]
    keys: list[frozenset[str]]
    around: frozenset[str]
    title: frozenset[str]
    all: frozenset[str] = field(default_factory=frozenset)

    def text(self, at: int) -> str:
        """Return the exact text of a unit."""
        return self.match.chunk.text[self.units[at].start : self.units[at].end]


def open_passages(matches: Sequence[Match], words: Words) -> list[Passage]:
    """Take the matches apart."""
    passages = []
    for rank, match in enumerate(matches):
        chunk = match.chunk
        units = split(chunk.text, chunk.kind, chunk.headings)
        tokens = [words.tokens(chunk.text[unit.start : unit.end]) for unit in units]
        keys = [frozenset(token.key for token in row) for row in tokens]
        around = _keys(" ".join(chunk.headings), words)
        title = _keys(f"{match.document.title} {match.document.name}", words)
        everything = frozenset().union(*keys, around, title)
        passages.append(Passage(match, rank, units, tokens, keys, around, title, everything))
    return passages


def _keys(text: str, words: Words) -> frozenset[str]:
    return frozenset(token.key for token in words.tokens(text))


def lead_of(passage: Passage, at: int) -> int | None:
    """Return the unit that introduces this one: the line before a list or code block, the header of a table."""
    unit, units = passage.units[at], passage.units
    if unit.kind == "sentence":
        return None
    first = at
    while first > 0 and units[first - 1].block == unit.block:
        first -= 1
    if units[first].kind == "header":
        return first
    before = first - 1
    introduces = before >= 0 and units[before].kind == "sentence"
    colon = introduces and passage.text(before).rstrip("*_ ").endswith((":", "：", "::"))
    return before if introduces and (colon or unit.kind == "code") else None


def heading_of(passage: Passage, at: int) -> frozenset[str]:
    """Return the keys of the nearest heading above a unit."""
    above = headings_above(passage, at)
    return passage.keys[above[0]] if above else passage.around


def headings_above(passage: Passage, at: int) -> list[int]:
    """Return the nearest heading above a unit in its passage, none where there is none."""
    return next(([back] for back in range(at - 1, -1, -1) if passage.units[back].kind == "heading"), [])


def leans(text: str) -> bool:
    """Tell whether a sentence begins with a word that leans on what was said before ("It", "However", "These")."""
    first = re.match(r"[\W_]*([^\W_]+)", text)
    return first is not None and (fold(first[1]) in LEANING or first[1][0].islower())


def headword_of(passage: Passage, at: int) -> int | None:
    """Return the nearest line above a unit that only names what follows, as in a glossary; None where there is none.

    It begins a paragraph and is short: "helium" above its description, "cargo cult programming, n." above its meaning.
    """
    for back in range(at - 1, -1, -1):
        if passage.units[back].kind == "heading":
            return None
        if is_headword(passage, back):
            return back
    return None


def is_headword(passage: Passage, at: int) -> bool:
    """Tell whether a unit is a short line that opens a paragraph, or is one, and is no sentence."""
    unit = passage.units[at]
    opens = at == 0 or passage.units[at - 1].block != unit.block
    text = passage.text(at)
    if unit.kind != "sentence" or not opens or not 1 <= len(passage.tokens[at]) <= _HEADWORD or len(text) > 60:
        return False
    # The last line of a passage may say something; with a part of speech it does not.
    return text.endswith(_PARTS_OF_SPEECH) or (at + 1 < len(passage.units) and text[-1] not in ".?!:")
