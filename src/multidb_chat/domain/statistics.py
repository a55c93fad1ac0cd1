"""Figures about turns, documents and feedback, by day."""

from collections.abc import Mapping
from datetime import date
from math import inf
from types import MappingProxyType
from typing import NamedTuple

TURNS = "turns"
CACHED = "cached"
NOT_FOUND = "not_found"
FAILED = "failed"
MILLISECONDS = "milliseconds"
BOUNDS = (5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, inf)
"""Milliseconds up to which a turn is counted in a bucket of the histogram, and above the bound before."""


def bucket(bound: float) -> str:
    """Return the metric that counts the turns up to this bound."""
    return f"up_to_{bound:g}_ms"


class Day(NamedTuple):
    """One day (UTC). `questions` are those stored in conversations; all else may be lost with the cache."""

    day: date
    questions: int
    figures: Mapping[str, int] = MappingProxyType({})

    def of(self, metric: str) -> int:
        """Return a figure, 0 when nothing was counted."""
        return self.figures.get(metric, 0)


class Figures(NamedTuple):
    """What happened on some days, without a gap and oldest first, and what is there now."""

    days: tuple[Day, ...]
    documents: int = 0
    size_bytes: int = 0
    helpful: int = 0
    unhelpful: int = 0

    @property
    def questions(self) -> int:
        """Questions that are stored in conversations."""
        return sum(day.questions for day in self.days)

    def total(self, metric: str) -> int:
        """Return a metric's sum over the days."""
        return sum(day.of(metric) for day in self.days)

    @property
    def hit_rate(self) -> float | None:
        """The part of the answered turns that came from the cache, None when there were none."""
        answered = self.total(TURNS) - self.total(FAILED)
        return self.total(CACHED) / answered if answered else None

    @property
    def histogram(self) -> Mapping[float, int]:
        """How many turns were answered within each bound of `BOUNDS`, and above the one before."""
        return {bound: self.total(bucket(bound)) for bound in BOUNDS}

    @property
    def answered(self) -> int:
        """How many turns were answered."""
        return sum(self.histogram.values())

    def within(self, share: float) -> float | None:
        """Return the milliseconds in which this share of the turns was answered, None when there were none.

        Between the bounds of the histogram it is interpolated; above the last one it is that bound.
        """
        counts = self.histogram
        wanted, seen, low = share * sum(counts.values()), 0, 0.0
        if not wanted:
            return None
        for bound, count in counts.items():
            if count and seen + count >= wanted:
                return low if bound == inf else low + (bound - low) * (wanted - seen) / count
            seen, low = seen + count, bound
        return low


class SessionFigures(NamedTuple):
    """What this run of the program did; times in milliseconds, None when nothing was answered yet."""

    seconds: float
    turns: int = 0
    cached: int = 0
    not_found: int = 0
    failed: int = 0
    median: float | None = None
    slowest: float | None = None
