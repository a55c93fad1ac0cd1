"""Search indexes on the server: whether it has search of its own, and which of them can be asked.

Nothing is told from the server's version: Atlas and servers with mongot list search indexes, and others refuse. An
index is asked once the server calls it queryable and a question about nobody's passages came back.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pymongo.errors import PyMongoError
from pymongo.operations import SearchIndexModel

from multidb_chat.adapters.mongo.collections import COLLECTIONS
from multidb_chat.adapters.mongo.connection import Database, Record
from multidb_chat.adapters.mongo.records import HERE
from multidb_chat.adapters.mongo.search_queries import NOBODY, similar, worded

CHUNKS = "chunks"
TEXT = "passages"
# Seconds between two looks at an index that cannot be asked yet.
AGAIN = 30.0
# https://www.mongodb.com/docs/search/index/create/, "token" is what filters compare.
_TEXT_DEFINITION: Mapping[str, Any] = {
    "analyzer": "lucene.english",
    "mappings": {
        "dynamic": False,
        "fields": {
            **{name: {"type": "string"} for name in ("title", "headings", "text")},
            **{name: {"type": "token"} for name in ("collection_id", "document_id", "document_kind", "metadata")},
            "day": {"type": "number"},
        },
    },
}
_FILTERS = ("collection_id", "document_id", "document_kind", "day", "metadata")


def vector_index(dimensions: int) -> str:
    """Return the name of the index of vectors of this length."""
    return f"vectors_{dimensions}"


class SearchIndexes:
    """What of the server's search can be used."""

    def __init__(self, database: Callable[[], Awaitable[Database]]) -> None:
        self._database = database
        self._queryable: set[str] = set()
        self._looked: dict[str, float] = {}

    async def text(self) -> bool:
        """Tell whether words can be searched for; have the index made where it is not."""
        model = SearchIndexModel(_TEXT_DEFINITION, TEXT, "search")
        return await self._ready(TEXT, model, worded(TEXT, "nobody", NOBODY, 1))

    async def lengths(self) -> list[int]:
        """Return how long the vectors of the collections are."""
        wanted = {"state": HERE, "dimensions": {"$gt": 0}}
        try:
            return sorted(await (await self._database())[COLLECTIONS].distinct("dimensions", wanted))
        except PyMongoError:
            return []

    async def vectors(self, dimensions: int) -> bool:
        """Tell whether vectors of this length can be searched for; have the index made where it is not."""
        name = vector_index(dimensions)
        vector = {"type": "vector", "path": "vector", "numDimensions": dimensions, "similarity": "dotProduct"}
        fields = [vector, *({"type": "filter", "path": path} for path in _FILTERS)]
        first = b"\x00\x00\x80\x3f" + bytes(4 * dimensions - 4)  # a vector of no length has no angle
        return await self._ready(
            name, SearchIndexModel({"fields": fields}, name, "vectorSearch"), similar(name, first, NOBODY, 1)
        )

    def are_absent(self) -> bool:
        """Tell whether words could not be searched for a moment ago, so that nothing need be asked now."""
        return TEXT not in self._queryable and time.monotonic() - self._looked.get(TEXT, -AGAIN) < AGAIN

    def forget(self, name: str) -> None:
        """Look at an index again before it is asked next."""
        self._queryable.discard(name)
        self._looked[name] = time.monotonic()

    async def drop(self) -> None:
        """Have the server discard its search indexes; they are made anew when they are asked for next."""
        collection = (await self._database())[CHUNKS]
        for name in [index["name"] async for index in await collection.list_search_indexes()]:
            await collection.drop_search_index(name)
        self._queryable.clear()
        self._looked.clear()

    async def _ready(self, name: str, model: SearchIndexModel, sentinel: list[Record]) -> bool:
        if name in self._queryable:
            return True
        now = time.monotonic()
        if now - self._looked.get(name, -AGAIN) < AGAIN:
            return False
        self._looked[name] = now
        try:
            if await self._can_be_asked(name, model, sentinel):
                self._queryable.add(name)
        except PyMongoError:  # 31082, 40324, 59: no search here; whatever else it is, the other index answers
            return False
        return name in self._queryable

    async def _can_be_asked(self, name: str, model: SearchIndexModel, sentinel: list[Record]) -> bool:
        collection = (await self._database())[CHUNKS]
        found = {index["name"]: index async for index in await collection.list_search_indexes()}
        if name not in found:
            await collection.create_search_index(model)
            return False
        if not found[name].get("queryable"):
            return False
        await (await collection.aggregate(sentinel)).to_list()
        return True
