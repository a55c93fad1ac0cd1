"""How vector search grows: 12,500, 100,000 and 1,000,000 vectors of 384, beside a plain matrix product in numpy.

    scripts/bench search-scale [--sizes N...] [--runs N]      needs some 3 GB of disk and memory for the largest
    scripts/bench search-scale --vectors FILE.f32             vectors of real passages, repeated with small changes

The reference is what one writes first: `vectors @ question`, then `argpartition`, all vectors in memory. Recall is
against its exact result. Memory is what the search itself holds; the files are mapped, and shared by all processes.
"""

import argparse
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from multidb_chat.adapters.search_index.vectors import VectorFile, most_similar

DIMENSIONS = 384
LIMIT = 10
STEP = 50_000
Floats = NDArray[np.float32]


def unit(vectors: NDArray[np.float64] | Floats) -> Floats:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class Passages:
    """Vectors as passages have them: around topics, in directions of very unequal weight, all a little alike."""

    def __init__(self, file: Path | None) -> None:
        self._chance = np.random.default_rng(1)
        self._weights = 1 / np.sqrt(1 + np.arange(DIMENSIONS) / 20)
        self._mean = self._chance.standard_normal(DIMENSIONS) * self._weights
        self._topics = self._chance.standard_normal((5_000, DIMENSIONS)) * self._weights + 0.5 * self._mean
        self._real = np.fromfile(file, "<f4").reshape(-1, DIMENSIONS) if file else None

    def some(self, count: int) -> Floats:
        noise = self._chance.standard_normal((count, DIMENSIONS))
        if self._real is None:
            places = self._chance.integers(len(self._topics), size=count)
            return unit(self._topics[places] + 0.7 * noise * self._weights)
        one, other = (self._real[self._chance.integers(len(self._real), size=count)] for _ in range(2))
        part = self._chance.random((count, 1))
        return unit(part * one + (1 - part) * other + 0.01 * noise)


def milliseconds(work: Callable[[Floats], object], questions: Floats) -> float:
    times = []
    for question in questions:
        begin = time.perf_counter()
        work(question)
        times.append(time.perf_counter() - begin)
    return 1e3 * median(times)


def measure(folder: Path, size: int, passages: Passages, runs: int) -> None:
    file = VectorFile(folder, f"{size}", DIMENSIONS)
    vectors = np.empty((size, DIMENSIONS), np.float32)
    begin = time.perf_counter()
    writing = 0.0
    for start in range(0, size, STEP):
        part = vectors[start : start + STEP]
        part[:] = passages.some(len(part))
        begin = time.perf_counter()
        file.append(start, part)
        writing += time.perf_counter() - begin
    questions = passages.some(runs)
    view = file.view(size)

    def plain(question: Floats) -> Floats:
        scores = vectors @ question
        best = np.argpartition(scores, -LIMIT)[-LIMIT:]
        return best[np.argsort(-scores[best])]

    def ours(question: Floats) -> NDArray[np.intp]:
        return most_similar(view, question, LIMIT)[0]

    allowed = np.random.default_rng(2).random(size) < 0.1
    exact = [set(plain(question).tolist()) for question in questions]
    recall = np.mean([len(wanted & set(ours(q).tolist())) / LIMIT for wanted, q in zip(exact, questions, strict=True)])
    reference, found = [], []
    for question in questions:  # the two take turns, so that a busy machine slows both
        reference.append(milliseconds(plain, question[None]))
        found.append(milliseconds(ours, question[None]))
    filtered = milliseconds(lambda question: most_similar(view, question, LIMIT, allowed), questions)
    tracemalloc.start()
    ours(questions[0])
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(
        f"{size:>9,}   numpy {median(reference):8.2f} ms   here {median(found):7.2f} ms"
        f"   {median(reference) / median(found):5.1f} x faster   recall@{LIMIT} {recall:.4f}   a tenth allowed"
        f" {filtered:7.2f} ms   held {held / 1e6:6.1f} MB, mapped {size * DIMENSIONS * 5 / 1e6:,.0f} MB,"
        f" of which {size * DIMENSIONS / 1e6:,.0f} are scanned   written in {writing:.1f} s",
        flush=True,
    )
    file.remove()


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench search-scale", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[12_500, 100_000, 1_000_000])
    parser.add_argument(
        "--runs", type=int, default=25, help="questions a figure is the median of (default: %(default)s)"
    )
    parser.add_argument("--vectors", type=Path, help="a file of little-endian float32 vectors, such as an index has")
    arguments = parser.parse_args(argv)
    passages = Passages(arguments.vectors)
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments.sizes:
            measure(Path(folder), size, passages, arguments.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
