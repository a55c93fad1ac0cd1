"""A stored document as a file again."""

import base64
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from multidb_chat.domain.errors import InvalidInput
from multidb_chat.domain.library import DocumentContent
from multidb_chat.domain.reading import Block
from multidb_chat.domain.text import clean_line

ExportFormat = Literal["text", "markdown", "json", "original"]


@dataclass(frozen=True, slots=True)
class Export:
    """The content of a file, and a suffix for its name; `original` bytes come with the name they had."""

    name: str
    content: bytes = field(repr=False)


def exported(content: DocumentContent, form: ExportFormat) -> Export:
    """Return a document in one of the forms. Raises `InvalidInput` when its original was not kept."""
    name = content.document.name
    if form == "original":
        return Export(name, _original(content))
    if form == "json":
        return Export(f"{name}.json", (json.dumps(_record(content), ensure_ascii=True, indent=2) + "\n").encode())
    if form == "markdown":
        return Export(f"{name}.md", _encoded(_markdown(content) + "\n"))
    return Export(f"{name}.txt", _encoded(content.text + "\n"))


def write_whole(target: Path, content: bytes) -> None:
    """Write a file, which appears whole or not at all. Raises `InvalidInput` when it cannot be written."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if target.exists() and not target.is_file():  # a device or a pipe is written to, never replaced
            target.write_bytes(content)
        else:
            beside.write_bytes(content)
            beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InvalidInput(f"{clean_line(str(target))}: it cannot be written ({error.strerror})") from error


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _original(content: DocumentContent) -> bytes:
    if content.original is None:
        raise InvalidInput(
            f"The original of {clean_line(content.document.name)} was not kept; it was read from "
            f"{clean_line(content.document.source)}."
        )
    return content.original


def _record(content: DocumentContent) -> dict[str, Any]:
    """Return all that is stored but the vectors, as JSON values; chunks are spans of the text."""
    document = asdict(content.document)
    document |= {key: value and value.isoformat() for key, value in document.items() if key.endswith("_at")}
    chunks = [asdict(chunk) for chunk in content.chunks]
    for chunk in chunks:
        for key in ("vector", "text", "document_id"):
            del chunk[key]
    original = None if content.original is None else base64.b64encode(content.original).decode()
    return document | {
        "text": content.text,
        "blocks": [asdict(block) for block in content.blocks],
        "chunk_spans": chunks,
        "original_base64": original,
    }


def _markdown(content: DocumentContent) -> str:
    """Return the text with the marks of headings and code that other formats express otherwise."""
    if content.document.kind == "markdown" or not content.blocks:
        return content.text
    return "\n\n".join(_marked(content.text[block.start : block.end].strip(), block) for block in content.blocks)


def _marked(text: str, block: Block) -> str:
    if block.kind == "heading" and not text.startswith("#"):
        return f"{'#' * max(block.level, 1)} {clean_line(text)}"
    if block.kind in ("code", "function") and not text.startswith("```"):
        fence = "`" * max(3, _longest_run(text) + 1)
        return f"{fence}\n{text}\n{fence}"
    return text


def _longest_run(text: str) -> int:
    """Return how many backquotes stand together at most."""
    longest = 0
    while "`" * (longest + 1) in text:
        longest += 1
    return longest
