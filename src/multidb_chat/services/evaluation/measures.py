"""Measures of one ranking against what is known to be relevant, each from 0 to 1."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

CUT = 10
"""How far down nDCG looks."""

DEPTH = 100
"""How far down recall and the reciprocal rank look; so many documents are ranked."""


class Measured(NamedTuple):
    """A ranking's nDCG of the first 10, its recall of the first 100, and 1 over the place of the first relevant one."""

    ndcg: float
    recall: float
    mrr: float


def measured(ranking: Sequence[str], relevance: Mapping[str, int]) -> Measured:
    """Return the measures of a ranking, best first. At least one document must be relevant.

    nDCG is that of Järvelin and Kekäläinen (2002) with the relevance itself as gain, as trec_eval computes it.
    """
    got = _discounted([relevance.get(name, 0) for name in ranking])
    best = _discounted(sorted(relevance.values(), reverse=True))
    relevant = {name for name, gain in relevance.items() if gain}
    places = [place for place, name in enumerate(ranking[:DEPTH], 1) if name in relevant]
    return Measured(got / best, len(places) / len(relevant), 1 / places[0] if places else 0.0)


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains[:CUT]))
