"""Collections and documents by owner: who may see and change what, how documents are named, what is exported."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import Conflict, EmbedderMismatch, InvalidInput, NotFound, NotPermitted, StoreFull
from multidb_chat.domain.library import Collection, Document
from multidb_chat.services.accounts import LOCAL_ACCOUNT_ID
from multidb_chat.services.documents import Documents
from multidb_chat.services.ingesting.sources import Given
from multidb_chat.services.ingestion import Ingestion
from tests.unit.services.ingesting import GUEST, NOW, OWNER, STRANGER, HashingEmbedder, Workplace, events_of

LOCAL = replace(OWNER, id=LOCAL_ACCOUNT_ID)
SHARED = Collection("s", OWNER.id, "library", NOW, shared=True)


@pytest.fixture
async def filled(work: Workplace) -> Workplace:
    """Two collections of one owner, one private and one shared, with the same file in both."""
    await work.library.create_collection(SHARED)
    work.write("a.md", "# Alpha\n\n" + "First words. " * 300)
    work.write("docs.jsonl", '{"id": "d1", "text": "One."}\n{"id": "d2", "text": "Two."}\n')
    await work.add(work.files, Given("note", b"From elsewhere."))
    async for _ in work.ingestion().add(OWNER, SHARED, [work.files / "a.md"]):
        pass
    return work


@pytest.mark.parametrize("name", ["documents", "a", "Größe 2.0", "x-y_z", "漢字", "1" * 64])
async def test_a_sensible_name_makes_a_collection(work: Workplace, name: str):
    made = await work.documents.create_collection(OWNER, name, description="Two\nlines")
    assert made in await work.documents.collections(OWNER)
    assert (made.name, made.owner_id, made.shared, made.description) == (name, OWNER.id, False, "Two lines")


@pytest.mark.parametrize("name", ["", " ", " a", "a ", "-a", "_a", "a/b", "a\nb", "\x1b[31m", "a\u202eb", "1" * 65])
async def test_a_name_that_would_trouble_a_shell_or_a_screen_is_refused(work: Workplace, name: str):
    with pytest.raises(InvalidInput, match="letters, digits") as refusal:
        await work.documents.create_collection(OWNER, name)
    assert str(refusal.value).isprintable()


async def test_a_name_is_taken_once_by_each_owner(work: Workplace):
    with pytest.raises(Conflict):
        await work.documents.create_collection(OWNER, "Papers")
    await work.documents.create_collection(STRANGER, "papers")
    with pytest.raises(NotPermitted):
        await work.documents.create_collection(GUEST, "papers")


async def test_the_default_collection_is_made_once_and_shared_by_the_local_account_alone(work: Workplace):
    made = await work.documents.ensure_collection(LOCAL)
    assert (made.name, made.shared) == ("documents", True)
    assert await work.documents.ensure_collection(LOCAL, shared=False) == made
    own = await work.documents.ensure_collection(OWNER)
    assert (own.name, own.shared, own.owner_id) == ("documents", False, OWNER.id)
    assert (await work.documents.ensure_collection(OWNER, "club", shared=True)).shared


async def test_the_owner_shares_a_collection_and_takes_that_back(filled: Workplace):
    document = (await filled.stored())["d1"].document
    changed = await filled.documents.change_collection(OWNER, "papers", shared=True, description="For\nall")
    assert (changed.shared, changed.description, changed.name) == (True, "For all", "papers")
    assert await filled.documents.show(GUEST, "d1") == document
    await filled.documents.change_collection(OWNER, "c", shared=False, new_name="drafts")
    for account in (STRANGER, GUEST):
        with pytest.raises(NotFound):
            await filled.documents.read(account, document.id)
    assert (await filled.documents.resolve(OWNER, ["drafts"]))[0].description == "For all"
    with pytest.raises(InvalidInput, match="letters, digits"):
        await filled.documents.change_collection(OWNER, "drafts", new_name="a/b")
    with pytest.raises(Conflict):
        await filled.documents.change_collection(OWNER, "drafts", new_name="Library")


async def test_an_account_resolves_its_own_collections_and_the_shared_ones(filled: Workplace):
    documents = filled.documents
    assert [one.name for one in await documents.resolve(OWNER, [])] == ["library", "papers"]
    assert [one.name for one in await documents.resolve(STRANGER, [])] == ["library"]
    assert [one.name for one in await documents.resolve(GUEST, ["LIBRARY", "s"])] == ["library"]
    with pytest.raises(NotFound, match='Did you mean "library"'):
        await documents.resolve(STRANGER, ["libary"])
    for account in (STRANGER, GUEST):
        with pytest.raises(NotFound):
            await documents.resolve(account, ["papers"])


async def test_an_own_collection_goes_before_a_shared_one_of_the_same_name(filled: Workplace):
    own = await filled.documents.create_collection(STRANGER, "library")
    assert await filled.documents.resolve(STRANGER, ["library"]) == [own]


async def test_a_collection_is_shown_with_its_figures(filled: Workplace):
    summary = await filled.documents.show_collection(OWNER, "papers")
    stored = await filled.stored()
    assert summary.documents == 4
    assert summary.chunks == sum(len(content.chunks) for content in stored.values())
    assert summary.characters == sum(len(content.text) for content in stored.values())
    assert summary.size_bytes == sum(content.document.size_bytes for content in stored.values())


async def test_only_the_owner_deletes_a_collection(filled: Workplace):
    for account, error in ((STRANGER, NotPermitted), (GUEST, NotPermitted)):
        with pytest.raises(error):
            await filled.documents.delete_collection(account, "library")
    with pytest.raises(NotFound):
        await filled.documents.delete_collection(STRANGER, "papers")
    assert (await filled.documents.delete_collection(OWNER, "papers")).id == "c"
    assert [one.name for one in await filled.documents.collections(OWNER)] == ["library"]
    assert len(await filled.documents.list(OWNER)) == 1


async def test_documents_are_listed_page_by_page_and_only_where_allowed(filled: Workplace):
    papers = await filled.documents.resolve(OWNER, ["papers"])
    first = await filled.documents.list(OWNER, papers, limit=3)
    rest = await filled.documents.list(OWNER, papers, after=first[-1].id)
    assert sorted(one.name for one in [*first, *rest]) == ["a.md", "d1", "d2", "note"]
    assert [one.name for one in await filled.documents.list(GUEST)] == ["a.md"]
    with pytest.raises(NotFound):
        await filled.documents.list(GUEST, papers)


async def test_an_account_without_collections_lists_nothing(work: Workplace):
    assert await work.documents.list(STRANGER) == []
    with pytest.raises(NotFound):
        await work.documents.show(STRANGER, "a.md")


async def test_a_document_is_named_by_id_digits_name_title_or_source(
    filled: Workplace, monkeypatch: pytest.MonkeyPatch
):
    wanted = (await filled.stored())["a.md"].document
    papers = await filled.documents.resolve(OWNER, ["papers"])
    monkeypatch.chdir(filled.files)
    for reference in (wanted.id, wanted.id[:6], "a.md", "Alpha", str(filled.files / "a.md"), "./a.md", "../files/a.md"):
        assert await filled.documents.show(OWNER, reference, papers) == wanted
    with pytest.raises(NotFound, match="docs list"):
        await filled.documents.show(OWNER, "\x1b[31mnothing", papers)


async def test_an_ambiguous_name_is_refused_with_the_candidates(filled: Workplace):
    ids = [one.id[:8] for one in await filled.documents.list(OWNER) if one.name == "a.md"]
    with pytest.raises(InvalidInput) as refusal:
        await filled.documents.show(OWNER, "a.md")
    assert all(part in str(refusal.value) for part in (*ids, "papers", "library"))
    assert (await filled.documents.show(GUEST, "a.md")).collection_id == SHARED.id


async def test_what_is_private_is_not_found_and_what_is_shared_is_not_removed(filled: Workplace):
    private = (await filled.stored())["d1"].document
    shared = (await filled.documents.list(GUEST))[0]
    for account in (STRANGER, GUEST):
        for reference in (private.id, "d1"):
            with pytest.raises(NotFound):
                await filled.documents.show(account, reference)
            with pytest.raises(NotFound):
                await filled.documents.remove(account, [reference])
            with pytest.raises(NotFound):
                await filled.documents.export(account, reference)
        with pytest.raises(NotFound):
            await filled.documents.passage(account, private.id, 0, 3)
        with pytest.raises(NotPermitted):
            await filled.documents.remove(account, [shared.id])
        assert (await filled.documents.passage(account, shared.id, 2, 7)).text == "Alpha"
    assert len(await filled.documents.list(OWNER)) == 5


async def test_removing_names_all_documents_or_removes_none(filled: Workplace):
    with pytest.raises(NotFound):
        await filled.documents.remove(OWNER, ["d1", "unknown"])
    with pytest.raises(InvalidInput):
        await filled.documents.remove(OWNER, ["d1", "a.md"])
    assert len(await filled.stored()) == 4
    removed = await filled.documents.remove(OWNER, ["d1", "note", "d1"])
    assert sorted(one.name for one in removed) == ["d1", "note"]
    assert set(await filled.stored()) == {"a.md", "d2"}


async def test_a_source_stands_for_all_its_documents_and_can_be_added_again(filled: Workplace):
    removed = await filled.documents.remove(OWNER, [str(filled.files / "docs.jsonl")])
    assert sorted(one.name for one in removed) == ["d1", "d2"]
    done = await filled.add()
    assert (done.added, done.unchanged, done.documents) == (1, 1, 2)


async def test_the_bare_name_of_a_file_stands_for_all_its_documents_where_nothing_else_is_called_so(filled: Workplace):
    documents = filled.documents
    filled.write("one.jsonl", '{"id": "only", "text": "One alone."}\n')
    filled.write("kept/docs.jsonl", '{"id": "d3", "text": "Three."}\n{"id": "d4", "text": "Four."}\n')
    filled.write("kept/own.jsonl", '{"id": "own.jsonl", "text": "Five."}\n{"id": "d6", "text": "Six."}\n')
    papers = await documents.resolve(OWNER, ["papers"])
    with pytest.raises(InvalidInput, match="names several documents") as several:
        await documents.show(OWNER, "docs.jsonl", papers)
    assert all(name in str(several.value) for name in ("d1", "d2"))
    assert {one.name for one in await documents.select(OWNER, ["docs.jsonl"], papers)} == {"d1", "d2"}
    await filled.add()
    assert (await documents.show(OWNER, "one.jsonl")).name == "only"
    assert [one.name for one in await documents.select(OWNER, ["own.jsonl"])] == ["own.jsonl"]
    with pytest.raises(InvalidInput, match="names several documents"):  # there are two files of this name now
        await documents.remove(OWNER, ["docs.jsonl"])
    with pytest.raises(NotFound):
        await documents.show(STRANGER, "one.jsonl")
    removed = await documents.remove(OWNER, [str(filled.files / "docs.jsonl")])
    assert sorted(one.name for one in removed) == ["d1", "d2"]
    assert sorted(one.name for one in await documents.remove(OWNER, ["docs.jsonl"])) == ["d3", "d4"]


async def test_what_was_taken_out_is_put_back_as_it_was(filled: Workplace):
    before = await filled.stored()
    sources = await filled.library.sources("c")
    ids = [before[name].document.id for name in ("d1", "note")]
    removed = await filled.documents.take_out(OWNER, [*ids, ids[0]])
    assert sorted(one.name for one in removed.documents) == ["d1", "note"]
    assert set(await filled.stored()) == {"a.md", "d2"}
    assert "before" not in repr(removed)
    assert sorted(one.name for one in await filled.documents.put_back(OWNER, removed)) == ["d1", "note"]
    assert await filled.stored() == before
    assert await filled.library.sources("c") == sources
    assert await filled.documents.put_back(OWNER, removed) == []


async def test_what_was_added_again_meanwhile_is_not_overwritten_by_undoing(filled: Workplace):
    note = (await filled.stored())["note"].document
    removed = await filled.documents.take_out(OWNER, [note.id])
    await filled.add(Given("note", b"Newer words."))
    assert await filled.documents.put_back(OWNER, removed) == []
    assert (await filled.stored())["note"].text == "Newer words."


async def test_undoing_needs_the_same_rights_collection_and_vectors(filled: Workplace):
    note = (await filled.stored())["note"].document
    removed = await filled.documents.take_out(OWNER, [note.id])
    for account in (STRANGER, GUEST):
        with pytest.raises(NotFound):
            await filled.documents.put_back(account, removed)
    await filled.documents.change_collection(OWNER, "c", shared=True)
    for account in (STRANGER, GUEST):
        with pytest.raises(NotPermitted):
            await filled.documents.put_back(account, removed)
    async for _ in filled.ingestion(HashingEmbedder("hashing-8", 8)).reindex(OWNER, filled.collection):
        pass
    with pytest.raises(EmbedderMismatch, match="other vectors"):
        await filled.documents.put_back(OWNER, removed)
    await filled.documents.delete_collection(OWNER, "c")
    with pytest.raises(NotFound, match="does not exist any more"):
        await filled.documents.put_back(OWNER, removed)


async def test_a_document_is_read_with_its_structure(filled: Workplace):
    content = (await filled.stored())["a.md"]
    read = await filled.documents.read(OWNER, content.document.id)
    assert (read.document, read.text, read.blocks) == (content.document, content.text, content.blocks)


# What a method does to a private and to a shared document or collection of OWNER, by who asks for it.
DISABLED = replace(OWNER, disabled_at=NOW)
ADMIN = replace(STRANGER, role="admin")
Call = Callable[[Workplace, Account, Document, Collection], Awaitable[object]]
READS: dict[str, Call] = {
    "list": lambda work, who, one, of: work.documents.list(who, [of]),
    "show": lambda work, who, one, of: work.documents.show(who, one.id),
    "select": lambda work, who, one, of: work.documents.select(who, [one.id]),
    "passage": lambda work, who, one, of: work.documents.passage(who, one.id, 0, 3),
    "read": lambda work, who, one, of: work.documents.read(who, one.id),
    "export": lambda work, who, one, of: work.documents.export(who, one.id, "json"),
    "resolve": lambda work, who, one, of: work.documents.resolve(who, [of.id]),
    "show_collection": lambda work, who, one, of: work.documents.show_collection(who, of.id),
}
CHANGES: dict[str, Call] = {
    "remove": lambda work, who, one, of: work.documents.remove(who, [one.id]),
    "take_out": lambda work, who, one, of: work.documents.take_out(who, [one.id]),
    "change_collection": lambda work, who, one, of: work.documents.change_collection(who, of.id, shared=True),
    "delete_collection": lambda work, who, one, of: work.documents.delete_collection(who, of.id),
    "add": lambda work, who, one, of: events_of(work.ingestion().add(who, of, [work.files])),
    "sync": lambda work, who, one, of: events_of(work.ingestion().sync(who, of, work.files)),
    "reindex": lambda work, who, one, of: events_of(work.ingestion().reindex(who, of)),
    "reprocess": lambda work, who, one, of: events_of(work.ingestion().reprocess(who, of)),
}


@pytest.mark.parametrize("name", [*READS, *CHANGES])
async def test_a_method_serves_those_it_may_and_nobody_else(filled: Workplace, name: str):
    call, changes = (READS | CHANGES)[name], name in CHANGES
    private, shared = (await filled.stored())["a.md"].document, (await filled.documents.list(GUEST))[0]
    refused: tuple[type[Exception], ...] = (NotFound, NotPermitted)
    version = await filled.library.version()
    for who in (STRANGER, ADMIN, GUEST):
        with pytest.raises(refused):
            await call(filled, who, private, filled.collection)
        if changes:
            with pytest.raises(NotPermitted):
                await call(filled, who, shared, SHARED)
        else:
            assert await call(filled, who, shared, SHARED)
    for document, collection in ((private, filled.collection), (shared, SHARED)):
        with pytest.raises(NotPermitted, match="disabled"):
            await call(filled, DISABLED, document, collection)
    assert await filled.library.version() == version
    assert [one.shared for one in await filled.documents.collections(OWNER)] == [True, False]
    assert await call(filled, OWNER, private, filled.collection)


async def test_a_method_that_names_nothing_is_refused_to_a_disabled_account(filled: Workplace):
    for call in (
        filled.documents.collections(DISABLED),
        filled.documents.contents(DISABLED),
        filled.documents.holdings(DISABLED),
        filled.documents.ensure_collection(DISABLED),
        filled.documents.create_collection(DISABLED, "new"),
        filled.documents.list(DISABLED),
    ):
        with pytest.raises(NotPermitted, match="disabled"):
            await call


def test_every_method_is_in_the_table_of_who_may_call_it():
    public = {name for of in (Documents, Ingestion) for name in dir(of) if not name.startswith("_")}
    elsewhere = {
        "collections", "contents", "holdings", "create_collection", "ensure_collection", "put_back", "embedder",
    }  # fmt: skip
    assert public == {*READS, *CHANGES} | elsewhere


async def test_a_passage_comes_with_whole_words_around_it(filled: Workplace):
    document = (await filled.stored())["a.md"].document
    text = (await filled.stored())["a.md"].text
    start = text.index("words", 2_000)
    passage = await filled.documents.passage(OWNER, document.id, start, start + 5)
    assert passage.text == "words"
    whole = passage.before + passage.text + passage.after
    assert text[start - len(passage.before) :].startswith(whole)
    assert whole.startswith(("First", "words"))
    assert 1_000 < len(passage.before) <= 1_200
    assert (await filled.documents.passage(OWNER, document.id, start, start + 5, around=0)).before == ""
    beyond = await filled.documents.passage(OWNER, document.id, -5, 10**9)
    assert beyond.text == text


async def test_a_document_is_exported_as_text_markdown_json_and_original(filled: Workplace):
    content = (await filled.stored())["note"]
    export = filled.documents.export
    assert (await export(OWNER, "note")).content.decode() == content.text + "\n"
    assert (await export(OWNER, "note", "original")).content == b"From elsewhere."
    record = json.loads((await export(OWNER, "note", "json")).content)
    assert (record["id"], record["text"], record["chunk_spans"][0]["start"]) == (content.document.id, content.text, 0)
    papers = await filled.documents.resolve(OWNER, ["papers"])
    markdown = await export(OWNER, "a.md", "markdown", papers)
    assert markdown.name == "a.md.md"
    assert markdown.content.decode().startswith("# Alpha\n\nFirst words.")
    with pytest.raises(InvalidInput, match="was not kept"):
        await export(OWNER, "a.md", "original", papers)


async def test_markdown_marks_headings_and_code_of_other_formats(work: Workplace):
    work.write("page.html", "<h1>Page</h1><p>Words.</p><h2>Part</h2><pre>code ``` here</pre>")
    await work.add()
    text = (await work.documents.export(OWNER, "page.html", "markdown")).content.decode()
    assert text == "# Page\n\nWords.\n\n## Part\n\n````\ncode ``` here\n````\n"


async def test_a_document_with_a_hostile_name_is_exported(work: Workplace):
    work.write("\udcff\x1b[31m.md", "Words.")
    await work.add()
    document = (await work.documents.list(OWNER))[0]
    for form in ("text", "markdown", "json"):
        assert b"Words." in (await work.documents.export(OWNER, document.id, form)).content
    assert Path(document.source).name == "\udcff\x1b[31m.md"


class Recording:
    """Remembers what is recorded, or fails as a full disk does."""

    def __init__(self, full: bool = False) -> None:
        self.full = full
        self.entries: list[tuple[str, str, str, dict[str, str]]] = []

    async def record(self, actor: Account | None, action: str, target: Account | str = "", **details: str) -> Any:
        if self.full:
            raise StoreFull("accounts", "no space is left")
        assert actor is not None
        self.entries.append((actor.id, action, str(target), details))


async def test_every_change_is_recorded_and_what_is_only_read_is_not(filled: Workplace):
    audit = Recording()
    documents = Documents(filled.library, lambda: audit)
    note = (await filled.stored())["note"].document
    await documents.read(OWNER, note.id)
    assert audit.entries == []
    removed = await documents.take_out(OWNER, [note.id])
    await documents.put_back(OWNER, removed)
    await documents.remove(OWNER, [note.id])
    made = await documents.create_collection(OWNER, "club", shared=True)
    await documents.change_collection(OWNER, "club", shared=False)
    await documents.change_collection(OWNER, "club", new_name="den")
    await documents.delete_collection(OWNER, "den")
    assert audit.entries == [
        (OWNER.id, "document.remove", note.id, {"collection": "c"}),
        (OWNER.id, "document.restore", note.id, {"collection": "c"}),
        (OWNER.id, "document.remove", note.id, {"collection": "c"}),
        (OWNER.id, "collection.create", made.id, {"shared": "true"}),
        (OWNER.id, "collection.unshare", made.id, {}),
        (OWNER.id, "collection.describe", made.id, {}),
        (OWNER.id, "collection.delete", made.id, {}),
    ]


async def test_what_cannot_be_recorded_is_not_done(filled: Workplace):
    documents = Documents(filled.library, lambda: Recording(full=True))
    version = await filled.library.version()
    for call in (
        documents.remove(OWNER, ["note"]),
        documents.take_out(OWNER, [(await filled.stored())["note"].document.id]),
        documents.change_collection(OWNER, "papers", shared=True),
        documents.delete_collection(OWNER, "papers"),
        documents.create_collection(OWNER, "club"),
    ):
        with pytest.raises(StoreFull):
            await call
    assert await filled.library.version() == version
    assert [one.shared for one in await documents.collections(OWNER)] == [True, False]


async def test_many_removed_documents_are_recorded_by_their_number(filled: Workplace):
    audit = Recording()
    filled.write("many.jsonl", "".join(f'{{"id": "n{number}", "text": "Line {number}."}}\n' for number in range(12)))
    await filled.add()
    await Documents(filled.library, lambda: audit).remove(OWNER, [str(filled.files / "many.jsonl")])
    assert audit.entries == [(OWNER.id, "document.remove", "c", {"documents": "12"})]


async def test_how_a_collection_is_cut_is_said_when_it_is_made_and_changed_later(filled: Workplace):
    documents = Documents(filled.library)
    made = await documents.create_collection(OWNER, "club", chunking="semantic", chunk_chars=800)
    assert (made.chunking, made.chunk_chars, made.headers) == ("semantic", 800, True)
    changed = await documents.change_collection(OWNER, "club", headers=False, chunk_chars=0)
    assert changed == replace(made, headers=False, chunk_chars=0)
    assert await documents.resolve(OWNER, ["club"]) == [changed]


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        ({"chunking": "sentences"}, '"sentences" is no way to cut documents: structure, semantic, fixed are.'),
        ({"chunk_chars": 199}, "A passage is 200 to 20,000 characters long, or 0 for the usual length."),
        ({"chunk_chars": -1}, "A passage is 200 to 20,000"),
        ({"chunk_chars": 20_001}, "A passage is 200 to 20,000"),
    ],
)
async def test_a_way_to_cut_that_is_none_is_refused_and_nothing_changes(filled: Workplace, cut: Any, told: str):
    documents = Documents(filled.library)
    before = await documents.resolve(OWNER, [])
    for call in (
        documents.create_collection(OWNER, "club", **cut),
        documents.change_collection(OWNER, "papers", **cut),
    ):
        with pytest.raises(InvalidInput, match=re.escape(told)):
            await call
    assert await documents.resolve(OWNER, []) == before
