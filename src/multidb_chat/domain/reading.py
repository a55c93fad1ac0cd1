"""From files to text with structure: what a reader gives, and the ports that read files and fetch URLs."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

BlockKind = Literal["heading", "paragraph", "list", "table", "code", "function"]


@dataclass(frozen=True, slots=True)
class Block:
    """A structural piece of a text: the characters from `start` to `end` (half-open), never overlapping another block.

    `level` is 1 to 6 for headings and 0 otherwise; `label` is the qualified name of a function or class, and for a
    heading whose span holds marks (Markdown, reStructuredText) its text without them.
    `page` is the 1-based page, slide or sheet the block begins on, None where there are none.
    """

    start: int
    end: int
    kind: BlockKind
    level: int = 0
    page: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A text with its structure. `name` identifies it within its file; `text` has `\\n` line ends and no NUL.

    Blocks are in order and leave out only white space between them.
    """

    name: str
    title: str
    kind: str
    text: str = field(repr=False)
    blocks: tuple[Block, ...] = field(repr=False)
    language: str = ""
    authored_at: datetime | None = None
    pages: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of a file that gave no text (a member of an archive, a line of a JSON Lines file), and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """What a URL gave: a temporary file that the caller removes, and what the server said of it."""

    path: Path
    url: str
    name: str
    content_type: str


class DocumentReader(Protocol):
    """Reads a file of any known format in a process of its own, with memory and time limits and no network."""

    def read(self, path: Path, name: str, content_type: str = "") -> AsyncIterator[ParsedDocument | Unreadable]:
        """Yield the documents in a file: one for most formats, many for archives, JSON Lines and mailboxes.

        `name` is what the file is called (its suffix helps to tell the format; the content decides). Raises
        `UnreadableDocument` when the whole file gives nothing: encrypted, empty, image-only, broken, unknown format,
        over a limit, changed while it was read.
        """

    async def close(self) -> None:
        """End the worker processes."""


class Fetcher(Protocol):
    """Fetches a public URL; refuses private and special addresses, also behind redirects."""

    async def fetch(self, url: str) -> FetchedFile:
        """Return the file behind an http or https URL.

        Raises `InvalidInput` (not a URL that may be fetched) or `UnreadableDocument` (failed, too large, too slow).
        """
