"""What stores would not take: looked at, tried again, let go."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from multidb_chat.domain.conversations import Conversation, Message
from multidb_chat.domain.errors import Conflict, NotFound
from multidb_chat.services.ingesting.sources import Given
from multidb_chat.services.resilience.refusals import Refusals
from multidb_chat.services.resilience.spool import Spool
from multidb_chat.services.resilience.talk_entries import UNREAD, of_messages
from tests.contracts.accounts_processes import ADA
from tests.contracts.conversations_processes import NOW
from tests.unit.services.recording import Recorder
from tests.unit.services.resilience.outages import House, a_house
from tests.unit.services.resilience.test_spool import Library, spool_in

ROOT = replace(ADA, id="root", role="admin")
REASON = "The conversation 'c1' is not the account's."


@dataclass
class Office:
    """Refusals over a conversations store and a library that are away when a test says so."""

    house: House
    library: Library
    spool: Spool
    audit: Recorder
    refusals: Refusals

    async def say(self, account_id: str, text: str) -> None:
        """Have something waited for that was said in conversation c1, then done."""
        said = Message(text, "c1", account_id, "user", text, NOW)
        await self.house.journal.add(of_messages([said], datetime.now(UTC), UNREAD))
        await self.house.replayer.drain()

    async def upload_spoilt(self, name: str) -> None:
        """Keep an upload whose copy is changed before it can be added."""
        await self.spool.keep(ADA, "documents", None, [Given(name, b"Words.")])
        (copy,) = self.spool._folder.glob("*/0")
        copy.write_bytes(b"Others")
        await self.spool.store_waiting()

    def mend(self) -> None:
        """Put the copies of uploads that were set aside right again."""
        for copy in self.spool._folder.glob("*/0"):
            copy.write_bytes(b"Words.")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with a_house(tmp_path) as house:
        library = Library()
        spool, audit = spool_in(tmp_path, library), Recorder()
        attempts = {"conversations": house.replayer.drain, "library": spool.store_waiting}
        await house.behind.put_conversation(Conversation("c1", "bob", "", NOW))
        yield Office(house, library, spool, audit, Refusals(house.journal, spool, audit, attempts))


async def test_all_that_was_refused_is_told_with_the_reason(office: Office):
    assert await office.refusals.all(ROOT) == []
    await office.say(ADA.id, "one")
    await office.upload_spoilt("notes")
    said, uploaded = await office.refusals.all(ROOT)
    assert said[:4] == ("1", "conversations", "unread messages", ADA.id)
    assert (said.at.tzinfo is not None, said.reason) == (True, REASON)
    assert uploaded[1:4] == ("library", "upload of 1 file", ADA.id)
    assert uploaded.reason == "the copy of notes is not what was kept"


async def test_what_is_tried_again_is_done_where_its_cause_is_gone_and_refused_again_where_not(office: Office):
    await office.say(ADA.id, "one")
    await office.say(ADA.id, "two")
    await office.upload_spoilt("notes")
    tried, again = await office.refusals.retry(ROOT)
    assert len(tried) == 3
    assert [one.reason for one in again] == [one.reason for one in await office.refusals.all(ROOT)] != []
    office.mend()
    await office.house.behind.delete_conversation("c1")
    await office.house.behind.put_conversation(Conversation("c1", ADA.id, "", NOW))
    tried, again = await office.refusals.retry(ROOT, ["1"])
    assert ([one.id for one in tried], again) == (["1"], [])
    assert [one.body for one in await office.house.behind.messages("c1")] == ["one"]
    assert len((await office.refusals.retry(ROOT))[0]) == 2
    assert [one.body for one in await office.house.behind.messages("c1")] == ["one", "two"]
    assert [(key, data) for _, _, key, data in office.library.added] == [("notes", b"Words.")]
    assert await office.refusals.all(ROOT) == []
    assert office.audit.records == [(ROOT.id, "journal.retry", ADA.id)] * 6


async def test_what_is_tried_while_the_store_is_away_waits(office: Office):
    await office.say(ADA.id, "one")
    office.house.switch.away = True
    tried, again = await office.refusals.retry(ROOT)
    assert (len(tried), again) == (1, [])
    assert await office.house.waiting() == 1


async def test_what_is_dropped_is_gone_and_nothing_else(office: Office):
    await office.say(ADA.id, "one")
    await office.say(ADA.id, "two")
    await office.upload_spoilt("notes")
    upload = (await office.refusals.all(ROOT))[-1].id
    assert [one.id for one in await office.refusals.drop(ROOT, ["2", upload[-6:]])] == ["2", upload]
    assert [one.id for one in await office.refusals.all(ROOT)] == ["1"]
    assert not list(office.spool._folder.glob("*.refused"))
    await office.refusals.drop(ROOT)
    assert await office.refusals.all(ROOT) == []


async def test_what_is_named_wrongly_changes_nothing(office: Office):
    await office.upload_spoilt("notes")
    (one,) = await office.refusals.all(ROOT)
    twin = office.spool._folder / f"9{one.id[1:]}.refused"
    twin.mkdir()
    (twin / "manifest.json").write_text(json.dumps({"account_id": ADA.id}))
    assert [found.account_id for found in await office.refusals.all(ROOT)] == [ADA.id, ""]
    with pytest.raises(NotFound, match="'99'"):
        await office.refusals.retry(ROOT, ["99"])
    with pytest.raises(Conflict, match="Several"):
        await office.refusals.drop(ROOT, [one.id[-4:]])
    assert len(await office.refusals.all(ROOT)) == 2
    assert office.audit.records == []
