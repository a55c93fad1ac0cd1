"""Whether the difference of two means over the same queries could be chance."""

from collections.abc import Sequence

PERMUTATIONS = 10_000
SEED = 20_020


def randomisation(first: Sequence[float], second: Sequence[float], permutations: int = PERMUTATIONS) -> float:
    """Return the two-sided p of a paired randomisation test (Fisher 1935; Smucker and others 2007 for retrieval).

    It is how often a difference at least as large appears when the two values of each query are swapped at random; the
    seed is fixed, so that the same values give the same p. The observed order counts as one, so that p is never 0.
    """
    import numpy as np

    differences = np.array(second) - np.array(first)
    observed = abs(differences.mean())
    random = np.random.default_rng(SEED)
    signs = random.integers(0, 2, (permutations, len(differences)), dtype=np.int8) * 2 - 1
    as_large = int((abs(signs @ differences / len(differences)) >= observed - 1e-12).sum())
    return (as_large + 1) / (permutations + 1)
