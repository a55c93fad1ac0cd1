"""Fusing lexical and vector hits into one ranking, with a score that means the same for every question.

No normalisation within a result list: both parts are absolute, so that a passage scores the same in a collection of
ten chunks as in one of ten thousand, and a list of nothing relevant shows it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from multidb_chat.domain.search import Hit

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


def rank(lexical: Sequence[Hit], nearest: Sequence[Hit], limit: int) -> list[Ranked]:
    """Return the best chunks of both lists, best first; `nearest` holds those of `lexical` that have vectors too.

    A chunk that full text did not find among its best covers nothing of the question; one without a vector resembles
    nothing.
    """
    words = {(hit.document_id, hit.ordinal): hit for hit in lexical}
    meaning = {(hit.document_id, hit.ordinal): hit for hit in nearest}
    found = {key: _fused(words.get(key), meaning.get(key)) for key in words | meaning}
    order = sorted(found, key=lambda key: -found[key])
    likeness = _likeness(order[:FEEDBACK], meaning)
    for key in found:
        found[key] += VECTOR_WEIGHT * FEEDBACK_WEIGHT * likeness.get(key, 0.0)
    order.sort(key=lambda key: -found[key])  # stable: equal ones keep the order they had without feedback
    return [_ranked(key, words.get(key), meaning.get(key), found[key]) for key in order[:limit]]


def _fused(word: Hit | None, meaning: Hit | None) -> float:
    return VECTOR_WEIGHT * (meaning.score if meaning else 0.0) + (1 - VECTOR_WEIGHT) * (word.share if word else 0.0)


def _likeness(best: Sequence[tuple[str, int]], meaning: dict[tuple[str, int], Hit]) -> dict[tuple[str, int], float]:
    """Return the mean cosine of each chunk with the best ones."""
    import numpy as np

    models = [meaning[key].vector for key in best if key in meaning]
    if not models:
        return {}
    vectors = np.frombuffer(b"".join(hit.vector for hit in meaning.values()), "<f4").reshape(len(meaning), -1)
    centre = np.frombuffer(b"".join(models), "<f4").reshape(len(models), -1).mean(axis=0)
    return dict(zip(meaning, (vectors @ centre).tolist(), strict=True))


def _ranked(key: tuple[str, int], word: Hit | None, meaning: Hit | None, fused: float) -> Ranked:
    cosine = meaning.score if meaning else None
    return Ranked(
        *key, word.score if word else None, cosine, fused, calibrated(cosine or 0.0, word.share if word else 0)
    )


def calibrated(cosine: float, share: float) -> float:
    """Return how likely a passage is of a question that its collection answers, 0 to 1; see `CALIBRATION`."""
    slope, weight, offset = CALIBRATION
    return 1 / (1 + math.exp(-(slope * cosine + weight * min(max(share, 0.0), 1.0) + offset)))
