"""`MongoSearchIndex`: the port `SearchIndex` by the server's own search, and by another index where there is none."""

import math
from collections.abc import Mapping, Sequence

from pymongo.errors import OperationFailure

from multidb_chat.adapters.mongo.connection import TIMEOUT, Connection, Database, Record
from multidb_chat.adapters.mongo.content import Stored
from multidb_chat.adapters.mongo.errors import translated
from multidb_chat.adapters.mongo.reading import DOCUMENTS, records
from multidb_chat.adapters.mongo.records import chunk_vector, document_of
from multidb_chat.adapters.mongo.search_indexes import CHUNKS, TEXT, SearchIndexes, vector_index
from multidb_chat.adapters.mongo.search_queries import allowed, similar, worded
from multidb_chat.adapters.mongo.search_scores import shares
from multidb_chat.adapters.mongo.texts import key_of, text_of
from multidb_chat.domain.search import Hit, Neighbours, SearchFilters, SearchIndex, VectorSearch
from multidb_chat.domain.words import words_of

Key = tuple[str, int]

# More is asked for than wanted, as the server's indexes are behind by a second or so: of what was replaced meanwhile,
# passages may come that are nobody's any more.
_MORE = 20
_LONGEST = 8_000  # characters of a question that words are searched of


class MongoSearchIndex:
    """Searches on the server that `url` names where it can, else in `other`, which follows the library by itself.

    Words and vectors are searched for in two questions; who asks fuses them. What is found is checked against the
    documents as they are.
    """

    def __init__(self, url: str, other: SearchIndex, timeout: float = TIMEOUT) -> None:
        self._connection = Connection(url, timeout)
        self._other = other
        self._indexes = SearchIndexes(self._connection.database)

    async def where(self) -> str:
        """Return where is searched; see the port."""
        return f"MongoDB at {self._connection.place}" if await self._complete() else await self._other.where()

    async def refresh(self, patience: float | None = None, versions: Mapping[str, int] | None = None) -> int:
        """Let the other index follow while it is needed; the server's own indexes follow by themselves."""
        return 0 if await self._complete() else await self._other.refresh(patience, versions)

    async def lexical(self, question: str, filters: SearchFilters, limit: int) -> list[Hit]:
        """Return the best chunks by BM25; see the port. Raises `StoreError`."""
        if limit < 1 or not filters.collection_ids or not any(words_of(question[:_LONGEST])):
            return []
        asked = question[:_LONGEST].encode("utf-8", "replace").decode()
        with translated(self._connection.place):
            found: list[Record] | None = None
            if await self._indexes.text():
                found = await self._ask(TEXT, worded(TEXT, asked, filters, limit + _MORE))
            if found is None:
                return await self._other.lexical(question, filters, limit)
            current = await _current(await self._connection.database(), found, filters)
        covered = shares(asked, [one["details"] for one in current])
        hits = [Hit(*_key(one), one["score"], share) for one, share in zip(current, covered, strict=True)]
        return hits[:limit]

    async def nearest(self, filters: SearchFilters, limit: int, compared: Sequence[Key] = ()) -> VectorSearch:
        """Return a search for the most similar chunks; see the port. Raises `StoreError`."""
        if not await self._indexes.text():
            return await self._other.nearest(filters, limit, compared)

        async def search(vector: bytes) -> Neighbours:
            length = len(vector) // 4
            with translated(self._connection.place):
                found: list[Record] | None = None
                if await self._indexes.vectors(length):
                    name = vector_index(length)
                    found = await self._ask(name, similar(name, vector, filters, limit + len(compared) + _MORE))
                if found is None:
                    return await (await self._other.nearest(filters, limit, compared))(vector)
                database = await self._connection.database()
                known = await _vectors(database, compared, filters)
                others = {_key(one): chunk_vector(one) for one in await _current(database, found, filters)}
            return _ranked(vector, limit, compared, known, others)

        return search

    async def check(self) -> list[str]:
        """Compare the other index with the library where it is used; the server looks after its own."""
        return [] if await self._complete() else await self._other.check()

    async def rebuild(self) -> int:
        """Discard the index that is used, and have it made anew; see the port."""
        if not await self._complete():
            return await self._other.rebuild()
        with translated(self._connection.place):
            await self._indexes.drop()
            for made in (self._indexes.text(), *map(self._indexes.vectors, await self._indexes.lengths())):
                await made
            return await (await self._connection.database())[DOCUMENTS].count_documents({"removed": False})

    async def close(self) -> None:
        """Close the connections and the other index."""
        await self._connection.close()
        await self._other.close()

    async def _complete(self) -> bool:
        """Tell whether the server searches words and all vectors there are."""
        if self._indexes.are_absent():
            return False
        with translated(self._connection.place):
            if not await self._indexes.text():
                return False
            return all([await self._indexes.vectors(length) for length in await self._indexes.lengths()])

    async def _ask(self, index: str, pipeline: list[Record]) -> list[Record] | None:
        """Return what the server found; None when its search does not answer any more."""
        chunks = (await self._connection.database())[CHUNKS]
        try:
            return await (await chunks.aggregate(pipeline)).to_list()
        except OperationFailure:
            self._indexes.forget(index)
            return None


def _key(found: Record) -> Key:
    return text_of(found["document_id"]), found["ordinal"]


async def _current(database: Database, found: Sequence[Record], filters: SearchFilters) -> list[Record]:
    """Return what was found of documents as they are now, and may be found."""
    documents = await records(database, list(dict.fromkeys(text_of(one["document_id"]) for one in found)))
    of = {record["generation"]: document_of(record) for record in documents.values()}
    return [one for one in found if (it := of.get(one["_id"].partition(":")[0])) and allowed(filters, it)]


async def _vectors(database: Database, wanted: Sequence[Key], filters: SearchFilters) -> dict[Key, bytes]:
    """Return the vectors of chunks that may be found."""
    documents = await records(database, list({known for known, _ in wanted}))
    places = {key: Stored.of(record) for key, record in documents.items() if allowed(filters, document_of(record))}
    keys = [
        key for known, number in wanted if (it := places.get(key_of(known))) for key in it.chunk_keys(number, number)
    ]
    fields = {"document_id": 1, "ordinal": 1, "vector": 1}
    found = await database[CHUNKS].find({"_id": {"$in": keys}}, fields).to_list() if keys else []
    return {_key(one): chunk_vector(one) for one in found}


def _ranked(
    vector: bytes, limit: int, compared: Sequence[Key], known: dict[Key, bytes], others: dict[Key, bytes]
) -> Neighbours:
    """Return those compared in their places, then the most similar others."""
    import numpy as np

    question, nothing = np.frombuffer(vector, "<f4"), bytes(len(vector))
    first = [known.get(key, b"") for key in compared]
    rest = [(key, own) for key, own in others.items() if key not in set(compared)]
    keys = [*compared, *(key for key, _ in rest)]
    there = [len(own) == len(vector) for own in (*first, *(own for _, own in rest))]
    vectors = [own if fits else nothing for own, fits in zip([*first, *(own for _, own in rest)], there, strict=True)]
    rows = np.frombuffer(b"".join(vectors), "<f4").reshape(len(keys), len(question))
    scores = np.where(there, rows @ question, -np.inf)
    best = [at for at in np.argsort(-scores, kind="stable")[:limit].tolist() if at >= len(first) and there[at]]
    chosen = [*range(len(first)), *best]
    return Neighbours(
        [keys[at] for at in chosen],
        [float(scores[at]) if there[at] else math.nan for at in chosen],
        b"".join(vectors[at] for at in chosen),
    )
