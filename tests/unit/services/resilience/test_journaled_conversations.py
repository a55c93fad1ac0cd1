"""Conversations go on while their store is away, and nothing of them is lost, doubled or brought back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from multidb_chat.domain.conversations import META_LIMIT, Conversation, Feedback, Message
from multidb_chat.domain.errors import InvalidInput, NotFound, StoreUnavailable
from multidb_chat.domain.journal import JournalEntry
from multidb_chat.services.resilience.replaying import Replayer
from multidb_chat.services.resilience.talk_entries import STORE
from multidb_chat.services.resilience.talk_replay import OLDEST, TalkReplay
from tests.contracts.conversations import ConversationsContract
from tests.contracts.conversations_processes import NOW, TALK, OpenConversations, a_message
from tests.unit.services.resilience.outages import House, a_house, conversations_in


class TestJournaledConversations(ConversationsContract):
    @pytest.fixture
    def open_conversations(self, tmp_path: Path) -> OpenConversations:
        return partial(conversations_in, tmp_path)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house in which Ada has a conversation with a message, and has looked at it."""
    async with a_house(tmp_path) as house:
        await house.conversations.put_conversation(TALK)
        await house.conversations.append(a_message("001"))
        yield house


async def ids(house: House, conversation: str = "c1") -> list[str]:
    return [message.id for message in await house.conversations.messages(conversation)]


async def stored(house: House, conversation: str = "c1") -> list[str]:
    return [message.id for message in await house.behind.messages(conversation)]


async def test_what_is_said_while_the_store_is_away_is_read_at_once_and_stored_when_it_is_back(house: House):
    house.switch.away = True
    await house.conversations.append(a_message("002"), a_message("003"))
    assert await ids(house) == ["001", "002", "003"]
    assert await house.conversations.waits("c1")
    assert await house.conversations.message("c1", "002") == a_message("002")
    assert [link.id for link in await house.conversations.outline("c1")] == ["001", "002", "003"]
    house.switch.away = False
    assert await ids(house) == ["001", "002", "003"]
    assert await house.replayer.drain()
    assert await stored(house) == ["001", "002", "003"]
    assert not await house.conversations.waits("c1")
    assert await house.waiting() == 0


async def test_a_conversation_begun_during_an_outage_is_there_for_every_process(house: House, tmp_path: Path):
    house.switch.away = True
    talk = Conversation("c2", "ada", "New", NOW)
    await house.conversations.put_conversation(talk)
    await house.conversations.append(a_message("001", "c2"))
    await house.conversations.change_conversation("ada", "c2", title="Tides", head="001")
    async with a_house(tmp_path, house.switch) as other:
        assert await other.conversations.conversation("c2") == replace(talk, title="Tides", head="001")
        assert await ids(other, "c2") == ["001"]
        assert await other.conversations.conversations("ada") == [replace(talk, title="Tides", head="001")]
    house.switch.away = False
    await house.replayer.drain()
    assert await house.behind.conversation("c2") == replace(talk, title="Tides", head="001")


async def test_what_comes_behind_something_that_waits_waits_too_so_that_the_order_stays(house: House):
    house.switch.away = True
    await house.conversations.change_conversation("ada", "c1", title="First")
    house.switch.away = False
    changed = await house.conversations.change_conversation("ada", "c1", title="Second")
    assert changed is not None
    assert changed.title == "Second"
    assert await house.waiting() == 2
    await house.replayer.drain()
    found = await house.behind.conversation("c1")
    assert found is not None
    assert found.title == "Second"


async def test_a_write_whose_answer_was_lost_is_there_once(house: House):
    house.switch.lost = True
    await house.conversations.append(a_message("002"))
    await house.conversations.put_conversation(Conversation("c2", "ada", "New", NOW))
    house.switch.lost = False
    await house.conversations.change_conversation("ada", "c2", title="Changed")
    await house.replayer.drain()
    await house.replayer.drain()
    assert await stored(house) == ["001", "002"]
    assert (await house.conversations.conversations("ada"))[0].title == "Changed"


async def test_what_is_shown_is_not_taken_back_by_what_waited(house: House):
    house.switch.away = True
    await house.conversations.append(a_message("002"))
    await house.conversations.change_conversation("ada", "c1", head="002", last_activity=NOW + timedelta(seconds=1))
    house.switch.away = False
    await house.behind.append(a_message("003"))
    await house.behind.change_conversation("ada", "c1", head="003", last_activity=NOW + timedelta(seconds=2))
    await house.replayer.drain()
    found = await house.behind.conversation("c1")
    assert found is not None
    assert (found.head, found.last_activity) == ("003", NOW + timedelta(seconds=2))


