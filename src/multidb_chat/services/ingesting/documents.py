"""From what a reader gave to what the library keeps: the document's record, its passages, what to embed of them."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from multidb_chat.domain.library import Chunk, Document, DocumentContent, document_id
from multidb_chat.domain.reading import ParsedDocument
from multidb_chat.domain.search import Embedder
from multidb_chat.services.chunking.cutting import Cutting
from multidb_chat.services.chunking.semantic import SemanticCut


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document on its way into the library: all but the vectors of its chunks, and the texts to embed for them.

    Where it is cut by meaning, there are neither before it is `cut`.
    """

    content: DocumentContent
    texts: tuple[str, ...] = field(repr=False)
    cutting: Cutting
    by_meaning: SemanticCut | None = field(default=None, repr=False)

    async def cut(self, embedder: Embedder) -> "Prepared":
        """Return the document with its chunks, where this embedder had to decide them. Raises what it raises."""
        if self.by_meaning is None:
            return self
        vectors = await embedder.embed_documents(self.by_meaning.texts) if self.by_meaning.texts else []
        chunks = await asyncio.to_thread(self.by_meaning.chunks, vectors, self.document.id)
        document = replace(self.document, chunks=len(chunks))
        content = replace(self.content, document=document, chunks=tuple(chunks))
        return Prepared(content, self.cutting.texts(document.title, chunks), self.cutting)

    @property
    def document(self) -> Document:
        """The document's record."""
        return self.content.document

    def embedded(self, vectors: Sequence[bytes]) -> DocumentContent:
        """Return the whole content, with the vectors of `texts` in order."""
        pairs = zip(self.content.chunks, vectors, strict=True)
        return replace(self.content, chunks=tuple(replace(chunk, vector=vector) for chunk, vector in pairs))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A prepared document in the pipeline: whether the library has none of it yet, and whom to tell of a refusal."""

    prepared: Prepared
    is_new: bool
    refuse: Callable[[str], None]


def prepare(
    parsed: ParsedDocument, collection_id: str, source: str, embedder: str, cutting: Cutting, size_bytes: int = 0
) -> Prepared:
    """Chunk a document of a source; `size_bytes` 0 stands for the size of its text. CPU-bound.

    The record's `content_hash` covers all that chunks and vectors depend on: the text, where it is cut, what is
    embedded and by which embedder. While it is the same, nothing needs to be embedded again.
    """
    key = document_id(collection_id, source, parsed.name)
    if not parsed.title:
        parsed = replace(parsed, title=parsed.name)
    by_meaning = cutting.by_meaning(parsed)
    chunks = [] if by_meaning else cutting.by_text(parsed, key)
    texts = cutting.texts(parsed.title, chunks)
    now = datetime.now(UTC)
    document = Document(
        key,
        collection_id,
        source,
        parsed.name,
        parsed.title,
        parsed.kind,
        _fingerprint(parsed, chunks, texts, embedder, cutting.version),
        added_at=now,
        updated_at=now,
        size_bytes=size_bytes or len(parsed.text.encode("utf-8", "surrogatepass")),
        characters=len(parsed.text),
        chunks=len(chunks),
        pages=parsed.pages,
        language=parsed.language,
        authored_at=parsed.authored_at,
        metadata=parsed.metadata,
    )
    content = DocumentContent(document, parsed.text, parsed.blocks, tuple(chunks))
    return Prepared(content, texts, cutting, by_meaning)


def parsed_of(content: DocumentContent) -> ParsedDocument:
    """Return a stored document as its reader gave it."""
    document = content.document
    return ParsedDocument(
        document.name,
        document.title,
        document.kind,
        content.text,
        content.blocks,
        document.language,
        document.authored_at,
        document.pages,
        document.metadata,
    )


def _fingerprint(
    parsed: ParsedDocument, chunks: Sequence[Chunk], texts: Sequence[str], embedder: str, version: str
) -> str:
    about = (
        embedder,
        parsed.name,
        parsed.title,
        parsed.kind,
        parsed.language,
        parsed.pages,
        parsed.authored_at and parsed.authored_at.isoformat(),
        sorted(parsed.metadata.items()),
        [(chunk.start, chunk.end, chunk.kind, chunk.page, chunk.headings) for chunk in chunks],
    )
    digest = hashlib.sha256(repr(about).encode("utf-8", "surrogatepass"))
    for text in (parsed.text, *texts, version):
        digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
