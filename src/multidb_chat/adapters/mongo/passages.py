"""Reading passages: three questions to the server, however many passages, for a search waits for them."""

from collections.abc import Mapping, Sequence

from multidb_chat.adapters.mongo import content
from multidb_chat.adapters.mongo.connection import Database, Record
from multidb_chat.adapters.mongo.content import Stored
from multidb_chat.adapters.mongo.reading import consistent
from multidb_chat.adapters.mongo.records import document_of
from multidb_chat.adapters.mongo.texts import key_of
from multidb_chat.domain.library import Chunk, Passage

Span = tuple[str, int, int]


async def passages(database: Database, spans: Sequence[Span]) -> list[Passage | None]:
    """Return for each span its chunks with their text, in one state; see the port."""
    if not spans:
        return []

    async def read(found: Mapping[str, Record]) -> list[Passage | None]:
        places = {key: Stored.of(record) for key, record in found.items()}
        wanted = [
            places[key].chunk_keys(first, last) if (key := key_of(known)) in places else []
            for known, first, last in spans
        ]
        chunks = await content.chunks_of(database, wanted, vectors=False)
        return [
            await _passage(database, found[key_of(known)], some) if some else None
            for (known, *_), some in zip(spans, chunks, strict=True)
        ]

    return await consistent(database, list({known for known, *_ in spans}), read, one_state=True)


async def _passage(database: Database, record: Record, chunks: Sequence[Chunk]) -> Passage:
    start, text = min(chunk.start for chunk in chunks), _joined(chunks)
    if text is None:
        text = await content.span(database, Stored.of(record), start, max(chunk.end for chunk in chunks))
    return Passage(document_of(record), tuple(chunks), start, text)


def _joined(chunks: Sequence[Chunk]) -> str | None:
    """Return the text that the chunks cover; None when something lies between them."""
    ordered = sorted(chunks, key=lambda chunk: chunk.start)
    text, end = "", ordered[0].start
    for chunk in ordered:
        if chunk.start > end:
            return None
        text += chunk.text[end - chunk.start :]
        end = max(end, chunk.end)
    return text
