"""The program's own user guide as a collection that everybody may ask and nobody can change."""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import Conflict, UnreadableDocument
from multidb_chat.domain.library import Collection, Library

if TYPE_CHECKING:  # what ingests is loaded when there is something to ingest
    from multidb_chat.services.ingesting.events import IngestEvent
    from multidb_chat.services.ingestion import Ingestion

HANDBOOK_ID = "handbook"
"""The collection's id and name, the same in every installation."""

_PICTURE = re.compile(rb"^!\[[^\]\n]*\]\([^)\n]*\)[ \t]*\n+", re.MULTILINE)

# Who owns it: the program, as an account that is in no store, so that nobody can log in to it.
OWNER = "multidb-chat"
"""Whose the handbook is: no account has this identifier."""
_PROGRAM = Account(OWNER, "user", "free", datetime(2026, 1, 1, tzinfo=UTC))


class Handbook:
    """Keeps the shared collection "handbook" equal to a folder of Markdown files.

    Its sources are `handbook/NAME`, not paths, so that it stays the same wherever the program is installed.
    """

    def __init__(
        self,
        library: Library,
        embedder: str,
        ingestion: "Callable[[], Ingestion]",
        folder: Path,
        is_here: "Callable[[str], bool]" = lambda _: False,
    ) -> None:
        """`ingestion` is called when there is something to do, so that an unchanged handbook loads no reader.

        `is_here` tells of other embedders whether they can be had: what they made is left as it is, so that machines
        with different embedders and one library do not make it anew by turns.
        """
        self._is_here = is_here
        self._library = library
        self._embedder = embedder
        self._ingestion = ingestion
        self._folder = folder

    async def ensure(self) -> Collection:
        """Bring the collection to the files' present content and return it; a few milliseconds when it is there.

        Raises `UnreadableDocument` when a file of the installation cannot be read, and what `Ingestion.add` raises.
        """
        collection = await self._library.collection(HANDBOOK_ID) or await self._created()
        pages = await asyncio.to_thread(self._pages)
        if collection.embedder not in ("", self._embedder) and not self._is_here(collection.embedder):
            await _finished(self._ingestion().reindex(_PROGRAM, collection))
        records = await self._library.sources(HANDBOOK_ID)
        stored = {record.source: record.content_hash for record in records}
        wanted = {name: hashlib.sha256(text).hexdigest() for name, text in pages.items()}
        for source in stored.keys() - wanted.keys() if wanted else ():  # no folder, no news
            await self._library.remove_source(HANDBOOK_ID, source)
        if any(stored.get(name) != content_hash for name, content_hash in wanted.items()):
            await self._add(collection, pages)
        return await self._library.collection(HANDBOOK_ID) or collection

    async def _created(self) -> Collection:
        collection = Collection(
            HANDBOOK_ID, _PROGRAM.id, HANDBOOK_ID, datetime.now(UTC), "How to use multidb-chat", shared=True
        )
        with contextlib.suppress(Conflict):  # another process made it just now
            await self._library.create_collection(collection)
        return collection

    async def _add(self, collection: Collection, pages: dict[str, bytes]) -> None:
        from multidb_chat.services.ingesting.sources import Given

        given = [Given(name, text) for name, text in pages.items()]
        await _finished(self._ingestion().add(_PROGRAM, collection, given))

    def _pages(self) -> dict[str, bytes]:
        """Return the pages by their source, without their pictures: these are for who reads them in a browser."""
        return {
            f"{HANDBOOK_ID}/{file.name}": _PICTURE.sub(b"", file.read_bytes())
            for file in sorted(self._folder.glob("*.md"))
        }


async def _finished(events: "AsyncIterator[IngestEvent]") -> None:
    from multidb_chat.services.ingesting.events import Finished

    async for event in events:
        if isinstance(event, Finished) and event.failures:
            raise UnreadableDocument(event.failures[0].source, event.failures[0].reason)
