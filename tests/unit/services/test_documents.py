"""Collections and documents by owner: who may see and change what, how documents are named, what is exported."""

import json
from pathlib import Path

import pytest

from multidb_chat.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from multidb_chat.domain.library import Collection
from multidb_chat.services.ingesting.sources import Given
from tests.unit.services.ingesting import GUEST, NOW, OWNER, STRANGER, Workplace

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


async def test_the_default_collection_is_made_once_and_shared(work: Workplace):
    made = await work.documents.ensure_collection(OWNER)
    assert (made.name, made.shared) == ("documents", True)
    assert await work.documents.ensure_collection(OWNER) == made
    assert (await work.documents.ensure_collection(STRANGER)).id != made.id


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
