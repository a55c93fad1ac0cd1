"""How well each unit of the passages supports an answer.

A term of the question is met in full by the same word in the sentence, in part by a near-synonym, by the headings and
the title above it, by the lead-in of its list or the header of its table, or by the sentences just before it. What is
met is weighed by how rare the term is among the units, so that the words all passages share decide little.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from multidb_chat.domain.search import Match
from multidb_chat.services.answering.expected import holds
from multidb_chat.services.answering.lexicon import LEANING
from multidb_chat.services.answering.question import Analysis, Term
from multidb_chat.services.answering.sentences import Unit, split
from multidb_chat.services.answering.words import Token, Words, fold

# What a term counts that is met elsewhere than in the sentence itself. Chosen on the development questions of
# scripts/bench.d/answers.py; the figures move little when each is changed by a tenth.
_NEAR, _LEAD, _HEADING, _TITLE, _BEFORE, _PASSAGE = 0.75, 0.95, 0.85, 0.75, 0.55, 0.3
_ENDINGS = ("abl", "er", "or", "ing", "ment", "less")
_REASON = re.compile(
    r"\b(because|since|due to|owing to|so that|in order to|reasons?|as a result|caused?|therefore|thanks to|led to|"
    r"result(s|ed)? (from|in)|explains?|to avoid|to prevent|driven by|after)\b"
)
_DEFINES = re.compile(
    r"\b(is|are|was|were)\b\s+(an?|the|any|what|how|one|another|the name)\b|"
    r"\b(means?|refers? to|denotes?|describes?|stands for|is called|are called|consists? of)\b|\s[:–—]\s|: "
)


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


@dataclass(slots=True)
class Candidate:
    """A unit that may be quoted.

    `met` tells how far each term is met (0 to 1), `coverage` the same for all by weight, `certain` likewise but with
    what is met indirectly counted nearly in full, `missing` the weight of what is not met. `similarity` is the cosine
    of question and unit where it was measured. `score` orders; `support` (0 to 1) decides whether there is an answer
    at all.
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
    similarity: float | None = None

    @property
    def unit(self) -> Unit:
        """The unit itself."""
        return self.passage.units[self.at]

    @property
    def text(self) -> str:
        """The exact text of the unit."""
        return self.passage.text(self.at)


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
    """Return every unit that can be quoted, scored without similarity."""
    weights = rarity(passages, analysis)
    related = _related(passages, analysis, words)
    # Of what is compared, each sentence may speak of one alone.
    said = frozenset().union(*(passage.all for passage in passages)) if analysis.kind == "compare" else frozenset()
    floor = {term.key: _BEFORE if term.key in said else 0.0 for term in analysis.terms}
    found = []
    for passage in passages:
        for at, unit in enumerate(passage.units):
            if unit.kind in ("heading", "header"):
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
    for candidate in found:
        judge(candidate, analysis)
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
    around = [(passage.around, _HEADING), (passage.title, _TITLE), (passage.all, _PASSAGE)]
    if (lead := lead_of(passage, at)) is not None:
        around.append((passage.keys[lead], _LEAD))
    for back in range(at - 1, max(-1, at - 9), -1):
        other = units[back]
        if other.kind == "heading" or passage.text(back).endswith("?"):
            around.append((passage.keys[back], _HEADING))
            break
        if other.block == unit.block and other.kind == unit.kind != "row" and at - back <= 2:
            around.append((passage.keys[back], _BEFORE))
    return around


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
    for back in range(at - 1, -1, -1):
        if passage.units[back].kind == "heading":
            return passage.keys[back]
    return passage.around


def judge(candidate: Candidate, analysis: Analysis) -> None:
    """Set `score` and `support` from what is known of the candidate."""
    passage, text = candidate.passage, candidate.text
    similarity = candidate.similarity
    if similarity is None:
        similarity = passage.match.vector or 0.0
    meaning = min(1.0, max(0.0, (similarity - 0.1) / 0.6))
    score = candidate.coverage + 0.2 * meaning + 0.15 * passage.match.score - 0.01 * passage.rank
    score += _form(candidate, analysis) + _phrases(candidate, analysis) + _under_heading(candidate, analysis)
    if leans(text):
        score -= 0.06
    if text.rstrip('*_ "”').endswith("?"):
        score -= 0.5
    if candidate.unit.kind != "code" and len(passage.tokens[candidate.at]) < 4 and not candidate.fits:
        score -= 0.1
    candidate.score = score
    candidate.support = _support(candidate, analysis, meaning)


