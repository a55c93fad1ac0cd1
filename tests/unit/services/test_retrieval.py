"""Retrieval on a real library, index and cache; only the embedder is a small one, which counts words."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from multidb_chat.adapters.search_index import EmbeddedSearchIndex
from multidb_chat.adapters.sqlite.cache import SqliteCache
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.cache import Cache
from multidb_chat.domain.errors import EmbedderMismatch, StoreFull, StoreUnavailable
from multidb_chat.domain.library import Collection, DocumentContent
from multidb_chat.domain.search import SearchFilters
from multidb_chat.services.question_vectors import QuestionVectors
from multidb_chat.services.retrieval import Retrieval
from tests.contracts.search_index import EPOCH, PAPERS, a_document


class WordEmbedder:
    """Gives each word a direction of its own; texts that share words are similar."""

    name = "words"
    dimensions = 64

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed_query(self, text: str) -> bytes:
        self.asked.append(text)
        return self.vector(text)

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        return [self.vector(text) for text in texts]

    async def close(self) -> None:
        """Nothing to free."""

    def vector(self, text: str) -> bytes:
        total = np.full(self.dimensions, 1e-3, np.float32)
        for word in text.lower().split():
            seed = int.from_bytes(hashlib.sha256(word.strip(".,?").encode()).digest()[:4], "little")
            total += np.random.default_rng(seed).standard_normal(self.dimensions).astype(np.float32)
        return (total / np.linalg.norm(total)).astype("<f4").tobytes()


class LateEmbedder(WordEmbedder):
    """Is as far when passages are read ahead, or after a moment where none are."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = asyncio.Event()

    async def embed_query(self, text: str) -> bytes:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.reading.wait(), 0.05)
        return await super().embed_query(text)


EMBEDDER = WordEmbedder()


def a_text(name: str, *texts: str, **fields: object) -> DocumentContent:
    return a_document(name, *texts, vectors={n: EMBEDDER.vector(text) for n, text in enumerate(texts)}, **fields)  # type: ignore[arg-type]


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[SqliteLibrary]:
    library = SqliteLibrary(tmp_path / "library.sqlite")
    await library.create_collection(Collection("papers", "ada", "My papers", EPOCH, embedder="words", dimensions=64))
    yield library
    await library.close()


@pytest.fixture
async def index(tmp_path: Path, library: SqliteLibrary) -> AsyncIterator[EmbeddedSearchIndex]:
    index = EmbeddedSearchIndex(tmp_path / "index", library)
    yield index
    await index.close()


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncIterator[SqliteCache]:
    cache = SqliteCache(tmp_path / "cache.sqlite")
    yield cache
    await cache.close()


@pytest.fixture
def retrieval(index: EmbeddedSearchIndex, library: SqliteLibrary, embedder: WordEmbedder) -> Retrieval:
    return Retrieval(index, library, embedder, None)


async def test_what_was_added_just_now_is_found(retrieval: Retrieval, library: SqliteLibrary):
    assert await retrieval.search("wing drag", PAPERS) == []
    await library.put_documents([a_text("a", "heat in walls"), a_text("b", "drag of a wing")])
    first, *_ = await retrieval.search("wing drag", PAPERS)
    assert first.document.name == "b"
    assert first.chunk.text == "drag of a wing"
    assert (first.lexical or 0) > 0
    assert (first.vector or 0) > 0.5
    assert first.quality in ("excellent", "good")


async def test_a_question_that_no_document_is_about_scores_poor(retrieval: Retrieval, library: SqliteLibrary):
    await library.put_documents([a_text("a", "heat in walls of brick"), a_text("b", "drag of a wing in flight")])
    assert all(match.quality == "poor" for match in await retrieval.search("sourdough bread recipe", PAPERS))


async def test_nothing_to_ask_or_nowhere_to_look_is_nothing_found(
    retrieval: Retrieval, library: SqliteLibrary, embedder: WordEmbedder
):
    await library.put_documents([a_text("a", "wing")])
    assert await retrieval.search(" \n", PAPERS) == []
    assert await retrieval.search("wing", SearchFilters(())) == []
    assert embedder.asked == []


