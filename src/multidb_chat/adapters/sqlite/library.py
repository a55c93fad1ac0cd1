"""`SqliteLibrary`: the port `Library` in one SQLite file."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from multidb_chat.adapters.sqlite import erased, identity
from multidb_chat.adapters.sqlite import library_collections as shelf
from multidb_chat.adapters.sqlite import library_documents as book
from multidb_chat.adapters.sqlite import library_storing as storing
from multidb_chat.adapters.sqlite.database import Database
from multidb_chat.adapters.sqlite.library_schema import SCHEMA
from multidb_chat.domain.library import (
    Change,
    Chunk,
    Collection,
    Described,
    Document,
    DocumentContent,
    Holdings,
    Passage,
    SourceRecord,
)

if TYPE_CHECKING:
    from multidb_chat.adapters.sqlite.library_passages import Passages

# Up to so many passages are read where they are asked for: most are remembered, and reading one takes 25 us.
AT_HAND = 24


class SqliteLibrary:
    """The port `Library` in the file `path`, which is made when it is first needed; the port's docstrings specify it.

    Any Python string may be a source, name, title, text, heading, label or metadata, NULs and lone surrogates included.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, "library", SCHEMA)

    async def close(self) -> None:
        """Finish what is being written and close the file."""
        await self._database.close()

    async def create_collection(self, collection: Collection) -> None:
        await self._database.write(lambda c: shelf.create(c, collection))

    async def update_collection(self, collection: Collection) -> None:
        await self._database.write(lambda c: shelf.update(c, collection))

    async def describe_collection(self, collection_id: str, **changes: Unpack[Described]) -> Collection:
        return await self._database.write(lambda c: shelf.describe(c, collection_id, changes))

    async def claim_embedder(self, collection_id: str, embedder: str, dimensions: int) -> Collection:
        return await self._database.write(lambda c: shelf.claim_embedder(c, collection_id, embedder, dimensions))

    async def collection(self, collection_id: str) -> Collection | None:
        return await self._database.look(lambda c: shelf.collection(c, collection_id))

    async def collections(self, account_id: str) -> list[Collection]:
        return await self._database.look(lambda c: shelf.collections(c, account_id))

    async def delete_collection(self, collection_id: str) -> bool:
        return await self._database.write(lambda c: shelf.delete(c, collection_id))

    async def erase(self, owner_id: str) -> int:
        await self._database.write(lambda c: erased.mark(c, owner_id))
        removed = 0
        while some := await self._database.write(lambda c: storing.remove_some(c, owner_id)):
            removed += some
        await self._database.write(lambda c: shelf.delete_all(c, owner_id))
        return removed

    async def put_documents(self, contents: Sequence[DocumentContent], limit: int | None = None) -> None:
        await self._database.write(lambda c: storing.store(c, contents, limit))

    async def holdings(self, owner_id: str | None = None) -> Holdings:
        return await self._database.read(lambda c: storing.holdings(c, owner_id))

    async def holdings_in(self, collection_ids: Sequence[str]) -> dict[str, Holdings]:
        return await self._database.read(lambda c: storing.holdings_in(c, collection_ids))

    async def document(self, document_id: str) -> Document | None:
        return await self._database.read(lambda c: book.document(c, document_id))

    async def documents_by_id(self, document_ids: Sequence[str]) -> list[Document]:
        return await self._database.read(lambda c: book.documents_by_id(c, document_ids))

    async def documents(
        self, collection_ids: Sequence[str], after: str = "", limit: int = 100, source_prefix: str = ""
    ) -> list[Document]:
        return await self._database.read(lambda c: book.page(c, collection_ids, after, limit, source_prefix))

    async def find_documents(self, collection_ids: Sequence[str], reference: str, limit: int = 10) -> list[Document]:
        return await self._database.read(lambda c: book.find(c, collection_ids, reference, limit))

    async def text(self, document_id: str, start: int = 0, end: int | None = None) -> str | None:
        return await self._database.read(lambda c: book.text(c, document_id, start, end))

    async def content(self, document_id: str) -> DocumentContent | None:
        return await self._database.read(lambda c: book.content(c, document_id))

    async def passages(self, spans: Sequence[tuple[str, int, int]]) -> list[Passage | None]:
        passages = self._passages
        reading = self._database.look if len(spans) <= AT_HAND else self._database.read
        return await reading(lambda c: passages.of(c, spans))

    @cached_property
    def _passages(self) -> "Passages":
        from multidb_chat.adapters.sqlite.library_passages import Passages  # only a search reads them

        return Passages()

    async def indexable(self, document_ids: Sequence[str]) -> list[tuple[Document, list[Chunk]]]:
        return await self._database.read(lambda c: book.indexable(c, document_ids))

    async def remove_documents(self, document_ids: Sequence[str]) -> int:
        return await self._database.write(lambda c: storing.remove_by_id(c, document_ids))

    async def put_source(self, record: SourceRecord) -> None:
        await self._database.write(lambda c: shelf.put_source(c, record))

    async def source(self, collection_id: str, source: str) -> SourceRecord | None:
        return await self._database.read(lambda c: shelf.source(c, collection_id, source))

    async def sources(self, collection_id: str, prefix: str = "") -> list[SourceRecord]:
        return await self._database.read(lambda c: shelf.sources(c, collection_id, prefix))

    async def remove_source(self, collection_id: str, source: str) -> int:
        return await self._database.write(lambda c: shelf.remove_source(c, collection_id, source))

    async def identity(self) -> str:
        return await self._database.read(identity.identity)

    async def version(self) -> int:
        return await self._database.look(storing.last_change)

    async def collection_versions(self, collection_ids: Sequence[str]) -> dict[str, int]:
        return await self._database.look(lambda c: shelf.versions(c, collection_ids))

    async def changes(self, after: int, limit: int = 1000) -> list[Change]:
        return await self._database.read(lambda c: shelf.changes(c, after, limit))
