"""Comma-separated values in any dialect: each row says which column a value is in."""

import csv
import io
import sys
from collections.abc import Iterator
from statistics import mode

from multidb_chat.adapters.readers.drafting import Draft, finished
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.adapters.readers.tables import add_table
from multidb_chat.domain.reading import ParsedDocument

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 50
_SAMPLE = 65_536


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the table as a document."""
    text = source.text
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # A field may hold an article; memory has its own limit.
    draft = Draft()
    try:
        add_table(draft, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text)))
    except csv.Error as error:
        raise Refusal(f"broken: {error}") from None
    yield finished(source, "csv", draft.text, draft.blocks)


def delimiter_of(text: str) -> str:
    """Return the delimiter that cuts the first rows most evenly into two or more fields."""
    lines = text[:_SAMPLE].splitlines(keepends=True)[: _SAMPLE_ROWS + 1]
    lines = lines[:-1] if len(lines) > _SAMPLE_ROWS else lines  # The last one may be cut.
    return max(_DELIMITERS, key=lambda delimiter: _evenness(lines, delimiter))


def _evenness(lines: list[str], delimiter: str) -> tuple[float, int]:
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0, 0
    usual = mode(widths) if widths else 0
    return (widths.count(usual) / len(widths), usual) if usual > 1 else (0.0, 0)
