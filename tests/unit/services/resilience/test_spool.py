"""Uploads are kept while the library is away, and added once it is back."""

import subprocess
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.errors import NotPermitted, StoreFull, StoreUnavailable
from multidb_chat.services.ingesting.events import Finished, IngestEvent
from multidb_chat.services.ingesting.sources import Given, Input, Source
from multidb_chat.services.resilience.spool import Spool
from tests.contracts.accounts_processes import ADA, NOW

GUEST = Account("guest", "guest", "free", NOW)
AWAY = StoreUnavailable("library", "It is away.")


class Library:
    """Takes what is added, or is away."""

    def __init__(self) -> None:
        self.away = False
        self.added: list[tuple[str, str, str, bytes | None]] = []
        self.people = {ADA.id: ADA}

    async def find(self, account_id: str) -> Account:
        if account_id not in self.people:
            raise NotPermitted("This account does not exist any more.")
        return self.people[account_id]

    async def add(
        self, account: Account, collection: str, shared: bool | None, inputs: Sequence[Input]
    ) -> AsyncIterator[IngestEvent]:
        if self.away:
            raise AWAY
        for one in inputs:
            assert isinstance(one, Source)
            data = Path(one.path).read_bytes() if one.path else None
            self.added.append((account.id, collection, one.key, data))
        yield Finished(len(inputs))


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.txt").write_text("Words.")
    (folder / "b.txt").write_text("More.")
    return folder


def spool_in(folder: Path, library: Library, most: int = 1_000) -> Spool:
    return Spool(folder / "spool", most, library.find, library.add)


async def test_what_is_kept_is_added_once_as_it_was_and_from_where_it_was(
    tmp_path: Path, library: Library, papers: Path
):
    spool = spool_in(tmp_path, library)
    kept = await spool.keep(ADA, "documents", None, [papers, Given("notes", b"Given."), "https://example.org/x"])
    assert (kept.sources, kept.failures) == (4, ())
    assert kept.told(AWAY) == "4 files kept on this machine, to be added when the library is back. It is away."
    (papers / "a.txt").unlink()
    assert (await spool.backlog()).waiting == 1
    assert {path.stat().st_mode & 0o077 for path in [tmp_path / "spool", *(tmp_path / "spool").rglob("*")]} == {0}
    library.away = True
    with pytest.raises(StoreUnavailable):
        await spool.store_waiting()
    library.away = False
    assert await spool_in(tmp_path, library).store_waiting() == 1
    assert library.added == [
        (ADA.id, "documents", str(papers / "a.txt"), b"Words."),
        (ADA.id, "documents", str(papers / "b.txt"), b"More."),
        (ADA.id, "documents", "notes", b"Given."),
        (ADA.id, "documents", "https://example.org/x", None),
    ]
    assert (await spool.backlog()).waiting == 0
    assert await spool.store_waiting() == 0


async def test_uploads_are_added_in_the_order_in_which_they_were_kept(tmp_path: Path, library: Library):
    spool = spool_in(tmp_path, library)
    for n in range(5):
        await spool.keep(ADA, "documents", None, [Given("notes", b"%d" % n)])
    assert await spool.store_waiting() == 5
    assert [data for *_, data in library.added] == [b"0", b"1", b"2", b"3", b"4"]


async def test_what_cannot_be_read_is_told_and_nothing_else_is_held_up(tmp_path: Path, library: Library, papers: Path):
    (papers / "large.txt").write_bytes(b"x" * 2_000)
    spool = spool_in(tmp_path, library)
    kept = await spool.keep(ADA, "documents", None, [papers, tmp_path / "missing"])
    assert (kept.sources, [failure.reason for failure in kept.failures]) == (
        2, ["too large (0.0 MB)", "no such file or folder"],
    )  # fmt: skip
    nothing = await spool.keep(ADA, "documents", None, [tmp_path / "missing"])
    assert nothing.sources == 0
    assert (await spool.backlog()).waiting == 1


async def test_a_copy_that_changed_is_set_aside_and_the_others_are_added(tmp_path: Path, library: Library):
    spool = spool_in(tmp_path, library)
    await spool.keep(ADA, "documents", None, [Given("first", b"1")])
    await spool.keep(ADA, "documents", None, [Given("second", b"2")])
    first = min(path for path in (tmp_path / "spool").iterdir())
    (first / "0").write_bytes(b"?")
    await spool.store_waiting()
    assert [key for _, _, key, _ in library.added] == ["second"]
    backlog = await spool.backlog()
    assert (backlog.waiting, backlog.refused) == (0, 1)


async def test_a_guest_keeps_nothing_and_an_account_that_is_gone_adds_nothing(tmp_path: Path, library: Library):
    spool = spool_in(tmp_path, library)
    with pytest.raises(NotPermitted):
        await spool.keep(GUEST, "documents", None, [Given("notes", b"")])
    await spool.keep(replace(ADA, id="gone"), "documents", None, [Given("notes", b"")])
    await spool.store_waiting()
    assert library.added == []
    assert (await spool.backlog()).waiting == 0


async def test_nothing_of_an_erased_account_is_left(tmp_path: Path, library: Library):
    spool = spool_in(tmp_path, library)
    bob = replace(ADA, id="bob")
    await spool.keep(ADA, "documents", None, [Given("hers", b"1")])
    await spool.keep(bob, "documents", None, [Given("his", b"2")])
    await spool.erase(ADA)
    library.people["bob"] = bob
    await spool.store_waiting()
    assert [key for _, _, key, _ in library.added] == ["his"]


async def test_one_process_at_a_time_adds(tmp_path: Path, library: Library):
    spool = spool_in(tmp_path, library)
    await spool.keep(ADA, "documents", None, [Given("notes", b"")])
    with spool._alone() as mine:
        assert mine
        assert await spool_in(tmp_path, library).store_waiting() == 0


async def test_what_was_interrupted_was_never_kept(tmp_path: Path, library: Library):
    spool = spool_in(tmp_path, library)
    (tmp_path / "spool" / ".half").mkdir(parents=True)
    assert await spool.store_waiting() == 0


async def test_on_a_full_disk_nothing_is_said_to_be_kept(tmp_path: Path, library: Library, papers: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        spool = spool_in(disk, library, 1_000_000)
        with pytest.raises(StoreFull, match="No space is left for the uploads"):
            await spool.keep(ADA, "documents", None, [Given("notes", b"x" * 200_000)])
        assert list((disk / "spool").iterdir()) == []
        assert (await spool.keep(ADA, "documents", None, [papers])).sources == 2
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
