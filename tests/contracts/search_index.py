"""What every `SearchIndex` does, written once: a backend's test class gives the fixture `open_index`."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multidb_chat.domain.library import Chunk, Collection, Document, DocumentContent, Library, document_id
from multidb_chat.domain.search import SearchFilters, SearchIndex

OpenIndex = Callable[[], Awaitable[SearchIndex]]
DIMENSIONS = 8
EPOCH = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
PAPERS = SearchFilters(("papers",))


def a_vector(seed: int, dimensions: int = DIMENSIONS) -> bytes:
    """Return a unit vector that only the seed decides."""
    vector = np.random.default_rng(seed).standard_normal(dimensions).astype("<f4")
    return (vector / np.linalg.norm(vector)).astype("<f4").tobytes()


def a_document(
    name: str,
    *texts: str,
    collection: str = "papers",
    vectors: Mapping[int, bytes] | None = None,
    headings: tuple[str, ...] = (),
    **fields: object,
) -> DocumentContent:
    """Make a document of one chunk a text. Vectors come from the texts, but for those given by ordinal."""
    key = document_id(collection, "/docs", name)
    chunks, start = [], 0
    for ordinal, text in enumerate(texts):
        vector = (vectors or {}).get(ordinal, a_vector(sum(map(ord, text))))
        chunks.append(Chunk(key, ordinal, start, start + len(text), text, headings=headings, vector=vector))
        start += len(text) + 1
    document = Document(key, collection, "/docs", name, "", "text", f"{texts}", EPOCH, EPOCH, chunks=len(chunks))
    return DocumentContent(replace(document, **fields), "\n".join(texts), (), tuple(chunks))


class Near(NamedTuple):
    """A chunk beside a vector."""

    document_id: str
    ordinal: int
    score: float
    vector: bytes


async def nearest(
    index: SearchIndex, vector: bytes, filters: SearchFilters, limit: int, compared: Sequence[tuple[str, int]] = ()
) -> list[Near]:
    """Return what the vector finds and those compared with it, best first, without those that may not be found."""
    keys, scores, vectors = await (await index.nearest(filters, limit, compared))(vector)
    assert keys[: len(compared)] == list(compared)
    assert scores[len(compared) :] == sorted(scores[len(compared) :], reverse=True)
    cut = [bytes(vectors)[place : place + len(vector)] for place in range(0, len(keys) * len(vector), len(vector))]
    found = [Near(*key, score, own) for key, score, own in zip(keys, scores, cut, strict=True)]
    assert all(near.vector.strip(bytes(1)) == b"" for near in found if math.isnan(near.score))
    return sorted((near for near in found if not math.isnan(near.score)), key=lambda near: -near.score)


def cosines(hits: list[Near]) -> list[float]:
    return [hit.score for hit in hits]


class SearchIndexContract:
    """Give it fixtures: `library`, empty but for the collection `papers`, and `open_index`, which opens the same index
    over it once more each time."""

    @pytest.fixture
    async def index(self, open_index: OpenIndex) -> SearchIndex:
        return await open_index()

    @pytest.fixture
    def put(self, library: Library, index: SearchIndex):
        async def put(*contents: DocumentContent) -> list[str]:
            """Store the documents and bring them into the index; return their ids."""
            await library.put_documents(contents)
            await index.refresh()
            return [content.document.id for content in contents]

        return put

    @pytest.fixture
    def find(self, index: SearchIndex, library: Library):
        async def find(question: str, filters: SearchFilters = PAPERS, limit: int = 10) -> list[str]:
            """Return the names of the documents whose chunks are found by words, best first."""
            hits = await index.lexical(question, filters, limit)
            return [(await library.document(hit.document_id)).name for hit in hits]  # type: ignore[union-attr]

        return find

    async def test_an_empty_library_has_nothing_to_find(self, index: SearchIndex):
        assert await index.refresh() == 0
        assert await index.lexical("anything", PAPERS, 10) == []
        assert await nearest(index, a_vector(1), PAPERS, 10) == []

    async def test_what_was_not_refreshed_since_is_not_found_yet(self, index: SearchIndex, library: Library, put, find):
        await put(a_document("a", "wings"))
        await library.put_documents([a_document("b", "wings too")])
        assert await find("wings") == ["a"]
        assert await index.refresh() == 1
        assert sorted(await find("wings")) == ["a", "b"]
        assert await index.refresh() == 0

    async def test_what_changed_in_a_collection_is_followed_whether_its_versions_are_given_or_not(
        self, index: SearchIndex, library: Library, find
    ):
        async def found() -> list[str]:
            versions = await library.collection_versions(["papers"])
            await index.refresh(versions=versions)
            assert await index.refresh(versions=versions) == 0
            return sorted(await find("wings"))

        contents = [a_document("a", "wings"), a_document("b", "wings too")]
        await library.put_documents(contents[:1])
        assert await found() == ["a"]
        await library.put_documents(contents[1:])
        assert await found() == ["a", "b"]
        await library.remove_documents([contents[0].document.id])
        assert await found() == ["b"]
        await index.rebuild()
        assert await found() == ["b"]

    async def test_a_chunk_is_found_by_the_words_of_its_title_its_headings_and_its_text(self, put, find):
        await put(
            a_document("titled", "nothing else", title="Propellers"),
            a_document("headed", "nothing more", headings=("Rotors", "Blades")),
            a_document("written", "it says gliders"),
        )
        assert await find("propellers") == ["titled"]
        assert await find("blades") == ["headed"]
        assert await find("gliders") == ["written"]

    async def test_a_word_in_the_title_counts_more_than_in_the_text(self, put, find):
        await put(a_document("text", "heat and more", title="Flow"), a_document("title", "flow and more", title="Heat"))
        assert await find("heat") == ["title", "text"]

    async def test_words_are_found_in_their_other_forms(self, put, find):
        await put(a_document("a", "the boundary layers were heated"))
        for question in ("heating", "layer", "BOUNDARIES", "Which layers heat?"):
            assert await find(question) == ["a"], question

    async def test_a_passage_that_covers_more_of_the_question_comes_first(self, put, find):
        await put(
            a_document("one", "drag and nothing else here"),
            a_document("two", "drag of a wing and nothing else"),
            a_document("three", "drag of a wing in supersonic flight"),
        )
        assert await find("supersonic wing drag") == ["three", "two", "one"]

    async def test_a_rare_word_counts_more_than_a_frequent_one(self, put, find):
        await put(
            *(a_document(f"{n}", f"report number {n}") for n in range(20)), a_document("rare", "churn and no more")
        )
        assert (await find("report churn"))[0] == "rare"

    async def test_a_word_in_every_passage_of_a_small_collection_still_counts(self, index: SearchIndex, put):
        await put(a_document("a", "churn rose in spring"), a_document("b", "churn fell"), a_document("c", "no churn"))
        hits = await index.lexical("How did churn change in spring?", PAPERS, 10)
        assert len(hits) == 3
        assert hits[0].score > 1.5 * hits[1].score > 0
        assert hits[1].share > 0.2

    async def test_the_share_tells_how_much_of_the_question_a_passage_covers(self, index: SearchIndex, put):
        await put(
            a_document("all", "alpha beta gamma delta"),
            a_document("half", "alpha beta other words"),
            *(a_document(f"{n}", "nothing of this") for n in range(50)),
        )
        whole, half = await index.lexical("alpha beta gamma delta", PAPERS, 10)
        assert whole.share > 0.9
        assert 0.3 < half.share / whole.share < 0.6
        (unknown,) = await index.lexical("gamma and something never heard of", PAPERS, 10)
        assert unknown.share < 0.5

    @pytest.mark.parametrize(
        ("text", "question"),
        [
            ("データベースは情報を整理する。", "データベースとは何ですか"),
            ("数据库系统存储文件", "数据库"),
            ("数据库系统存储文件", "什么系统？"),
            ("数据库系统存储文件", "件"),
            ("データベース", "ﾃﾞｰﾀﾍﾞｰｽ"),
            ("한국어 데이터베이스는 빠르다", "데이터베이스"),
            ("ฐานข้อมูลเก็บเอกสาร", "เอกสาร"),
            ("डेटाबेस दस्तावेज़ रखता है", "दस्तावेज़"),
            ("قاعدة البيانات تحفظ الوثائق", "الوثائق"),
            ("База данных хранит документы", "ДОКУМЕНТЫ"),
            ("Η βάση δεδομένων", "ΒΆΣΗ"),
            ("Übergröße naïve café", "ubergroße"),
            ("Übergröße naïve café", "cafe\u0301"),
            ("ＦＵＬＬ ｗｉｄｔｈ", "full width"),
            ("status report 🚀 launched", "🚀 launched"),
            ("call read_file(path) twice", "read_file"),
            ("error E-1042 at 10.0.0.7", "E-1042"),
        ],
    )
    async def test_any_script_is_found(self, put, find, text: str, question: str):
        await put(a_document("it", text), a_document("other", "entirely different words"))
        assert await find(question) == ["it"]

    @pytest.mark.parametrize(
        "question",
        [
            *(
                '"',
                "'",
                '""',
                "*",
                "a*",
                "^wings",
                "wings AND",
                "OR",
                "NOT wings",
                "NEAR(wings drag, 2)",
                "title:wings",
            ),
            *("{title body}: wings", "wings + drag", "-wings", "(wings", "wings)", "wings;DROP TABLE passages", "\\"),
            *("\x00", "wings\x00drag", "\ud800wings", "\U0010ffff", "%s", "🚀", "\ue000", "..."),
        ],
    )
    async def test_no_question_is_syntax(self, index: SearchIndex, put, question: str):
        (key,) = await put(a_document("a", "wings and drag"))
        hits = await index.lexical(question, PAPERS, 10)
        assert {hit.document_id for hit in hits} == ({key} if "wings" in question or "drag" in question else set())

    async def test_a_question_of_stop_words_alone_is_searched_as_it_is(self, put, find):
        await put(a_document("a", "to be or not to be"), a_document("b", "something else"))
        assert await find("to be or not to be?") == ["a"]
        assert await find("The") == []
        assert await find("") == await find(" \n\t?!") == []

    async def test_a_question_of_a_megabyte_is_answered(self, put, find):
        await put(a_document("a", "wings"), a_document("b", "drag"))
        assert await find("wings " * 170_000) == ["a"]
        assert await find("x" * 1_000_000) == []
        assert await find("wings " + " ".join(f"word{n}" for n in range(100_000))) == ["a"]

    async def test_a_document_with_nul_and_half_characters_is_indexed(self, put, find):
        await put(a_document("odd", "before\x00after \ud83d half", title="ti\x00tle\udc00"))
        assert await find("after") == await find("half") == await find("before") == ["odd"]

    async def test_the_nearest_chunks_are_those_of_the_largest_cosine_in_order(self, index: SearchIndex, put):
        vectors = {n: a_vector(n) for n in range(50)}
        (key,) = await put(a_document("a", *(f"text {n}" for n in range(50)), vectors=vectors))
        question = np.frombuffer(a_vector(1000), "<f4")
        exact = {n: float(np.frombuffer(vector, "<f4") @ question) for n, vector in vectors.items()}
        expected = sorted(exact, key=lambda n: -exact[n])[:10]
        hits = await nearest(index, question.tobytes(), PAPERS, 10)
        assert [(hit.document_id, hit.ordinal) for hit in hits] == [(key, n) for n in expected]
        assert cosines(hits) == pytest.approx([exact[n] for n in expected], abs=1e-6)
        assert [hit.vector for hit in hits] == [vectors[n] for n in expected]

    async def test_chunks_found_otherwise_are_compared_in_their_places_and_the_nearest_others_follow(
        self, index: SearchIndex, put
    ):
        near, far = await put(
            a_document("near", "x", vectors={0: a_vector(1)}), a_document("far", "y", "z", vectors={1: a_vector(2)})
        )
        compared = [(far, 1), (near, 0), (far, 9), ("nobody", 0)]
        assert (await (await index.nearest(PAPERS, 1, compared))(a_vector(1))).keys == compared
        keys, scores, _ = await (await index.nearest(PAPERS, 3, compared))(a_vector(1))
        assert keys == [*compared, (far, 0)]
        expected = float(np.frombuffer(a_vector(1), "<f4") @ np.frombuffer(a_vector(2), "<f4"))
        assert scores[:4] == pytest.approx([expected, 1.0, math.nan, math.nan], abs=1e-6, nan_ok=True)
        keys, scores, vectors = await (await index.nearest(PAPERS, 0, [("nobody", 0)]))(a_vector(1))
        assert (keys, bytes(vectors)) == ([("nobody", 0)], bytes(4 * DIMENSIONS))
        assert math.isnan(scores[0])

    async def test_chunks_found_otherwise_obey_the_filters(self, index: SearchIndex, put):
        page, book = await put(
            a_document("page", "x", kind="html", vectors={0: a_vector(1)}),
            a_document("book", "y", kind="pdf", vectors={0: a_vector(2)}),
        )
        hits = await nearest(index, a_vector(1), replace(PAPERS, kinds=("pdf",)), 1, [(page, 0), (book, 0)])
        assert [hit.document_id for hit in hits] == [book]

    async def test_a_search_made_ready_finds_as_often_as_it_is_called(self, index: SearchIndex, put):
        vectors = {n: a_vector(n) for n in range(9)}
        await put(a_document("a", *(f"text {n}" for n in range(9)), vectors=vectors))
        search = await index.nearest(PAPERS, 1)
        for n, vector in vectors.items():
            assert [ordinal for _, ordinal in (await search(vector)).keys] == [n]

    async def test_a_search_made_ready_before_a_change_finds_what_was_there_or_what_is(
        self, index: SearchIndex, library: Library, put
    ):
        gone, kept = await put(a_document("gone", "one"), a_document("kept", "two"))
        search = await index.nearest(PAPERS, 9, [(gone, 0)])
        await library.remove_documents([gone])
        await index.refresh()
        keys, scores, _ = await search(a_vector(1))
        assert keys == [(gone, 0), (kept, 0)]
        assert not math.isnan(scores[1])
        again = await index.nearest(PAPERS, 9, [(gone, 0)])
        assert math.isnan((await again(a_vector(1))).scores[0])

    async def test_what_was_found_once_is_found_anew_after_a_change_and_under_other_filters(
        self, index: SearchIndex, library: Library, put, find
    ):
        web = replace(PAPERS, kinds=("html",))
        await put(a_document("a", "wings", kind="html"), a_document("b", "wings and drag", kind="pdf"))
        assert await find("wings") == ["a", "b"]
        assert await find("wings", web) == ["a"]
        await put(a_document("b", "wings", kind="html"), a_document("c", "wings", kind="pdf"))
        assert sorted(await find("wings")) == ["a", "b", "c"]
        assert sorted(await find("wings", web)) == ["a", "b"]
        assert {hit.document_id for hit in await nearest(index, a_vector(1), web, 9)} == {
            hit.document_id for hit in await index.lexical("wings", web, 9)
        }
        await library.delete_collection("papers")
        await index.refresh()
        assert await find("wings") == await find("wings", web) == []

    async def test_searches_at_once_while_documents_change_see_whole_states(
        self, index: SearchIndex, library: Library, put
    ):
        """Every state has as many documents as chunks found, whichever search comes when."""
        await put(*(a_document(f"{n}", "wings", "drag") for n in range(20)))

        async def change() -> None:
            for n in range(20):
                await library.put_documents([a_document(f"{n}", "heat", "wings")])
                await index.refresh()

        async def search() -> None:
            for _ in range(40):
                words = await index.lexical("wings", PAPERS, 100)
                assert len({hit.document_id for hit in words}) == len(words) == 20
                similar = await nearest(index, a_vector(1), PAPERS, 100, [hit[:2] for hit in words])
                assert len({hit[:2] for hit in similar}) == len(similar) == 40

        await asyncio.gather(change(), search(), search(), search())

    async def test_chunks_of_another_collection_are_never_scored(self, index: SearchIndex, library: Library, put):
        await library.create_collection(Collection("secret", "bob", "Secret", EPOCH))
        (key,) = await put(a_document("s", "secret words", collection="secret", vectors={0: a_vector(1)}))
        assert await nearest(index, a_vector(1), PAPERS, 5, [(key, 0)]) == []
        assert await index.lexical("secret words", PAPERS, 5) == []
        assert await index.lexical("secret words", SearchFilters(()), 5) == []
        assert await nearest(index, a_vector(1), SearchFilters(()), 5, [(key, 0)]) == []

    async def test_an_index_that_follows_its_library_is_right_also_before_it_has_followed(
        self, index: SearchIndex, library: Library, put
    ):
        assert await index.check() == []
        ids = await put(a_document("a", "wings", "tails"), a_document("b", "rotors"), a_document("empty"))
        assert await index.check() == []
        await library.put_documents([a_document("b", "blades"), a_document("c", "gliders")])
        await library.remove_documents(ids[:1])
        assert await index.check() == []
        await index.refresh()
        assert await index.check() == []

    async def test_an_index_made_anew_finds_the_same(self, index: SearchIndex, put, find):
        await put(a_document("a", "wings"), a_document("b", "rotors"))
        assert await index.rebuild() == 2
        assert await find("wings") == ["a"]
        assert await index.check() == []

    async def test_limits_hold(self, index: SearchIndex, put):
        await put(a_document("a", *(f"words {n}" for n in range(30))))
        for limit in (0, 1, 7, 30, 100):
            assert len(await index.lexical("words", PAPERS, limit)) == min(limit, 30)
            assert len(await nearest(index, a_vector(1), PAPERS, limit)) == min(limit, 30)

    async def test_a_replaced_document_is_found_as_it_is_now_alone(self, index: SearchIndex, put, find):
        await put(a_document("a", "old wings", "old drag", vectors={0: a_vector(1), 1: a_vector(2)}))
        (key,) = await put(a_document("a", "new gliders", vectors={0: a_vector(3)}))
        assert await find("old wings drag") == []
        assert await find("gliders") == ["a"]
        hits = await nearest(index, a_vector(1), PAPERS, 10, [(key, 1)])
        assert [(hit.ordinal, hit.vector) for hit in hits] == [(0, a_vector(3))]

    async def test_a_removed_document_is_never_found(self, index: SearchIndex, library: Library, put, find):
        gone, kept = await put(a_document("gone", "wings one"), a_document("kept", "wings two"))
        await library.remove_documents([gone])
        assert await index.refresh() == 1
        assert await find("wings one") == ["kept"]
        hits = await nearest(index, a_vector(sum(map(ord, "wings one"))), PAPERS, 10, [(gone, 0)])
        assert [hit.document_id for hit in hits] == [kept]

    async def test_a_deleted_collection_is_never_found(self, index: SearchIndex, library: Library, put, find):
        await put(*(a_document(f"{n}", f"wings {n}") for n in range(20)))
        await library.delete_collection("papers")
        assert await index.refresh() == 20
        assert await find("wings") == []
        assert await nearest(index, a_vector(1), PAPERS, 10) == []
        await library.create_collection(Collection("papers", "ada", "Papers", EPOCH))
        await put(a_document("again", "wings"))
        assert await find("wings") == ["again"]

    async def test_a_document_without_text_is_no_trouble(self, index: SearchIndex, put, find):
        await put(a_document("empty"), a_document("a", "wings"))
        assert await find("wings") == ["a"]
        assert await index.refresh() == 0

    async def test_chunks_may_be_numbered_with_gaps(self, index: SearchIndex, library: Library, put):
        content = a_document("a", "one", "two", "three")
        odd = tuple(replace(chunk, ordinal=number) for chunk, number in zip(content.chunks, (3, 7, 20), strict=True))
        (key,) = await put(replace(content, chunks=odd))
        assert [hit.ordinal for hit in await index.lexical("two", PAPERS, 5)] == [7]
        assert [hit.ordinal for hit in await nearest(index, odd[2].vector, PAPERS, 1)] == [20]
        hits = await nearest(index, odd[2].vector, PAPERS, 1, [(key, 3), (key, 0)])
        assert [hit.ordinal for hit in hits] == [20, 3]

    async def test_vectors_of_another_length_are_passed_over_and_their_words_found(
        self, index: SearchIndex, library: Library, put, find
    ):
        await library.create_collection(Collection("large", "ada", "Large", EPOCH))
        await put(
            a_document("short", "wings", vectors={0: a_vector(1)}),
            a_document("long", "wings", collection="large", vectors={0: a_vector(1, 24)}),
            a_document("none", "wings", vectors={0: b""}),
        )
        both = SearchFilters(("papers", "large"))
        assert sorted(await find("wings", both)) == ["long", "none", "short"]
        assert len(await nearest(index, a_vector(1), both, 10)) == 1
        assert len(await nearest(index, a_vector(1, 24), both, 10)) == 1
        assert await nearest(index, a_vector(1, 16), both, 10) == []

    async def test_collections_searched_together_are_one_ranking(self, index: SearchIndex, library: Library, put, find):
        await library.create_collection(Collection("more", "ada", "More", EPOCH))
        both, one, best = await put(
            a_document("both", "wing drag", vectors={0: a_vector(1)}),
            a_document("one", "wing and other things", vectors={0: a_vector(2)}),
            a_document("best", "wing drag", collection="more", title="Wing drag", vectors={0: a_vector(3)}),
        )
        filters = SearchFilters(("more", "papers"))
        assert await find("wing drag", filters) == ["best", "both", "one"]
        hits = await nearest(index, a_vector(3), filters, 10)
        assert len(hits) == 3
        assert cosines(hits) == sorted(cosines(hits), reverse=True)
        compared = [(one, 0), (best, 0), ("nobody", 0)]
        keys, scores, vectors = await (await index.nearest(filters, 3, compared))(a_vector(3))
        assert keys == [*compared, (both, 0)]
        assert scores[1] == pytest.approx(1.0)
        assert bytes(vectors) == a_vector(2) + a_vector(3) + bytes(4 * DIMENSIONS) + a_vector(1)

    async def test_filters_narrow_by_document_kind_date_and_metadata(self, put, find):
        early, late = datetime(2019, 5, 1, 23, 59, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
        first, _, third = await put(
            a_document("first", "wings", kind="pdf", authored_at=early, metadata={"team": "blue", "it's": 'a "b"'}),
            a_document("second", "wings", kind="html", authored_at=late, metadata={"team": "red", "x": "blue"}),
            a_document("third", "wings", kind="pdf", added_at=datetime(2020, 6, 1, tzinfo=UTC)),
        )

        async def narrowed(**by: object) -> set[str]:
            return set(await find("wings", replace(PAPERS, **by)))

        assert await narrowed(document_ids=(first, third)) == {"first", "third"}
        assert await narrowed(kinds=("pdf",)) == {"first", "third"}
        assert await narrowed(kinds=("html", "pdf")) == {"first", "second", "third"}
        assert await narrowed(since=date(2020, 6, 1)) == {"second", "third"}
        assert await narrowed(until=date(2019, 5, 1)) == {"first"}
        assert await narrowed(until=date(2019, 4, 30)) == set()
        assert await narrowed(since=date(2019, 5, 2), until=date(2020, 12, 31)) == {"third"}
        assert await narrowed(metadata={"team": "blue"}) == {"first"}
        assert await narrowed(metadata={"it's": 'a "b"'}) == {"first"}
        assert await narrowed(metadata={"team": "red", "x": "blue"}) == {"second"}
        assert await narrowed(metadata={"team": "red", "x": "red"}) == set()
        assert await narrowed(kinds=("pdf",), metadata={"team": "red"}) == set()

    async def test_two_readers_of_one_index_see_the_same(
        self, open_index: OpenIndex, library: Library, index: SearchIndex, put
    ):
        other = await open_index()
        await put(a_document("a", "wings one"), a_document("b", "wings two"))
        assert await other.lexical("wings", PAPERS, 10) == await index.lexical("wings", PAPERS, 10) != []
        assert await nearest(other, a_vector(1), PAPERS, 10) == await nearest(index, a_vector(1), PAPERS, 10) != []
        await library.put_documents([a_document("c", "wings three")])
        assert await other.refresh() == 1
        assert len(await index.lexical("wings", PAPERS, 10)) == 3
        assert await index.refresh() == 0


_NAMES = st.sampled_from("abcdef")
_FILTERS = st.builds(
    SearchFilters,
    st.sets(st.sampled_from(["papers", "essays"])).map(tuple),
    st.sets(_NAMES.map(lambda name: document_id("papers", "/docs", name)), max_size=3).map(tuple),
    st.sets(st.sampled_from(["pdf", "html"]), max_size=1).map(tuple),
    st.none() | st.dates(date(2020, 1, 1), date(2020, 1, 9)),
    st.none() | st.dates(date(2020, 1, 1), date(2020, 1, 9)),
    st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(["v", "w"]), max_size=2),
)
_DOCUMENTS = st.builds(
    lambda name, collection, texts, kind, day, metadata: a_document(
        name, *texts, collection=collection, kind=kind, authored_at=datetime(2020, 1, day, tzinfo=UTC),
        metadata=metadata,
    ),
    _NAMES,
    st.sampled_from(["papers", "essays"]),
    st.lists(st.sampled_from(["wings", "drag", "wings drag", "wing of heat", "heat"]), max_size=3),
    st.sampled_from(["pdf", "html"]),
    st.integers(1, 9),
    st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(["v", "w"]), max_size=2),
)  # fmt: skip


def allows(filters: SearchFilters, document: Document) -> bool:
    """The filters' meaning, said once more in Python."""
    day = (document.authored_at or document.added_at).date()
    return (
        document.collection_id in filters.collection_ids
        and (not filters.document_ids or document.id in filters.document_ids)
        and (not filters.kinds or document.kind in filters.kinds)
        and (filters.since is None or day >= filters.since)
        and (filters.until is None or day <= filters.until)
        and filters.metadata.items() <= document.metadata.items()
    )


class FilterContract:
    """Give it `run_index`: run(check, contents) calls check(index) with an index of just these documents."""

    @settings(deadline=None, max_examples=60)
    @given(contents=st.lists(_DOCUMENTS, max_size=12), filters=_FILTERS)
    def test_whatever_the_filters_exactly_what_they_allow_is_found(self, run_index, contents, filters):
        latest = {content.document.id: content for content in contents}
        expected = {
            (key, chunk.ordinal)
            for key, content in latest.items()
            if allows(filters, content.document)
            for chunk in content.chunks
        }

        async def check(index: SearchIndex) -> None:
            similar = await nearest(index, a_vector(5), filters, 1_000)
            assert {(hit.document_id, hit.ordinal) for hit in similar} == expected
            worded = await index.lexical("wings drag heat", filters, 1_000)
            assert {(hit.document_id, hit.ordinal) for hit in worded} == expected
            assert [hit.score for hit in worded] == sorted((hit.score for hit in worded), reverse=True)

        run_index(check, contents)
