"""In which passages a word occurs, and what it adds to their BM25: read from FTS5 once, and remembered.

BM25 is a sum over the words of a question. What a word adds to a passage depends on the two and on the state of the
index alone, so that words that were asked before, as many are in one conversation, need not be looked up again.
"""

import math
import sqlite3
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from multidb_chat.adapters.search_index.segments import Segment
from multidb_chat.adapters.search_index.tables import BACKGROUND

# A word counts in the title as often as so many times in the text. Measured (nDCG@10 by full text alone, Cranfield /
# SciFact): title 1 .376/.686, 2 .388/.689, 3 .389/.691, 4 .389/.692. Headings are between title and text.
TITLE_WEIGHT, HEADINGS_WEIGHT, BODY_WEIGHT = 3.0, 2.0, 1.0
# Scoring a passage takes a microsecond, and in a large collection half of all passages hold a frequent word: such
# words, which weigh little beside the rarer ones, are left out where more than so many passages would be scored.
MOST_SCORED = 8_000
# Frequencies that are remembered (a question has a dozen words); each time there are more, all are forgotten.
MOST_FREQUENCIES = 10_000
# Passages of words that are remembered, of 8 bytes each: those of the words asked last. In 12,500 passages of 120 words
# all words together have some 900,000.
MOST_PASSAGES = 2_000_000
# All passages of a word in one row, as numbers between commas, scores as multiples of a millionth: reading row by row
# takes a third longer, and each row waits for Python's lock where another thread has work. LIMIT -1 keeps SQLite from
# putting the two statements together, as bm25() is not for those that gather.
_FRACTIONS = 1 << 20
_SCORED = f"""
    SELECT group_concat(slot), group_concat(CAST(score * {_FRACTIONS} AS INTEGER)) FROM (
        SELECT rowid - ? AS slot, -bm25(passages, ?, ?, ?) AS score FROM passages
        WHERE passages MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid LIMIT -1
    )
"""  # noqa: S608 - put together from a constant


class Scored(NamedTuple):
    """Slots of a segment's passages in ascending order, and a score for each, higher is better."""

    slots: NDArray[np.int32]
    scores: NDArray[np.float32]


class Postings:
    """The words of one state of the index. Several threads may ask."""

    def __init__(self) -> None:
        self._frequencies: dict[str, int] = {}
        self._scored: dict[tuple[int, str], Scored] = {}  # the one asked last comes last
        self._passages = 0
        self._lock = Lock()

    def telling(self, connection: sqlite3.Connection, terms: list[str]) -> tuple[list[str], float]:
        """Return the terms to be searched, and the sum of their inverse document frequencies, as BM25 weighs them.

        They are the rarest ones, as many as are found in `MOST_SCORED` passages together, and one that is found at all.
        """
        if len(self._frequencies) > MOST_FREQUENCIES:
            self._frequencies = {}
        known = self._frequencies
        for term in terms:
            if term not in known:
                known[term] = _frequency(connection, term)
        kept, passages = [], 0
        for term in sorted(terms, key=known.__getitem__):
            if passages and passages + known[term] > MOST_SCORED:
                break
            kept.append(term)
            passages += known[term]
        total = _passages(connection)
        return kept, sum(_inverse_frequency(total, known[term]) for term in kept)

    def of(self, connection: sqlite3.Connection, segment: Segment, term: str) -> Scored:
        """Return the passages of the segment that hold the term, and what it adds to the BM25 of each."""
        key = segment.number, term
        with self._lock:
            found = self._scored.pop(key, None)
            if found is not None:
                self._scored[key] = found
                return found
        found = _scored(connection, segment, term)
        with self._lock:
            if key not in self._scored:  # another thread may have asked meanwhile
                self._scored[key] = found
                self._passages += len(found.slots)
            while self._passages > MOST_PASSAGES and len(self._scored) > 1:
                self._passages -= len(self._scored.pop(next(iter(self._scored))).slots)
        return found


def _scored(connection: sqlite3.Connection, segment: Segment, term: str) -> Scored:
    found = connection.execute(
        _SCORED,
        (segment.first, TITLE_WEIGHT, HEADINGS_WEIGHT, BODY_WEIGHT, term, segment.first, segment.last),
    )
    slots, scores = (np.fromstring(one or "", np.int64, sep=",") for one in found.fetchone())
    return Scored(slots.astype(np.int32), (scores / _FRACTIONS).astype(np.float32))


def _frequency(connection: sqlite3.Connection, term: str) -> int:
    """Return in how many passages a term occurs."""
    found = connection.execute("SELECT count(*) FROM passages WHERE passages MATCH ?", (term,))
    return int(found.fetchone()[0])


def _passages(connection: sqlite3.Connection) -> int:
    """Return how many passages BM25 counts."""
    living = connection.execute("SELECT coalesce(sum(slots - dead), 0) FROM segments").fetchone()[0]
    return int(living) + BACKGROUND


def _inverse_frequency(passages: int, containing: int) -> float:
    """Return what FTS5 uses: log((N - n + 1/2) / (n + 1/2)), and next to nothing for words in most passages."""
    return max(math.log((max(passages - containing, 0) + 0.5) / (containing + 0.5)), 1e-6)
