"""What a library is about: groups of passages that are near in meaning, each named by the terms that set it apart.

The passages' vectors are grouped by k-means (k-means++ seeding: Arthur and Vassilvitskii, 2007); how many groups there
are is chosen by the simplified silhouette (Hruschka, de Castro and Campello, 2004). A group is named by the terms whose
share in it, times how rare they are in the others, is largest: class-based TF-IDF (M. Grootendorst, "BERTopic", 2022).
"""

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multidb_chat.services.analysis.figures import Topic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

SAMPLE = 4_000  # passages; as float32 of 384 numbers 6 MB
_MOST_TOPICS = 12
_FEWEST_PASSAGES = 8  # below, there is nothing to group
_ROUNDS = 30
_TERMS = 5
_DOCUMENTS = 3
_EXAMPLE = 200


@dataclass(frozen=True, slots=True)
class Sampled:
    """A passage that stands for others: its document's name, its vector, its terms, and its first sentence."""

    document: str
    vector: bytes
    terms: Counter[str]
    example: str


class Sample:
    """Up to `most` passages of any number, each as likely as the other, and the same ones in every run.

    Kept are those whose keys have the smallest hashes.
    """

    def __init__(self, most: int = SAMPLE) -> None:
        self._most = most
        self._heap: list[tuple[int, int, Sampled]] = []
        self.seen = 0

    def wants(self, rank: int) -> bool:
        """Tell whether a passage of this rank (any number, evenly spread) would be kept now."""
        return len(self._heap) < self._most or -rank > self._heap[0][0]

    def add(self, rank: int, passage: Sampled) -> None:
        """Keep a passage, and let another one go when there are too many."""
        item = (-rank, self.seen, passage)
        self.seen += 1
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, item)
        elif item > self._heap[0]:
            heapq.heapreplace(self._heap, item)

    def passages(self) -> list[Sampled]:
        """Return what was kept, in an order that does not depend on the order of adding."""
        return [passage for _, _, passage in sorted(self._heap, key=lambda item: -item[0])]


def topics_of(passages: Sequence[Sampled], surface: dict[str, str]) -> list[Topic]:
    """Return the topics, the largest first; none when there is too little. `surface`: how a term is written."""
    width = Counter(len(passage.vector) for passage in passages).most_common(1)
    usable = [passage for passage in passages if width and len(passage.vector) == width[0][0] > 0]
    if len(usable) < _FEWEST_PASSAGES:
        return []
    import numpy as np

    vectors = np.frombuffer(b"".join(passage.vector for passage in usable), "<f4").reshape(len(usable), -1)
    labels = _grouped(vectors)
    members: dict[int, list[int]] = defaultdict(list)
    for position, label in enumerate(labels):
        members[int(label)].append(position)
    naming = _names([[usable[at].terms for at in group] for group in members.values()], surface)
    made = [
        _topic(usable, vectors, group, names) for group, names in zip(members.values(), naming, strict=True) if names
    ]
    return sorted(made, key=lambda topic: (-topic.passages, topic.terms))


def _topic(usable: Sequence[Sampled], vectors: "Matrix", group: list[int], names: tuple[str, ...]) -> Topic:
    centre = vectors[group].mean(axis=0)
    nearest = max(group, key=lambda at: float(vectors[at] @ centre))
    where = Counter(usable[at].document for at in group).most_common(_DOCUMENTS)
    share = round(len(group) / len(usable), 3)
    example = usable[nearest].example[:_EXAMPLE]
    return Topic(names, len(group), share, tuple(name for name, _ in where), example)


def _grouped(vectors: "Matrix") -> "NDArray[np.intp]":
    """Return the group of each vector, for the number of groups whose silhouette is best."""
    most = min(_MOST_TOPICS, len(vectors) // 4)
    tried = {}
    for count in range(2, most + 1):
        labels, centres = kmeans(vectors, count)
        tried[count] = (silhouette(vectors, labels, centres), labels)
    best = max(tried, key=lambda count: (tried[count][0], -count))
    return tried[best][1]


def kmeans(vectors: "Matrix", count: int, seed: int = 7) -> "tuple[NDArray[np.intp], Matrix]":
    """Return the label of each unit vector and the groups' centres (Lloyd's algorithm, seeded, always the same)."""
    import numpy as np

    drawn = np.random.default_rng(seed)
    centres = [vectors[drawn.integers(len(vectors))]]
    away = _squares(vectors, np.stack(centres))[:, 0]
    while len(centres) < count:
        total = float(away.sum())
        weights = away / total if total > 0 else np.full(len(vectors), 1 / len(vectors))
        centres.append(vectors[drawn.choice(len(vectors), p=weights)])
        away = np.minimum(away, _squares(vectors, centres[-1][None])[:, 0])
    middle = np.stack(centres).astype(np.float32)
    labels = np.zeros(len(vectors), dtype=np.intp)
    for _ in range(_ROUNDS):
        nearest = _squares(vectors, middle).argmin(axis=1)
        if (nearest == labels).all() and _ > 0:
            break
        labels = nearest
        for label in range(count):
            if (labels == label).any():
                middle[label] = vectors[labels == label].mean(axis=0)
    return labels, middle


def silhouette(vectors: "Matrix", labels: "NDArray[np.intp]", centres: "Matrix") -> float:
    """Return how well the groups are apart (-1 to 1): distance to the own centre against that to the next one."""
    import numpy as np

    away = np.sqrt(_squares(vectors, centres))
    own = away[np.arange(len(vectors)), labels]
    away[np.arange(len(vectors)), labels] = np.inf
    other = away.min(axis=1)
    return float(((other - own) / np.maximum(np.maximum(other, own), 1e-12)).mean())


def _squares(vectors: "Matrix", centres: "Matrix") -> "NDArray[np.float64]":
    """Return the squared distances, never below 0."""
    import numpy as np

    lengths = (vectors * vectors).sum(axis=1, dtype=np.float64)[:, None]
    others = (centres * centres).sum(axis=1, dtype=np.float64)[None, :]
    squares: NDArray[np.float64] = np.maximum(lengths + others - 2.0 * (vectors @ centres.T), 0.0)
    return squares


def _sum(counts: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:  # `sum` would copy the total each time
        total.update(one)
    return total


def _names(groups: Sequence[Sequence[Counter[str]]], surface: dict[str, str]) -> list[tuple[str, ...]]:
    """Return the terms that set each group apart from the others."""
    counted = [_sum(group) for group in groups]
    everywhere = _sum(counted)
    mean = sum(everywhere.values()) / max(1, len(groups))
    names = []
    for group in counted:
        total = max(1, sum(group.values()))
        weights = {term: count / total * math.log(1 + mean / everywhere[term]) for term, count in group.items()}
        best = sorted(weights, key=lambda term: (-weights[term], term))[:_TERMS]
        names.append(tuple(surface.get(term, term) for term in best))
    return names
