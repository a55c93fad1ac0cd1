"""Lexical search: BM25 over title, headings and text, and how much of a question a passage covers."""

import math
import sqlite3
from typing import NamedTuple

from multidb_chat.adapters.search_index.segments import Keys, Segment, State, conditions, segments, state
from multidb_chat.adapters.search_index.tables import BACKGROUND
from multidb_chat.adapters.search_index.words import searched
from multidb_chat.domain.search import Hit, SearchFilters

# ruff: noqa: S608 - statements are put together from constants and question marks only

# A word counts in the title as often as so many times in the text. Measured (nDCG@10 by full text alone, Cranfield /
# SciFact): title 1 .376/.686, 2 .388/.689, 3 .389/.691, 4 .389/.692. Headings are between title and text.
TITLE_WEIGHT, HEADINGS_WEIGHT, BODY_WEIGHT = 3.0, 2.0, 1.0
# Scoring a passage takes a microsecond, and in a large collection half of all passages hold a frequent word: such
# words, which weigh little beside the rarer ones, are left out where more than so many passages would be scored.
MOST_SCORED = 8_000
# Frequencies that are remembered; a question has a dozen words.
MOST_REMEMBERED = 10_000


class Found(NamedTuple):
    """A row of the full text with its BM25 score, higher is better."""

    row: int
    score: float


class FullText:
    """Searches the full text of an index."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._frequencies = Frequencies()

    def search(self, connection: sqlite3.Connection, question: str, filters: SearchFilters, limit: int) -> list[Hit]:
        """Return the best chunks, best first.

        A hit's `share` is its score over the sum of the inverse frequencies of the question's words: about the part of
        the question, by weight, that the passage covers (repetition and a short passage count more, up to 2.2 times).
        """
        if limit < 1 or not (words := searched(question)):
            return []
        terms, weight = self._frequencies.telling(connection, words)
        found: list[Found] = []
        for segment in segments(connection, filters.collection_ids):
            found += _in_segment(connection, segment, terms, filters, limit)
        best = sorted(found, key=lambda hit: -hit.score)[:limit]
        keys = self._keys.of(connection, [hit.row for hit in best])
        return [Hit(*key, hit.score, share=hit.score / weight) for key, hit in zip(keys, best, strict=True)]


class Frequencies:
    """In how many passages a term occurs, remembered while the index stays as it is."""

    def __init__(self) -> None:
        self._state: State | None = None
        self._counts: dict[str, int] = {}

    def telling(self, connection: sqlite3.Connection, terms: list[str]) -> tuple[list[str], float]:
        """Return the terms to be searched, and the sum of their inverse document frequencies, as BM25 weighs them.

        They are the rarest ones, as many as are found in `MOST_SCORED` passages together, and one that is found at all.
        """
        now = state(connection)
        if now != self._state or len(self._counts) > MOST_REMEMBERED:
            self._state, self._counts = now, {}
        counts = {term: self._count(connection, term) for term in terms}
        kept, passages = [], 0
        for term in sorted(terms, key=counts.__getitem__):
            if passages and passages + counts[term] > MOST_SCORED:
                break
            kept.append(term)
            passages += counts[term]
        total = _passages(connection)
        return kept, sum(_inverse_frequency(total, counts[term]) for term in kept)

    def _count(self, connection: sqlite3.Connection, term: str) -> int:
        counts = self._counts
        if term not in counts:
            found = connection.execute("SELECT count(*) FROM passages WHERE passages MATCH ?", (term,))
            counts[term] = found.fetchone()[0]
        return counts[term]


def _in_segment(
    connection: sqlite3.Connection, segment: Segment, terms: list[str], filters: SearchFilters, limit: int
) -> list[Found]:
    narrowing, values = conditions(filters)
    if narrowing:
        narrowing = (
            "AND EXISTS (SELECT 1 FROM documents d WHERE d.first ="
            f" (SELECT max(first) FROM documents WHERE first <= passages.rowid) AND {narrowing})"
        )
    rows = connection.execute(
        "SELECT rowid, bm25(passages, ?, ?, ?) AS cost FROM passages"
        f" WHERE passages MATCH ? AND rowid BETWEEN ? AND ? {narrowing} ORDER BY cost LIMIT ?",
        (TITLE_WEIGHT, HEADINGS_WEIGHT, BODY_WEIGHT, " OR ".join(terms), segment.first, segment.last, *values, limit),
    )
    return [Found(row, -cost) for row, cost in rows]


def _passages(connection: sqlite3.Connection) -> int:
    """Return how many passages BM25 counts."""
    living = connection.execute("SELECT coalesce(sum(slots - dead), 0) FROM segments").fetchone()[0]
    return int(living) + BACKGROUND


def _inverse_frequency(passages: int, containing: int) -> float:
    """Return what FTS5 uses: log((N - n + 1/2) / (n + 1/2)), and next to nothing for words in most passages."""
    return max(math.log((max(passages - containing, 0) + 0.5) / (containing + 0.5)), 1e-6)
