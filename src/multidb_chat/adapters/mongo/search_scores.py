"""How much of a question a passage covers, as the server's details of a score tell it.

https://www.mongodb.com/docs/search/query/score/get-details/: a word's part of a score is `boost * idf * tf`, with `tf`
below 1, where other engines multiply by `k1 + 1`.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from multidb_chat.domain.words import words_of

Details = Mapping[str, Any]

# k1 + 1 of BM25: what a word that occurs once in a passage of average length is worth is then its idf.
_FACTOR = 2.2
# What the analyzer `lucene.english` leaves out (Lucene's EnglishAnalyzer.ENGLISH_STOP_WORDS_SET).
_STOP_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this"
    " to was will with"
)
_WEIGHT = re.compile(r"[^(\s]+:(?P<term>\S+)(?: \[|\))")


class Term(NamedTuple):
    """A word of the question in a passage: how rare it is (`idf`), and its part of the score."""

    name: str
    idf: float
    value: float


def shares(question: str, details: Sequence[Details]) -> list[float]:
    """Return the share of the question that each passage covers: its score over the sum of the words' `idf`.

    A word that no passage has is as rare as can be, as far as the passages tell how many there are.
    """
    found = [_best(details_of_one) for details_of_one in details]
    rarity = {term.name: term.idf for terms in found for term in terms.values()}
    unknown = max(0, len(set(words_of(question)).difference(_STOP_WORDS.split())) - len(rarity))
    total = max((_total(one) for one in details), default=0.0)
    weight = sum(rarity.values()) + unknown * math.log(1 + (total + 0.5) / 0.5)
    return [_FACTOR * sum(term.value for term in terms.values()) / weight if weight else 0.0 for terms in found]


def _best(details: Details) -> dict[str, Term]:
    """Return each word once, where it counts most: title, headings and text are searched side by side."""
    best: dict[str, Term] = {}
    for term in _terms(details):
        if term.name not in best or best[term.name].value < term.value:
            best[term.name] = term
    return best


def _terms(details: Details) -> Iterator[Term]:
    named = _WEIGHT.search(str(details.get("description", "")))
    idf = next((float(one["value"]) for one in _below(details) if str(one["description"]).startswith("idf")), None)
    tf = next((float(one["value"]) for one in _below(details) if str(one["description"]).startswith("tf")), None)
    if named and idf is not None and tf is not None and "BM25" in str(details["description"]):
        yield Term(named["term"], idf, idf * tf)  # without the boost, which says nothing of the question
        return
    for one in details.get("details") or ():
        yield from _terms(one)


def _below(details: Details) -> Iterator[Details]:
    for one in details.get("details") or ():
        yield one
        yield from _below(one)


def _total(details: Details) -> float:
    return next((float(one["value"]) for one in _below(details) if str(one["description"]).startswith("N,")), 0.0)