async def test_a_store_that_is_away_for_the_whole_time_is_said_to_be_away(tmp_path: Path):
    async with a_house(tmp_path) as house:
        house.switch.away = True
        conversations = house.conversations
        for reading in (
            conversations.conversation("c1"),
            conversations.conversations("ada"),
            conversations.messages("c1"),
            conversations.outline("c1"),
            conversations.change_conversation("ada", "c1", title="x"),
            conversations.delete_conversation("c1"),
            conversations.feedback_to("ada", "c1", ["001"]),
        ):
            with pytest.raises(StoreUnavailable):
                await reading
        assert await house.waiting() == 0


async def test_feedback_waits_and_the_latest_of_it_is_read(house: House):
    first = Feedback("1", "ada", 1, "", NOW, "c1", "001")
    await house.conversations.put_feedback(first)
    house.switch.away = True
    await house.conversations.put_feedback(second := Feedback("2", "ada", -1, "No.", NOW, "c1", "001", {"a": "b"}))
    await house.conversations.put_feedback(general := Feedback("3", "ada", 0, "Hm.", NOW))
    assert await house.conversations.feedback_to("ada", "c1", ["001"]) == [second]
    house.switch.away = False
    assert await house.conversations.feedback_to("ada", "c1", ["001"]) == [second]
    await house.replayer.drain()
    assert await house.behind.feedback("ada") == [general, second]


async def test_what_no_store_would_take_is_refused_at_once(house: House):
    house.switch.away = True
    for refused in (
        house.conversations.append(replace(a_message("002"), meta="x" * (META_LIMIT + 1))),
        house.conversations.append(replace(a_message("002"), body="\ud800")),
        house.conversations.put_feedback(Feedback("1", "ada", 2, "", NOW)),
        house.conversations.put_feedback(Feedback("1", "ada", 1, "", NOW, None, "001")),
    ):
        with pytest.raises(InvalidInput):
            await refused
    assert await house.waiting() == 0


async def test_what_the_store_refuses_is_set_aside_and_stops_nothing(house: House):
    house.switch.away = True
    await house.conversations.put_conversation(Conversation("c2", "bob", "Bob's", NOW))
    await house.conversations.append(replace(a_message("001", "c2"), account_id="bob"))
    await house.conversations.append(a_message("002"))
    house.switch.away = False
    await house.behind.put_conversation(Conversation("c2", "ada", "Ada's", NOW))  # the same id, by chance or malice
    await house.replayer.drain()
    assert await stored(house) == ["001", "002"]
    assert await stored(house, "c2") == []
    assert await house.refused() == [
        "The conversation 'c2' belongs to another account.",
        "The conversation 'c2' is not the account's.",
    ]
    assert await house.waiting() == 0


@pytest.mark.parametrize(("kind", "payload"), [("messages", "no JSON"), ("messages", "[{}]"), ("tomorrow", "{}")])
async def test_what_cannot_be_read_is_set_aside_and_stops_nothing(house: House, kind: str, payload: str):
    await house.journal.add(JournalEntry(STORE, "c2", "ada", kind, payload, datetime.now(UTC)))
    house.switch.away = True
    await house.conversations.append(a_message("002"))
    house.switch.away = False
    assert await house.replayer.drain()
    assert await stored(house) == ["001", "002"]
    assert len(await house.refused()) == 1


async def test_messages_for_a_conversation_that_could_not_be_read_are_checked_when_they_are_stored(
    house: House, tmp_path: Path
):
    await house.behind.put_conversation(Conversation("c2", "bob", "Bob's", NOW))
    house.switch.away = True
    async with a_house(tmp_path, house.switch) as other:  # a process that has seen nothing yet
        await other.conversations.append_unread(a_message("002"), head="002", last_activity=NOW)
        await other.conversations.append_unread(a_message("002", "c2"), head="002")
    house.switch.away = False
    await house.replayer.drain()
    assert await stored(house) == ["001", "002"]
    assert await stored(house, "c2") == []
    found = await house.behind.conversation("c1")
    assert found is not None
    assert found.head == "002"
    assert (await house.behind.conversation("c2")) == Conversation("c2", "bob", "Bob's", NOW)
    assert await house.refused() == ["The conversation 'c2' is not the account's."]


