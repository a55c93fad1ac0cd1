"""Reading passages: two questions to the server, side by side, however many passages, for a search waits for them."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from multidb_chat.adapters.mongo import content
from multidb_chat.adapters.mongo.connection import Database
from multidb_chat.adapters.mongo.content import Missing, Stored
from multidb_chat.adapters.mongo.reading import lacking, records
from multidb_chat.adapters.mongo.records import document_of
from multidb_chat.adapters.mongo.texts import key_of
from multidb_chat.domain.library import Chunk, Document, Passage

Span = tuple[str, int, int]
# Documents of which is remembered where their content is: some 300 bytes each.
_REMEMBERED = 20_000


class Passages:
    """Reads passages, and remembers where the contents of documents are.

    What is remembered is read beside the documents' records, which tell whether it is still so: a content lies under a
    name that is never given again. Where it is not, what they tell is read beside the records once more. So all that is
    returned is of the moment before the last reading of the records.
    """

    def __init__(self) -> None:
        self._places: OrderedDict[str, Stored] = OrderedDict()

    async def of(self, database: Database, spans: Sequence[Span]) -> list[Passage | None]:
        """Return for each span its chunks with their text, in one state; see the port."""
        if not spans:
            return []
        ids = list({known for known, *_ in spans})
        places = {key: self._places[key] for key in map(key_of, ids) if key in self._places}
        chunks: dict[str, Chunk] = {}
        while True:
            read, found = await asyncio.gather(_read(database, spans, places, chunks), records(database, ids))
            now = {key: Stored.of(record) for key, record in found.items()}
            if now != places:
                places = now
            elif read is None:
                raise lacking()
            else:
                self._remember(now)
                documents = {key: document_of(record) for key, record in found.items()}
                return [_passage(documents, span, some) for span, some in zip(spans, read, strict=True)]

    def _remember(self, places: Mapping[str, Stored]) -> None:
        for key, place in places.items():
            self._places[key] = place
            self._places.move_to_end(key)
        while len(self._places) > _REMEMBERED:
            self._places.popitem(last=False)


Read = tuple[Sequence[Chunk], int, str] | None


async def _read(
    database: Database, spans: Sequence[Span], places: Mapping[str, Stored], known: dict[str, Chunk]
) -> list[Read] | None:
    """Return the chunks of each span with their text and where it begins; None where a part is missing.

    `known` are chunks by their keys, and receives those that are read.
    """
    keys = [_keys(span, places) for span in spans]
    wanted = list(dict.fromkeys(key for some in keys for key in some if key not in known))
    known |= await content.chunks_named(database, wanted, vectors=False) if wanted else {}
    try:
        chunks = [[known[key] for key in some] for some in keys]
        return await asyncio.gather(
            *(_text(database, places, span, some) for span, some in zip(spans, chunks, strict=True))
        )
    except (KeyError, Missing):
        return None


def _keys(span: Span, places: Mapping[str, Stored]) -> list[str]:
    known, first, last = span
    place = places.get(key_of(known))
    return place.chunk_keys(first, last) if place else []


async def _text(database: Database, places: Mapping[str, Stored], span: Span, chunks: Sequence[Chunk]) -> Read:
    if not chunks:
        return None
    start, text = min(chunk.start for chunk in chunks), _joined(chunks)
    if text is None:
        text = await content.span(database, places[key_of(span[0])], start, max(chunk.end for chunk in chunks))
    return chunks, start, text


def _passage(documents: Mapping[str, Document], span: Span, read: Read) -> Passage | None:
    if read is None:
        return None
    chunks, start, text = read
    return Passage(documents[key_of(span[0])], tuple(chunks), start, text)


def _joined(chunks: Iterable[Chunk]) -> str | None:
    """Return the text that the chunks cover; None when something lies between them."""
    ordered = sorted(chunks, key=lambda chunk: chunk.start)
    text, end = "", ordered[0].start
    for chunk in ordered:
        if chunk.start > end:
            return None
        text += chunk.text[end - chunk.start :]
        end = max(end, chunk.end)
    return text