async def test_a_removed_document_is_not_found(retrieval: Retrieval, library: SqliteLibrary):
    contents = [a_text("a", "wing one"), a_text("b", "wing two")]
    await library.put_documents(contents)
    assert len(await retrieval.search("wing", PAPERS)) == 2
    await library.remove_documents([contents[0].document.id])
    assert [match.document.name for match in await retrieval.search("wing", PAPERS)] == ["b"]


async def test_neighbouring_chunks_are_one_match_with_exactly_the_text_of_its_span(
    retrieval: Retrieval, library: SqliteLibrary
):
    await library.put_documents([a_text("a", "an opening", "wing one", "wing two", "walls", "bricks", "wing three")])
    merged = await retrieval.search("wing", PAPERS, 3)
    assert sorted(match.chunk.text for match in merged)[-1].startswith("wing")
    both = next(match for match in merged if "\n" in match.chunk.text)
    assert "wing one\nwing two" in both.chunk.text
    assert both.chunk.text == await library.text(both.document.id, both.chunk.start, both.chunk.end)
    single = await retrieval.search("wing", PAPERS, 3, merge=False)
    assert {match.chunk.text for match in single} == {"wing one", "wing two", "wing three"}


async def test_what_only_the_meaning_finds_is_read_too(retrieval: Retrieval, library: SqliteLibrary):
    worded = [a_text(f"{n}", f"wing {n}") for n in range(40)]
    meant = a_document("meant", "gliding", vectors={0: EMBEDDER.vector("wing")})
    await library.put_documents([*worded, meant])
    found = await retrieval.search("wing", PAPERS, 41)
    assert {match.document.name for match in found} == {"meant", *(f"{n}" for n in range(40))}
    assert [match.chunk.text for match in found if match.lexical is None] == ["gliding"]
    few = await retrieval.search("wing", PAPERS, 2)
    assert [match.fused for match in few] == [match.fused for match in found[:2]]


async def test_neighbours_join_whether_words_or_meaning_found_them(retrieval: Retrieval, library: SqliteLibrary):
    vectors = {1: EMBEDDER.vector("wing"), 0: EMBEDDER.vector("wing drag")}
    await library.put_documents([a_document("a", "wing drag", "gliding", vectors=vectors)])
    (match,) = await retrieval.search("wing", PAPERS, 3)
    assert match.chunk.text == "wing drag\ngliding"


async def test_chunks_of_other_pages_stay_apart(retrieval: Retrieval, library: SqliteLibrary):
    content = a_text("a", "wing one", "wing two")
    paged = tuple(replace(chunk, page=chunk.ordinal + 1) for chunk in content.chunks)
    await library.put_documents([replace(content, chunks=paged)])
    for match in await retrieval.search("wing", PAPERS):
        assert "\n" not in match.chunk.text


async def test_the_limit_is_kept_and_the_best_come_first(retrieval: Retrieval, library: SqliteLibrary):
    await library.put_documents([a_text(f"{n}", "wing " * n + "wall " * (30 - n)) for n in range(1, 30)])
    matches = await retrieval.search("wing", PAPERS, 7)
    assert len(matches) == 7
    assert [match.fused for match in matches] == sorted((match.fused for match in matches), reverse=True)
    assert matches[0].document.name == "29"


async def test_documents_are_ranked_once_each_by_their_best_passage(retrieval: Retrieval, library: SqliteLibrary):
    await library.put_documents([a_text("a", *["wing"] * 20), a_text("b", "wing and wall"), a_text("c", "wall")])
    ranked = await retrieval.rank_documents("wing", PAPERS, 100)
    assert [match.document.name for match in ranked] == ["a", "b", "c"]
    assert [match.document.name for match in await retrieval.rank_documents("wing", PAPERS, 1)] == ["a"]


