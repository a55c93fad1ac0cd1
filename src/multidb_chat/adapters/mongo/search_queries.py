"""Questions to the server's own search: the filters are inside the question, the tenant's boundary before all others.

Written from https://www.mongodb.com/docs/search/query/aggregation-stages/search/ and
https://www.mongodb.com/docs/vector-search/query/aggregation-stages/vector-search-stage/.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from multidb_chat.adapters.mongo.connection import Record
from multidb_chat.adapters.mongo.records import metadata_value, vector_of
from multidb_chat.adapters.mongo.texts import key_of
from multidb_chat.domain.library import Document
from multidb_chat.domain.search import SearchFilters

# No collection has this id.
NOBODY = SearchFilters(("\x00nobody",))
# Neighbours looked at for each one that is wanted; the server's advice is 10 to 20, its limit 10,000.
_CANDIDATES, _FEWEST, _MOST = 20, 200, 10_000
# A word in the title counts more.
_TITLE = 2.0


def worded(index: str, question: str, filters: SearchFilters, limit: int) -> list[Record]:
    """Return the question for passages with the words of `question`, best first."""
    searched = {
        "index": index,
        "compound": {
            "should": [
                {"text": {"query": question, "path": "title", "score": {"boost": {"value": _TITLE}}}},
                {"text": {"query": question, "path": ["headings", "text"]}},
            ],
            "minimumShouldMatch": 1,
            "filter": _operators(filters),
        },
        "scoreDetails": True,
    }
    scores = {"score": {"$meta": "searchScore"}, "details": {"$meta": "searchScoreDetails"}}
    return [{"$search": searched}, {"$limit": limit}, {"$project": {"document_id": 1, "ordinal": 1, **scores}}]


def similar(index: str, vector: bytes, filters: SearchFilters, limit: int) -> list[Record]:
    """Return the question for the passages whose vectors resemble `vector` most, best first."""
    searched = {
        "index": index,
        "path": "vector",
        "queryVector": vector_of(vector, vectors=True),
        "numCandidates": max(limit, min(_MOST, max(_FEWEST, _CANDIDATES * limit))),
        "limit": limit,
        "filter": {"$and": _conditions(filters)},
    }
    return [{"$vectorSearch": searched}, {"$project": {"document_id": 1, "ordinal": 1, "vector": 1}}]


def allowed(filters: SearchFilters, document: Document) -> bool:
    """Tell whether a document may be found: the server's index may be behind, or have cut a long value short."""
    day = (document.authored_at or document.added_at).date()
    return (
        document.collection_id in filters.collection_ids
        and (not filters.document_ids or document.id in filters.document_ids)
        and (not filters.kinds or document.kind in filters.kinds)
        and (filters.since is None or day >= filters.since)
        and (filters.until is None or day <= filters.until)
        and filters.metadata.items() <= document.metadata.items()
    )


def _operators(filters: SearchFilters) -> list[Record]:
    found: list[Record] = [{"in": {"path": path, "value": list(values)}} for path, values in _lists(filters).items()]
    if days := _days(filters):
        found.append({"range": {"path": "day", **days}})
    return found + [{"equals": {"path": "metadata", "value": value}} for value in _metadata(filters)]


def _conditions(filters: SearchFilters) -> list[Record]:
    found: list[Record] = [{path: {"$in": list(values)}} for path, values in _lists(filters).items()]
    if days := _days(filters):
        found.append({"day": {f"${name}": day for name, day in days.items()}})
    return found + [{"metadata": {"$eq": value}} for value in _metadata(filters)]


def _lists(filters: SearchFilters) -> Mapping[str, Sequence[str]]:
    lists = {
        "collection_id": [key_of(known) for known in filters.collection_ids],
        "document_id": [key_of(known) for known in filters.document_ids],
        "document_kind": filters.kinds,
    }
    return {path: values for path, values in lists.items() if values or path == "collection_id"}


def _days(filters: SearchFilters) -> dict[str, int]:
    days = {"gte": filters.since, "lte": filters.until}
    return {name: day.toordinal() for name, day in days.items() if day is not None}


def _metadata(filters: SearchFilters) -> list[Any]:
    return [metadata_value(name, value) for name, value in filters.metadata.items()]
