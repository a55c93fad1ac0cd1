"""What travels between the client and the worker: frames of a JSON header and raw UTF-8 text.

A frame is two 4-byte lengths, the header and the text. The worker has read hostile files, so its frames are taken as
hostile too: `received` checks everything it builds, and JSON can hold no code.
"""

import json
import struct
from datetime import datetime
from typing import Any, get_args

from multidb_chat.domain.reading import Block, BlockKind, ParsedDocument, Unreadable

LENGTHS = struct.Struct(">II")
# The longest header or text that is taken, far above what a file within the usual limits can give.
LONGEST = 1 << 30
_KINDS: tuple[BlockKind, ...] = get_args(BlockKind)
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


class BadFrame(ValueError):
    """The other process sent something that is no frame, or a document that is none."""


def frame(header: dict[str, Any], text: str = "") -> bytes:
    """Return the frame of a header and a text."""
    head, body = json.dumps(header, separators=(",", ":")).encode("ascii"), text.encode()
    return LENGTHS.pack(len(head), len(body)) + head + body


def document_frame(document: ParsedDocument) -> bytes:
    """Return the frame of a document."""
    rows = [[b.start, b.end, _NUMBERS[b.kind], b.level, b.page, b.label] for b in document.blocks]
    header = {
        "document": document.name,
        "title": document.title,
        "kind": document.kind,
        "language": document.language,
        "authored_at": document.authored_at.isoformat() if document.authored_at else None,
        "pages": document.pages,
        "metadata": dict(document.metadata),
        "blocks": rows,
    }
    return frame(header, document.text)


def unreadable_frame(part: Unreadable) -> bytes:
    """Return the frame of a part that gave no text."""
    return frame({"unreadable": part.name, "reason": part.reason})


def lengths(prefix: bytes) -> tuple[int, int]:
    """Return how long the header and the text behind this prefix are. Raises `BadFrame`."""
    head, body = LENGTHS.unpack(prefix)
    if head > LONGEST or body > LONGEST:
        raise BadFrame("a frame is too long")
    return head, body


def received(head: bytes, body: bytes) -> ParsedDocument | Unreadable | dict[str, Any]:
    """Return what a frame holds: a document, an unreadable part, or a header of another sort. Raises `BadFrame`."""
    try:
        header = json.loads(head)
        if "document" in header:
            return _document(header, body.decode())
        if "unreadable" in header:
            return Unreadable(_text(header["unreadable"]), _text(header["reason"]))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise BadFrame(str(error)) from error
    if not isinstance(header, dict):
        raise BadFrame("a frame has no header")
    return header


def _document(header: dict[str, Any], text: str) -> ParsedDocument:
    moment = header["authored_at"]
    authored_at = datetime.fromisoformat(moment) if moment else None
    if "\x00" in text or "\r" in text or (authored_at and authored_at.tzinfo is None):
        raise BadFrame("a document breaks the rules")
    return ParsedDocument(
        name=_text(header["document"]),
        title=_text(header["title"]),
        kind=_text(header["kind"]),
        text=text,
        blocks=_blocks(header["blocks"], len(text)),
        language=_text(header["language"]),
        authored_at=authored_at,
        pages=_number(header["pages"], 0),
        metadata={_text(key): _text(value) for key, value in header["metadata"].items()},
    )


def _blocks(rows: list[list[Any]], length: int) -> tuple[Block, ...]:
    blocks = []
    at = 0
    for start, end, kind, level, page, label in rows:
        if not (at <= start < end <= length and 0 <= level <= 6 and kind >= 0):
            raise BadFrame("a block is out of place")
        page = None if page is None else _number(page, 1)
        blocks.append(Block(_number(start, 0), _number(end, 0), _KINDS[kind], _number(level, 0), page, _text(label)))
        at = end
    return tuple(blocks)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadFrame("a text is none")
    value.encode()  # Half characters would fail far from here, at a store.
    return value


def _number(value: object, least: int) -> int:
    if type(value) is not int or value < least:
        raise BadFrame("a number is none")
    return value
