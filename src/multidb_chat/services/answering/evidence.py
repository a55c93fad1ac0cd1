"""How far each unit of the passages meets the words of the question.

A term is met in full by the same word in the sentence, in part by a near-synonym, by the headings and the title above
it, by the lead-in of its list or the header of its table, or by the sentences just before it. What is met is weighed by
how rare the term is among the units, so that the words all passages share decide little.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from multidb_chat.services.answering.expected import holds
from multidb_chat.services.answering.passages import Passage, headword_of, is_headword, lead_of
from multidb_chat.services.answering.question import Analysis, Term
from multidb_chat.services.answering.sentences import Unit
from multidb_chat.services.answering.words import Words

# What a term counts that is met elsewhere than in the sentence itself. Chosen on the development questions of
# scripts/bench.d/answers.py: a tenth more or less of any moves F1 there and on the test questions by .05 at the most.
_NEAR, _LEAD, _HEADING, _TITLE, _BEFORE, _PASSAGE = 0.75, 0.95, 0.85, 0.75, 0.55, 0.3
_BOOK = 200  # chunks from which a document's title says little about each of its sentences
_ENDINGS = ("abl", "er", "or", "ing", "ment", "less")


@dataclass(slots=True)
class Candidate:
    """A unit that may be quoted.

    `met` tells how far each term is met (0 to 1), `coverage` the same for all by weight, `certain` likewise but with
    what is met indirectly counted nearly in full, `missing` the weight of what is not met. `odds` are the log-odds that
    it answers the question, where it was read. `score` orders; `support` decides whether there is an answer at all.
    """

    passage: Passage
    at: int
    met: dict[str, float]
    coverage: float
    certain: float
    missing: float
    fits: bool
    score: float = 0.0
    support: float = 0.0
    odds: float | None = None

    @property
    def unit(self) -> Unit:
        """The unit itself."""
        return self.passage.units[self.at]

    @property
    def text(self) -> str:
        """The exact text of the unit."""
        return self.passage.text(self.at)


def rarity(passages: Sequence[Passage], analysis: Analysis) -> dict[str, float]:
    """Return the weight of each term, 0.15 to 1 times its own: how rare it is among the units of all passages."""
    rows = [keys for passage in passages for keys in passage.keys]
    top = math.log(1 + len(rows))
    weights = {}
    for term in analysis.terms:
        found = max(1, sum(term.key in keys for keys in rows))
        rare = math.log((1 + len(rows)) / found) / top if top else 1.0
        weights[term.key] = term.weight * max(0.15, rare) * (1.5 if term.hard else 1.0)
    return weights


def candidates(passages: Sequence[Passage], analysis: Analysis, words: Words) -> list[Candidate]:
    """Return every unit that can be quoted; `judging.judge` sets what they are worth."""
    weights = rarity(passages, analysis)
    related = _related(passages, analysis, words)
    # Of what is compared, each sentence may speak of one alone.
    said = frozenset().union(*(passage.all for passage in passages)) if analysis.kind == "compare" else frozenset()
    floor = {term.key: _BEFORE if term.key in said else 0.0 for term in analysis.terms}
    found = []
    for passage in passages:
        for at, unit in enumerate(passage.units):
            if unit.kind in ("heading", "header") or is_headword(passage, at):
                continue
            met = {
                term.key: max(_met(term, passage, at, related[term.key]), floor[term.key]) for term in analysis.terms
            }
            total = sum(weights.values())
            coverage = sum(weights[key] * part for key, part in met.items()) / total if total else 0.0
            certain = sum(weights[key] * min(1.0, 1.2 * part) for key, part in met.items()) / total if total else 0.0
            missing = sum(weights[key] for key, part in met.items() if part < 0.5)
            fits = holds(analysis.expected, passage.text(at), passage.tokens[at])
            found.append(Candidate(passage, at, met, coverage, certain, missing, fits))
    return found


def _related(passages: Sequence[Passage], analysis: Analysis, words: Words) -> dict[str, frozenset[str]]:
    """Return for each term the keys that may stand in for it: near in meaning, or derived ("supply", "supplier")."""
    vocabulary = frozenset().union(*(passage.all for passage in passages))
    return {
        term.key: frozenset()
        if term.hard
        else words.near(term.key) | {key for key in vocabulary if _derived(term.key, key)}
        for term in analysis.terms
    }


def _derived(first: str, second: str) -> bool:
    """Tell whether one key is the other with an ending that stemming leaves ("supply", "supplier"), or with "un"."""
    short, long = sorted((first, second), key=len)
    if long == f"un{short}" and len(short) >= 4:
        return True
    ending = long.removeprefix(short)
    return ending != long and ((len(short) >= 5 and len(ending) <= 4) or (len(short) == 4 and ending in _ENDINGS))


def _met(term: Term, passage: Passage, at: int, others: frozenset[str]) -> float:
    """Return how far the unit, with what stands around it, meets the term."""
    key = term.key
    if key in passage.keys[at]:
        return 1.0
    best = 0.0 if others.isdisjoint(passage.keys[at]) else _NEAR
    if term.year and _of_another_year(passage, at):
        # What stands above the sentence is no longer about it.
        return _PASSAGE if key in passage.around | passage.title else 0.0
    if term.year and key in passage.around | passage.title:
        return _LEAD
    for keys, worth in _surroundings(passage, at):
        if worth > best and key in keys:
            best = worth
        elif worth * _NEAR > best and not others.isdisjoint(keys):
            best = worth * _NEAR
    return best


def _of_another_year(passage: Passage, at: int) -> bool:
    """Tell whether the sentence, which does not hold the year, is about another one ("in 2018", not "since 2018")."""
    text, tokens = passage.text(at), passage.tokens[at]
    for place, token in enumerate(tokens):
        if token.year:
            before = text[tokens[place - 1].start : tokens[place - 1].end].lower() if place else ""
            if before not in ("since", "than", "until", "before", "after", "by", "from", "to"):
                return True
    return False


def _surroundings(passage: Passage, at: int) -> list[tuple[frozenset[str], float]]:
    """Return the keys around a unit with what they are worth: lead-in, heading, title, the sentences before."""
    unit, units = passage.units[at], passage.units
    title = _TITLE if passage.match.document.chunks <= _BOOK else _PASSAGE
    around = [(passage.around, _HEADING), (passage.title, title), (passage.all, _PASSAGE)]
    if (lead := lead_of(passage, at)) is not None:
        around.append((passage.keys[lead], _LEAD))
    if (headword := headword_of(passage, at)) is not None:
        around.append((passage.keys[headword], _LEAD))
    for back in range(at - 1, max(-1, at - 9), -1):
        other = units[back]
        if other.kind == "heading" or passage.text(back).endswith("?"):
            around.append((passage.keys[back], _HEADING))
            break
        if other.block == unit.block and other.kind == unit.kind != "row" and at - back <= 2:
            around.append((passage.keys[back], _BEFORE))
    return around
