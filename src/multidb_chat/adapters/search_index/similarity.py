"""Vector search: the chunks most similar to a vector, and the similarity of chunks found by other means."""

import sqlite3
from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from multidb_chat.adapters.search_index.keys import Key
from multidb_chat.adapters.search_index.memory import Remembered
from multidb_chat.adapters.search_index.segments import Segment, VectorFiles, segments
from multidb_chat.adapters.search_index.tables import SLOT_MASK
from multidb_chat.adapters.search_index.vectors import Floats, Slots, most_similar
from multidb_chat.domain.search import Hit, SearchFilters

# A row, its cosine, and its vector.
Scored = tuple[int, float, bytes]


class Similarity:
    """Searches the vector files of an index."""

    def __init__(self, files: VectorFiles) -> None:
        self._files = files

    def search(
        self,
        connection: sqlite3.Connection,
        known: Remembered,
        vector: bytes,
        filters: SearchFilters,
        limit: int,
        also: Sequence[Key],
    ) -> list[Hit]:
        """Return the most similar chunks, and the chunks `also`, as far as the filters allow them; best first."""
        query = np.frombuffer(vector, "<f4")
        named = known.keys.rows(connection, also)
        found: list[Scored] = []
        for segment in segments(connection, filters.collection_ids):
            if segment.dimensions != len(query) or segment.slots == segment.dead:
                continue
            vectors, allowed = self._files.of(segment).view(segment.slots), known.masks.of(connection, segment, filters)
            slots = {row & SLOT_MASK for row in named if segment.first <= row <= segment.last}
            if allowed is not None:
                slots = {slot for slot in slots if allowed[slot]}
            found += _scored(segment, *most_similar(vectors, query, limit, allowed, slots))
        found.sort(key=itemgetter(1), reverse=True)
        best = [one for place, one in enumerate(found) if place < limit or one[0] in named]
        keys = known.keys.of(connection, [one[0] for one in best])
        return [
            Hit(document_id, ordinal, score, 0.0, vector)
            for (document_id, ordinal), (_, score, vector) in zip(keys, best, strict=True)
        ]


def _scored(segment: Segment, slots: Slots, scores: Floats, vectors: Floats) -> list[Scored]:
    packed, size = vectors.tobytes(), 4 * segment.dimensions
    pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
    return list(zip((slots + segment.first).tolist(), scores.tolist(), pieces, strict=True))
