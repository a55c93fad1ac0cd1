"""Ingestion with the real store and reader: what is added, skipped, replaced, removed, refused and told."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from multidb_chat.domain.errors import EmbedderMismatch, InvalidInput, NotFound, NotPermitted
from multidb_chat.domain.library import Collection, Strategy
from multidb_chat.services.chunking.cutting import embedding_text
from multidb_chat.services.ingesting.events import Discovered, Failure, FileDone, FileStarted, Finished, Progress
from multidb_chat.services.ingesting.sources import Given
from tests.unit.services.ingesting import (
    GUEST,
    NOW,
    OWNER,
    STRANGER,
    FolderFetcher,
    HashingEmbedder,
    Workplace,
    contents,
    events_of,
    finished,
    outcomes,
    timeless,
)


def lines(*records: object) -> str:
    return "".join(f"{record if isinstance(record, str) else json.dumps(record)}\n" for record in records)


async def test_a_folder_becomes_documents_with_chunks_and_vectors(work: Workplace):
    work.write("guide.md", "# Guide\n\nWelcome.\n\n## Adding\n\nAdd files with care.")
    work.write("deep/notes.txt", "The meeting is on Monday.")
    done = await work.add()
    assert (done.added, done.failed, done.documents, done.chunks) == (2, 0, 2, 3)
    stored = await work.stored()
    guide = stored["guide.md"]
    assert guide.document.source == str(work.files / "guide.md")
    assert guide.document.title == "Guide"
    assert guide.document.chunks == 2
    assert guide.document.characters == len(guide.text)
    assert guide.document.size_bytes == (work.files / "guide.md").stat().st_size
    assert [chunk.headings for chunk in guide.chunks] == [("Guide",), ("Guide", "Adding")]
    for chunk, text in zip(guide.chunks, ["Guide\n\nWelcome.", "Adding\n\nAdd files with care."], strict=True):
        assert chunk.text == guide.text[chunk.start : chunk.end]
        assert text in chunk.text.replace("# ", "").replace("#", "")
        assert len(chunk.vector) == 4 * work.embedder.dimensions
    assert guide.original is None


async def test_a_vector_is_that_of_title_headings_and_text(work: Workplace):
    work.write("guide.md", "# Guide\n\nWelcome.\n\n## Adding\n\nAdd files with care.")
    await work.add()
    chunk = (await work.stored())["guide.md"].chunks[1]
    assert chunk.vector == await work.embedder.embed_query("Guide\n## Adding\n\nAdd files with care.")


async def test_what_did_not_change_is_neither_read_nor_embedded_again(work: Workplace):
    work.write("a.md", "Alpha.")
    work.write("b.md", "Beta.")
    await work.add()
    work.embedder.seen.clear()
    await work.reader.close()  # a reader that is closed reads nothing
    done = await work.add()
    assert (done.unchanged, done.added, done.documents, done.failed) == (2, 0, 0, 0)
    assert work.embedder.seen == []


async def test_a_file_that_changed_is_replaced_and_keeps_its_identity(work: Workplace):
    work.write("a.md", "The old words.")
    await work.add()
    before = (await work.stored())["a.md"].document
    work.write("a.md", "The new words.")
    done = await work.add()
    after = (await work.stored())["a.md"]
    assert (done.replaced, done.added, done.documents) == (1, 0, 1)
    assert after.text.strip() == "The new words."
    assert (after.document.id, after.document.added_at, after.document.revision) == (before.id, before.added_at, 2)


async def test_of_a_source_with_many_documents_only_the_changed_ones_are_embedded(work: Workplace):
    one, two, three = ({"id": f"d{n}", "title": f"T{n}", "text": f"Words of number {n}."} for n in (1, 2, 3))
    work.write("docs.jsonl", lines(one, two, three))
    assert (await work.add()).documents == 3
    work.embedder.seen.clear()
    work.write("docs.jsonl", lines(one, {**two, "text": "Other words."}))
    done = await work.add()
    assert (done.replaced, done.documents, len(work.embedder.seen)) == (1, 1, 1)
    stored = await work.stored()
    assert set(stored) == {"d1", "d2"}
    assert "Other words." in stored["d2"].text
    assert (await work.add()).unchanged == 1


async def test_a_file_that_cannot_be_read_is_told_with_its_reason_and_the_rest_is_done(work: Workplace):
    work.write("a.md", "Alpha.")
    work.write("empty.txt", "")
    work.write("noise.bin", bytes(range(256)) * 8)
    work.write("z.md", "Omega.")
    events = await events_of(work.ingestion().add(OWNER, work.collection, [work.files, work.files / "missing.md"]))
    assert outcomes(events) == {
        "a.md": "added",
        "empty.txt": "failed",
        "noise.bin": "failed",
        "z.md": "added",
        "missing.md": "failed",
    }
    done = finished(events)
    assert (done.added, done.failed) == (2, 3)
    reasons = {Path(failure.source).name: failure.reason for failure in done.failures}
    assert reasons["missing.md"] == "no such file or folder"
    assert reasons["empty.txt"] == "empty"
    assert set(await work.stored()) == {"a.md", "z.md"}


async def test_a_file_that_cannot_be_read_any_more_keeps_what_is_stored_of_it(work: Workplace):
    work.write("a.txt", "Alpha.")
    await work.add()
    work.write("a.txt", "")
    assert (await work.add()).failed == 1
    assert (await work.stored())["a.txt"].text.strip() == "Alpha."


async def test_a_file_over_the_limit_is_refused_without_being_read(work: Workplace):
    work.write("large.txt", "x" * 2_001)
    work.write("fits.txt", "y " * 1_000)
    events = await events_of(work.ingestion(max_file_bytes=2_000).add(OWNER, work.collection, [work.files]))
    assert outcomes(events) == {"large.txt": "failed", "fits.txt": "added"}
    assert finished(events).failures[0].reason.startswith("too large")


async def test_a_source_with_an_unreadable_part_is_tried_again_without_embedding_the_rest(work: Workplace):
    work.write("docs.jsonl", lines({"id": "d1", "text": "Good words."}, "{broken", {"id": "d3", "text": "More words."}))
    first = await work.add()
    assert (first.added, first.documents, first.failed) == (1, 2, 1)
    work.embedder.seen.clear()
    second = await work.add()
    assert (second.added, second.unchanged, second.documents, second.failed) == (0, 1, 0, 1)
    assert work.embedder.seen == []
    assert set(await work.stored()) == {"d1", "d3"}
    work.write("docs.jsonl", lines({"id": "d1", "text": "Other words."}, "{broken"))
    third = await work.add()
    assert (third.added, third.replaced, third.documents, third.failed) == (0, 1, 1, 1)


async def test_given_bytes_are_stored_under_their_name_with_the_original(work: Workplace):
    data = "Gr\u00fc\u00dfe an alle.".encode("latin-1")
    assert (await work.add(Given("build-log", data))).added == 1
    content = (await work.stored())["build-log"]
    assert (content.document.source, content.original) == ("build-log", data)
    assert content.text.strip() == "Gr\u00fc\u00dfe an alle."
    assert (await work.add(Given("build-log", data))).unchanged == 1
    assert (await work.add(Given("build-log", b"Other words."))).replaced == 1
    events = await events_of(
        work.ingestion(keep_originals=False).add(OWNER, work.collection, [Given("build-log", b"Third words.")])
    )
    assert finished(events).replaced == 1
    assert (await work.stored())["build-log"].original is None


async def test_the_original_of_many_documents_is_kept_with_none_of_them(work: Workplace):
    data = lines({"id": "a", "text": "One."}, {"id": "b", "text": "Two."}).encode()
    await work.add(Given("x.jsonl", data))
    assert {content.original for content in (await work.stored()).values()} == {None}


async def test_a_url_is_fetched_stored_and_its_temporary_file_removed(work: Workplace):
    (work.fetcher.folder / "page.md").write_text("# Page\n\nWords of the web.")
    url = FolderFetcher.SITE + "page.md"
    events = await events_of(work.ingestion().add(OWNER, work.collection, [url, FolderFetcher.SITE + "gone"]))
    assert finished(events).failures == (Failure(FolderFetcher.SITE + "gone", "the server answered 404"),)
    content = (await work.stored())["page.md"]
    assert (content.document.source, content.document.title) == (url, "Page")
    assert content.original == b"# Page\n\nWords of the web."
    assert not any(path.exists() for path in work.fetcher.given)
    assert (await work.add(url)).unchanged == 1


async def test_the_events_tell_the_totals_first_and_then_how_far_it_is(work: Workplace):
    for number in range(30):
        work.write(f"{number:02}.md", f"# Number {number}\n\n" + f"Sentence {number} of many. " * 200)
    events = await events_of(work.ingestion().add(OWNER, work.collection, [work.files]))
    totals = next(event for event in events if isinstance(event, Discovered) and event.complete)
    assert totals.files == 30
    assert totals.bytes == sum(path.stat().st_size for path in work.files.iterdir())
    first = next(place for place, event in enumerate(events) if isinstance(event, FileStarted))
    assert events.index(totals) < first
    progress = [event for event in events if isinstance(event, Progress)]
    assert all(0 <= event.fraction <= 1 and event.chunks_done <= event.chunks_estimate for event in progress)
    assert progress[-1].files == 30
    done = finished(events)
    assert done.chunks == sum(event.chunks for event in events if isinstance(event, FileDone))
    assert sum(isinstance(event, Finished) for event in events) == 1


async def test_a_guest_and_a_stranger_add_nothing(work: Workplace):
    path = work.write("a.md", "Alpha.")
    shared = Collection("s", OWNER.id, "shared", NOW, shared=True)
    await work.library.create_collection(shared)
    for account, collection, error in (
        (GUEST, work.collection, NotPermitted),
        (STRANGER, work.collection, NotFound),
        (STRANGER, shared, NotPermitted),
        (OWNER, replace(shared, id="unknown"), NotFound),
    ):
        ingestion = work.ingestion()
        for stream in (
            ingestion.add(account, collection, [path]),
            ingestion.sync(account, collection, work.files),
            ingestion.reindex(account, collection),
        ):
            with pytest.raises(error):
                await events_of(stream)
    assert await work.library.version() == 0


async def test_another_embedder_is_refused_with_the_command_that_reprocesses(work: Workplace):
    path = work.write("a.md", "Alpha.")
    await work.add()
    other = HashingEmbedder("hashing-8", 8)
    with pytest.raises(EmbedderMismatch, match="multidb-chat docs reindex --collection papers"):
        await events_of(work.ingestion(other).add(OWNER, work.collection, [path]))
    assert other.seen == []


async def test_reindexing_makes_all_vectors_anew_with_the_present_embedder(work: Workplace):
    work.write("a.md", "# A\n\nAlpha.")
    work.write("b.jsonl", lines({"id": "b1", "text": "Beta."}, {"id": "b2", "text": "More."}))
    await work.add(work.files, Given("note", b"From elsewhere."))
    before = await work.stored()
    other = HashingEmbedder("hashing-8", 8)
    done = finished(await events_of(work.ingestion(other).reindex(OWNER, work.collection)))
    assert (done.replaced, done.documents) == (4, 4)
    collection = await work.library.collection(work.collection.id)
    assert collection is not None
    assert (collection.embedder, collection.dimensions) == ("hashing-8", 8)
    after = await work.stored()
    for name, content in after.items():
        assert {len(chunk.vector) for chunk in content.chunks} == {32}
        without = replace(content, chunks=tuple(replace(chunk, vector=b"") for chunk in content.chunks))
        old = replace(before[name], chunks=tuple(replace(chunk, vector=b"") for chunk in before[name].chunks))
        ours, theirs = timeless(without), timeless(old)
        assert replace(ours, document=replace(ours.document, content_hash="")) == replace(
            theirs, document=replace(theirs.document, content_hash="")
        )
    assert finished(await events_of(work.ingestion(other).reindex(OWNER, work.collection))).unchanged == 4


async def test_an_interrupted_reindexing_leaves_the_collection_refused_and_goes_on_where_it_was(work: Workplace):
    for number in range(5):
        work.write(f"{number}.md", f"Words of number {number}. " * 300)
    await work.add()
    other = HashingEmbedder("hashing-8", 8, gate=asyncio.Event())
    other.before = 6
    stream = work.ingestion(other).reindex(OWNER, work.collection)
    async for event in stream:
        if isinstance(event, FileDone):
            break
    await stream.aclose()
    for embedder in (work.embedder, HashingEmbedder("hashing-8", 8)):
        with pytest.raises(EmbedderMismatch, match="docs reindex"):
            await events_of(work.ingestion(embedder).add(OWNER, work.collection, [work.files]))
    rest = HashingEmbedder("hashing-8", 8)
    done = finished(await events_of(work.ingestion(rest).reindex(OWNER, work.collection)))
    assert done.unchanged >= 1
    assert done.unchanged + done.replaced == 5
    assert len(rest.seen) == done.chunks < sum(content.document.chunks for content in (await work.stored()).values())


async def test_reindexing_one_document_cuts_it_as_the_options_say_now(work: Workplace):
    work.write("a.md", "Some words here. " * 200)
    work.write("b.md", "Other words here. " * 200)
    await work.add()
    a = (await work.stored())["a.md"].document
    ingestion = work.ingestion(target_chars=400)
    assert finished(await events_of(ingestion.reindex(OWNER, work.collection, [a]))).replaced == 1
    stored = await work.stored()
    assert max(len(chunk.text) for chunk in stored["a.md"].chunks) <= 500
    assert max(len(chunk.text) for chunk in stored["b.md"].chunks) > 500
    other = HashingEmbedder("hashing-8", 8)
    with pytest.raises(EmbedderMismatch):
        await events_of(work.ingestion(other).reindex(OWNER, work.collection, [a]))


@pytest.mark.parametrize("chunking", ["fixed", "semantic"])
async def test_a_collection_that_is_to_be_cut_otherwise_is_searched_while_reindexing_and_goes_on_where_it_was(
    work: Workplace, chunking: Strategy
):
    for number in range(5):
        work.write(f"{number}.md", f"Words of {number}. Others about something else. " * 60)
    await work.add()
    before = await work.stored()
    await work.library.describe_collection(work.collection.id, chunking=chunking, chunk_chars=300)
    assert (await work.add()).unchanged == 5
    stream = work.ingestion().reindex(OWNER, work.collection)
    async for event in stream:
        if isinstance(event, FileDone):
            break
    await stream.aclose()
    half = await work.stored()
    assert {len(half[name].chunks) == len(content.chunks) for name, content in before.items()} == {True, False}
    collection = await work.library.collection(work.collection.id)
    assert collection is not None
    assert collection.embedder == work.embedder.name
    rest = HashingEmbedder()
    done = finished(await events_of(work.ingestion(rest).reindex(OWNER, work.collection)))
    assert done.unchanged >= 1
    assert done.unchanged + done.replaced == 5
    for content in (await work.stored()).values():
        assert content.document.chunks == len(content.chunks) > 8
        for chunk in content.chunks:
            assert content.text[chunk.start : chunk.end] == chunk.text
            assert len(chunk.text) <= 450
            assert chunk.vector == await rest.embed_query(embedding_text(content.document.title, (), chunk.text))
    again = HashingEmbedder()
    assert finished(await events_of(work.ingestion(again).reindex(OWNER, work.collection))).unchanged == 5
    assert again.seen == []


async def test_a_collection_without_headers_embeds_the_passages_alone(work: Workplace):
    await work.library.describe_collection(work.collection.id, headers=False)
    work.write("a.md", "# Title\n\nSome words.\n\n# Other\n\nMore words.")
    await work.add()
    assert work.embedder.seen == ["# Title\n\nSome words.", "# Other\n\nMore words."]


async def test_synchronising_removes_what_vanished_and_only_that(work: Workplace):
    work.write("a.md", "Alpha.")
    gone = work.write("sub/gone.jsonl", lines({"id": "1", "text": "One."}, {"id": "2", "text": "Two."}))
    outside = work.files.parent / "files-beside.md"
    outside.write_text("Beside.")
    await work.add(work.files, outside, Given("note", b"From elsewhere."))
    gone.unlink()
    outside.unlink()
    work.write("new.md", "New.")
    events = await events_of(work.ingestion().sync(OWNER, work.collection, work.files))
    assert outcomes(events) == {"a.md": "unchanged", "new.md": "added", "gone.jsonl": "removed"}
    assert finished(events).removed == 1
    assert set(await work.stored()) == {"a.md", "new.md", "files-beside.md", "note"}


async def test_synchronising_keeps_what_is_still_there_but_is_skipped_now(work: Workplace):
    work.write("env/a.md", "Alpha.")
    await work.add()
    work.write("env/pyvenv.cfg", "")
    assert finished(await events_of(work.ingestion().sync(OWNER, work.collection, work.files))).removed == 0
    assert set(await work.stored()) == {"a.md"}


async def test_synchronising_a_folder_that_is_not_there_removes_nothing(work: Workplace):
    work.write("a.md", "Alpha.")
    await work.add()
    (work.files / "a.md").unlink()
    work.files.rmdir()
    with pytest.raises(InvalidInput, match="no such folder"):
        await events_of(work.ingestion().sync(OWNER, work.collection, work.files))
    assert set(await work.stored()) == {"a.md"}


async def test_two_runs_at_once_leave_what_one_run_leaves(work: Workplace):
    for number in range(12):
        work.write(f"{number:02}.md", f"# Number {number}\n\n" + f"Sentence {number} of many. " * 100)
    work.write("docs.jsonl", lines(*({"id": f"d{n}", "text": f"Words {n}."} for n in range(40))))
    one, two = work.ingestion(), work.ingestion(HashingEmbedder())
    both = await asyncio.gather(
        events_of(one.add(OWNER, work.collection, [work.files])),
        events_of(two.add(OWNER, work.collection, [work.files])),
    )
    assert [finished(events).failed for events in both] == [0, 0]
    together = sorted(map(timeless, await contents(work.library, work.collection)), key=lambda c: c.document.name)
    assert len(together) == 52
    await work.library.delete_collection(work.collection.id)
    await work.library.create_collection(work.collection)
    await work.add()
    alone = sorted(map(timeless, await contents(work.library, work.collection)), key=lambda c: c.document.name)
    assert together == alone


async def test_a_cancelled_run_keeps_what_it_stored_and_the_next_completes_the_rest(work: Workplace):
    for number in range(20):
        work.write(f"{number:02}.md", f"Sentence {number} of many. " * 300)
    work.write("docs.jsonl", lines(*({"id": f"d{n}", "text": f"Words {n}."} for n in range(300))))
    work.embedder.gate = asyncio.Event()
    work.embedder.before = 150
    stored = asyncio.Event()

    async def run() -> None:
        async for event in work.ingestion().add(OWNER, work.collection, [work.files]):
            if isinstance(event, FileDone):
                stored.set()

    task = asyncio.create_task(run())
    await stored.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # What was on its way to the disk may arrive: this write is behind it.
    await work.library.claim_embedder(work.collection.id, work.embedder.name, 16)
    kept = await contents(work.library, work.collection)
    assert 0 < len(kept) < 320
    assert all(content.chunks and all(chunk.vector for chunk in content.chunks) for content in kept)
    work.embedder.gate = None
    work.embedder.seen.clear()
    done = await work.add()
    assert done.documents == 320 - len(kept)
    assert len(work.embedder.seen) == done.chunks
    assert len(await contents(work.library, work.collection)) == 320


async def test_leaving_the_stream_early_ends_the_work(work: Workplace):
    work.write("a.md", "Alpha.")
    work.embedder.gate = asyncio.Event()  # never opened: only ending the work ends the wait
    stream = work.ingestion().add(OWNER, work.collection, [work.files])
    async for event in stream:
        if isinstance(event, FileStarted):
            break
    before = asyncio.all_tasks()
    await stream.aclose()
    assert len(asyncio.all_tasks()) < len(before)
    assert await work.stored() == {}


async def test_a_file_that_vanishes_before_its_turn_is_a_failure_of_its_own(work: Workplace):
    gone = work.write("gone.md", "Alpha.")
    there = work.write("there.md", "Beta.")

    class Removing(FolderFetcher):
        """What is fetched first takes the next file away, after it was discovered."""

        async def fetch(self, url: str):
            gone.unlink()
            return await super().fetch(url)

    work.fetcher = Removing(work.fetcher.folder)
    (work.fetcher.folder / "page.md").write_text("Page.")
    done = await work.add(FolderFetcher.SITE + "page.md", gone, there)
    assert done.failures == (Failure(str(gone), "no such file or folder"),)
    assert set(await work.stored()) == {"page.md", "there.md"}


async def test_any_file_name_is_stored_and_found_again(work: Workplace):
    names = ["plain.md", "\x1b[31mred\x1b[0m.md", "two\nlines.md", "\udcff\udcfe.md", "Ü ü.md", "\u202egnp.md"]
    for name in names:
        work.write(name, f"Words of {names.index(name)}.")
    done = await work.add()
    assert (done.added, done.failed) == (len(names), 0)
    assert (await work.add()).unchanged == len(names)
    for name in names:
        document = await work.documents.show(OWNER, str(work.files / name))
        assert document.source == str(work.files / name)
    assert finished(await events_of(work.ingestion().reindex(OWNER, work.collection))).unchanged == len(names)
    (work.files / names[3]).unlink()
    assert finished(await events_of(work.ingestion().sync(OWNER, work.collection, work.files))).removed == 1
