"""Libraries to be indexed, and what an index answers: two indexes of one library must answer the same."""

import random
from pathlib import Path

from multidb_chat.adapters.search_index import EmbeddedSearchIndex
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.library import Collection, DocumentContent, Library
from multidb_chat.domain.search import SearchFilters, SearchIndex
from tests.contracts.search_index import EPOCH, a_document, a_vector, nearest

_PROSE = "wing drag lift heat flow shock layer plate speed mach body jet nozzle wake vortex panel shell load"
WORDS = _PROSE.split()
QUESTIONS = ("wing drag", "heat flow in a boundary layer", "shell", "speed of the jet", "version 1", "version 3")
ALL = SearchFilters(("papers", "essays"))
DIMENSIONS = 8


def some_document(number: int, version: int = 0) -> DocumentContent:
    """Return document `number` as it is in `version`: other words, vectors and number of chunks in each."""
    chance = random.Random(f"{number} {version}")
    texts = [" ".join(chance.choices(WORDS, k=8)) + f" version {version}" for _ in range(chance.randint(1, 4))]
    vectors = {ordinal: a_vector(chance.randrange(1 << 30)) for ordinal in range(len(texts))}
    collection = "essays" if number % 5 == 0 else "papers"
    return a_document(f"{number}", *texts, vectors=vectors, collection=collection, title=f"Number {number}")


async def a_library(path: Path, documents: int = 0) -> SqliteLibrary:
    """Return a library with the two collections and so many documents."""
    library = SqliteLibrary(path)
    for key in ALL.collection_ids:
        if await library.collection(key) is None:
            await library.create_collection(Collection(key, "ada", key, EPOCH))
    if documents:
        await library.put_documents([some_document(number) for number in range(documents)])
    return library


async def answers(index: SearchIndex) -> list[object]:
    """Return all that the index finds for some questions and vectors, in an order that equal scores do not decide."""
    found: list[object] = []
    for question in QUESTIONS:
        hits = await index.lexical(question, ALL, 10_000)
        found.append(sorted((hit.document_id, hit.ordinal, round(hit.score, 6), round(hit.share, 6)) for hit in hits))
    for seed in range(4):
        hits = await nearest(index, a_vector(seed), ALL, 10_000)
        found.append(sorted((hit.document_id, hit.ordinal, round(hit.score, 5), hit.vector) for hit in hits))
    return found


async def clean_answers(folder: Path, library: Library) -> list[object]:
    """Return what an index answers that is built from nothing in `folder`."""
    index = EmbeddedSearchIndex(folder, library)
    try:
        await index.refresh()
        return await answers(index)
    finally:
        await index.close()
