"""What retrieval searches: collections, documents, chunks and the change sequence; and the port that keeps them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypedDict, Unpack

if TYPE_CHECKING:
    from multidb_chat.domain.reading import Block

TARGET_CHARS = 1_200
"""The length of a passage that is aimed at, in characters.

About 256 word pieces of English, the window of the MiniLM family of embedders. On Cranfield, nDCG@10 of both searches
fused (k = 60) was .431 for passages of 1,200 characters and .428 for whole abstracts; 1,000 to 1,400 differ by noise.
"""

Strategy = Literal["structure", "semantic", "fixed"]
"""How documents are cut into passages: by their structure; within it, between sentences that are least alike in
meaning; or into pieces of equal length."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of documents of one owner. `shared`: every account of the installation may search it.

    `embedder` names what made the vectors ("" while the collection is empty and undecided); `dimensions` their length.
    `chunking` is how its documents are cut into passages, of about `chunk_chars` characters (0: as the installation's
    settings say); `headers`: what is embedded of a passage begins with the document's title and the path of headings.
    What is in the collection already stays as it was cut until it is processed again.
    """

    id: str
    owner_id: str
    name: str
    created_at: datetime
    description: str = ""
    shared: bool = False
    embedder: str = ""
    dimensions: int = 0
    chunking: Strategy = "structure"
    chunk_chars: int = 0
    headers: bool = True


class Cut(TypedDict, total=False):
    """How the documents of a collection become passages; None is as good as nothing."""

    chunking: Strategy | None
    chunk_chars: int | None
    headers: bool | None


class Described(Cut, total=False):
    """What may be changed of a collection by whoever owns it; None is as good as nothing."""

    name: str | None
    description: str | None
    shared: bool | None


@dataclass(frozen=True, slots=True)
class Document:
    """One searchable text. Its id is derived from where it comes from, so that adding it again replaces it.

    `source` is the absolute path, URL or given name that was added; `name` is the document's own identifier within the
    source (the file name, the member of an archive, the `id` of a JSON line). `revision` grows at each replacement.
    """

    id: str
    collection_id: str
    source: str
    name: str
    title: str
    kind: str
    content_hash: str
    added_at: datetime
    updated_at: datetime
    size_bytes: int = 0
    characters: int = 0
    chunks: int = 0
    pages: int = 0
    language: str = ""
    authored_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: `text` is exactly the document's text from `start` to `end` (characters, half-open).

    `vector` is float32 little-endian, unit length. `headings` is the path from the outermost heading down.
    """

    document_id: str
    ordinal: int
    start: int
    end: int
    text: str
    kind: str = "text"
    page: int | None = None
    headings: tuple[str, ...] = ()
    vector: bytes = field(default=b"", repr=False)


class Passage(NamedTuple):
    """Chunks of one document, in order and without vectors, with the document's text from `start` that spans them."""

    document: Document
    chunks: tuple[Chunk, ...]
    start: int
    text: str

    def between(self, start: int, end: int) -> str:
        """Return the document's text between two characters of the passage."""
        return self.text[start - self.start : end - self.start]


@dataclass(frozen=True, slots=True)
class DocumentContent:
    """All that is stored of one document in one step; `original`: the bytes, where no file can be read again."""

    document: Document
    text: str = field(repr=False)
    blocks: "tuple[Block, ...]" = field(repr=False)
    chunks: tuple[Chunk, ...] = field(repr=False)
    original: bytes | None = field(default=None, repr=False)


class SourceRecord(NamedTuple):
    """A source that was ingested completely: nothing of it needs to be read again while the hash is the same."""

    collection_id: str
    source: str
    content_hash: str
    size_bytes: int
    documents: int
    completed_at: datetime


class Holdings(NamedTuple):
    """What a collection, or those of one owner together, hold; `size_bytes` is the sum of the documents' own."""

    documents: int
    size_bytes: int


class Change(NamedTuple):
    """The last change of one document: stored anew, or removed. `seq` grows with every change of the library.

    `chunks` is how many the document says that it has now, 0 for one that is removed.
    """

    seq: int
    document_id: str
    collection_id: str
    removed: bool
    chunks: int


