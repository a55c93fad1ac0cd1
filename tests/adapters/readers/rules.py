"""What every document a reader gives must fulfil, and short ways to read in tests."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from multidb_chat.adapters.readers import SubprocessReader
from multidb_chat.adapters.readers.parsing import documents
from multidb_chat.adapters.readers.source import Source
from multidb_chat.domain.errors import UnreadableDocument
from multidb_chat.domain.reading import ParsedDocument, Unreadable

Part = ParsedDocument | Unreadable


def assert_well_formed(document: ParsedDocument) -> None:
    """Check the port's rules: line ends, spans in order and within the text, nothing visible left out."""
    text = document.text
    assert "\r" not in text
    assert "\x00" not in text
    text.encode("utf-8")
    assert document.blocks
    assert document.title
    assert document.title == " ".join(document.title.split())
    at = 0
    for block in document.blocks:
        assert at <= block.start < block.end <= len(text)
        assert not text[at : block.start].strip()
        assert not text[block.start].isspace()
        assert not text[block.end - 1].isspace()
        assert (1 <= block.level <= 6) if block.kind == "heading" else block.level == 0
        assert block.page is None or 1 <= block.page <= max(document.pages, 1)
        assert block.label or block.kind != "function"
        at = block.end
    assert not text[at:].strip()
    assert document.authored_at is None or document.authored_at.tzinfo is not None
    assert all(isinstance(key, str) and isinstance(value, str) for key, value in document.metadata.items())


def parts_of(name: str, data: bytes, content_type: str = "") -> list[Part]:
    """Return all that a file gives, read in this process; raises `Refusal`."""
    import io

    found = list(documents(Source(name, io.BytesIO(data), len(data), content_type)))
    for part in found:
        if isinstance(part, ParsedDocument):
            assert_well_formed(part)
    return found


def document_of(name: str, data: bytes | str, content_type: str = "") -> ParsedDocument:
    """Return the one document a file gives."""
    (part,) = parts_of(name, data.encode() if isinstance(data, str) else data, content_type)
    assert isinstance(part, ParsedDocument)
    return part


def shape(document: ParsedDocument) -> list[tuple[str, str]]:
    """Return the kind and the text of each block, headings with their level."""
    return [(f"{block.kind}{block.level or ''}", document.text[block.start : block.end]) for block in document.blocks]


async def collected(reader: SubprocessReader, path: Path, name: str = "", content_type: str = "") -> list[Part]:
    """Return all that a reader yields for a file."""
    return [part async for part in reader.read(path, name or path.name, content_type)]


async def refused(reader: SubprocessReader, path: Path, name: str = "") -> str:
    """Return the reason for which a reader gives up on a file."""
    with pytest.raises(UnreadableDocument) as caught:
        await collected(reader, path, name)
    assert caught.value.name == (name or path.name)
    return caught.value.reason


def children() -> set[int]:
    """Return the processes started by this one that are still there."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
            found.update(map(int, (task / "children").read_text().split()))
    return found


async def until(condition: object, seconds: float = 10.0) -> None:
    """Wait until a condition holds."""
    for _ in range(int(seconds * 50)):
        if condition():  # type: ignore[operator]
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came true")
