"""Frames: documents survive them, and a worker gone bad is not believed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.adapters.readers.wire import (
    LENGTHS,
    LONGEST,
    BadFrame,
    document_frame,
    frame,
    lengths,
    received,
    unreadable_frame,
)
from multidb_chat.domain.reading import ParsedDocument, Unreadable
from tests.adapters.readers.rules import document_of

_DOCUMENT = document_of("a.md", "# Head\n\nA text with ä and 𝕏.\n")


def _opened(data: bytes) -> tuple[bytes, bytes]:
    head, body = lengths(data[: LENGTHS.size])
    assert len(data) == LENGTHS.size + head + body
    return data[LENGTHS.size : LENGTHS.size + head], data[LENGTHS.size + head :]


def test_documents_and_parts_survive_the_way() -> None:
    assert received(*_opened(document_frame(_DOCUMENT))) == _DOCUMENT
    part = Unreadable("x/ü.zip", "broken: no")
    assert received(*_opened(unreadable_frame(part))) == part
    assert received(*_opened(frame({"end": ""}))) == {"end": ""}


@pytest.mark.parametrize(
    "change",
    [
        {"blocks": [[0, 99, 0, 0, None, ""]]},
        {"blocks": [[5, 3, 0, 0, None, ""]]},
        {"blocks": [[0, 4, 0, 0, None, ""], [2, 6, 0, 0, None, ""]]},
        {"blocks": [[0, 4, 77, 0, None, ""]]},
        {"blocks": [[0, 4, 0, 9, None, ""]]},
        {"blocks": [[0, 4, 0, 0, 0, ""]]},
        {"blocks": [[0, 4.5, 0, 0, None, ""]]},
        {"blocks": [[True, 4, 0, 0, None, ""]]},
        {"blocks": [[0, 4, 0, 0, None]]},
        {"blocks": None},
        {"title": 3},
        {"title": "\ud800"},
        {"metadata": {"a": 1}},
        {"authored_at": "2020-01-01T00:00:00"},
        {"authored_at": "soon"},
        {"pages": -1},
        {"pages": "1"},
    ],
)
def test_a_document_that_breaks_the_rules_is_no_document(change: dict[str, object]) -> None:
    head, body = _opened(document_frame(_DOCUMENT))
    with pytest.raises(BadFrame):
        received(json.dumps(json.loads(head) | change).encode(), body)


@pytest.mark.parametrize("text", [b"\xff", b"a\x00b" * 9, b"a\rb" * 9])
def test_a_text_that_breaks_the_rules_is_no_text(text: bytes) -> None:
    head, _ = _opened(document_frame(_DOCUMENT))
    with pytest.raises(BadFrame):
        received(head, text)


def test_a_frame_has_a_longest_length() -> None:
    with pytest.raises(BadFrame):
        lengths(LENGTHS.pack(LONGEST + 1, 0))


@given(
    head=st.binary(max_size=60) | st.text('{}[]"document:,unreadable 1', max_size=60).map(str.encode), body=st.binary()
)
def test_any_bytes_are_a_frame_or_refused(head: bytes, body: bytes) -> None:
    try:
        part = received(head, body)
    except BadFrame:
        return
    assert isinstance(part, ParsedDocument | Unreadable | dict)
