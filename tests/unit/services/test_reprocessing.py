"""Another embedder for collections that are in use: searched with the old vectors until all new ones are there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from multidb_chat.adapters.embedders.kept import KeepingEmbedder
from multidb_chat.adapters.readers.client import SubprocessReader
from multidb_chat.adapters.search_index import EmbeddedSearchIndex
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.errors import NotFound
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Collection
from multidb_chat.domain.search import Embedder, SearchFilters
from multidb_chat.domain.tasks import Task
from multidb_chat.services.ingesting.events import Finished
from multidb_chat.services.ingestion import Ingestion
from multidb_chat.services.reprocessing import Reprocessing
from multidb_chat.services.retrieval import Retrieval
from multidb_chat.services.tasks.reports import loads
from tests.unit.services.ingesting import NOW, OWNER, STRANGER, HashingEmbedder, Workplace, events_of, finished


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Workplace]:
    library = SqliteLibrary(tmp_path / "library.sqlite")
    made = Workplace(tmp_path, library, SubprocessReader(workers=1))
    await library.create_collection(made.collection)
    for number in range(6):
        made.write(f"{number}.md", f"Wings and words of number {number}. " * 300)
    await made.add()
    yield made
    await made.reader.close()
    await library.close()


@pytest.fixture
def index(work: Workplace, tmp_path: Path) -> EmbeddedSearchIndex:
    return EmbeddedSearchIndex(tmp_path / "index", work.library)


def by(work: Workplace, embedder: Embedder, *others: Embedder) -> Ingestion:
    """Return an ingestion with an embedder, where the others can be had too."""
    known = {one.name: one for one in others}
    return Ingestion(work.library, work.reader, work.fetcher, embedder, others=known.get)


def kept(tmp_path: Path, inner: HashingEmbedder) -> KeepingEmbedder:
    return KeepingEmbedder(inner, tmp_path / "vectors", 10_000_000)


async def embedder_of(work: Workplace) -> str:
    collection = await work.library.collection(work.collection.id)
    assert collection is not None
    return collection.embedder


async def test_until_the_switch_everything_is_found_with_the_old_vectors(
    work: Workplace, index: EmbeddedSearchIndex, tmp_path: Path
):
    old = Retrieval(index, work.library, work.embedder, None)
    filters = SearchFilters((work.collection.id,))
    seen = 0
    async for event in by(work, kept(tmp_path, HashingEmbedder("new-8", 8))).reprocess(OWNER, work.collection):
        if await embedder_of(work) == work.embedder.name:
            assert await old.search("wings", filters)
            seen += 1
        done = event
    assert seen > 5
    assert isinstance(done, Finished)
    assert (done.replaced, await embedder_of(work)) == (6, "new-8")
    new = Retrieval(index, work.library, HashingEmbedder("new-8", 8), None)
    assert await new.search("wings", filters)


async def test_what_was_made_before_an_interruption_is_not_made_again(work: Workplace, tmp_path: Path):
    work.write("long.md", " ".join(f"word{number}" for number in range(30_000)))
    await work.add()
    first = HashingEmbedder("new-8", 8)
    stream = by(work, kept(tmp_path, first)).reprocess(OWNER, work.collection)
    async for _ in stream:
        if first.seen:
            break
    await stream.aclose()
    assert await embedder_of(work) == work.embedder.name
    rest = HashingEmbedder("new-8", 8)
    await events_of(by(work, kept(tmp_path, rest)).reprocess(OWNER, work.collection))
    assert first.seen
    assert rest.seen
    assert not set(first.seen) & set(rest.seen)
    assert len(rest.seen) == len(set(rest.seen))


async def test_a_collection_that_has_these_vectors_is_left_as_it_is(work: Workplace):
    version = await work.library.version()
    done = finished(await events_of(by(work, HashingEmbedder()).reprocess(OWNER, work.collection)))
    assert (done.unchanged, done.documents) == (6, 0)
    assert await work.library.version() == version


async def test_nobody_reprocesses_what_is_another_s(work: Workplace):
    with pytest.raises(NotFound):
        await events_of(by(work, HashingEmbedder("new-8", 8)).reprocess(STRANGER, work.collection))


async def test_documents_go_into_a_collection_with_the_embedder_that_it_has(work: Workplace):
    new = HashingEmbedder("new-8", 8)
    path = work.write("late.md", "A late one.")
    done = finished(await events_of(by(work, new, work.embedder).add(OWNER, work.collection, [path])))
    assert (done.added, new.seen) == (1, [])
    assert {len(chunk.vector) for chunk in (await work.stored())["late.md"].chunks} == {4 * work.embedder.dimensions}


async def test_collections_of_different_embedders_are_searched_together(work: Workplace, index: EmbeddedSearchIndex):
    new = HashingEmbedder("new-8", 8)
    other = Collection("other", OWNER.id, "other", NOW)
    await work.library.create_collection(other)
    await events_of(by(work, new).add(OWNER, other, [work.write("other.md", "Wings of another embedder.")]))
    known = {one.name: one for one in (new, work.embedder)}
    retrieval = Retrieval(index, work.library, new, None, others=known.get)
    found = await retrieval.search("wings", SearchFilters((work.collection.id, "other")), 20)
    assert {match.document.collection_id for match in found} == {work.collection.id, "other"}
    assert all(match.vector is not None for match in found)
    assert [match.fused for match in found] == sorted((match.fused for match in found), reverse=True)


async def test_as_a_background_task_it_tells_how_far_it_is_and_what_it_did(work: Workplace, tmp_path: Path):
    told: list[tuple[float, str]] = []
    new = kept(tmp_path, HashingEmbedder("new-8", 8))
    task = Task(new_id(), OWNER.id, "reprocess", {"collections": work.collection.id, "embedder": "stella"}, NOW)
    asked: list[str] = []

    def ingestion(name: str) -> Ingestion:
        asked.append(name)
        return by(work, new)

    outcome = await Reprocessing(work.documents, ingestion)(task, OWNER, lambda *step: told.append(step))
    assert asked == ["stella"]
    assert outcome.summary == "1 collection processed with new-8"
    assert "papers: 6 replaced" in loads(outcome.result).markdown
    assert told
    assert all(0 <= part <= 1 and step == "embedding papers" for part, step in told)
