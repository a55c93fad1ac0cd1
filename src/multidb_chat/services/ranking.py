"""Fusing lexical and vector hits into one ranking, with a score that means the same for every question.

No normalisation within a result list: both parts are absolute, so that a passage scores the same in a collection of
ten chunks as in one of ten thousand, and a list of nothing relevant shows it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from multidb_chat.domain.search import Hit, Neighbours

# The vector's part of the fused score; the rest is the share of the question that the passage covers. nDCG@10 over
# .5 / .6 / .7, without feedback: Cranfield .437 .444 .441, SciFact .741 .739 .734 (reciprocal ranks: .43 and .72).
VECTOR_WEIGHT = 0.6
# Passages that resemble the best ones are more likely to be relevant too (the cluster hypothesis; Rocchio's feedback,
# here only for what was found, so that nothing is searched twice): so many of the best, weighed so much. It makes
# Cranfield .456 and SciFact .741, and hardly less for 1 to 3 passages and weights of .3 to 1.
FEEDBACK, FEEDBACK_WEIGHT = 2, 0.5
# Logistic regression on the best passage's cosine and its share (at most 1: words alone are no proof), of whether the
# collection is the question's own: Cranfield and SciFact, each asked its own questions, the other's, and questions of
# everyday life, both outcomes and each of their groups weighed alike. Area under the curve .998. At .3, the least that
# counts as fair, 1.5 % of the own questions are not above; of the others none (Cranfield, asked by SciFact) to 18 %
# (SciFact, everyday questions, some of which it touches) are. `scripts/bench retrieval --calibrate` prints all this.
CALIBRATION = (9.2, 3.7, -5.8)


class Ranked(NamedTuple):
    """A chunk with what is known of it. `fused` orders; `score` is calibrated to 0..1."""

    document_id: str
    ordinal: int
    lexical: float | None
    vector: float | None
    fused: float
    score: float

    @property
    def key(self) -> tuple[str, int]:
        """What the library knows the chunk by."""
        return self.document_id, self.ordinal


class Fusion(NamedTuple):
    """How hits by words and by meaning are made one ranking: the vector's part (0 to 1), and the feedback's weight."""

    vector: float = VECTOR_WEIGHT
    feedback: float = FEEDBACK_WEIGHT


FUSED = Fusion()


def rank(lexical: Sequence[Hit], nearest: Neighbours, limit: int, fusion: Fusion = FUSED) -> list[Ranked]:
    """Return the best chunks of both, best first; `nearest` begins with the chunks of `lexical`, compared.

    A chunk that full text did not find among its best covers nothing of the question; one without a vector resembles
    nothing. What neither counts for, by this `fusion`, is left out.
    """
    import numpy as np

    if not nearest.keys:
        return []
    scores = np.array(nearest.scores)
    cosine = np.where(np.isnan(scores), 0.0, scores)
    share = np.zeros(len(cosine))
    share[: len(lexical)] = [hit.share for hit in lexical]
    fused = fusion.vector * cosine + (1 - fusion.vector) * share
    order = np.argsort(-fused, kind="stable")
    best = order[:FEEDBACK]
    best = best[np.isfinite(scores[best])]
    if len(best) and fusion.feedback:
        vectors = np.frombuffer(nearest.vectors, "<f4").reshape(len(cosine), -1)
        fused += fusion.vector * fusion.feedback * (vectors @ vectors[best].sum(axis=0) / len(best))
        order = order[np.argsort(-fused[order], kind="stable")]  # equal ones keep the order they had before
    order = (order if fusion.vector else order[fused[order] > 0])[:limit]
    return [
        _ranked(nearest.keys[place], lexical[place] if place < len(lexical) else None, nearest.scores[place], value)
        for place, value in zip(order.tolist(), fused[order].tolist(), strict=True)
    ]


def _ranked(key: tuple[str, int], word: Hit | None, cosine: float, fused: float) -> Ranked:
    known = None if math.isnan(cosine) else cosine
    return Ranked(*key, word.score if word else None, known, fused, calibrated(known or 0.0, word.share if word else 0))


def calibrated(cosine: float, share: float) -> float:
    """Return how likely a passage is of a question that its collection answers, 0 to 1; see `CALIBRATION`."""
    slope, weight, offset = CALIBRATION
    return 1 / (1 + math.exp(-(slope * cosine + weight * min(max(share, 0.0), 1.0) + offset)))
