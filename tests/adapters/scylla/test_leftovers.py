"""What killed processes and lost races leave behind is never seen, and goes by itself or by doing the same again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from multidb_chat.adapters.scylla import erased
from multidb_chat.adapters.scylla.conversations import ScyllaConversations
from multidb_chat.adapters.scylla.conversations_questions import Questions
from multidb_chat.adapters.scylla.records import DAY, micros, now_micros, shard_of
from multidb_chat.domain.errors import InvalidInput, NotFound
from tests.adapters.scylla.opening import Keyspace, conversations_at
from tests.contracts import processes
from tests.contracts.conversations_curation import a_feedback
from tests.contracts.conversations_processes import NOW, TALK, a_message
from tests.servers import needs

pytestmark = needs("scylla")


@pytest.fixture
async def store(keyspace: Keyspace) -> AsyncIterator[ScyllaConversations]:
    async with conversations_at(keyspace.url) as store:
        await store.put_conversation(TALK)
        yield store


def point(keyspace: Keyspace, state: str, conversation_id: str, revision: int) -> None:
    keyspace.session.execute(
        "INSERT INTO conversations_by_account (account_id, state, id, revision) VALUES ('ada', %s, %s, %s)"
        " USING TIMESTAMP %s",
        (state, conversation_id, revision, revision),
    )


def point_at_day(keyspace: Keyspace, conversation_id: str, revision: int, kind: str = "active") -> None:
    day, shard = micros(NOW) // DAY, shard_of(conversation_id)
    keyspace.session.execute(
        "INSERT INTO days (kind, day, shard, revision) VALUES (%s, %s, %s, %s)", (kind, day, shard, revision)
    )
    keyspace.session.execute(
        "INSERT INTO conversations_by_day (kind, day, shard, id, at, revision) VALUES (%s, %s, %s, %s, %s, %s)"
        " USING TIMESTAMP %s",
        (kind, day, shard, conversation_id, day * DAY, revision, revision),
    )


def pointers(keyspace: Keyspace) -> set[str]:
    return {row[0] for row in keyspace.session.execute("SELECT id FROM conversations_by_account")} | {
        row[0] for row in keyspace.session.execute("SELECT id FROM conversations_by_day")
    }


@pytest.mark.parametrize(("age", "left"), [(0, {"c1", "c9"}), (2 * DAY, {"c1"})])
async def test_a_pointer_at_nothing_is_skipped_and_goes_when_nobody_can_mean_it_any_more(
    store: ScyllaConversations, keyspace: Keyspace, age: int, left: set[str]
):
    point(keyspace, "open", "c9", now_micros() - age)
    point_at_day(keyspace, "c9", now_micros() - age)
    assert await store.conversations("ada") == [TALK]
    assert await store.conversations("ada", limit=1) == [TALK]
    assert await store.idle_conversations(NOW) == [TALK]
    assert pointers(keyspace) == left


@pytest.mark.parametrize("age", [0, 2 * DAY])
async def test_a_pointer_at_what_a_conversation_never_became_is_skipped(
    store: ScyllaConversations, keyspace: Keyspace, age: int
):
    point(keyspace, "archived", "c1", now_micros() - age)
    point_at_day(keyspace, "c1", now_micros() - age, kind="deleted")
    assert await store.conversations("ada", archived=True) == []
    assert await store.deleted_conversations(NOW) == []
    assert await store.conversations("ada") == [TALK]
    await store.change_conversation("ada", "c1", archived=True, deleted_at=NOW)
    await store.change_conversation("ada", "c1", deleted_at=None)
    assert await store.conversations("ada", archived=True) == [replace(TALK, archived=True)]
    assert await store.conversations("ada") == []


async def test_an_erasure_that_was_interrupted_is_completed(store: ScyllaConversations, keyspace: Keyspace):
    await store.append(a_message("m1"))
    await store.put_feedback(a_feedback())
    # The conversation itself went; the process was killed before it removed what another one added meanwhile.
    keyspace.session.execute("DELETE FROM conversations WHERE id = 'c1' IF EXISTS")
    assert await store.erase("ada") == 0
    assert await store.messages("c1") == []
    assert await store.feedback_on(NOW.date()) == []
    assert await store.idle_conversations(NOW) == []
    assert keyspace.session.execute("SELECT count(*) FROM conversations_by_account").one()[0] == 0


async def test_what_was_said_in_a_conversation_goes_when_it_is_put_again_while_its_account_is_erased(
    store: ScyllaConversations, keyspace: Keyspace, monkeypatch: pytest.MonkeyPatch
):
    await store.append(a_message("m1"))
    await store.put_feedback(a_feedback())
    refuse, asked = erased.refuse, 0

    async def refused_then(*given):
        nonlocal asked
        asked += 1
        if asked == 1:  # erased just behind the first look
            await refuse(*given)
            await erased.mark(*given)
            return
        await refuse(*given)

    monkeypatch.setattr(erased, "refuse", refused_then)
    with pytest.raises(NotFound):
        await store.put_conversation(TALK)
    for table in ("conversations", "messages", "message_buckets", "feedback", "conversations_by_account"):
        assert keyspace.session.execute(f"SELECT count(*) FROM {table}").one()[0] == 0, table


async def add_without_end(url: str) -> None:
    """Begin conversations and say things in them until the account is erased."""
    async with conversations_at(url) as store:
        processes.starting_line()
        number = 0
        try:
            while True:
                talk = replace(TALK, id=f"t{number}")
                await store.put_conversation(talk)
                await store.append(a_message("m1", talk.id), a_message("m2", talk.id))
                await store.put_feedback(replace(a_feedback(f"f{number}", f"m{number}"), conversation_id=talk.id))
                number += 1
        except NotFound:
            processes.say("refused")


async def erase_in_the_midst(url: str) -> None:
    async with conversations_at(url) as store:
        processes.starting_line()
        while len(await store.conversations("ada")) < 3:
            await asyncio.sleep(0.01)
        await store.erase("ada")


async def test_nothing_is_left_of_an_account_that_is_erased_while_it_talks(keyspace: Keyspace):
    racers = [processes.start(add_without_end, keyspace.url) for _ in range(2)]
    said = await asyncio.to_thread(processes.race, [*racers, processes.start(erase_in_the_midst, keyspace.url)])
    assert said == [["refused"], ["refused"], []]
    for table in ("conversations", "messages", "message_buckets", "questions", "feedback", "feedback_by_day"):
        assert keyspace.session.execute(f"SELECT count(*) FROM {table}").one()[0] == 0, table
    assert pointers(keyspace) == set()


async def test_what_is_said_while_a_conversation_is_removed_goes_with_it(
    store: ScyllaConversations, keyspace: Keyspace
):
    async def talk() -> None:
        for n in range(200):
            await store.append(a_message(f"m{n:03}"))

    talking = asyncio.create_task(talk())
    while len(await store.messages("c1")) < 5:
        await asyncio.sleep(0)
    assert await store.delete_conversation("c1") is True
    with pytest.raises(NotFound):
        await talking
    for table in ("messages", "message_buckets", "questions"):
        assert keyspace.session.execute(f"SELECT count(*) FROM {table}").one()[0] == 0, table


async def test_the_same_feedback_again_completes_what_was_interrupted(store: ScyllaConversations, keyspace: Keyspace):
    await store.put_feedback(a_feedback())
    keyspace.session.execute("TRUNCATE feedback_by_day", timeout=30)
    assert await store.feedback_on(NOW.date()) == []
    await store.put_feedback(a_feedback())
    assert await store.feedback_on(NOW.date()) == [a_feedback()]


async def test_the_same_messages_again_complete_the_count_of_questions(store: ScyllaConversations, keyspace: Keyspace):
    await store.append(a_message("m1"))
    keyspace.session.execute("TRUNCATE questions", timeout=30)
    await store.append(a_message("m1"))
    assert await store.questions(NOW.date()) == {NOW.date(): 1}


async def test_a_question_that_was_counted_and_never_written_goes_with_the_account(
    store: ScyllaConversations, keyspace: Keyspace
):
    await Questions(store._connection).add([a_message("m1")])
    assert await store.questions(NOW.date(), "ada") == {NOW.date(): 1}
    await store.erase("ada")
    assert keyspace.session.execute("SELECT count(*) FROM questions").one()[0] == 0


async def test_what_no_server_takes_is_not_counted(store: ScyllaConversations, monkeypatch: pytest.MonkeyPatch):
    async def refuse(*_: object, **__: object) -> None:
        raise InvalidInput("The batch is too large.")

    monkeypatch.setattr(store._connection, "write_together", refuse)
    with pytest.raises(InvalidInput):
        await store.append(a_message("m1"))
    assert await store.questions(NOW.date()) == {}


async def test_days_on_which_nothing_is_left_are_not_asked_for_ever(store: ScyllaConversations, keyspace: Keyspace):
    old = now_micros() - 2 * DAY
    day, shard = micros(NOW - timedelta(days=9)) // DAY, 3
    keyspace.session.execute(
        "INSERT INTO days (kind, day, shard, revision) VALUES ('active', %s, %s, %s) USING TIMESTAMP %s",
        (day, shard, old, old),
    )
    assert await store.idle_conversations(NOW) == [TALK]
    assert [row[0] for row in keyspace.session.execute("SELECT day FROM days WHERE kind = 'active'")] == [
        micros(NOW) // DAY
    ]