def document_id(collection_id: str, source: str, name: str) -> str:
    """Return the identifier of a document: 32 hexadecimal digits of SHA-256 over where it comes from."""
    return hashlib.sha256("\x00".join((collection_id, source, name)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Library(Protocol):
    """Collections, documents with their chunks, sources, and the sequence of changes that search indexes follow.

    Every write is durable when the call returns. A reader sees a document whole, in its old or its new state, never a
    mix and never chunks without their document. Ownership is checked by the services.
    Raises `StoreError` when the store cannot do its work.
    """

    async def create_collection(self, collection: Collection) -> None:
        """Add a collection. Raises `Conflict` when the id, or the name (case-folded) for this owner, is taken."""

    async def update_collection(self, collection: Collection) -> None:
        """Replace all but id, owner and time of a collection. Raises `NotFound` or `Conflict`."""

    async def describe_collection(self, collection_id: str, **changes: Unpack[Described]) -> Collection:
        """Change what is given and nothing else, atomically, and return the collection as it is now.

        Raises `NotFound`, or `Conflict` when the owner has another collection of this name; then nothing is changed.
        """

    async def claim_embedder(self, collection_id: str, embedder: str, dimensions: int) -> Collection:
        """Set the embedder if the collection has none yet, atomically, and return the collection as it is now.

        Raises `NotFound`. The caller compares: two writers with different embedders can't both win.
        """

    async def collection(self, collection_id: str) -> Collection | None:
        """Return the collection."""

    async def collections(self, account_id: str) -> list[Collection]:
        """Return what the account may search: its own and the shared ones, in order of name."""

    async def delete_collection(self, collection_id: str) -> bool:
        """Remove the collection with its documents and sources, each document as a change; False when unknown."""

    async def erase(self, owner_id: str) -> int:
        """Remove the collections of an owner like `delete_collection`; return how many documents were in them.

        A collection that is created for the owner from then on, by whichever process, raises `NotFound`. It may be
        interrupted anywhere; doing it again completes it.
        """

    async def put_documents(self, contents: Sequence[DocumentContent], limit: int | None = None) -> None:
        """Add or replace the documents, each atomically with its text, blocks, chunks and original.

        A replaced document keeps its id and `added_at`; its stored `revision` is the old one plus one.
        Nothing of the batch is stored, in the same step, when it raises `NotFound` for an unknown collection, or
        `QuotaExceeded` since the owner of one of the collections would hold more than before and over `limit` bytes.
        """

    async def holdings(self, owner_id: str | None = None) -> Holdings:
        """Return what the collections of an owner (None: all collections) hold now, nothing for an unknown one."""

    async def holdings_in(self, collection_ids: Sequence[str]) -> dict[str, Holdings]:
        """Return what each of these collections holds now, nothing for an unknown one; no document is read for it."""

    async def document(self, document_id: str) -> Document | None:
        """Return the document."""

    async def documents_by_id(self, document_ids: Sequence[str]) -> list[Document]:
        """Return the documents that exist, in the order asked."""

    async def documents(
        self, collection_ids: Sequence[str], after: str = "", limit: int = 100, source_prefix: str = ""
    ) -> list[Document]:
        """Return documents of these collections in order of id, from just behind `after`.

        `source_prefix` narrows to sources that begin with it.
        """

    async def find_documents(self, collection_ids: Sequence[str], reference: str, limit: int = 10) -> list[Document]:
        """Return the documents whose id, id prefix (6 digits or more), name, source or title is `reference`."""

    async def text(self, document_id: str, start: int = 0, end: int | None = None) -> str | None:
        """Return the document's text between two characters (None: to its end); None when it is unknown."""

    async def content(self, document_id: str) -> DocumentContent | None:
        """Return the document with everything stored of it."""

    async def passages(self, spans: Sequence[tuple[str, int, int]]) -> list[Passage | None]:
        """Return for each (document id, ordinal, ordinal) the chunks from one number to the other, as far as there are.

        None where there is none. All that is returned is of one state.
        """

    async def indexable(self, document_ids: Sequence[str]) -> list[tuple[Document, list[Chunk]]]:
        """Return the documents that exist, in the order asked, each with all its chunks, vectors included.

        This is the bulk read of a search index; a few hundred documents at a time keep the memory small.
        """

    async def remove_documents(self, document_ids: Sequence[str]) -> int:
        """Remove documents with all that belongs to them, each as a change; return how many there were.

        The record of a source that lost a document goes too, so that adding it again reads it again.
        """

    async def put_source(self, record: SourceRecord) -> None:
        """Remember that a source was ingested completely. Raises `NotFound` for an unknown collection."""

    async def source(self, collection_id: str, source: str) -> SourceRecord | None:
        """Return the record of a source."""

    async def sources(self, collection_id: str, prefix: str = "") -> list[SourceRecord]:
        """Return the records of the sources that begin with `prefix`, in order of source."""

    async def remove_source(self, collection_id: str, source: str) -> int:
        """Remove the source's record and all its documents; return how many documents there were."""

    async def identity(self) -> str:
        """Return what tells this library from every other, its whole life long; changes are counted in it alone."""

    async def version(self) -> int:
        """Return the `seq` of the latest change, 0 for an empty library."""

    async def collection_versions(self, collection_ids: Sequence[str]) -> dict[str, int]:
        """Return for each collection the `seq` of its latest change, 0 when there was none."""

    async def changes(self, after: int, limit: int = 1000) -> list[Change]:
        """Return the last change of each document changed behind `after`, in order of `seq`."""
