"""Documents that are nearly the same, found without comparing each with each.

A document is the set of its shingles (sequences of `SHINGLE` words); how alike two are is the Jaccard coefficient of
their sets. MinHash estimates it from a signature of fixed size (A. Broder, "On the resemblance and containment of
documents", 1997), and bands of the signatures find the pairs that are worth a look (Leskovec, Rajaraman and Ullman,
"Mining of Massive Datasets", 3.4). The standard error of the estimate is at most 1 / (2 sqrt(`HASHES`)) = 0.045.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Signature = NDArray[np.uint64]

SHINGLE = 4
HASHES = 128
BANDS = 32  # of 4 hashes each: a pair at 0.8 is looked at with probability 1 - (1 - 0.8^4)^32 > 0.9999999
ALIKE = 0.8
_MOST_IN_BUCKET = 200  # boilerplate that hundreds share: each is compared with its neighbours only


class Signer:
    """Makes signatures bit by bit; the same words give the same signature in every run."""

    def __init__(self) -> None:
        import numpy as np

        # Fixed, so that results can be compared between runs and machines.
        drawn = np.random.default_rng(20_240_229)
        self._seeds = drawn.integers(0, 1 << 63, HASHES, dtype=np.uint64)[:, None]

    def empty(self) -> "Signature":
        """Return the signature of no words."""
        import numpy as np

        return np.full(HASHES, np.iinfo(np.uint64).max, dtype=np.uint64)

    def add(self, signature: "Signature", words: Sequence[str]) -> None:
        """Take the shingles of more words into a signature; fewer words than a shingle are one."""
        import numpy as np

        if not words:
            return
        last = max(1, len(words) - SHINGLE + 1)
        shingles = {_hash(" ".join(words[at : at + SHINGLE])) for at in range(last)}
        values = np.fromiter(shingles, dtype=np.uint64, count=len(shingles))[None, :]
        np.minimum(signature, _mixed(values ^ self._seeds).min(axis=1), out=signature)


def _mixed(values: "Signature") -> "Signature":
    """Return the values with their bits mixed: the finaliser of MurmurHash3 for 64 bits (A. Appleby, 2011)."""
    import numpy as np

    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        values = (values ^ (values >> np.uint64(33))) * np.uint64(factor)
    mixed: Signature = values ^ (values >> np.uint64(33))
    return mixed


def _hash(shingle: str) -> int:
    """Return 64 bits of the shingle."""
    return int.from_bytes(hashlib.blake2b(shingle.encode("utf-8", "replace"), digest_size=8).digest())


def similarity(first: "Signature", second: "Signature") -> float:
    """Return the estimated Jaccard coefficient of two signatures' sets."""
    return float((first == second).mean())


def near_duplicates(signatures: "Sequence[Signature]", alike: float = ALIKE) -> list[tuple[int, int, float]]:
    """Return the pairs of positions that are at least so alike, the most alike first."""
    import numpy as np

    empty = np.iinfo(np.uint64).max
    rows = HASHES // BANDS
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for position, signature in enumerate(signatures):
        if signature[0] == empty:
            continue
        for band in range(BANDS):
            buckets[band, signature[band * rows : (band + 1) * rows].tobytes()].append(position)
    pairs = {pair for members in buckets.values() if len(members) > 1 for pair in _pairs(members)}
    found = [(one, other, similarity(signatures[one], signatures[other])) for one, other in pairs]
    return sorted((row for row in found if row[2] >= alike), key=lambda row: (-row[2], row[0], row[1]))


def _pairs(members: list[int]) -> "list[tuple[int, int]]":
    if len(members) <= _MOST_IN_BUCKET:
        return list(combinations(members, 2))
    return list(pairwise(members))
