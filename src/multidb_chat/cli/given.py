"""What is given with a question: the question itself on standard input, or texts to answer from that are not kept."""

import os
import select
import stat
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from multidb_chat.cli.session import Session
from multidb_chat.domain.errors import InvalidInput, UnreadableDocument

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.reading import ParsedDocument
    from multidb_chat.domain.search import Match
    from multidb_chat.services.ingesting.sources import Input, Source

STDIN_NAME = "standard input"
_LONGEST_QUESTION = (
    4_000_000  # bytes read of a question; what is too long by far is refused with its length by the turn
)
_PATIENCE = 2.0  # seconds without a byte until a person is told what the program waits for


class Asked(NamedTuple):
    """The question (None: there is none) and the bytes of a document on standard input (None: there is none)."""

    question: str | None
    document: bytes | None


def read_asked(question: str | None, session: Session) -> Asked:
    """Return what the argument and standard input give. Blocks until standard input ends, if it is a pipe or a file.

    Raises `InvalidInput` when it is larger than a document may be.
    """
    piped = _is_piped()
    if question is not None and question != "-":
        return Asked(question, _read(session, session.settings.ingest.max_file_mb * 1_000_000) if piped else None)
    if not piped:
        return Asked(None, None)
    data = _read(session, _LONGEST_QUESTION) or b""
    return Asked(data.decode("utf-8", "replace").strip(), None)


def _is_piped() -> bool:
    """Tell whether something was put on standard input: a pipe, a file or a socket, not a terminal or /dev/null."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):  # started with standard input closed
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _read(session: Session, most: int) -> bytes | None:
    """Return all of standard input, None when there is nothing."""
    if not select.select([sys.stdin], [], [], _PATIENCE)[0]:
        session.console.tell("Waiting for standard input to end; without any, add < /dev/null to the command.")
    data = sys.stdin.buffer.read(most + 1)
    if len(data) > most:
        raise InvalidInput(f"standard input: it is too large (limit {most / 1e6:,.0f} MB)")
    return data or None


class Given:
    """Documents for one question: read and ranked, never stored."""

    def __init__(self, files: Sequence[str], document: bytes | None) -> None:
        self._files = files
        self._document = document
        self.failures: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._files) or self._document is not None

    async def passages(self, application: "Application", question: str, limit: int) -> "list[Match]":
        """Return the passages that fit the question best; what cannot be read is in `failures`.

        Raises `UnreadableDocument` when nothing at all can be read.
        """
        parsed = await self._parsed(application)
        if not parsed:
            raise InvalidInput("; ".join(self.failures) or "there is nothing to read in what was given")
        return await application.one_off.rank(question, parsed, limit)

    async def _parsed(self, application: "Application") -> "list[ParsedDocument]":
        from multidb_chat.services.ingesting.events import Failure
        from multidb_chat.services.ingesting.sources import Given as GivenBytes
        from multidb_chat.services.ingesting.sources import discover

        inputs: list[Input] = list(self._files)
        if self._document is not None:
            inputs.append(GivenBytes(STDIN_NAME, self._document))
        parsed: list[ParsedDocument] = []
        for source in discover(inputs):
            if isinstance(source, Failure):
                self.failures.append(f"{source.source}: {source.reason}")
            else:
                parsed += await self._read_one(application, source)
        return parsed

    async def _read_one(self, application: "Application", source: "Source") -> "list[ParsedDocument]":
        from multidb_chat.domain.reading import Unreadable
        from multidb_chat.services.ingesting.opening import opened
        from multidb_chat.services.ingesting.sources import reason_of

        most = application.settings.ingest.max_file_mb * 1_000_000
        found: list[ParsedDocument] = []
        try:
            async with opened(source, application.fetcher, most, False) as file:
                async for part in application.reader.read(file.path, file.name, file.content_type):
                    if isinstance(part, Unreadable):
                        self.failures.append(f"{source.name}: {part.name}: {part.reason}")
                    else:
                        found.append(part)
        except UnreadableDocument as error:
            self.failures.append(f"{source.key}: {error.reason}")
        except (InvalidInput, OSError) as error:
            self.failures.append(f"{source.key}: {reason_of(error)}")
        return found
