"""Mailboxes: one message after the other, each behind a line that begins with "From "."""

import re
from collections.abc import Iterator

from multidb_chat.adapters.readers.formats.eml import read_message
from multidb_chat.adapters.readers.source import Source
from multidb_chat.domain.reading import ParsedDocument, Unreadable

_MESSAGE = re.compile(rb"^From [^\n]*\n", re.MULTILINE)
_ID = re.compile(rb"^message-id:\s*<([^>\s]{1,200})>", re.IGNORECASE | re.MULTILINE)


def read(source: Source) -> Iterator[ParsedDocument | Unreadable]:
    """Yield the documents of every message, named by its message id, else by its number."""
    data = source.data
    starts = [match.end() for match in _MESSAGE.finditer(data)]
    ends = [match.start() for match in _MESSAGE.finditer(data)][1:]
    for number, (start, end) in enumerate(zip(starts, [*ends, len(data)], strict=True), start=1):
        message = data[start:end]
        found = _ID.search(message[:20_000])
        name = found[1].decode("ascii", "replace") if found else f"message {number}"
        yield from read_message(Source.of(name, message, source), message)
