"""Reading passages from the library's file: two statements, however many passages, for a search waits for them.

Questions that follow each other are often on one subject and find the same passages: these are remembered.
"""

import json
import sqlite3
from collections.abc import Sequence
from operator import attrgetter

from multidb_chat.adapters.sqlite.library_rows import CHUNK, DOCUMENT, Row, chunk_of, document_of
from multidb_chat.adapters.sqlite.library_schema import SEGMENT
from multidb_chat.adapters.sqlite.library_storing import last_change
from multidb_chat.domain.library import Passage


def _columns(table: str, names: str) -> str:
    return ", ".join(f"{table}.{name.strip()}" for name in names.split(","))


# The joins are crossed to be made in this order: for each span its document, and of that the chunks.
_CHUNKS = f"""
    SELECT span.key, d.key, {_columns("d", DOCUMENT)}, {_columns("c", CHUNK)} FROM json_each(?) AS span
    CROSS JOIN documents d ON d.id = json_extract(span.value, '$[0]')
    CROSS JOIN chunks c ON c.document = d.key
    AND c.ordinal BETWEEN json_extract(span.value, '$[1]') AND json_extract(span.value, '$[2]')
"""  # noqa: S608 - put together from constants
_SEGMENTS = """
    SELECT span.key, s.number, s.data FROM json_each(?) AS span
    CROSS JOIN segments s ON s.document = json_extract(span.value, '$[0]')
    AND s.number BETWEEN json_extract(span.value, '$[1]') AND json_extract(span.value, '$[2]')
"""
# Where the columns of the chunk begin: behind the span, the document's key and its columns.
_CHUNK = 2 + len(DOCUMENT.split(","))

# Passages that are remembered, of 3 kB or so each; each time there are more, all are forgotten.
MOST_REMEMBERED = 2_000

# A document's id, and its chunks from one number to another.
Span = tuple[str, int, int]
# The key of a document, and from where to where in its text.
_Reach = tuple[int, int, int]


class Passages:
    """The passages of one library, each read once while there is no change. Several threads may ask."""

    def __init__(self) -> None:
        self._latest: tuple[int, dict[Span, Passage | None]] = (0, {})

    def of(self, connection: sqlite3.Connection, spans: Sequence[Span]) -> list[Passage | None]:
        """Return for each span its chunks with their text; see the port. The caller began a transaction."""
        known = self._current(last_change(connection))
        if unknown := [span for span in spans if span not in known]:
            known.update(zip(unknown, read(connection, unknown), strict=True))
        return [known[span] for span in spans]

    def _current(self, change: int) -> dict[Span, Passage | None]:
        """Return what is known of the state after that change; what a search works with never shrinks."""
        latest, known = self._latest
        if latest != change or len(known) > MOST_REMEMBERED:
            known = {}
            self._latest = change, known
        return known


def read(connection: sqlite3.Connection, spans: Sequence[Span]) -> list[Passage | None]:
    """Return for each span its chunks with their text, in one state."""
    found: dict[int, list[Row]] = {}
    for row in connection.execute(_CHUNKS, (json.dumps(spans),)):
        found.setdefault(row[0], []).append(row)
    reaches = {place: _reach(rows) for place, rows in found.items()}
    texts = dict(zip(reaches, _texts(connection, list(reaches.values())), strict=True))
    return [
        _passage(found[place], reaches[place][1], texts[place]) if place in found else None
        for place in range(len(spans))
    ]


def _reach(rows: Sequence[Row]) -> _Reach:
    return rows[0][1], min(row[_CHUNK + 1] for row in rows), max(row[_CHUNK + 2] for row in rows)


def _passage(rows: Sequence[Row], start: int, text: str) -> Passage:
    document = document_of(rows[0][2:_CHUNK])
    chunks = [
        chunk_of(document.id, row[_CHUNK:], text[row[_CHUNK + 1] - start : row[_CHUNK + 2] - start]) for row in rows
    ]
    return Passage(document, tuple(sorted(chunks, key=attrgetter("ordinal"))), start, text)


def _texts(connection: sqlite3.Connection, reaches: Sequence[_Reach]) -> list[str]:
    """Return the spans of text, read from the segments that they touch."""
    touched = [(key, start // SEGMENT, max(start, end - 1) // SEGMENT) for key, start, end in reaches]
    segments: list[list[tuple[int, bytes]]] = [[] for _ in reaches]
    for place, number, data in connection.execute(_SEGMENTS, (json.dumps(touched),)):
        segments[place].append((number, data))
    texts = []
    for (_, start, end), parts in zip(reaches, segments, strict=True):
        begin = start - start % SEGMENT
        whole = b"".join(data for _, data in sorted(parts)).decode("utf-8", "surrogatepass")
        texts.append(whole[start - begin : end - begin])
    return texts
