"""Reading passages from the library's file: one statement for all, as a search waits for them.

Another one is needed only for a passage that goes on in a further segment of text.

Questions that follow each other are often on one subject and find the same passages: these are remembered.
"""

import json
import sqlite3
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from multidb_chat.adapters.sqlite.library_rows import CHUNK, DOCUMENT, Row, chunk_of, document_of
from multidb_chat.adapters.sqlite.library_schema import SEGMENT
from multidb_chat.adapters.sqlite.library_storing import last_change
from multidb_chat.domain.library import Passage


def _columns(table: str, names: str) -> str:
    return ", ".join(f"{table}.{name.strip()}" for name in names.split(","))


# The joins are crossed to be made in this order: for each span its document, of that the chunks, and for each of these
# the segment of text that it begins in.
_CHUNKS = f"""
    SELECT span.key, d.key, {_columns("d", DOCUMENT)}, {_columns("c", CHUNK)}, s.data FROM json_each(?) AS span
    CROSS JOIN documents d ON d.id = json_extract(span.value, '$[0]')
    CROSS JOIN chunks c ON c.document = d.key
    AND c.ordinal BETWEEN json_extract(span.value, '$[1]') AND json_extract(span.value, '$[2]')
    LEFT JOIN segments s ON s.document = d.key AND s.number = c.first / {SEGMENT}
"""  # noqa: S608 - put together from constants
_FURTHER = "SELECT data FROM segments WHERE document = ? AND number BETWEEN ? AND ? ORDER BY number"
# Where the columns of the chunk begin: behind the span, the document's key and its columns.
_CHUNK = 2 + len(DOCUMENT.split(","))

# Passages that are remembered, of 3 kB or so each: so many that were wanted last, and as many of those before.
MOST_REMEMBERED = 2_000

# A document's id, and its chunks from one number to another.
Span = tuple[str, int, int]


class Passages:
    """The passages of one library, each read once while there is no change. Several threads may ask."""

    def __init__(self) -> None:
        self._latest = _Known(0, {}, {})

    def of(self, connection: sqlite3.Connection, spans: Sequence[Span]) -> list[Passage | None]:
        """Return for each span its chunks with their text; see the port. The caller began a transaction."""
        known = self._current(last_change(connection))
        known.lately.update((span, known.before[span]) for span in spans if span in known.before)
        if unknown := [span for span in spans if span not in known.lately]:
            known.lately.update(zip(unknown, read(connection, unknown), strict=True))
        return [known.lately[span] for span in spans]

    def _current(self, change: int) -> "_Known":
        """Return what is known of the state after that change; what a search works with never shrinks."""
        known = self._latest
        if known.change != change:
            known = self._latest = _Known(change, {}, {})
        elif len(known.lately) > MOST_REMEMBERED:
            known = self._latest = _Known(change, {}, known.lately)
        return known


class _Known(NamedTuple):
    """Passages of the state after a change: those wanted lately, and those wanted before."""

    change: int
    lately: dict[Span, Passage | None]
    before: dict[Span, Passage | None]


def read(connection: sqlite3.Connection, spans: Sequence[Span]) -> list[Passage | None]:
    """Return for each span its chunks with their text, in one state."""
    found: dict[int, list[Row]] = {}
    for row in connection.execute(_CHUNKS, (json.dumps(spans),)):
        found.setdefault(row[0], []).append(row)
    return [_passage(connection, found[place]) if place in found else None for place in range(len(spans))]


def _passage(connection: sqlite3.Connection, rows: Sequence[Row]) -> Passage:
    document = document_of(rows[0][2:_CHUNK])
    start, end = min(row[_CHUNK + 1] for row in rows), max(row[_CHUNK + 2] for row in rows)
    text = _text(connection, rows, start, end)
    chunks = [
        chunk_of(document.id, row[_CHUNK:-1], text[row[_CHUNK + 1] - start : row[_CHUNK + 2] - start]) for row in rows
    ]
    return Passage(document, tuple(sorted(chunks, key=attrgetter("ordinal"))), start, text)


def _text(connection: sqlite3.Connection, rows: Sequence[Row], start: int, end: int) -> str:
    """Return the document's text from `start` to `end`, which mostly lies within the segment of the first chunk."""
    first, last = start // SEGMENT, max(start, end - 1) // SEGMENT
    data = next(row[-1] for row in rows if row[_CHUNK + 1] == start) or b""
    if first < last:
        data += b"".join(more for (more,) in connection.execute(_FURTHER, (rows[0][1], first + 1, last)))
    return data.decode("utf-8", "surrogatepass")[start - first * SEGMENT : end - first * SEGMENT]
