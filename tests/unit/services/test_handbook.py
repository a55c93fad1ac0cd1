"""The handbook is always at the content of its files, whatever was there before."""

import re
import shutil
from pathlib import Path

import pytest

from multidb_chat.domain.errors import NotPermitted
from multidb_chat.services.handbook import HANDBOOK_ID, Handbook
from tests.unit.services.ingesting import GUEST, OWNER, HashingEmbedder, Workplace

FOLDER = Path(__file__).parents[3] / "docs" / "handbook"


def handbook(work: Workplace, folder: Path, embedder: HashingEmbedder | None = None) -> Handbook:
    used = embedder or work.embedder
    return Handbook(work.library, used.name, lambda: work.ingestion(used), folder)


async def names(work: Workplace) -> dict[str, str]:
    return {one.name: one.title for one in await work.library.documents([HANDBOOK_ID], limit=100)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the handbook."""
    copy = tmp_path / "handbook"
    shutil.copytree(FOLDER, copy)
    return copy


async def test_the_handbook_becomes_a_collection_that_everybody_may_search_and_nobody_change(
    work: Workplace, folder: Path
):
    collection = await handbook(work, folder).ensure()
    assert collection.shared
    assert [path.name for path in sorted(folder.iterdir())] == sorted(Path(name).name for name in await names(work))
    assert HANDBOOK_ID in [one.id for one in await work.documents.resolve(GUEST, [])]
    with pytest.raises(NotPermitted):
        await work.documents.delete_collection(OWNER, HANDBOOK_ID)
    with pytest.raises(NotPermitted):
        async for _ in work.ingestion().add(OWNER, collection, [folder]):
            pass


async def test_an_unchanged_handbook_is_neither_read_nor_written(work: Workplace, folder: Path):
    await handbook(work, folder).ensure()
    version = await work.library.version()
    work.embedder.seen.clear()
    await work.reader.close()  # a reader that is closed reads nothing
    await handbook(work, folder).ensure()
    assert await work.library.version() == version
    assert work.embedder.seen == []


async def test_changed_new_and_removed_pages_are_followed(work: Workplace, folder: Path):
    await handbook(work, folder).ensure()
    before = await names(work)
    first, second, *_ = sorted(folder.iterdir())
    first.write_text("# Another title\n\nOther words.")
    second.unlink()
    (folder / "99-new.md").write_text("# New\n\nNew words.")
    work.embedder.seen.clear()
    await handbook(work, folder).ensure()
    after = await names(work)
    assert len(after) == len(before)
    assert {"Another title", "New"} <= set(after.values())
    assert len(work.embedder.seen) == 2


async def test_another_embedder_makes_the_vectors_anew(work: Workplace, folder: Path):
    await handbook(work, folder).ensure()
    other = HashingEmbedder("hashing-8", 8)
    collection = await handbook(work, folder, other).ensure()
    assert (collection.embedder, collection.dimensions) == ("hashing-8", 8)
    some = await work.library.documents([HANDBOOK_ID], limit=1)
    assert {len(chunk.vector) for _, chunks in await work.library.indexable([some[0].id]) for chunk in chunks} == {32}


async def test_an_installation_without_the_folder_keeps_what_is_stored(work: Workplace, folder: Path):
    await handbook(work, folder).ensure()
    before = await names(work)
    await handbook(work, folder / "nowhere").ensure()
    assert await names(work) == before


async def test_pictures_are_for_readers_and_not_for_answers(work: Workplace, folder: Path):
    page = folder / "99-new.md"
    page.write_text("# New\n\n![A picture](../images/new.svg)\n\nNew words ![inline](x.svg) stay.\n\n![End](e.svg)\n")
    await handbook(work, folder).ensure()
    (found,) = await work.library.find_documents([HANDBOOK_ID], "New")
    assert await work.library.text(found.id) == "# New\n\nNew words ![inline](x.svg) stay.\n\n"
    version = await work.library.version()
    await handbook(work, folder).ensure()
    assert await work.library.version() == version


def test_every_picture_in_the_handbook_is_there_and_every_one_that_is_there_is_shown():
    linked = {
        (page.parent / target).resolve()
        for page in FOLDER.glob("*.md")
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    assert linked == set((FOLDER.parent / "images").resolve().glob("*.svg"))
