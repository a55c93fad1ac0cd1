"""What a candidate is worth: a score that orders, and a support that decides whether there is an answer at all."""

import math
import re
from collections.abc import Collection

from multidb_chat.services.answering.evidence import Candidate
from multidb_chat.services.answering.passages import heading_of, headings_above, leans
from multidb_chat.services.answering.question import Analysis, Term
from multidb_chat.services.answering.words import fold

_REASON = re.compile(
    r"\b(because|since|due to|owing to|so that|in order to|reasons?|as a result|caused?|therefore|thanks to|led to|"
    r"result(s|ed)? (from|in)|explains?|to avoid|to prevent|driven by|after)\b"
)
_DEFINES = re.compile(
    r"\b(is|are|was|were)\b\s+(an?|the|any|what|how|one|another|the name)\b|"
    r"\b(means?|refers? to|denotes?|describes?|stands for|is called|are called|consists? of)\b|\s[:–—]\s|: "
)

WORDS = 2.0  # log-odds: what the support of its words adds to those of a sentence that was read, from none to all
ODDS = 0.3  # what the log-odds of a sentence that was read count in the score, beside all that its words give


def judge(candidate: Candidate, analysis: Analysis) -> None:
    """Set `score` and `support` from what is known of the candidate."""
    passage, text = candidate.passage, candidate.text
    meaning = min(1.0, max(0.0, ((passage.match.vector or 0.0) - 0.1) / 0.6))
    score = candidate.coverage + 0.2 * meaning + 0.15 * passage.match.score - 0.01 * passage.rank
    score += _form(candidate, analysis) + _under_heading(candidate, analysis)
    score += _phrases(candidate, analysis) + _closeness(candidate)
    if leans(text):
        score -= 0.06
    if text.rstrip('*_ "”').endswith("?"):
        score -= 0.5
    if candidate.unit.kind != "code" and len(passage.tokens[candidate.at]) < 4 and not candidate.fits:
        score -= 0.1
    candidate.support = _support(candidate, analysis, meaning)
    if candidate.odds is not None:
        score += ODDS * candidate.odds
        candidate.support = _read_support(candidate, candidate.odds)
    candidate.score = score


def _read_support(candidate: Candidate, odds: float) -> float:
    """Return the support of a sentence that was read: how likely it answers, by the reader and by its words."""
    return 1 / (1 + math.exp(-(odds + WORDS * (candidate.support - 0.5))))


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


def _closeness(candidate: Candidate) -> float:
    """Return up to 0.15 the closer the words of the question stand, in the sentence or in the heading above it.

    Far apart, they met by chance.
    """
    rows = [candidate.passage.tokens[candidate.at]]
    rows += [candidate.passage.tokens[at] for at in headings_above(candidate.passage, candidate.at)]
    return 0.15 * max(_density([token.key for token in row], candidate.met) for row in rows)


def _density(keys: list[str], wanted: Collection[str]) -> float:
    """Return 1 when all wanted keys of a row stand within twice their number of words, less the further apart."""
    present = len({key for key in keys if key in wanted})
    if present < 2:
        return 0.0
    last: dict[str, int] = {}
    narrowest = len(keys)
    for at, key in enumerate(keys):
        if key in wanted:
            last[key] = at
            if len(last) == present:
                narrowest = min(narrowest, at - min(last.values()) + 1)
    return min(1.0, 2 * present / narrowest)


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
    if unmet := _unmet(candidate, analysis):
        value *= 0.6 if any(term.key[0].isdigit() for term in unmet) else 0.8
    if analysis.expected == "quantity" and analysis.focus and not _counts_focus(candidate, analysis):
        value *= 0.85  # there is a number in it, of something else
    return value * (1.0 if candidate.fits else 0.75)


def _unmet(candidate: Candidate, analysis: Analysis) -> list[Term]:
    """Return the names and numbers of the question that the candidate does not meet."""
    return [term for term in analysis.terms if term.hard and candidate.met[term.key] < 0.5]


def gives_reason(text: str) -> bool:
    """Tell whether a sentence says why."""
    return bool(_REASON.search(fold(text)))
