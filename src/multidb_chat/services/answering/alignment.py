"""How far the words of a question have a counterpart in a text: themselves, or what means the like where it stands.

Each word piece of the question is held against every piece of the text, and keeps the nearest (late interaction, as in
ColBERT): "united" finds "unification", "how many" finds a number. One vector for a whole sentence says less: of 81
questions about documents that nothing was fitted to, the sentence nearest in words holds the answer in 72 %, the one
nearest as a whole in 52 %.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multidb_chat.domain.search import Pieces
from multidb_chat.services.answering.lexicon import FUNCTION_WORDS
from multidb_chat.services.answering.words import fold

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ASKING = frozenset(["who", "whom", "whose", "what", "which", "when", "where", "why", "how"])
_LEAST = 0.15  # of the weight of the rarest piece


@dataclass(frozen=True, slots=True)
class Alignment:
    """How near the pieces of a question come to those of a text (cosine): the weighted `mean`, and the `weakest`."""

    mean: float
    weakest: float


class Asked:
    """The pieces of a question that count, weighed by how rare each is among the `texts` that may answer it."""

    def __init__(self, question: str, pieces: Pieces, texts: Sequence[Pieces]) -> None:
        import numpy as np

        found = Counter(number for text in texts for number in set(text.ids))
        top = math.log(1 + len(texts)) or 1.0
        words = [fold(question[start:end]) for start, end in pieces.spans]
        kept = [at for at, word in enumerate(words) if any(map(str.isalnum, word))] or list(range(len(words)))
        weights = np.array(
            [
                math.sqrt(max(_LEAST, math.log((1 + len(texts)) / max(1, found[pieces.ids[at]])) / top))
                * (0.5 if words[at] in FUNCTION_WORDS - _ASKING else 1.0)
                for at in kept
            ],
            dtype=np.float32,
        )
        self._weights = weights / max(1e-6, float(weights.sum()))
        self._rows = _rows(pieces)[kept]

    def in_text(self, text: Pieces) -> Alignment:
        """Return how far the question has counterparts in a text."""
        rows = _rows(text)
        if not len(rows) or not len(self._rows):
            return Alignment(0.0, 0.0)
        nearest = (self._rows @ rows.T).max(axis=1)
        return Alignment(float(nearest @ self._weights), float(nearest.min()))


def _rows(pieces: Pieces) -> "NDArray[np.float32]":
    import numpy as np

    count = len(pieces.ids)
    return np.frombuffer(pieces.vectors, "<f4").reshape(count, -1) if count else np.zeros((0, 1), np.float32)