async def test_filters_hold(retrieval: Retrieval, library: SqliteLibrary):
    await library.create_collection(Collection("secret", "bob", "Secret", EPOCH, embedder="words", dimensions=64))
    contents = [
        a_text("a", "wing", kind="pdf"), a_text("b", "wing", kind="html"), a_text("c", "wing", collection="secret")
    ]  # fmt: skip
    await library.put_documents(contents)
    assert {match.document.name for match in await retrieval.search("wing", PAPERS)} == {"a", "b"}
    assert [match.document.name for match in await retrieval.search("wing", replace(PAPERS, kinds=("pdf",)))] == ["a"]


async def test_passages_read_while_the_question_is_embedded_are_not_read_again(
    retrieval: Retrieval, index: EmbeddedSearchIndex, library: SqliteLibrary, monkeypatch: pytest.MonkeyPatch
):
    await library.put_documents([a_text(f"{n}", f"wing drag number {n}", f"wing and flap {n}") for n in range(8)])
    expected = await retrieval.search("wing drag 3", PAPERS, 4)
    late, read, passages = LateEmbedder(), [], library.passages

    async def noted(spans: Sequence[tuple[str, int, int]]):
        read.append(list(spans))
        late.reading.set()
        return await passages(spans)

    monkeypatch.setattr(library, "passages", noted)
    assert await Retrieval(index, library, late, None, ahead=1).search("wing drag 3", PAPERS, 4) == expected
    first, *rest = read
    assert 0 < len(first) <= 4
    wanted = [span for spans in rest for span in spans]
    assert not set(first) & set(wanted)
    read.clear()
    assert await Retrieval(index, library, late, None, ahead=5).search("wing drag 3", PAPERS, 4) == expected
    assert len(read) == 1, "all that was wanted was among what was read ahead"


async def test_vectors_of_another_embedder_are_refused_with_what_to_do(retrieval: Retrieval, library: SqliteLibrary):
    await library.create_collection(Collection("old", "ada", "Old papers", EPOCH, embedder="others", dimensions=64))
    with pytest.raises(EmbedderMismatch, match=r'"Old papers".* others.* words.*reindex --collection \'Old papers\''):
        await retrieval.search("wing", SearchFilters(("papers", "old")))


async def test_a_collection_is_searched_with_the_embedder_that_made_its_vectors_since_the_last_search(
    index: EmbeddedSearchIndex, library: SqliteLibrary, embedder: WordEmbedder
):
    newer = WordEmbedder()
    retrieval = Retrieval(index, library, embedder, None, others={"newer": newer}.get)
    await library.put_documents([a_text("a", "wing")])
    before = await retrieval.search("wing", PAPERS)
    papers = await library.collection("papers")
    assert papers is not None
    await library.update_collection(replace(papers, embedder="newer"))
    assert await retrieval.search("wing", PAPERS) == before != []
    assert newer.asked == ["wing"]
    embedder.asked.clear()
    await retrieval.search("drag", PAPERS)
    assert (embedder.asked, newer.asked) == ([], ["wing", "drag"])
    await library.update_collection(replace(papers, embedder="gone"))
    for _ in range(2):
        with pytest.raises(EmbedderMismatch):
            await retrieval.search("wing", PAPERS)


class BrokenEmbedder(WordEmbedder):
    """An embedder that stopped working after its first question."""

    async def embed_query(self, text: str) -> bytes:
        if self.asked:
            raise StoreUnavailable("embedder", "away")
        return await super().embed_query(text)


async def test_an_embedder_that_is_away_and_not_needed_any_more_fails_one_search_at_the_most(
    index: EmbeddedSearchIndex, library: SqliteLibrary, embedder: WordEmbedder
):
    retrieval = Retrieval(index, library, embedder, None, others={"broken": BrokenEmbedder()}.get)
    await library.put_documents([a_text("a", "wing")])
    papers = await library.collection("papers")
    assert papers is not None
    await library.update_collection(replace(papers, embedder="broken"))
    assert await retrieval.search("wing", PAPERS)
    await library.update_collection(papers)
    with suppress(StoreUnavailable):
        await retrieval.search("wing", PAPERS)
    assert await retrieval.search("wing", PAPERS)


