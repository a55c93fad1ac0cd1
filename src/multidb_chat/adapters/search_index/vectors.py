"""Vectors in two append-only, memory-mapped files, and the search over them.

`<name>.f32` holds the vectors as they are: they give the scores. `<name>.i8` holds them in 8 bits: a first pass over
these, a quarter of the bytes, picks the candidates that are scored exactly. The error of a scalar product in 8 bits is
about .0007 (see `SPREAD`), less than the distance between neighbours in a ranking, so that twice as many candidates
as are wanted lose next to nothing; `scripts/bench search-scale` prints the recall.
A graph (HNSW) would search a million vectors in a millisecond instead of twenty, for minutes of building, a copy of its
own in each process, and filters that lose results: a scan needs no building, and a mask is exact.
What lies behind the committed number of slots is left over from an interrupted writer, and is overwritten.
"""

import math
import mmap
import os
from pathlib import Path
from typing import NamedTuple

import numkong
import numpy as np
from numpy.typing import NDArray

from multidb_chat.adapters.search_index.damage import Damaged, Truncated

Floats = NDArray[np.float32]
Slots = NDArray[np.intp]

SUFFIXES = (".f32", ".i8")

# A component of a unit vector of d dimensions is about 1/sqrt(d) large; so many times that is the end of the 8 bit
# scale. One step is then 6/127 of a typical component, and rounding errors (uniform, 1/sqrt(12) of a step) add up over
# the product to 6/127/sqrt(12)/sqrt(d) = .0007 for 384 dimensions. The rare larger component is clipped.
SPREAD = 6.0
# Candidates for each result that is wanted, and at least. One and a half lost none of the 50 nearest of 7,418 passages
# (SciFact, 525 questions); where vectors lie closer together, more change places.
CANDIDATES = 2
FEWEST_CANDIDATES = 50
# Up to so many vectors the exact products cost less than choosing.
EXACT_UP_TO = 1024
NONE: Slots = np.empty(0, np.intp)
# Unit vectors give no more than 1, and a little for rounding.
_LARGEST_PRODUCT = 1.01
# Rows scanned in one call of the kernel, which holds the interpreter's lock: about a millisecond.
BLOCK = 65_536
# Rows brought into 8 bits at once: what is between stays near the processor.
ROUNDED_AT_ONCE = 1_024


class Vectors(NamedTuple):
    """The committed vectors: exact (n, d) float32, and (n, d) int8."""

    exact: Floats
    coarse: NDArray[np.int8]


class VectorFile:
    """The two files of one segment; `dimensions` is the length of its vectors."""

    def __init__(self, folder: Path, name: str, dimensions: int) -> None:
        self.dimensions = dimensions
        self._paths = [folder / f"{name}{suffix}" for suffix in SUFFIXES]
        self._view: Vectors | None = None

    def append(self, slots: int, vectors: Floats) -> None:
        """Write (n, d) vectors behind the first `slots` ones, on disk when it returns. Raises `Truncated`."""
        for path, rows in zip(self._paths, (vectors.astype("<f4", "C", copy=False), coarse(vectors)), strict=True):
            _write(path, slots * self.dimensions * rows.itemsize, rows.reshape(-1).view(np.uint8).data)

    def remove(self) -> None:
        """Delete the files; who has them open goes on reading."""
        for path in self._paths:
            path.unlink(missing_ok=True)

    def view(self, slots: int) -> Vectors:
        """Return the first `slots` vectors, mapped. Raises `Truncated` when a file is missing or too short."""
        sizes = (slots * self.dimensions * 4, slots * self.dimensions)
        for path, size in zip(self._paths, sizes, strict=True):
            if _size(path) < size:  # asked each time: reading beyond the end of a file ends the process
                raise Truncated(f"{path.name} is shorter than {size} bytes")
        if self._view is None or len(self._view.exact) != slots:
            exact, rough = (_mapped(path, size) for path, size in zip(self._paths, sizes, strict=True))
            shape = (slots, self.dimensions)
            self._view = Vectors(np.frombuffer(exact, "<f4").reshape(shape), np.frombuffer(rough, "i1").reshape(shape))
        return self._view


def touch(vectors: Vectors) -> None:
    """Have the vectors in memory: who reads them next does not wait for the disk."""
    for values in vectors:
        values.reshape(-1).view(np.uint8)[:: mmap.PAGESIZE].max(initial=0)


