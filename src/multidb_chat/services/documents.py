"""Documents for an account: every access checks whose they are."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import EmbedderMismatch, InvalidInput, NotFound, QuotaExceeded
from multidb_chat.domain.library import TARGET_CHARS, Collection, Document, DocumentContent, Library, SourceRecord
from multidb_chat.domain.plans import STORAGE
from multidb_chat.domain.text import clean_line
from multidb_chat.services.collections import DEFAULT_COLLECTION, Collections, CollectionSummary, require_own

if TYPE_CHECKING:  # a cached answer needs no more than the collections
    from multidb_chat.domain.reading import Block
    from multidb_chat.services.audit import Recorder
    from multidb_chat.services.exporting import Export, ExportFormat
    from multidb_chat.services.ingesting.allowance import Quota

__all__ = ["DEFAULT_COLLECTION", "CollectionSummary", "DocumentText", "Documents", "Passage", "Removed"]

_PAGE = 1_000
_CANDIDATES = 10
_RECORDED_EACH = 10


class Passage(NamedTuple):
    """A span of a document with what surrounds it: `before + text + after` is one stretch of the document's text."""

    document: Document
    start: int
    end: int
    before: str
    text: str
    after: str


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A document to be read: its text with its structure."""

    document: Document
    text: str = field(repr=False)
    blocks: "tuple[Block, ...]" = field(repr=False)


@dataclass(frozen=True, slots=True)
class Removed:
    """Documents that were removed, with all that is needed to put them back as they were."""

    contents: tuple[DocumentContent, ...] = field(repr=False)
    sources: tuple[SourceRecord, ...] = field(repr=False)
    embedders: Mapping[str, str] = field(repr=False)

    @property
    def documents(self) -> Sequence[Document]:
        """What was removed."""
        return [content.document for content in self.contents]


class Documents(Collections):
    """The documents that an account may see, and those it may change: those of its collections (see `Collections`).

    A document is named by a `reference`: its id, the first six or more digits of it, its name, title, or source (a path
    may be relative, and the bare name of a file will do where nothing else has it). `InvalidInput` lists the candidates
    when there are several.
    """

    def __init__(
        self,
        library: Library,
        audit: "Callable[[], Recorder] | None" = None,
        quota: "Callable[[], Quota] | None" = None,
    ) -> None:
        """`audit` gives what records changes, `quota` what limits storage; without them there is neither."""
        super().__init__(library, audit)
        self._quota = quota

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
            of_source = _by_source(reference, found)
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
            require_own(account, allowed[collection_id])
        await self._record_each(account, "document.remove", chosen)
        await self._library.remove_documents([document.id for document in chosen])
        return chosen

    async def take_out(self, account: Account, document_ids: Sequence[str]) -> Removed:
        """Remove documents, all or none, and return them whole, so that `put_back` can undo it.

        They are held in memory: this is for what a person picks, `remove` for the rest. Raises what `remove` raises.
        """
        chosen = [await self._by_id(account, document_id) for document_id in dict.fromkeys(document_ids)]
        allowed = await self._allowed(account, ())
        places = {(document.collection_id, document.source) for document in chosen}
        for collection_id, _ in places:
            require_own(account, allowed[collection_id])
        found = [await self._library.content(document.id) for document in chosen]
        records = [await self._library.source(*place) for place in sorted(places)]
        await self._record_each(account, "document.remove", chosen)
        await self._library.remove_documents([document.id for document in chosen])
        return Removed(
            tuple(content for content in found if content is not None),
            tuple(record for record in records if record is not None),
            {collection_id: allowed[collection_id].embedder for collection_id, _ in places},
        )

    async def put_back(self, account: Account, removed: Removed) -> Sequence[Document]:
        """Put removed documents back as they were, but for those that were added again meanwhile; return which.

        Raises `NotFound` when their collection is gone, `EmbedderMismatch` when it has other vectors now, and
        `QuotaExceeded` when what was added meanwhile left no room for them.
        """
        allowed = await self._allowed(account, ())
        for collection_id, embedder in removed.embedders.items():
            if (collection := allowed.get(collection_id)) is None:
                raise NotFound("The collection of these documents does not exist any more.")
            require_own(account, collection)
            if collection.embedder != embedder:
                raise EmbedderMismatch(
                    f'The collection "{collection.name}" has other vectors now; add the files again.'
                )
        again = {document.id for document in await self._library.documents_by_id([d.id for d in removed.documents])}
        back = [content for content in removed.contents if content.document.id not in again]
        await self._record_each(account, "document.restore", [content.document for content in back])
        await self._put(account, back)
        for record in () if again else removed.sources:
            await self._library.put_source(record)
        return [content.document for content in back]

    async def _put(self, account: Account, contents: Sequence[DocumentContent]) -> None:
        """Store documents again. Raises `QuotaExceeded` where their room was used meanwhile."""
        if self._quota is None:
            await self._library.put_documents(contents)
            return
        try:
            await self._library.put_documents(contents, await self._quota().storage_limit(account))
        except QuotaExceeded:
            raise await self._quota().refusal(account, STORAGE) from None

    async def read(self, account: Account, document_id: str) -> DocumentText:
        """Return a document's text with its blocks."""
        document = await self._by_id(account, document_id)
        content = await self._library.content(document.id)
        if content is None:
            raise _unknown(document_id)
        return DocumentText(content.document, content.text, content.blocks)

    async def passage(self, account: Account, document_id: str, start: int, end: int, around: int = 1) -> Passage:
        """Return the characters `start` to `end` of a document, with the length of `around` passages on both sides."""
        document = await self._by_id(account, document_id)
        end = min(end, document.characters)
        start = min(max(start, 0), end)
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

    async def _record_each(self, account: Account, action: str, documents: Sequence[Document]) -> None:
        """Record one entry a document; of many in one step, one a collection with their number."""
        if len(documents) <= _RECORDED_EACH:
            for document in documents:
                await self._record(account, action, document.id, collection=document.collection_id)
            return
        for collection_id, number in Counter(document.collection_id for document in documents).items():
            await self._record(account, action, collection_id, documents=str(number))

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
        """Return the documents whose names look like the reference: what acts on a terminal is not shown in a list.

        Where there are none, the first of each file that is called so.
        """
        shown = _shown(reference)
        found: list[Document] = []
        inside: dict[tuple[str, str], list[Document]] = {}
        after = ""
        while len(found) <= _CANDIDATES and (page := await self._library.documents([*allowed], after, _PAGE)):
            for document in page:
                if clean_line(document.name) == shown:
                    found.append(document)
                elif _file_name(document) == shown:
                    some = inside.setdefault((document.collection_id, document.source), [])
                    some += [document] if len(some) <= _CANDIDATES else []
            after = page[-1].id
        return found or [document for some in inside.values() for document in some]

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


def _unknown(reference: str) -> NotFound:
    return NotFound(f'There is no document "{clean_line(reference)}". See: multidb-chat docs list')


def _by_source(reference: str, found: Sequence[Document]) -> Sequence[Document]:
    """Return those of the documents that are named by where they come from.

    That is a path or URL, or the bare name of the one file that all of them come from, if none is called so itself.
    """
    if named := [document for document in found if document.source in (reference, _path(reference))]:
        return named
    shown = _shown(reference)
    inside = all(_file_name(one) == shown not in (clean_line(one.name), clean_line(one.title)) for one in found)
    return found if inside and len({(one.collection_id, one.source) for one in found}) == 1 else ()


def _shown(reference: str) -> str:
    return clean_line(reference.encode("utf-8", "replace").decode("utf-8"))


def _file_name(document: Document) -> str:
    return clean_line(PurePath(document.source).name)


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
