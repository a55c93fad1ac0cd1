"""Which sentences make the answer: the best that add something, with the neighbours they need, in reading order."""

from collections.abc import Sequence
from dataclasses import dataclass

from multidb_chat.services.answering.evidence import Candidate
from multidb_chat.services.answering.judging import ODDS, gives_reason
from multidb_chat.services.answering.passages import Passage, heading_of, lead_of, leans
from multidb_chat.services.answering.question import Analysis

# How many pieces an answer has at most, and how close to the best one a further piece must score.
_MOST = {
    "fact": 2,
    "definition": 2,
    "yesno": 2,
    "reason": 3,
    "compare": 4,
    "steps": 2,
    "list": 3,
    "summary": 4,
    "plain": 3,
}
_CLOSE = {"fact": 0.92, "definition": 0.9, "yesno": 0.9, "reason": 0.85, "compare": 0.7, "steps": 0.85, "list": 0.85}
_TIE = 3 * ODDS  # three log-odds, between scores of sentences that were read: either may hold the answer
_RUN = 20  # units of one list or section at most
_ALIKE = 0.6  # share of common words from which two sentences say the same


@dataclass(frozen=True, slots=True)
class Pick:
    """Units of one passage that are quoted in a row; `together` when they share one citation (a list, its lead-in)."""

    passage: Passage
    units: tuple[int, ...]
    together: bool


def select(candidates: Sequence[Candidate], analysis: Analysis) -> list[Pick]:
    """Return what is quoted, in reading order: by document, the one with the best sentence first, then by place."""
    chosen: list[Candidate] = []
    taken: list[Pick] = []
    for candidate in sorted(candidates, key=lambda item: -item.score):
        if len(chosen) >= _MOST[analysis.kind]:
            break
        if chosen and not _adds(candidate, chosen, analysis):
            continue
        if _inside(candidate, taken):
            continue
        chosen.append(candidate)
        taken.append(_with_neighbours(candidate, analysis))
        if analysis.kind in ("steps", "list") and taken[-1].together:
            break
    return in_order(_merged(taken))


def _adds(candidate: Candidate, chosen: Sequence[Candidate], analysis: Analysis) -> bool:
    """Tell whether a further sentence is no repetition, and close to the best or meets a word that none meets."""
    best = chosen[0]
    if any(says_the_same(candidate, other) for other in chosen) or (best.fits and not candidate.fits):
        return False
    behind = best.score - candidate.score
    if len(chosen) == 1 and best.odds is not None and behind < _TIE:
        return True
    words = best.score - ODDS * (best.odds or 0.0)
    if behind <= (1 - _CLOSE.get(analysis.kind, 0.85)) * words:
        narrow = analysis.kind in ("fact", "yesno", "definition")
        return candidate.coverage >= best.coverage - 0.1 and (not narrow or _direct(best) <= _direct(candidate))
    direct = {key for key, part in candidate.met.items() if part >= 0.75}
    covered = {key for other in chosen for key, part in other.met.items() if part >= 0.75}
    return bool(direct - covered) and behind <= 0.4 * words


def _direct(candidate: Candidate) -> set[str]:
    return {key for key, part in candidate.met.items() if part == 1.0}


def says_the_same(first: Candidate, second: Candidate) -> bool:
    """Tell whether two sentences share nearly all their words."""
    mine, other = first.passage.keys[first.at], second.passage.keys[second.at]
    return len(mine & other) >= _ALIKE * max(1, min(len(mine), len(other))) and len(mine ^ other) <= 0.5 * len(
        mine | other
    )


def _inside(candidate: Candidate, taken: Sequence[Pick]) -> bool:
    return any(pick.passage is candidate.passage and candidate.at in pick.units for pick in taken)