def coarse(vectors: Floats) -> NDArray[np.int8]:
    """Return (n, d) unit vectors in 8 bits a component."""
    scale = np.float32(127 * math.sqrt(vectors.shape[1]) / SPREAD)
    scaled = np.empty(vectors.shape, np.int8)
    for first in range(0, len(vectors), ROUNDED_AT_ONCE):
        some = slice(first, first + ROUNDED_AT_ONCE)
        steps = vectors[some] * scale
        np.rint(steps, out=steps)
        np.minimum(steps, 127, out=steps)  # np.clip would take as long as all the rest, where there is one vector
        scaled[some] = np.maximum(steps, -127, out=steps)
    return scaled


def most_similar(
    vectors: Vectors,
    vector: Floats,
    limit: int,
    allowed: NDArray[np.bool_] | None = None,
    compared: Slots = NONE,
) -> tuple[Slots, Floats, Floats]:
    """Return the slots `compared`, as they are given, then those of the `limit` largest products that are not compared.

    These come best first. With all come their scalar products with `vector`, and their vectors. `allowed` marks the
    slots that may be found, which `compared` are of; None allows all. Raises `Damaged`.
    """
    slots = np.concatenate([compared, _candidates(vectors, vector, limit, allowed, compared)])
    rows = vectors.exact[slots]
    scores = products(rows, vector)
    order = with_nearest(scores, len(compared), limit)
    return slots[order], scores[order], rows[order]


def with_nearest(scores: Floats, compared: int, limit: int) -> Slots:
    """Return the first places, `compared` of them, then those of the `limit` largest scores behind them, best first."""
    best = np.argsort(-scores, kind="stable")[:limit]
    return np.concatenate([np.arange(compared), best[best >= compared]])


def products(rows: Floats, vector: Floats) -> Floats:
    """Return the scalar products. Raises `Damaged` where one cannot be of unit vectors: a disk may give back anything.

    Eight bits a component cost nothing but recall, so only what gives the scores is looked at.
    """
    with np.errstate(all="ignore"):
        scores: Floats = rows @ vector
    if len(scores) and not -_LARGEST_PRODUCT <= scores.min() <= scores.max() <= _LARGEST_PRODUCT:  # or it is no number
        raise Damaged("its vectors are none")
    return scores


def _candidates(
    vectors: Vectors, vector: Floats, limit: int, allowed: NDArray[np.bool_] | None, without: Slots
) -> Slots:
    total = len(vectors.exact) if allowed is None else int(np.count_nonzero(allowed))
    wanted = max(FEWEST_CANDIDATES, CANDIDATES * limit)
    if total - len(without) <= max(EXACT_UP_TO, wanted):
        left = np.ones(total, np.bool_) if allowed is None else allowed.copy()
        left[without] = False
        return np.flatnonzero(left)
    rough = _rough_scores(vectors.coarse, coarse(vector[None]))
    if allowed is not None:
        rough[~allowed] = -np.inf
    rough[without] = -np.inf
    return _at_least(rough, wanted)


def _rough_scores(rows: NDArray[np.int8], query: NDArray[np.int8]) -> Floats:
    scores: Floats = np.empty((1, len(rows)), np.float32)
    for start in range(0, len(rows), BLOCK):
        block = slice(start, min(start + BLOCK, len(rows)))
        numkong.cdist(query, rows[block], "dot", out=scores[:, block])
    return scores.reshape(-1)


def _at_least(scores: Floats, count: int) -> Slots:
    """Return where the `count` largest scores are, and a few more.

    Partitioning the largest of each of a few thousand groups, not all scores, finds a threshold that at least `count`
    of them reach.
    """
    groups, largest = 8 * count, scores
    if len(scores) >= 4 * groups:
        width = len(scores) // groups
        largest = scores[: groups * width].reshape(groups, width).max(axis=1)
    return np.flatnonzero(scores >= np.partition(largest, -count)[-count])


def _write(path: Path, position: int, data: memoryview) -> None:
    if _size(path) < position:
        raise Truncated(f"{path.name} is shorter than {position} bytes")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        rest = data
        while rest:
            written = os.pwrite(descriptor, rest, position)  # not always all of it
            position, rest = position + written, rest[written:]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _mapped(path: Path, size: int) -> mmap.mmap | bytes:
    if not size:
        return b""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
