"""Processing stored documents again: chunks and vectors anew, from the text and blocks that the library keeps."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from multidb_chat.domain.library import Document, Library
from multidb_chat.domain.search import Embedder
from multidb_chat.services.chunking.cutting import Cutting
from multidb_chat.services.ingesting.documents import Prepared, Waiting, parsed_of, prepare
from multidb_chat.services.ingesting.events import Discovered, Failure, FileDone, FileStarted
from multidb_chat.services.ingesting.pipeline import BATCH_CHUNKS, Pipeline
from multidb_chat.services.ingesting.tally import Tally


async def reindexed(
    library: Library,
    embedder: Embedder,
    cutting: Cutting,
    documents: Sequence[Document],
    tally: Tally,
    pipeline: Pipeline,
) -> None:
    """Put the documents that are out of date into the pipeline. Each is replaced atomically, so this can be resumed."""
    tally.files = len(documents)
    tally.bytes = sum(document.size_bytes for document in documents)
    tally.report(Discovered(tally.files, tally.bytes, complete=True))
    for document in documents:
        tally.report(FileStarted(document.source, document.size_bytes))
        prepared = await _prepared(library, embedder.name, cutting, document)
        tally.read(document.size_bytes)
        if prepared is None:
            tally.done(FileDone(document.source, "removed"), document.size_bytes)
        elif prepared.document.content_hash == document.content_hash:
            tally.done(FileDone(document.source, "unchanged", 1), document.size_bytes)
        else:
            prepared = await prepared.cut(embedder)
            tally.part_read(0, len(prepared.texts), 0)
            await pipeline.put(Waiting(prepared, False, partial(_refused, tally, document)))
            await pipeline.put(partial(_done, tally, document, len(prepared.texts)))


async def embedded_ahead(
    library: Library, embedder: Embedder, cutting: Cutting, documents: Sequence[Document], tally: Tally
) -> None:
    """Let an embedder that keeps its vectors make those of documents that are out of date; nothing is stored."""
    tally.files = len(documents)
    tally.bytes = sum(document.size_bytes for document in documents)
    tally.report(Discovered(tally.files, tally.bytes, complete=True))
    texts: list[str] = []
    for document in documents:
        tally.report(FileStarted(document.source, document.size_bytes))
        prepared = await _prepared(library, embedder.name, cutting, document)
        tally.read(document.size_bytes)
        if prepared is None or prepared.document.content_hash == document.content_hash:
            tally.bytes_skipped += document.size_bytes
            continue
        prepared = await prepared.cut(embedder)
        tally.part_read(0, len(prepared.texts), 0)
        texts += prepared.texts
        while len(texts) >= BATCH_CHUNKS:
            await _embed(embedder, texts[:BATCH_CHUNKS], tally)
            del texts[:BATCH_CHUNKS]
    await _embed(embedder, texts, tally)


async def _embed(embedder: Embedder, texts: Sequence[str], tally: Tally) -> None:
    await embedder.embed_documents(texts)
    tally.embedded(len(texts))


async def _prepared(library: Library, embedder: str, cutting: Cutting, document: Document) -> Prepared | None:
    content = await library.content(document.id)
    if content is None:  # removed meanwhile
        return None
    work = partial(
        prepare,
        parsed_of(content),
        document.collection_id,
        document.source,
        embedder,
        cutting,
        document.size_bytes,
    )
    prepared = await asyncio.to_thread(work)
    return replace(prepared, content=replace(prepared.content, original=content.original))


def _refused(tally: Tally, document: Document, reason: str) -> None:
    tally.done(FileDone(document.source, "failed", failures=(Failure(document.source, reason, refused=True),)))


async def _done(tally: Tally, document: Document, chunks: int) -> None:
    tally.done(FileDone(document.source, "replaced", 1, chunks), document.size_bytes)