def _with_neighbours(candidate: Candidate, analysis: Analysis) -> Pick:
    passage, at = candidate.passage, candidate.at
    unit, units = passage.units[at], passage.units
    whole = analysis.kind in ("steps", "list")
    if analysis.kind == "steps" and (run := _section(passage, at, analysis)):
        return Pick(passage, run, True)
    if unit.kind == "item" and whole:
        return Pick(passage, _list(passage, at), True)
    if unit.kind == "sentence" and at + 1 < len(units) and units[at + 1].block == unit.block + 1:
        opens = passage.text(at).rstrip("*_ ").endswith((":", "："))
        if units[at + 1].kind == "item" and opens:
            return Pick(passage, _list(passage, at + 1), True)
        if units[at + 1].kind == "code" and (whole or opens):
            return Pick(passage, (at, at + 1), True)
    lead = lead_of(passage, at)
    if unit.kind == "row" and not any(key in passage.keys[at] for key in candidate.met):
        # Only the header speaks of what is asked: the rows together are the answer.
        return Pick(passage, _list(passage, at), True)
    if lead is not None and unit.kind in ("code", "row") and _adjoining(passage, lead, at):
        return Pick(passage, (lead, at), unit.kind == "code")
    if lead is not None and unit.kind == "item" and _needs(candidate, lead):
        return Pick(passage, (lead, at), False)
    goes_on = at > 0 and unit.kind == "sentence" == units[at - 1].kind and units[at - 1].block == unit.block
    if goes_on and (leans(passage.text(at)) or (analysis.kind == "reason" and not gives_reason(passage.text(at)))):
        # What a sentence leans on, or what came before something happened, stands in the sentence before.
        return Pick(passage, (at - 1, at), False)
    return Pick(passage, (at,), False)


def _adjoining(passage: Passage, lead: int, at: int) -> bool:
    return at == lead + 1 or passage.units[at].kind == "row"


def _needs(candidate: Candidate, lead: int) -> bool:
    """Tell whether the lead-in meets words of the question that the item itself does not."""
    keys = candidate.passage.keys[candidate.at]
    return any(
        part > 0 and key not in keys and key in candidate.passage.keys[lead] for key, part in candidate.met.items()
    )


def _list(passage: Passage, at: int) -> tuple[int, ...]:
    """Return the whole list around an item, with its lead-in."""
    block = passage.units[at].block
    run = [other for other, unit in enumerate(passage.units) if unit.block == block][:_RUN]
    lead = lead_of(passage, at)
    return tuple(run if lead is None or lead in run else [lead, *run])


def _section(passage: Passage, at: int, analysis: Analysis) -> tuple[int, ...]:
    """Return the units under the heading above `at` when that heading is what the question asks for, else none."""
    first = at
    while first > 0 and passage.units[first - 1].kind != "heading":
        first -= 1
    heading = heading_of(passage, at)
    wanted = [term.key for term in analysis.terms if term.weight == 1.0]
    if not wanted or sum(key in heading for key in wanted) < 0.7 * len(wanted):
        return ()
    run: list[int] = []
    for other in range(first, len(passage.units)):
        if passage.units[other].kind == "heading" or len(run) == _RUN:
            break
        run.append(other)
    sentences = [other for other in run if passage.units[other].kind == "sentence"]
    # A long section is a text of its own: its first sentences and the list or code among them.
    return tuple(run) if len(sentences) <= 5 else ()


def _merged(picks: Sequence[Pick]) -> list[Pick]:
    """Join picks of one passage that share a unit."""
    merged: list[Pick] = []
    for pick in picks:
        for at, other in enumerate(merged):
            if other.passage is pick.passage and not set(other.units).isdisjoint(pick.units):
                units = tuple(sorted({*other.units, *pick.units}))
                merged[at] = Pick(pick.passage, units, other.together or pick.together)
                break
        else:
            merged.append(pick)
    return merged


def in_order(picks: Sequence[Pick]) -> list[Pick]:
    """Return the picks by document, the first one's first, then by place."""
    first: dict[str, int] = {}
    for place, pick in enumerate(picks):
        first.setdefault(pick.passage.match.document.id, place)
    return sorted(
        picks,
        key=lambda pick: (first[pick.passage.match.document.id], pick.passage.match.chunk.start + _start(pick)),
    )


def _start(pick: Pick) -> int:
    return pick.passage.units[pick.units[0]].start
