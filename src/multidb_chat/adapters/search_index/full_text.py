"""Lexical search: BM25 over title, headings and text, and how much of a question a passage covers."""

import math
import sqlite3
from typing import NamedTuple

from multidb_chat.adapters.search_index.segments import Segment, conditions, keys_of, segments
from multidb_chat.adapters.search_index.tables import BACKGROUND
from multidb_chat.adapters.search_index.words import searched
from multidb_chat.domain.search import Hit, SearchFilters

# ruff: noqa: S608 - statements are put together from constants and question marks only

# A word counts in the title as often as so many times in the text. Measured (nDCG@10 by full text alone, Cranfield /
# SciFact): title 1 .376/.686, 2 .388/.689, 3 .389/.691, 4 .389/.692. Headings are between title and text.
TITLE_WEIGHT, HEADINGS_WEIGHT, BODY_WEIGHT = 3.0, 2.0, 1.0
# Frequencies that are remembered; a question has a dozen words.
MOST_REMEMBERED = 10_000


class Found(NamedTuple):
    """A row of the full text with its BM25 score, higher is better."""

    row: int
    score: float


class Frequencies:
    """In how many passages a term occurs, remembered while the index stays as it is."""

    def __init__(self) -> None:
        self._watermark = -1
        self._counts: dict[str, int] = {}

    def weight(self, connection: sqlite3.Connection, terms: list[str], watermark: int) -> float:
        """Return the sum of the terms' inverse document frequencies, as FTS5's BM25 weighs them."""
        if watermark != self._watermark or len(self._counts) > MOST_REMEMBERED:
            self._watermark, self._counts = watermark, {}
        passages = connection.execute("SELECT coalesce(sum(slots - dead), 0) FROM segments").fetchone()[0]
        passages += BACKGROUND
        return sum(_inverse_frequency(passages, self._count(connection, term)) for term in terms)

    def _count(self, connection: sqlite3.Connection, term: str) -> int:
        counts = self._counts
        if term not in counts:
            counts[term] = connection.execute(
                "SELECT count(*) FROM passages WHERE passages MATCH ?", (term,)
            ).fetchone()[0]
        return counts[term]


def search(
    connection: sqlite3.Connection, frequencies: Frequencies, question: str, filters: SearchFilters, limit: int
) -> list[Hit]:
    """Return the best chunks, best first.

    A hit's `share` is its score over the sum of the inverse frequencies of the question's words: about the part of
    the question, by weight, that the passage covers (repetition and a short passage count more, at most 2.2 times).
    """
    terms = searched(question)
    if not terms or limit < 1:
        return []
    found = [hit for segment in segments(connection, filters.collection_ids)
             for hit in _in_segment(connection, segment, terms, filters, limit)]  # fmt: skip
    best = sorted(found, key=lambda hit: -hit.score)[:limit]
    watermark = connection.execute("SELECT watermark FROM state").fetchone()[0]
    weight = frequencies.weight(connection, terms, watermark) if best else 1.0
    keys = keys_of(connection, (hit.row for hit in best))
    return [Hit(*keys[hit.row], hit.score, share=hit.score / weight) for hit in best]


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


def _inverse_frequency(passages: int, containing: int) -> float:
    """Return what FTS5 uses: log((N - n + 1/2) / (n + 1/2)), and next to nothing for words in most passages."""
    return max(math.log((max(passages - containing, 0) + 0.5) / (containing + 0.5)), 1e-6)
