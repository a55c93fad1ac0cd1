"""Retention on the embedded stores, with a clock to be set."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from multidb_chat.adapters.search_index import EmbeddedSearchIndex
from multidb_chat.domain.conversations import Conversation
from multidb_chat.domain.errors import NotPermitted
from multidb_chat.domain.tasks import Task
from multidb_chat.services.drafts import Drafts
from multidb_chat.services.erasure import Erasure
from multidb_chat.services.history import History
from multidb_chat.services.retention import Kept, Retention, Swept
from tests.unit.services.houses import HOUR, NOW, Stores, furnish, rows_about, somebody
from tests.unit.services.recording import Recorder

DAY = timedelta(days=1)
ADA, GUEST, ADMIN = somebody("ada"), somebody("gus", "guest"), somebody("root", "admin")


class House(Stores):
    """The service on the stores of one folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.audit = Recorder()
        self.history = History(
            self.conversations, lambda: self.audit, kept=5 * DAY, clock=lambda: self.now
        )  # fmt: skip

    def retention(self, **kept: timedelta) -> Retention:
        erasure = Erasure(
            self.accounts, self.tasks, self.conversations, self.library, self.cache,
            drafts=Drafts(self.folder / "drafts"),
            derived=lambda: [EmbeddedSearchIndex(self.folder / "index", self.library)],
            audit=lambda: self.audit, clock=lambda: self.now,
        )  # fmt: skip
        return Retention(
            erasure, self.history, self.conversations, self.tasks, self.cache,
            kept=Kept(**kept), audit=lambda: self.audit, clock=lambda: self.now,
        )  # fmt: skip


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path)
    for account in (ADA, ADMIN):
        await house.accounts.create_account(account)
    yield house
    await house.close()


async def talks(house: House) -> list[str]:
    return [one.id for one in await house.conversations.conversations(ADA.id)]


async def test_without_limits_only_guests_and_deleted_conversations_go(house: House):
    await furnish(house, GUEST, talks=1)
    for key, deleted in (("kept", None), ("deleted", NOW)):
        talk = Conversation(key, ADA.id, "Talk", NOW, deleted_at=deleted)
        await house.conversations.put_conversation(talk)
    house.now = NOW + 5 * DAY - HOUR
    assert await house.retention().run(ADMIN) == Swept(1, 0, 0, 0, 0)
    assert rows_about(house.folder, GUEST) == {}
    house.now = NOW + 5 * DAY
    assert await house.retention().run(ADMIN) == Swept(0, 0, 1, 0, 0)
    assert await talks(house) == ["kept"]
    assert house.audit.records == [(ADMIN.id, "retention.run", "")] * 2


async def test_conversations_go_when_nothing_was_said_in_them_for_long(house: House):
    for days in range(5):
        talk = Conversation(str(days), ADA.id, "Talk", NOW - days * DAY, archived=days == 4)
        await house.conversations.put_conversation(talk)
    assert (await house.retention(conversations=3 * DAY).run(ADMIN)).conversations == 2
    assert await talks(house) == ["2", "1", "0"]
    house.now = NOW + DAY - timedelta(microseconds=1)
    assert (await house.retention(conversations=3 * DAY).run(ADMIN)).conversations == 0


async def test_results_that_nobody_has_read_stay_longer(house: House):
    for key in ("read", "unread"):
        await house.tasks.enqueue(Task(key, ADA.id, "research", {}, NOW))
        claimed = await house.tasks.claim("w", NOW, NOW + HOUR, ["research"])
        assert claimed is not None
        await house.tasks.finish(claimed, NOW, "result")
        if key == "read":
            await house.tasks.mark_read(ADA.id, NOW, [key])
    await house.tasks.enqueue(Task("waiting", ADA.id, "research", {}, NOW))
    retention = house.retention(tasks=2 * DAY, unread=9 * DAY)
    house.now = NOW + 3 * DAY
    assert (await retention.run(ADMIN)).tasks == 1
    house.now = NOW + 10 * DAY
    assert (await retention.run(ADMIN)).tasks == 1
    assert [task.id for task in await house.tasks.tasks(ADA.id)] == ["waiting"]


async def test_only_who_manages_the_installation_runs_it(house: House):
    await furnish(house, GUEST, talks=1)
    house.now = NOW + 2 * HOUR
    for actor in (ADA, replace(ADMIN, role="support"), replace(ADMIN, disabled_at=NOW)):
        with pytest.raises(NotPermitted):
            await house.retention().run(actor)
    assert rows_about(house.folder, GUEST) != {}


async def test_the_program_lets_guests_go_by_itself(house: House):
    await furnish(house, GUEST, talks=1)
    assert await house.retention().tidy() == 0
    house.now = NOW + HOUR
    assert await house.retention().tidy() == 1
    assert rows_about(house.folder, GUEST) == {}