async def test_what_was_deleted_meanwhile_does_not_come_back(house: House):
    house.switch.away = True
    await house.conversations.append(a_message("002"))
    await house.behind.delete_conversation("c1")
    house.switch.away = False
    await house.replayer.drain()
    assert await house.behind.conversation("c1") is None
    assert (await house.waiting(), await house.refused()) == (0, [])


async def test_a_conversation_is_deleted_although_the_store_is_away(house: House):
    house.switch.away = True
    await house.conversations.append(a_message("002"))
    assert await house.conversations.delete_conversation("c1")
    assert await house.conversations.conversation("c1") is None
    assert await ids(house) == []
    house.switch.away = False
    assert await house.conversations.conversation("c1") is None
    await house.replayer.drain()
    assert await house.behind.conversation("c1") is None


async def test_nothing_of_an_erased_account_is_left_or_comes_back(house: House, tmp_path: Path):
    house.switch.away = True
    await house.conversations.append(a_message("002"))
    await house.conversations.put_conversation(Conversation("c2", "ada", "New", NOW))
    with pytest.raises(StoreUnavailable):
        await house.conversations.erase("ada")
    assert await house.waiting() == 0
    async with a_house(tmp_path, house.switch) as other:
        with pytest.raises(NotFound):
            await other.conversations.append(a_message("003"))
        with pytest.raises(NotFound):
            await house.conversations.put_conversation(Conversation("c3", "ada", "Late", NOW))
        with pytest.raises(StoreUnavailable):
            await other.conversations.conversation("c2")
    house.switch.away = False
    await house.replayer.drain()
    assert await house.conversations.erase("ada") == 1
    for conversation in ("c1", "c2", "c3"):
        assert await house.behind.conversation(conversation) is None
        assert await stored(house, conversation) == []
    await house.close()
    for left in tmp_path.glob("*.db*"):
        assert b"Body of 002" not in left.read_bytes()


async def test_what_has_waited_too_long_is_set_aside(house: House):
    house.switch.away = True
    await house.conversations.append(a_message("002"))
    house.switch.away = False
    later = TalkReplay(house.store, lambda: datetime.now(UTC) + OLDEST + timedelta(seconds=1))
    await Replayer(house.journal, STORE, later).drain()
    assert await stored(house) == ["001"]
    assert await house.refused() == ["It waited for more than 5 days."]


async def test_one_process_at_a_time_does_what_waits(house: House, tmp_path: Path):
    house.switch.away = True
    await house.conversations.append(a_message("002"))
    house.switch.away = False
    async with a_house(tmp_path) as other:
        with other.journal.replaying(STORE) as mine:
            assert mine
            assert not await house.replayer.drain()
        assert await stored(house) == ["001"]
        assert await house.replayer.drain()
    assert await stored(house) == ["001", "002"]


async def test_it_heals_by_itself(tmp_path: Path):
    looked = asyncio.Event()

    async def pause() -> None:
        looked.set()
        await asyncio.sleep(0)

    async with a_house(tmp_path) as house:
        replayer = Replayer(house.journal, STORE, TalkReplay(house.store), pause=pause)
        house.conversations._wake = replayer.wake
        await house.conversations.put_conversation(TALK)
        house.switch.away = True
        await house.conversations.append(a_message("001"))
        await looked.wait()
        house.switch.away = False
        while await house.waiting():
            await asyncio.sleep(0)
        assert await stored(house) == ["001"]
        await replayer.close()


async def test_much_that_waits_is_done_in_few_calls_and_in_order(house: House):
    house.switch.away = True
    conversations = [Conversation(f"t{n:02}", "ada", f"Talk {n}", NOW) for n in range(20)]
    await asyncio.gather(*map(house.conversations.put_conversation, conversations))
    for n in range(100):
        said = [Message(f"{n:04}", one.id, "ada", "user", "x", NOW) for one in conversations]
        await asyncio.gather(*map(house.conversations.append, said))
    house.switch.away, house.switch.calls = False, 0
    await house.replayer.drain()
    assert house.switch.calls < 1_000
    for one in conversations:
        assert await stored(house, one.id) == [f"{n:04}" for n in range(50, 100)]