def _form(candidate: Candidate, analysis: Analysis) -> float:
    """Return what the sentence gains or loses by being of the kind that is asked for."""
    text, kind = candidate.text, analysis.kind
    if analysis.expected != "none":
        bonus = 0.15 if candidate.fits else -0.25
        return bonus + (0.1 if candidate.fits and _counts_focus(candidate, analysis) else 0.0)
    if kind == "definition":
        return 0.25 * _defines(candidate, analysis)
    if kind == "reason":
        return 0.2 if gives_reason(text) else 0.0
    if kind in ("steps", "list"):
        return {"item": 0.12, "code": -0.1}.get(candidate.unit.kind, 0.1 if text.rstrip("*_ ").endswith(":") else 0.0)
    return -0.1 if candidate.unit.kind == "code" else 0.0


def _under_heading(candidate: Candidate, analysis: Analysis) -> float:
    """Return up to 0.15 (for steps 0.25) where the nearest heading is about what is asked."""
    if candidate.unit.kind == "code":
        return 0.0
    above = heading_of(candidate.passage, candidate.at)
    wanted = [term.key for term in analysis.terms if term.weight == 1.0]
    share = sum(key in above for key in wanted) / max(1, len(wanted))
    return (0.25 if analysis.kind == "steps" else 0.15) * share


def _defines(candidate: Candidate, analysis: Analysis) -> float:
    """Return how much the sentence looks like "X is a ..." (1) or "a ... is an X" (0.7), X being asked for."""
    found = _DEFINES.search(candidate.text)
    wanted = [term.key for term in analysis.terms if term.weight == 1.0]
    if found is None or not wanted:
        return 0.0
    tokens = candidate.passage.tokens[candidate.at]
    before = {token.key for token in tokens if token.end <= found.start() + 1}
    behind = {token.key for token in tokens if token.start >= found.start()}
    if found.start() < 60 and all(key in before for key in wanted):
        return 1.0
    if all(key in behind for key in wanted) and len(behind) <= len(wanted) + 3:
        return 0.7
    return 0.5 * sum(key in before for key in wanted) / len(wanted)


def _counts_focus(candidate: Candidate, analysis: Analysis) -> bool:
    tokens = candidate.passage.tokens[candidate.at]
    numbers = [at for at, token in enumerate(tokens) if token.number and not token.year]
    return any(
        token.key in analysis.focus and any(abs(at - n) <= 4 for n in numbers) for at, token in enumerate(tokens)
    )


def _phrases(candidate: Candidate, analysis: Analysis) -> float:
    """Return up to 0.1 for neighbouring words of the question that are neighbours here too."""
    if not analysis.phrases:
        return 0.0
    keys = [token.key for token in candidate.passage.tokens[candidate.at]]
    hits = sum(_together(keys, phrase) for phrase in analysis.phrases)
    return 0.1 * hits / len(analysis.phrases)


def _together(keys: list[str], phrase: tuple[str, ...]) -> bool:
    first, last = phrase[0], phrase[-1]
    places = [at for at, key in enumerate(keys) if key == first]
    return any(last in keys[max(0, at - 2) : at + len(phrase) + 1] for at in places)


def _support(candidate: Candidate, analysis: Analysis, meaning: float) -> float:
    """Return how far the unit supports an answer.

    What is met counts, and meaning; what is not met counts against it, the less the nearer the meaning (a paraphrase);
    a number or name that is not met is another thing.
    """
    value = 0.7 * candidate.certain + 0.2 * meaning + 0.1 * candidate.passage.match.score
    value *= max(0.3, 1 - 0.35 * candidate.missing * (1 - 0.6 * meaning))
    plain = [term for term in analysis.terms if not term.hard and term.weight == 1.0]
    if plain and all(candidate.met[term.key] < 0.5 for term in plain):
        value *= 0.7  # it has the name or the year, and is about something else
    unmet = [term for term in analysis.terms if term.hard and candidate.met[term.key] < 0.5]
    if unmet:
        value *= 0.6 if any(term.key[0].isdigit() for term in unmet) else 0.8
    return value * (1.0 if candidate.fits else 0.75)


def leans(text: str) -> bool:
    """Tell whether a sentence begins with a word that leans on what was said before ("It", "However", "These")."""
    first = re.match(r"[\W_]*([^\W_]+)", text)
    return first is not None and (fold(first[1]) in LEANING or first[1][0].islower())


def gives_reason(text: str) -> bool:
    """Tell whether a sentence says why."""
    return bool(_REASON.search(fold(text)))
