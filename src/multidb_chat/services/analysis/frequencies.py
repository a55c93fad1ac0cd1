"""Counts that stay bounded however much is counted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Frequencies:
    """How often things occur, and in how many documents, of at most about `most` different things.

    When there are more, those that were met least often go: a thing that comes late and rarely may be missed or
    counted too low, never one that is frequent throughout (Manku and Motwani, "Approximate Frequency Counts over Data
    Streams", 2002). `exact` tells that this did not happen.
    """

    most: int
    counts: Counter[str] = field(default_factory=Counter)
    documents: Counter[str] = field(default_factory=Counter)
    exact: bool = True
    _floor: int = 0

    def add(self, of_document: Counter[str]) -> None:
        """Count what occurs in one document, or in one part of it."""
        self.counts.update(of_document)

    def met(self, keys: Iterable[str]) -> None:
        """Count a document in which these occur."""
        self.documents.update(set(keys))
        while len(self.counts) > self.most:
            self._floor += 1
            self.exact = False
            for key in [key for key, count in self.counts.items() if count <= self._floor]:
                del self.counts[key]
                self.documents.pop(key, None)

    def top(self, limit: int, least: int = 1) -> list[tuple[str, int, int]]:
        """Return the most frequent things with both counts; equal ones in order of their text."""
        rows = ((key, count, self.documents[key]) for key, count in self.counts.items() if count >= least)
        return sorted(rows, key=lambda row: (-row[1], -row[2], row[0]))[:limit]
