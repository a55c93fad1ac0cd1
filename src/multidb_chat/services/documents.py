"""Collections and documents for an account: every access checks whose they are."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Collection, Document, Library
from multidb_chat.domain.permissions import Permission, require
from multidb_chat.domain.text import clean_line

if TYPE_CHECKING:  # a cached answer needs no more than the collections
    from multidb_chat.services.exporting import Export, ExportFormat

DEFAULT_COLLECTION = "documents"
_NAME = re.compile(r"[^\W_](?:[\w.\- ]{0,62}[\w.\-])?")
_PAGE = 1_000
_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """A collection with what is in it: documents, chunks, and characters of text."""

    collection: Collection
    documents: int
    chunks: int
    characters: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a document with what surrounds it: `before + text + after` is one stretch of the document's text."""

    document: Document
    start: int
    end: int
    before: str
    text: str
    after: str


class Documents:
    """The collections and documents that an account may see, and those it may change.

    An account sees its own collections and the shared ones, and changes its own; a guest changes nothing. What belongs
    privately to somebody else is `NotFound`, in the same words as what does not exist; what is shared by somebody else
    is `NotPermitted` to change.

    A document is named by a `reference`: its id, the first six or more digits of it, its name, title, or source (a path
    may be relative). `InvalidInput` lists the candidates when there are several.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    async def collections(self, account: Account) -> list[Collection]:
        """Return the collections the account may search, in order of name."""
        require(account, Permission.CHAT)
        return await self._library.collections(account.id)

    async def create_collection(
        self, account: Account, name: str, *, description: str = "", shared: bool = False
    ) -> Collection:
        """Add a collection. Raises `InvalidInput` for a bad name, `Conflict` for one the account has already."""
        require(account, Permission.INGEST)
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                f'"{clean_line(name)[:80]}" cannot name a collection: use 1 to 64 letters, digits, spaces, ".", "-" '
                'and "_", with a letter or digit first.'
            )
        collection = Collection(new_id(), account.id, name, datetime.now(UTC), clean_line(description), shared)
        await self._library.create_collection(collection)
        return collection

    async def ensure_collection(
        self, account: Account, name: str = DEFAULT_COLLECTION, *, description: str = "", shared: bool = True
    ) -> Collection:
        """Return the account's own collection of this name, made now if there is none; safe in several processes."""
        for _ in range(2):
            for collection in await self.collections(account):
                if collection.owner_id == account.id and collection.name.casefold() == name.casefold():
                    return collection
            try:
                return await self.create_collection(account, name, description=description, shared=shared)
            except Conflict:  # another process made it just now
                continue
        raise NotFound(f'There is no collection named "{name}".')

    async def show_collection(self, account: Account, name: str) -> CollectionSummary:
        """Return the collection with its figures; it counts by going through the documents."""
        collection = (await self.resolve(account, [name]))[0]
        documents = chunks = characters = 0
        after = ""
        while page := await self._library.documents([collection.id], after, _PAGE):
            documents += len(page)
            chunks += sum(document.chunks for document in page)
            characters += sum(document.characters for document in page)
            after = page[-1].id
        return CollectionSummary(collection, documents, chunks, characters)

    async def delete_collection(self, account: Account, name: str) -> Collection:
        """Remove the collection with its documents; return what it was."""
        collection = (await self.resolve(account, [name]))[0]
        _require_own(account, collection)
        await self._library.delete_collection(collection.id)
        return collection

    async def resolve(self, account: Account, names: Sequence[str]) -> list[Collection]:
        """Return the collections with these names or ids (none: all that may be searched), each once.

        Of an own and a shared one with the same name it is the own. Raises `NotFound` with the nearest name.
        """
        mine = await self.collections(account)
        if not names:
            return mine
        return list({found.id: found for found in (_named(account, mine, name) for name in names)}.values())

    async def list(
        self,
        account: Account,
        collections: Sequence[Collection] = (),
        *,
        after: str = "",
        limit: int = 100,
        source_prefix: str = "",
    ) -> list[Document]:
        """Return documents of these collections (none: of all) in order of id, from just behind `after`."""
        allowed = await self._allowed(account, collections)
        return await self._library.documents([*allowed], after, limit, source_prefix)

    async def show(self, account: Account, reference: str, collections: Sequence[Collection] = ()) -> Document:
        """Return the document. Raises `NotFound` or, for an ambiguous reference, `InvalidInput`."""
        allowed = await self._allowed(account, collections)
        return _only(reference, await self._found(allowed, reference), allowed)

    async def select(
        self, account: Account, references: Sequence[str], collections: Sequence[Collection] = ()
    ) -> Sequence[Document]:
        """Return the documents that the references name, each once; a source stands for all its documents."""
        allowed = await self._allowed(account, collections)
        chosen: dict[str, Document] = {}
        for reference in references:
            found = await self._found(allowed, reference)
            of_source = [document for document in found if document.source in (reference, _path(reference))]
            named = await self._of_source(of_source) if of_source else [_only(reference, found, allowed)]
            chosen |= {document.id: document for document in named}
        return list(chosen.values())

    async def remove(
        self, account: Account, references: Sequence[str], collections: Sequence[Collection] = ()
    ) -> Sequence[Document]:
        """Remove the documents that the references name (see `select`), all or none; return what they were."""
        chosen = await self.select(account, references, collections)
        allowed = await self._allowed(account, collections)
        for collection_id in {document.collection_id for document in chosen}:
            _require_own(account, allowed[collection_id])
        await self._library.remove_documents([document.id for document in chosen])
        return chosen

    async def passage(self, account: Account, document_id: str, start: int, end: int, around: int = 1) -> Passage:
        """Return the characters `start` to `end` of a document, with the length of `around` passages on both sides."""
        document = await self._by_id(account, document_id)
        end = min(end, document.characters)
        start = min(max(start, 0), end)
        from multidb_chat.services.chunking import TARGET_CHARS

        first, last = max(start - around * TARGET_CHARS, 0), end + around * TARGET_CHARS
        text = await self._library.text(document_id, first, last)
        if text is None:
            raise _unknown(document_id)
        before, after = text[: start - first], text[end - first :]
        if first:  # begin and end with a whole word
            before = before[len(before) - len(before.split(None, 1)[-1]) :] if before.split() else before
        if last < document.characters:
            after = after.rsplit(None, 1)[0] if after.split() else after
        return Passage(document, start, end, before, text[start - first : end - first], after)

    async def export(
        self,
        account: Account,
        reference: str,
        form: "ExportFormat" = "text",
        collections: Sequence[Collection] = (),
    ) -> "Export":
        """Return a document as a file: its text, Markdown, JSON with blocks and chunks, or the original bytes.

        Raises `InvalidInput` when the original is asked for and was not kept.
        """
        document = await self.show(account, reference, collections)
        content = await self._library.content(document.id)
        if content is None:
            raise _unknown(reference)
        from multidb_chat.services.exporting import exported

        return await asyncio.to_thread(exported, content, form)

    async def _allowed(self, account: Account, collections: Sequence[Collection]) -> dict[str, Collection]:
        """Return by id those of these collections (none: all) that the account may search. Raises `NotFound`."""
        allowed = {collection.id: collection for collection in await self.collections(account)}
        for collection in collections:
            if collection.id not in allowed:
                raise NotFound(f'There is no collection named "{clean_line(collection.name)}".')
        return {collection.id: allowed[collection.id] for collection in collections} or allowed

    async def _found(self, allowed: dict[str, Collection], reference: str) -> Sequence[Document]:
        for text in dict.fromkeys((reference, _path(reference))):
            if found := await self._library.find_documents([*allowed], text, _CANDIDATES + 1):
                return found
        if alike := await self._shown_as(allowed, reference):
            return alike
        raise _unknown(reference)

    async def _shown_as(self, allowed: dict[str, Collection], reference: str) -> Sequence[Document]:
        """Return the documents whose names look like the reference: what acts on a terminal is not shown in a list."""
        shown = clean_line(reference.encode("utf-8", "replace").decode("utf-8"))
        found: list[Document] = []
        after = ""
        while len(found) <= _CANDIDATES and (page := await self._library.documents([*allowed], after, _PAGE)):
            found += [document for document in page if clean_line(document.name) == shown]
            after = page[-1].id
        return found

    async def _of_source(self, some: Sequence[Document]) -> Sequence[Document]:
        """Return all documents of the sources that these come from."""
        found = []
        for collection_id, source in {(document.collection_id, document.source) for document in some}:
            after = ""
            while page := await self._library.documents([collection_id], after, _PAGE, source):
                found += [document for document in page if document.source == source]
                after = page[-1].id
        return found

    async def _by_id(self, account: Account, document_id: str) -> Document:
        document = await self._library.document(document_id)
        if document is None or document.collection_id not in await self._allowed(account, ()):
            raise _unknown(document_id)
        return document


