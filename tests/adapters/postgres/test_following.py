"""Tables of terms and sentences that follow a library, and an analysis that tells their figures."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from multidb_chat.adapters.postgres.corpus import PostgresCorpus
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from multidb_chat.domain.accounts import Account
from multidb_chat.domain.corpus import CorpusBatch, CorpusState
from multidb_chat.domain.errors import StoreError, StoreUnavailable
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.library import Change, Document
from multidb_chat.domain.tasks import Task
from multidb_chat.services.analysis import following
from multidb_chat.services.analysis.analysis import Analysis
from multidb_chat.services.analysis.following import METHOD, CorpusFollower
from multidb_chat.services.documents import Documents
from multidb_chat.services.tasks.reports import Report, loads
from tests.adapters.postgres.opening import database_at, stranger
from tests.contracts import processes
from tests.servers import needs
from tests.unit.services.conftest import work  # noqa: F401 - a fixture
from tests.unit.services.houses import furnish, somebody
from tests.unit.services.ingesting import NOW, OWNER, Workplace
from tests.unit.services.test_erasure import House

pytestmark = needs("postgres")

TEXTS = {
    "tea.md": "# Tea\n\nTea is grown in Assam. Tea is grown in Darjeeling too. The harvest begins in March 2021.\n",
    "coffee.md": "Coffee is grown in Brazil. The harvest begins in March 2021. Nobody drinks coffee; COFFEE is loud.\n",
    "list.md": "- a NATO summit in Oslo\n- a NATO summit in Oslo\n- nato\n\n| a | cup |\n|---|---|\n| of | tea |\n",
    "other.md": "Größe und STRASSE. Die Größe der Straße ist bekannt. 茶は緑です。茶は緑です。 ok\n",
    "numbers.txt": "1 2 3\n\n--- ...\n",
}


@pytest.fixture
async def corpus(emptied: str) -> AsyncIterator[PostgresCorpus]:
    async with database_at(emptied) as database:
        yield PostgresCorpus(database)


@pytest.fixture
async def filled(work: Workplace) -> Workplace:  # noqa: F811 - the fixture
    for name, text in TEXTS.items():
        work.write(name, text)
    await work.add()
    return work


async def analysed(place: Workplace, corpus: PostgresCorpus | None, about: str = "") -> Report:
    task = Task(new_id(), OWNER.id, "analyze", {"about": about}, NOW)
    outcome = await Analysis(Documents(place.library), place.library, corpus=corpus)(task, OWNER, lambda *_: None)
    return loads(outcome.result)


async def test_an_analysis_tells_the_same_by_the_tables_as_by_counting(
    filled: Workplace, corpus: PostgresCorpus, emptied: str
):
    counted = await CorpusFollower(corpus, filled.library).refresh()
    assert counted == len(TEXTS)
    for about in ("", "tea and coffee"):
        assert await analysed(filled, corpus, about) == await analysed(filled, None, about)
    async with await stranger(emptied) as connection:  # it does ask them
        await connection.execute("UPDATE corpus_term_counts SET count = 500 WHERE term = 'tea'")
        told = (await analysed(filled, corpus)).data["terms"][0]
        view = await connection.execute("SELECT written, count, documents FROM corpus_terms WHERE term = 'tea'")
        assert tuple(told.values()) == await view.fetchone()


async def test_an_analysis_counts_itself_where_the_tables_are_behind_or_away(filled: Workplace, corpus: PostgresCorpus):
    await CorpusFollower(corpus, filled.library).refresh()
    filled.write("new.md", "Cocoa is grown in Ghana. Cocoa is grown in Ghana.\n")
    await filled.add()
    alone = await analysed(filled, None)
    assert {"term": "cocoa", "count": 2, "documents": 1} in [
        {**row, "term": row["term"].lower()} for row in alone.data["terms"]
    ]
    assert await analysed(filled, corpus) == alone
    async with database_at("postgresql://nobody@127.0.0.1:1/none") as nowhere:
        assert await analysed(filled, PostgresCorpus(nowhere)) == alone


@pytest.mark.parametrize("batch", [1, 2, 64])
async def test_the_tables_follow_whatever_happens_to_documents(
    filled: Workplace, corpus: PostgresCorpus, monkeypatch: pytest.MonkeyPatch, batch: int
):
    monkeypatch.setattr(following, "BATCH", batch)
    monkeypatch.setattr(following, "WINDOW", batch)
    follower = CorpusFollower(corpus, filled.library)

    async def are_the_same() -> None:
        await follower.refresh()
        state = await corpus.state()
        assert state == CorpusState(await filled.library.identity(), METHOD, await filled.library.version())
        assert await analysed(filled, corpus) == await analysed(filled, None)

    await are_the_same()
    filled.write("tea.md", "Tea is grown in Assam no more. Tea is grown in Assam no more.\n")
    (filled.files / "list.md").unlink()
    await filled.add()
    await filled.library.remove_documents([(await filled.stored())["list.md"].document.id])
    await are_the_same()
    assert await follower.refresh() == 0
    await filled.library.delete_collection(filled.collection.id)
    await follower.refresh()
    assert await corpus.different_terms([filled.collection.id]) == 0


async def test_a_change_that_was_committed_late_is_not_missed(filled: Workplace, corpus: PostgresCorpus):
    late = (await filled.library.changes(0))[1]

    class Overtaken(SqliteLibrary):
        """A library in which one change is not to be seen yet."""

        async def changes(self, after: int, limit: int = 1000) -> list[Change]:
            return [change for change in await super().changes(after, limit) if change != late]

    overtaken = Overtaken(filled.files.parent / "library.db")
    await CorpusFollower(corpus, overtaken).refresh()
    await overtaken.close()
    assert late.document_id not in await corpus.known([late.document_id])
    filled.write("new.md", "Cocoa is grown in Ghana.\n")
    await filled.add()
    assert await CorpusFollower(corpus, filled.library).refresh() == 2
    assert await analysed(filled, corpus) == await analysed(filled, None)


async def test_a_step_that_was_not_stored_is_made_again(
    filled: Workplace, corpus: PostgresCorpus, monkeypatch: pytest.MonkeyPatch
):
    class Failing(PostgresCorpus):
        """A corpus that is away at every other step."""

        steps = 0

        async def bring_in(self, batch: CorpusBatch) -> bool:
            self.steps += 1
            if self.steps % 2 == 0:
                raise StoreUnavailable("accounts", "away")
            return await super().bring_in(batch)

    monkeypatch.setattr(following, "BATCH", 1)
    monkeypatch.setattr(following, "WINDOW", 1)
    failing = Failing(corpus._database)
    pauses = 0

    async def pause(_: float) -> None:
        nonlocal pauses
        pauses += 1
        if await corpus.state() == CorpusState(await filled.library.identity(), METHOD, await filled.library.version()):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await CorpusFollower(failing, filled.library, sleep=pause).run()
    assert pauses > 1
    assert await analysed(filled, corpus) == await analysed(filled, None)


async def follow_slowly(url: str, path: Path) -> None:
    """Follow the library in a process of its own, a document a step, and say each step; nobody waits for its end."""
    following.BATCH = following.WINDOW = 1

    class Telling(PostgresCorpus):
        """A corpus that says what it stored."""

        async def bring_in(self, batch: CorpusBatch) -> bool:
            stored = await super().bring_in(batch)
            processes.say(str(batch.until))
            return stored

    async with database_at(url) as database:
        await CorpusFollower(Telling(database), SqliteLibrary(path)).run()


async def test_a_follower_that_is_killed_leaves_what_another_one_goes_on_from(
    filled: Workplace, corpus: PostgresCorpus, emptied: str
):
    process = processes.start(follow_slowly, emptied, filled.files.parent / "library.db")
    said = await asyncio.to_thread(processes.killed_after, process, 2)
    assert (await corpus.state()).watermark >= int(said[-1])
    await CorpusFollower(corpus, filled.library).refresh()
    assert await analysed(filled, corpus) == await analysed(filled, None)


async def test_many_followers_count_each_document_once(filled: Workplace, corpus: PostgresCorpus):
    counted = await asyncio.gather(*(CorpusFollower(corpus, filled.library).refresh() for _ in range(4)))
    await CorpusFollower(corpus, filled.library).refresh()
    assert max(counted) == len(TEXTS)
    assert await analysed(filled, corpus) == await analysed(filled, None)


async def test_a_follower_that_is_overtaken_begins_nothing_anew(filled: Workplace, corpus: PostgresCorpus):
    await CorpusFollower(corpus, filled.library).refresh()
    before = await corpus.state()

    class Overtaken(SqliteLibrary):
        """A library that another follower looks at, with a new document, before its version is told."""

        async def version(self) -> int:
            told = await super().version()
            filled.write("new.md", "Cocoa is grown in Ghana.\n")
            await filled.add()
            await CorpusFollower(corpus, filled.library).refresh()
            return told

    overtaken = Overtaken(filled.files.parent / "library.db")
    assert await CorpusFollower(corpus, overtaken).refresh() == 0
    await overtaken.close()
    assert await corpus.state() == before._replace(watermark=before.watermark + 1)


async def test_another_library_or_an_earlier_state_of_it_is_counted_anew(
    filled: Workplace, corpus: PostgresCorpus, tmp_path: Path
):
    follower = CorpusFollower(corpus, filled.library)
    await follower.refresh()
    state = await corpus.state()
    for other in (state._replace(library="other"), state._replace(method=METHOD - 1)):
        await corpus.begin(other.library, other.method)
        assert await follower.refresh() == len(TEXTS)
    assert await corpus.bring_in(CorpusBatch(state, state.watermark + 100, (), ()))
    assert await follower.refresh() == len(TEXTS)
    assert await corpus.state() == state


async def test_what_a_newer_program_counts_is_left_to_it(filled: Workplace, corpus: PostgresCorpus):
    newer = CorpusState(await filled.library.identity(), METHOD + 1, 0)
    await corpus.begin(newer.library, newer.method)
    assert await CorpusFollower(corpus, filled.library).refresh() == 0
    assert await corpus.state() == newer
    assert await analysed(filled, corpus) == await analysed(filled, None)


async def test_an_erased_account_leaves_nothing_in_the_tables_even_where_the_index_cannot_follow(
    tmp_path: Path, corpus: PostgresCorpus
):
    class Away:
        """An index that cannot follow now."""

        async def refresh(self) -> int:
            raise StoreUnavailable("index", "away")

    house, ada, bob = House(tmp_path), somebody("ada"), somebody("bob")
    for account in (ada, bob):
        await furnish(house, account)
    follower = CorpusFollower(corpus, house.library)
    await follower.refresh()
    found = [await corpus.known([one.id for one in await documents_of(house, account)]) for account in (ada, bob)]
    assert all(found)
    await house.erasure(derived=[Away(), follower]).erase(ada)
    assert await corpus.known([*found[0], *found[1]]) == found[1]
    await house.close()


async def documents_of(house: House, account: Account) -> list[Document]:
    collections = await house.library.collections(account.id)
    return await house.library.documents([one.id for one in collections if one.owner_id == account.id])


async def test_whatever_cannot_be_reached_is_told_as_an_error_of_the_store(filled: Workplace):
    async with database_at("postgresql://nobody@127.0.0.1:1/none") as nowhere:
        with pytest.raises(StoreError):
            await CorpusFollower(PostgresCorpus(nowhere), filled.library).refresh()