async def test_the_steps_are_timed(retrieval: Retrieval, library: SqliteLibrary):
    timings: dict[str, float] = {}
    await retrieval.search("wing", PAPERS, timings=timings)
    assert set(timings) == {"refresh", "lexical", "embedding", "nearest", "fusion", "read"}
    assert all(value >= 0 for value in timings.values())


async def test_a_question_is_embedded_once_while_the_cache_remembers_it(
    index: EmbeddedSearchIndex, library: SqliteLibrary, embedder: WordEmbedder, cache: SqliteCache
):
    await library.create_collection(Collection("notes", "ada", "Notes", EPOCH))
    await library.put_documents([a_text("a", "wing", collection="notes")])
    retrieval, notes = Retrieval(index, library, embedder, cache), SearchFilters(("notes",))
    first = await retrieval.search("wing", notes)
    assert await retrieval.search("wing", notes) == first != []
    assert embedder.asked == ["wing"]
    embedder.name = "words, newer"
    await retrieval.search("wing", notes)
    assert embedder.asked == ["wing", "wing"], "another embedder has other vectors"


async def test_a_question_that_two_ask_for_at_once_is_embedded_once(embedder: WordEmbedder, cache: SqliteCache):
    vectors = QuestionVectors(embedder, cache)
    one, other = await asyncio.gather(vectors.of("wing"), vectors.of("wing"))
    assert one == other
    assert embedder.asked == ["wing"]


async def test_a_vector_of_the_wrong_length_in_the_cache_is_not_used(
    index: EmbeddedSearchIndex, library: SqliteLibrary, embedder: WordEmbedder, cache: SqliteCache
):
    await cache.put(f"cache:vector:{hashlib.sha256(b'words' + bytes(1) + b'wing').hexdigest()}", b"short", 60)
    await library.put_documents([a_text("a", "wing")])
    assert await Retrieval(index, library, embedder, cache).search("wing", PAPERS)
    assert embedder.asked == ["wing"]


class AwayCache:
    """A cache whose server does not answer."""

    def __getattr__(self, name: str) -> object:
        async def refuse(*_: object) -> None:
            raise StoreUnavailable("cache", "away")

        return refuse


async def test_without_its_cache_everything_is_found(
    index: EmbeddedSearchIndex, library: SqliteLibrary, embedder: WordEmbedder
):
    away: Cache = AwayCache()  # type: ignore[assignment]
    await library.put_documents([a_text("a", "wing")])
    assert len(await Retrieval(index, library, embedder, away).search("wing", PAPERS)) == 1


class FullIndex:
    """An index on a full disk: it is read, but it cannot follow."""

    def __init__(self, index: EmbeddedSearchIndex) -> None:
        self._index = index

    def __getattr__(self, name: str) -> object:
        return getattr(self._index, name)

    async def refresh(self, *_: object) -> int:
        raise StoreFull("search index", "full")


async def test_on_a_full_disk_there_are_answers_and_nothing_that_is_gone_among_them(
    retrieval: Retrieval, index: EmbeddedSearchIndex, library: SqliteLibrary, embedder: WordEmbedder
):
    contents = [a_text("a", "wing one"), a_text("b", "wing two"), a_text("c", "wing three")]
    await library.put_documents(contents)
    assert len(await retrieval.search("wing", PAPERS)) == 3
    await library.remove_documents([contents[0].document.id])
    await library.put_documents([a_text("c", "replaced")])
    stale = Retrieval(FullIndex(index), library, embedder, None)  # type: ignore[arg-type]
    found = await stale.search("wing", PAPERS)
    assert {match.document.name: match.chunk.text for match in found} == {"b": "wing two", "c": "replaced"}


async def test_a_page_as_a_question_is_embedded_by_its_beginning(
    retrieval: Retrieval, library: SqliteLibrary, embedder: WordEmbedder
):
    await library.put_documents([a_text("a", "wing")])
    assert (await retrieval.search("wing " * 100_000, PAPERS))[0].document.name == "a"
    assert len(embedder.asked[0]) < 5_000
