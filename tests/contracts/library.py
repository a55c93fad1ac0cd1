"""What every `Library` does, written once: a backend's test class gives the fixture `open_library`."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound, QuotaExceeded
from multidb_chat.domain.library import (
    Chunk,
    Collection,
    Described,
    Document,
    DocumentContent,
    Holdings,
    Library,
    SourceRecord,
    document_id,
)
from multidb_chat.domain.reading import Block

OpenLibrary = Callable[[], Awaitable[Library]]
EPOCH = datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=UTC)


def a_collection(key: str = "papers", owner: str = "ada", shared: bool = False, name: str = "") -> Collection:
    return Collection(key, owner, name or key.title(), EPOCH, f"All {key}", shared)


def a_vector(seed: int, dimensions: int = 4) -> bytes:
    return b"".join(((seed * 31 + n) % 251).to_bytes(4, "little") for n in range(dimensions))


def a_content(
    name: str = "a.md",
    text: str = "Some words.",
    *,
    collection: str = "papers",
    source: str = "/docs/a.md",
    pieces: int = 2,
    original: bytes | None = None,
    **fields: object,
) -> DocumentContent:
    """Make a document whose text is cut into `pieces` chunks, with everything else filled in."""
    key = document_id(collection, source, name)
    step = max(1, -(-len(text) // pieces))
    spans = [(at, min(at + step, len(text))) for at in range(0, len(text), step)]
    chunks = tuple(
        Chunk(key, n, start, end, text[start:end], "text", n + 1 if n % 2 else None, ("Top", f"Part {n}"), a_vector(n))
        for n, (start, end) in enumerate(spans)
    )
    blocks = tuple(Block(start, end, "paragraph", page=1, label="l") for start, end in spans)
    document = Document(
        key, collection, source, name, f"Title of {name}", "markdown", a_hash(text), EPOCH, EPOCH,
        len(text), len(text), len(chunks), 3, "en", EPOCH - timedelta(days=400), {"author": "Ada", "year": "2023"},
    )  # fmt: skip
    return DocumentContent(replace(document, **fields), text, blocks, chunks, original)


def a_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class LibraryContract:
    """Give it a fixture `open_library`: a function that opens the same, at first empty, library once more each time."""

    @pytest.fixture
    async def library(self, open_library: OpenLibrary) -> Library:
        library = await open_library()
        await library.create_collection(a_collection())
        return library

    async def test_a_library_has_one_identity(self, open_library: OpenLibrary):
        one, same = await open_library(), await open_library()
        identity = await one.identity()
        assert identity
        await one.create_collection(a_collection())
        assert await one.identity() == await same.identity() == identity

    async def test_an_empty_library_answers_everything_with_nothing(self, open_library: OpenLibrary):
        library = await open_library()
        assert await library.version() == 0
        assert await library.collection("no") is None
        assert await library.collections("ada") == []
        assert await library.delete_collection("no") is False
        assert await library.document("no") is None
        assert await library.documents_by_id(["no"]) == []
        assert await library.documents(["no"]) == []
        assert await library.documents([]) == []
        assert await library.find_documents(["no"], "anything") == []
        assert await library.text("no") is None
        assert await library.content("no") is None
        assert await library.passages([("no", 0, 0)]) == [None]
        assert await library.passages([]) == []
        assert await library.indexable(["no"]) == []
        assert await library.remove_documents(["no"]) == 0
        assert await library.source("no", "/docs") is None
        assert await library.sources("no") == []
        assert await library.remove_source("no", "/docs") == 0
        assert await library.collection_versions(["no"]) == {"no": 0}
        assert await library.changes(0) == []

    async def test_a_collection_comes_back_as_it_was_created(self, open_library: OpenLibrary):
        library = await open_library()
        made = replace(
            a_collection(shared=True),
            embedder="minilm",
            dimensions=384,
            chunking="fixed",
            chunk_chars=700,
            headers=False,
        )
        await library.create_collection(made)
        assert await library.collection("papers") == made

    async def test_an_owner_has_a_collection_name_once_whatever_its_case(self, library: Library):
        with pytest.raises(Conflict):
            await library.create_collection(a_collection("other", name="PAPERS"))
        with pytest.raises(Conflict):
            await library.create_collection(a_collection("papers", name="Another"))
        await library.create_collection(a_collection("bobs", owner="bob", name="Papers"))
        assert await library.collection("other") is None

    async def test_an_account_sees_its_own_and_the_shared_collections_in_order_of_name(self, library: Library):
        await library.create_collection(a_collection("zebras", name="alpha"))
        await library.create_collection(a_collection("handbook", owner="bob", shared=True))
        await library.create_collection(a_collection("secret", owner="bob"))
        assert [found.id for found in await library.collections("ada")] == ["zebras", "handbook", "papers"]

    async def test_an_update_replaces_what_may_change(self, library: Library):
        changed = replace(
            a_collection(), name="Essays", description="new", shared=True, embedder="stella", dimensions=1024,
            chunking="semantic", chunk_chars=900, headers=False,
        )  # fmt: skip
        await library.update_collection(replace(changed, owner_id="bob", created_at=EPOCH + timedelta(1)))
        assert await library.collection("papers") == changed
        with pytest.raises(NotFound):
            await library.update_collection(a_collection("unknown"))

    async def test_an_update_to_a_taken_name_is_refused(self, library: Library):
        await library.create_collection(a_collection("essays"))
        with pytest.raises(Conflict):
            await library.update_collection(a_collection("essays", name="pApers"))

    async def test_describing_changes_what_is_given_and_nothing_else(self, library: Library):
        await library.claim_embedder("papers", "mini", 4)
        before = await library.collection("papers")
        assert before is not None
        assert await library.describe_collection("papers") == before
        steps: tuple[Described, ...] = (
            {"shared": True}, {"name": "Essays"}, {"description": ""}, {"name": "ESSAYS", "shared": False},
            {"chunking": "semantic"}, {"chunk_chars": 500, "headers": False}, {"chunk_chars": 0}, {"headers": True},
        )  # fmt: skip
        for step in steps:
            before = replace(before, **step)
            assert await library.describe_collection("papers", **step) == before
            assert await library.collection("papers") == before
        with pytest.raises(NotFound):
            await library.describe_collection("unknown", shared=True)

    async def test_describing_by_a_taken_name_changes_nothing(self, library: Library):
        await library.create_collection(a_collection("essays"))
        with pytest.raises(Conflict):
            await library.describe_collection("essays", name="pApers", shared=True)
        assert await library.collection("essays") == a_collection("essays")

    async def test_who_describes_takes_no_embedder_from_who_claims(self, library: Library, open_library: OpenLibrary):
        other = await open_library()
        await asyncio.gather(
            *(library.describe_collection("papers", shared=bool(n % 2)) for n in range(6)),
            other.claim_embedder("papers", "mini", 4),
            *(other.describe_collection("papers", description=str(n)) for n in range(6)),
        )
        found = await library.collection("papers")
        assert found is not None
        assert (found.embedder, found.dimensions) == ("mini", 4)

    async def test_of_two_embedders_one_wins(self, library: Library):
        claims = await asyncio.gather(*(library.claim_embedder("papers", f"model-{n}", n + 1) for n in range(6)))
        assert len({(claim.embedder, claim.dimensions) for claim in claims}) == 1
        assert await library.collection("papers") == claims[0]
        assert claims[0].dimensions == int(claims[0].embedder[-1]) + 1
        with pytest.raises(NotFound):
            await library.claim_embedder("unknown", "model", 3)

    async def test_a_document_comes_back_with_everything_stored_of_it(self, library: Library):
        first = a_content(text="Ünïcode, 表 and 🎉.\n" * 9, original=b"\x00raw\xff", pieces=4)
        second = a_content("b.md", "", original=b"")
        await library.put_documents([first, second])
        assert await library.content(first.document.id) == first
        assert await library.content(second.document.id) == second
        assert await library.document(first.document.id) == first.document

    async def test_a_replaced_document_keeps_its_id_and_the_day_it_was_added(self, library: Library):
        later = EPOCH + timedelta(days=3)
        await library.put_documents([a_content(text="old " * 50, pieces=9, original=b"old")])
        new = a_content(text="new words", added_at=later, updated_at=later, revision=1)
        for revision in (2, 3):
            await library.put_documents([new])
            expected = replace(new.document, added_at=EPOCH, revision=revision)
            assert await library.content(new.document.id) == replace(new, document=expected)

    async def test_the_same_document_twice_in_a_batch_is_a_replacement(self, library: Library):
        first, second = a_content(text="first"), a_content(text="second", added_at=EPOCH + timedelta(1))
        await library.put_documents([first, second])
        found = await library.content(second.document.id)
        assert found == replace(second, document=replace(second.document, added_at=EPOCH, revision=2))

    async def test_a_batch_for_an_unknown_collection_stores_nothing(self, library: Library):
        batch = [a_content(), a_content(collection="unknown")]
        with pytest.raises(NotFound):
            await library.put_documents(batch)
        assert await library.document(batch[0].document.id) is None
        assert await library.version() == 0

    async def test_a_chunk_that_is_not_at_its_span_is_refused(self, library: Library):
        good = a_content()
        wrong = replace(good, chunks=(*good.chunks[:-1], replace(good.chunks[-1], text="elsewhere")))
        with pytest.raises(InvalidInput):
            await library.put_documents([wrong])
        twice = replace(good, chunks=(good.chunks[0], good.chunks[0]))
        with pytest.raises(InvalidInput):
            await library.put_documents([twice])
        assert await library.document(good.document.id) is None

    async def test_a_document_cannot_move_to_another_collection_under_its_id(self, library: Library):
        await library.create_collection(a_collection("essays"))
        content = a_content()
        await library.put_documents([content])
        with pytest.raises(Conflict):
            await library.put_documents([replace(content, document=replace(content.document, collection_id="essays"))])
        assert await library.document(content.document.id) == content.document

    @pytest.mark.parametrize("length", [0, 1, 16_383, 16_384, 16_385, 50_000])
    async def test_a_span_of_the_text_is_what_python_would_cut_out(self, library: Library, length: int):
        text = ("0123456789абвгд" * (length // 15 + 1))[:length]
        content = a_content(text=text)
        await library.put_documents([content])
        ends = (0, 1, 5, 16_383, 16_384, 16_385, 32_768, length - 1, length, length + 7)
        for start in (end for end in ends if end >= 0):
            assert await library.text(content.document.id, start) == text[start:]
            for end in (end for end in ends if end >= 0):
                assert await library.text(content.document.id, start, end) == text[start:end]

    async def test_passages_come_in_the_order_asked_with_what_there_is_of_their_chunks(self, library: Library):
        one, two = a_content(text="a b c d e " * 4_000, pieces=7), a_content("two", "short", source="/docs/two")
        await library.put_documents([one, two])
        asked = [(two, 0, 0), (one, 6, 6), (one, 9, 99), (one, 1, 3), (one, 5, 99), (two, 0, 0), (one, 3, 1)]
        found = await library.passages([("gone", 0, 0), *((of.document.id, *numbers) for of, *numbers in asked)])
        assert found[0] is None
        for (of, first, last), passage in zip(asked, found[1:], strict=True):
            chunks = [replace(chunk, vector=b"") for chunk in of.chunks if first <= chunk.ordinal <= last]
            if not chunks:
                assert passage is None
                continue
            assert passage is not None
            assert (passage.document, list(passage.chunks)) == (of.document, chunks)
            start, end = chunks[0].start, chunks[-1].end
            assert passage.between(start, end) == of.text[start:end]

    @pytest.mark.parametrize("length", [1, 16_383, 16_384, 16_385, 50_000])
    async def test_a_passage_has_the_text_that_lies_between_its_chunks(self, library: Library, length: int):
        content = a_content(text="абвгд" * 4_000 + "0123456789" * 6_000)
        edges = [(0, 1), (length, length + 9), (length + 20, length + 40)]
        chunks = tuple(
            replace(content.chunks[0], ordinal=ordinal, start=start, end=end, text=content.text[start:end])
            for ordinal, (start, end) in enumerate(edges)
        )
        await library.put_documents([replace(content, chunks=chunks)])
        (passage,) = await library.passages([(content.document.id, 0, 2)])
        assert passage is not None
        assert [chunk.text for chunk in passage.chunks] == [chunk.text for chunk in chunks]
        assert passage.between(0, length + 40) == content.text[: length + 40]
        assert passage.between(length, length + 40) == content.text[length : length + 40]

    async def test_passages_that_were_read_are_read_anew_after_every_change(
        self, library: Library, open_library: OpenLibrary
    ):
        other = await open_library()
        first, second = a_content("a", "old text", pieces=1), a_content("b", "text", pieces=1)
        spans = [(first.document.id, 0, 0), (second.document.id, 0, 0)]

        async def texts() -> list[list[str | None]]:
            read = [await each.passages(spans) for each in (library, other, library)]
            return [[passage.chunks[0].text if passage else None for passage in passages] for passages in read]

        assert await texts() == [[None, None]] * 3
        await library.put_documents([first])
        assert await texts() == [["old text", None]] * 3
        await other.put_documents([a_content("a", "new text", pieces=1), second])
        assert await texts() == [["new text", "text"]] * 3
        await library.remove_documents([second.document.id])
        assert await texts() == [["new text", None]] * 3
        await other.delete_collection(first.document.collection_id)
        assert await texts() == [[None, None]] * 3

    async def test_documents_come_by_id_in_the_order_asked_without_those_that_are_gone(self, library: Library):
        contents = [a_content(name) for name in ("1.md", "2.md", "3.md")]
        await library.put_documents(contents)
        third, first = contents[2].document, contents[0].document
        assert await library.documents_by_id([third.id, "gone", first.id]) == [third, first]

    async def test_an_index_gets_documents_in_the_order_asked_with_all_vectors(self, library: Library):
        contents = [a_content(f"{n}.md", "words " * (n + 1) * 9, pieces=n + 1) for n in range(4)]
        unset = tuple(replace(chunk, vector=b"") for chunk in contents[1].chunks)
        contents[1] = replace(contents[1], chunks=unset)
        contents.append(replace(a_content("none"), chunks=()))
        await library.put_documents(contents)
        asked = [contents[3], contents[0], contents[4], contents[1]]
        found = await library.indexable(["gone", *(content.document.id for content in asked)])
        assert found == [(content.document, list(content.chunks)) for content in asked]

    async def test_documents_are_listed_by_collection_in_pages(self, library: Library):
        await library.create_collection(a_collection("essays"))
        contents = [
            a_content(f"{n}.md", source=f"/docs/{n % 3}/{n}.md", collection="essays" if n % 2 else "papers")
            for n in range(20)
        ]
        await library.put_documents(contents)
        listed: list[Document] = []
        while page := await library.documents(["papers", "essays", "unknown"], listed[-1].id if listed else "", 3):
            assert len(page) <= 3
            listed += page
        assert listed == sorted((content.document for content in contents), key=lambda document: document.id)
        only = await library.documents(["essays"], source_prefix="/docs/1/")
        assert {document.name for document in only} == {"1.md", "7.md", "13.md", "19.md"}

    async def test_a_prefix_means_itself_and_no_pattern(self, library: Library):
        names = ["/a%b/x", "/a_b/x", "/aXb/x", "/a[b]/x", "/a*b/x", "/A%b/x", "/a%b", "/a%b\U0010ffff/x", "/a%c"]
        await library.put_documents([a_content(name, source=name) for name in names])
        for prefix in ["/a%", "/a_", "/a[", "/a*", "/a", "/a%b", "/a%b/", "/a%b\U0010ffff", "", "/a\x00"]:
            found = await library.documents(["papers"], source_prefix=prefix)
            assert {document.source for document in found} == {name for name in names if name.startswith(prefix)}

    async def test_a_reference_finds_by_id_prefix_name_source_or_title(self, library: Library):
        await library.create_collection(a_collection("essays"))
        content = a_content("a.md", source="/docs/a.md")
        await library.put_documents([content, a_content("b.md", collection="essays", source="/docs/b.md")])
        document = content.document
        references = [document.id, document.id[:6], document.id[:20], document.name, document.source, document.title]
        for reference in references:
            assert await library.find_documents(["papers", "essays"], reference) == [document]
            assert await library.find_documents(["essays"], reference) == []
        for reference in [document.id[:5], document.id[1:9], "a", "%", "", "/docs/", document.id + "0", "a.md\x00"]:
            assert await library.find_documents(["papers"], reference) == []

    async def test_no_more_documents_are_found_than_asked_for(self, library: Library):
        contents = [a_content("same.md", source=f"/docs/{n}") for n in range(5)]
        await library.put_documents(contents)
        ids = sorted(content.document.id for content in contents)
        assert [found.id for found in await library.find_documents(["papers"], "same.md", 3)] == ids[:3]

    async def test_removing_documents_takes_all_that_belongs_to_them(self, library: Library):
        contents = [a_content(f"{n}.md", source=f"/docs/{n}") for n in range(4)]
        await library.put_documents(contents)
        ids = [content.document.id for content in contents]
        assert await library.remove_documents([ids[0], ids[2], ids[0], "unknown"]) == 2
        assert [await library.content(key) is None for key in ids] == [True, False, True, False]
        gone, there = await library.passages([(ids[0], 0, 0), (ids[1], 0, 0)])
        assert gone is None
        assert there is not None
        assert there.chunks == (replace(contents[1].chunks[0], vector=b""),)

    async def test_what_an_owner_holds_is_what_is_there_now(self, library: Library):
        await library.create_collection(a_collection("notes", "bob", shared=True))
        await library.create_collection(a_collection("more"))
        assert await library.holdings("ada") == await library.holdings("nobody") == Holdings(0, 0)
        kept = ["papers", "more", "notes", "no"]
        assert await library.holdings_in(kept) == dict.fromkeys(kept, Holdings(0, 0))
        first, second = a_content("1", size_bytes=100), a_content("2", collection="more", size_bytes=20)
        await library.put_documents([first, second, a_content("3", collection="notes", size_bytes=7)])
        assert await library.holdings("ada") == Holdings(2, 120)
        assert await library.holdings("bob") == Holdings(1, 7)
        assert await library.holdings() == Holdings(3, 127)
        assert await library.holdings_in(kept) == {
            "papers": Holdings(1, 100), "more": Holdings(1, 20), "notes": Holdings(1, 7), "no": Holdings(0, 0)
        }  # fmt: skip
        await library.put_documents([a_content("1", "Other words.", size_bytes=50)])
        assert await library.holdings("ada") == Holdings(2, 70)
        await library.remove_documents([first.document.id])
        assert await library.holdings("ada") == Holdings(1, 20)
        await library.delete_collection("more")
        assert await library.holdings("ada") == Holdings(0, 0)
        assert await library.holdings_in(["papers", "more"]) == {"papers": Holdings(0, 0), "more": Holdings(0, 0)}
        assert await library.holdings_in([]) == {}

    async def test_a_batch_over_the_limit_stores_nothing(self, library: Library):
        await library.put_documents([a_content("1", size_bytes=60)], limit=60)
        version = await library.version()
        batch = [a_content("2", size_bytes=30), a_content("3", size_bytes=11)]
        with pytest.raises(QuotaExceeded):
            await library.put_documents(batch, limit=100)
        with pytest.raises(QuotaExceeded):
            await library.put_documents([a_content("1", "More words.", size_bytes=101)], limit=100)
        assert (await library.holdings("ada"), await library.version()) == (Holdings(1, 60), version)
        await library.put_documents(batch, limit=101)
        assert await library.holdings("ada") == Holdings(3, 101)

    async def test_what_grows_no_larger_is_replaced_also_beyond_the_limit(self, library: Library):
        await library.put_documents([a_content("1", size_bytes=60)])
        await library.put_documents([a_content("1", "Other words.", size_bytes=59)], limit=10)
        assert await library.holdings("ada") == Holdings(1, 59)

    async def test_racing_writers_never_pass_the_limit(self, library: Library, open_library: OpenLibrary):
        stores = [library, await open_library()]
        contents = [a_content(str(n), source=f"/docs/{n}", size_bytes=10) for n in range(40)]
        outcomes = await asyncio.gather(
            *(stores[n % 2].put_documents([content], limit=100) for n, content in enumerate(contents)),
            return_exceptions=True,
        )
        assert outcomes.count(None) == 10
        assert sum(isinstance(outcome, QuotaExceeded) for outcome in outcomes) == 30
        assert await library.holdings("ada") == Holdings(10, 100)

    async def test_an_erased_owner_leaves_changes_alone_and_gets_nothing_any_more(self, library: Library):
        await library.create_collection(a_collection("notes", "bob", shared=True))
        await library.create_collection(a_collection("more"))
        contents = [a_content(f"{n}", source=f"/docs/{n}") for n in range(230)]
        await library.put_documents([*contents, a_content("a", collection="more"), a_content("b", collection="notes")])
        await library.put_source(SourceRecord("papers", "/docs/1", "hash", 9, 1, EPOCH))
        assert await library.erase("ada") == 231
        assert await library.erase("ada") == 0
        assert [one.id for one in await library.collections("ada")] == ["notes"]
        assert await library.holdings("ada") == Holdings(0, 0)
        assert await library.source("papers", "/docs/1") is None
        removed = [change for change in await library.changes(0) if change.removed]
        assert len(removed) == 231
        with pytest.raises(NotFound):
            await library.create_collection(a_collection("papers"))
        with pytest.raises(NotFound):
            await library.put_documents(contents[:1])
        assert await library.holdings("bob") == Holdings(1, 11)

    async def test_a_source_that_lost_a_document_is_not_remembered_as_complete(self, library: Library):
        contents = [a_content(f"{n}", source=f"/docs/{n // 2}.zip") for n in range(4)]
        await library.put_documents(contents)
        kept, lost = (SourceRecord("papers", f"/docs/{n}.zip", "hash", 9, 2, EPOCH) for n in (0, 1))
        await library.put_source(kept)
        await library.put_source(lost)
        await library.remove_documents([contents[3].document.id])
        assert await library.sources("papers") == [kept]

    async def test_a_source_is_remembered_and_replaced(self, library: Library):
        record = SourceRecord("papers", "/docs/a.zip", "hash", 2**40, 12, EPOCH)
        await library.put_source(record._replace(content_hash="before"))
        await library.put_source(record)
        assert await library.source("papers", "/docs/a.zip") == record
        assert await library.source("essays", "/docs/a.zip") is None
        with pytest.raises(NotFound):
            await library.put_source(record._replace(collection_id="unknown"))

    async def test_sources_are_listed_by_prefix_in_order(self, library: Library):
        names = ["/b", "/a/2", "/a/10", "/a", "/a%", "/A", "/a/é"]
        for name in names:
            await library.put_source(SourceRecord("papers", name, "hash", 1, 1, EPOCH))
        for prefix in ["", "/a", "/a/", "/a%", "/c"]:
            found = [record.source for record in await library.sources("papers", prefix)]
            assert found == sorted(name for name in names if name.startswith(prefix))

    async def test_removing_a_source_removes_its_documents_in_that_collection(self, library: Library):
        await library.create_collection(a_collection("essays"))
        inside = [a_content(f"{n}", source="/docs/a.zip") for n in range(3)]
        beside = [a_content("0", source="/docs/a.zip", collection="essays"), a_content("0", source="/docs/a.zip2")]
        await library.put_documents(inside + beside)
        await library.put_source(SourceRecord("papers", "/docs/a.zip", "hash", 9, 3, EPOCH))
        await library.put_source(SourceRecord("essays", "/docs/a.zip", "hash", 9, 1, EPOCH))
        assert await library.remove_source("papers", "/docs/a.zip") == 3
        assert await library.source("papers", "/docs/a.zip") is None
        assert await library.source("essays", "/docs/a.zip") is not None
        assert {found.id for found in await library.documents(["papers", "essays"])} == {
            content.document.id for content in beside
        }

    async def test_deleting_a_collection_takes_documents_and_sources_along(self, library: Library):
        content = a_content()
        await library.put_documents([content])
        await library.put_source(SourceRecord("papers", "/docs/a.md", "hash", 9, 1, EPOCH))
        assert await library.delete_collection("papers") is True
        assert await library.delete_collection("papers") is False
        assert await library.content(content.document.id) is None
        await library.create_collection(a_collection())
        assert await library.sources("papers") == []
        assert await library.documents(["papers"]) == []

    async def test_the_changes_tell_each_documents_last_state_in_order(self, library: Library):
        await library.create_collection(a_collection("essays"))
        one, two, three, four = (a_content(name, source=f"/docs/{name}") for name in "1234")
        others = sorted((a_content(name, collection="essays") for name in "56"), key=lambda x: x.document.id)
        await library.put_documents([one, two])
        await library.put_documents([three, four, *others])
        seen = await library.changes(0)
        assert [change.document_id for change in seen] == [x.document.id for x in (one, two, three, four, *others)]
        assert {change.chunks for change in seen} == {2}
        await library.put_documents([one])
        await library.remove_documents([two.document.id])
        await library.remove_source("papers", "/docs/3")
        await library.delete_collection("essays")
        later = await library.changes(seen[-1].seq)
        removed = {other.document.id for other in others}
        assert [change[1:] for change in later[:3]] == [
            (one.document.id, "papers", False, 2),
            (two.document.id, "papers", True, 0),
            (three.document.id, "papers", True, 0),
        ]
        assert {(change.document_id, change.collection_id, change.removed) for change in later[3:]} == {
            (key, "essays", True) for key in removed
        }
        everything = await library.changes(0)
        assert everything == [seen[3], *later]
        assert [change.seq for change in everything] == sorted({change.seq for change in everything})
        assert await library.changes(0, 2) == everything[:2]
        assert await library.version() == later[-1].seq
        assert await library.changes(later[-1].seq) == []
        assert await library.collection_versions(["papers", "essays", "no"]) == {
            "papers": later[2].seq, "essays": later[4].seq, "no": 0
        }  # fmt: skip

    async def test_numbers_of_changes_grow_even_when_all_is_removed(self, library: Library):
        content = a_content()
        before = 0
        for _ in range(3):
            await library.put_documents([content])
            stored = await library.version()
            await library.remove_documents([content.document.id])
            removed = await library.version()
            assert before < stored < removed
            before = removed
        await library.put_documents([content])
        (change,) = await library.changes(0)
        assert (change.removed, change.seq > before) == (False, True)

    async def test_a_concurrent_reader_sees_a_document_whole(self, library: Library, open_library: OpenLibrary):
        versions = [
            a_content(text=f"version {n} " * 6_000, pieces=n + 1, content_hash=str(n), original=b"%d" % n)
            for n in range(4)
        ]
        by_hash = {content.document.content_hash: content for content in versions}
        await library.put_documents([versions[0]])

        async def read(reader: Library) -> None:
            seen: set[str] = set()
            while len(seen) < 3:
                found = await reader.content(versions[0].document.id)
                assert found is not None
                whole = by_hash[found.document.content_hash]
                assert found == replace(whole, document=replace(whole.document, revision=found.document.revision))
                ((document, chunks),) = await reader.indexable([versions[0].document.id])
                assert tuple(chunks) == by_hash[document.content_hash].chunks
                seen.add(found.document.content_hash)

        readers = asyncio.gather(read(library), read(await open_library()))
        while not readers.done():
            for content in versions:
                await library.put_documents([content])
        await readers

    async def test_what_one_writer_acknowledged_every_other_sees(self, library: Library, open_library: OpenLibrary):
        stores = [library, await open_library(), await open_library()]

        async def write(number: int) -> None:
            for n in range(12):
                content = a_content(f"{number}-{n}", source=f"/docs/{number}")
                await stores[number].put_documents([content])
                for reader in stores:
                    assert await reader.document(content.document.id) == content.document

        await asyncio.gather(*(write(number) for number in range(3)))
        for reader in stores:
            assert len(await reader.documents(["papers"])) == 36
            assert len(await reader.changes(0)) == 36

    async def test_writers_of_the_same_document_count_its_revisions(self, library: Library, open_library: OpenLibrary):
        other = await open_library()
        await asyncio.gather(*(store.put_documents([a_content()]) for store in [library, other] * 5))
        found = await other.document(a_content().document.id)
        assert found is not None
        assert found.revision == 10

    @settings(max_examples=25, deadline=None)
    @given(st.data())
    def test_any_string_is_kept_exactly(self, run_library, data: st.DataObject):
        strings = st.text(
            st.characters(exclude_categories=()) | st.sampled_from("\x00\udc80\ud83d\ude00'\"\\%_\n"), max_size=20
        )
        name, source, title, text, key, value = (data.draw(strings) for _ in range(6))
        content = a_content(name, text, source=source, title=title, metadata={key: value})
        heading = tuple(replace(chunk, headings=(title, name)) for chunk in content.chunks)
        content = replace(content, chunks=heading, blocks=tuple(replace(b, label=title) for b in content.blocks))

        async def check(library: Library) -> None:
            if await library.collection("papers") is None:
                await library.create_collection(a_collection())
            await library.put_documents([content])
            assert await library.content(content.document.id) == content
            assert await library.documents(["papers"], source_prefix=source) == [content.document]
            for reference in {name, source, title} - {""}:
                assert await library.find_documents(["papers"], reference) == [content.document]
            await library.put_source(SourceRecord("papers", source, "hash", 1, 1, EPOCH))
            assert [record.source for record in await library.sources("papers", source[:3])] == [source]
            assert await library.remove_source("papers", source) == 1
            assert await library.sources("papers") == []

        run_library(check)