def _require_own(account: Account, collection: Collection) -> None:
    require(account, Permission.INGEST)
    if collection.owner_id != account.id:
        raise NotPermitted(f'The collection "{collection.name}" belongs to somebody else; you can only search it.')


def _named(account: Account, collections: Sequence[Collection], name: str) -> Collection:
    found = [one for one in collections if name == one.id or name.casefold() == one.name.casefold()]
    if found:
        return min(found, key=lambda one: one.owner_id != account.id)
    from difflib import get_close_matches

    nearest = get_close_matches(name, [one.name for one in collections], 1)
    hint = f' Did you mean "{nearest[0]}"?' if nearest else " See: multidb-chat collections list"
    raise NotFound(f'There is no collection named "{clean_line(name)}".{hint}')


def _unknown(reference: str) -> NotFound:
    return NotFound(f'There is no document "{clean_line(reference)}". See: multidb-chat docs list')


def _only(reference: str, found: Sequence[Document], collections: dict[str, Collection]) -> Document:
    exact = [document for document in found if document.id == reference] or found
    if len(exact) > 1:
        raise _ambiguous(reference, found, collections)
    return exact[0]


def _ambiguous(reference: str, found: Sequence[Document], collections: dict[str, Collection]) -> InvalidInput:
    names = [f"{one.id[:8]} {clean_line(one.name)} ({collections[one.collection_id].name})" for one in found]
    more = ", ..." if len(names) > _CANDIDATES else ""
    candidates = ", ".join(names[:_CANDIDATES])
    return InvalidInput(
        f'"{clean_line(reference)}" names several documents: {candidates}{more}. Use the digits at the front.'
    )


def _path(reference: str) -> str:
    from multidb_chat.services.ingesting.sources import absolute

    return absolute(reference)
