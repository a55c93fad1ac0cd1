"""Lexical search: BM25 over title, headings and text, and how much of a question a passage covers."""

import sqlite3
from operator import itemgetter

import numpy as np

from multidb_chat.adapters.search_index.masks import Mask
from multidb_chat.adapters.search_index.memory import Remembered
from multidb_chat.adapters.search_index.postings import Scored
from multidb_chat.adapters.search_index.segments import segments
from multidb_chat.adapters.search_index.words import searched
from multidb_chat.domain.search import Hit, SearchFilters


def search(
    connection: sqlite3.Connection, known: Remembered, question: str, filters: SearchFilters, limit: int
) -> list[Hit]:
    """Return the best chunks, best first.

    A hit's `share` is its score over the sum of the inverse frequencies of the question's words: about the part of
    the question, by weight, that the passage covers (repetition and a short passage count more, up to 2.2 times).
    """
    if limit < 1 or not (words := searched(question)):
        return []
    terms, weight = known.postings.telling(connection, words)
    found: list[tuple[int, float]] = []
    for segment in segments(connection, filters.collection_ids):
        scored = [known.postings.of(connection, segment, term) for term in terms]
        best = _best(_added(scored), known.masks.of(connection, segment, filters), limit)
        found += [(segment.first + slot, score) for slot, score in best]
    best = sorted(found, key=itemgetter(1), reverse=True)[:limit]
    keys = known.keys.of(connection, [row for row, _ in best])
    return [Hit(*key, score, score / weight) for key, (_, score) in zip(keys, best, strict=True)]


def _added(scored: list[Scored]) -> Scored:
    """Return each passage once, with its scores added up."""
    slots = np.concatenate([one.slots for one in scored])
    order = np.argsort(slots, kind="stable")  # a merge, as each part is in order
    slots = slots[order]
    first = np.flatnonzero(np.diff(slots, prepend=-1))
    scores = np.concatenate([one.scores for one in scored])[order]
    return Scored(slots[first], np.add.reduceat(scores, first) if len(first) else scores)


def _best(found: Scored, allowed: Mask | None, limit: int) -> list[tuple[int, float]]:
    slots, scores = found
    if allowed is not None:
        passed = allowed[slots]
        slots, scores = slots[passed], scores[passed]
    if len(slots) > limit:
        least = np.partition(scores, -limit)[-limit]
        slots, scores = slots[scores >= least], scores[scores >= least]
    best = np.argsort(-scores, kind="stable")[:limit]
    return list(zip(slots[best].tolist(), scores[best].tolist(), strict=True))
