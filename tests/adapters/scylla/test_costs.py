"""What calls cost, in requests to the cluster: the same however much there is."""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace

import pytest

from multidb_chat.adapters.scylla.buckets import LENGTH, bucket_of
from multidb_chat.adapters.scylla.conversations import ScyllaConversations
from multidb_chat.domain.conversations import Message
from multidb_chat.domain.ids import new_id
from tests.adapters.scylla.opening import Keyspace, conversations_at
from tests.contracts.conversations_processes import NOW, TALK, a_message
from tests.servers import needs

pytestmark = needs("scylla")


@pytest.fixture
async def store(keyspace: Keyspace) -> AsyncIterator[ScyllaConversations]:
    async with conversations_at(keyspace.url) as store:
        await store.put_conversation(TALK)
        yield store


async def requests_of(store: ScyllaConversations, call: Awaitable[object]) -> int:
    """Return how many requests a call makes, those not counted that prepare statements."""
    _, session = await store._connection.opened()
    count = 0

    def counted(response) -> None:
        nonlocal count
        count += response.query is not None

    session.add_request_init_listener(counted)
    try:
        await call
    finally:
        session.remove_request_init_listener(counted)
    return count


def at(bucket: int, number: int = 0) -> str:
    """Return an id that was made in the bucket, behind those of lower numbers."""
    return f"{0x01900 + bucket:05x}{number:03x}-0000-7000-8000-000000000000"


async def fill(store: ScyllaConversations, buckets: int, each: int) -> None:
    await store.append(*(a_message(at(bucket, n)) for bucket in range(buckets) for n in range(each)))


async def test_a_page_of_what_is_said_now_costs_two_requests_at_once_and_of_what_was_before_it_one(
    store: ScyllaConversations,
):
    ids = sorted(new_id() for _ in range(80))
    await store.append(*(a_message(key) for key in ids))
    assert await requests_of(store, store.messages("c1", limit=50)) == 2
    assert await requests_of(store, store.messages("c1", ids[60], 50)) == 1
    assert [one.id for one in await store.messages("c1", ids[60], 50)] == ids[10:60]


async def test_a_page_of_many_buckets_costs_the_same_anywhere_in_a_long_conversation(store: ScyllaConversations):
    await fill(store, 40, 5)
    short = {await requests_of(store, store.messages("c1", before, 25)) for before in (at(20), at(30), at(39))}
    await fill(store, 200, 5)
    long = {await requests_of(store, store.messages("c1", before, 25)) for before in (at(50), at(120), at(199))}
    assert long == short
    expected = [at(bucket, n) for bucket in range(45, 50) for n in range(5)][2:]
    assert [one.id for one in await store.messages("c1", at(50), 23)] == expected


async def test_years_without_a_word_cost_nothing(store: ScyllaConversations):
    await store.append(a_message(at(0)))
    await store.append(a_message(at(4_000)))
    assert await requests_of(store, store.messages("c1", limit=2)) <= 5
    assert [one.id for one in await store.messages("c1")] == [at(0), at(4_000)]


async def test_single_messages_and_those_of_few_buckets_are_one_request_each(store: ScyllaConversations):
    await fill(store, 3, 4)
    assert await requests_of(store, store.message("c1", at(1, 2))) == 1
    named = [at(bucket, n) for bucket in range(3) for n in range(4)]
    assert await requests_of(store, store.messages_named("c1", named)) == 3
    assert [one.id for one in await store.messages_named("c1", named)] == named


async def test_a_turn_costs_so_many_requests_and_one_decision(store: ScyllaConversations):
    question, answer = new_id(), new_id()
    turn = a_message(question), replace(a_message(answer, parent=question), role="assistant")
    await store.append(a_message(new_id()))
    # Conversation, account, bucket and ids; both messages; the question (its day is noted once), conversation and
    # account again.
    assert await requests_of(store, store.append(*turn)) == 8
    # The conversation is read and decided.
    assert await requests_of(store, store.change_conversation("ada", "c1", last_activity=NOW, head=answer)) == 2


async def test_a_page_of_conversations_costs_a_request_for_the_list_and_one_for_fifty_of_them(
    store: ScyllaConversations,
):
    for n in range(60):
        await store.put_conversation(replace(TALK, id=f"d{n:02}"))
    assert await requests_of(store, store.conversations("ada", limit=50)) == 2
    assert await requests_of(store, store.conversations("ada", limit=60)) == 3


async def test_messages_on_both_sides_of_a_border_are_added_together(store: ScyllaConversations, keyspace: Keyspace):
    turn = [a_message(at(7, 0xFFF)), a_message(at(8))]
    assert bucket_of(turn[0].id) != bucket_of(turn[1].id)
    assert len(bucket_of(turn[0].id)) == LENGTH
    await store.append(*turn)
    assert await store.messages("c1") == turn
    large: list[Message] = [replace(one, id=one.id[:-1] + "1", body="x" * 40_000) for one in turn]
    await store.append(*large)
    assert await store.messages("c1") == [turn[0], large[0], turn[1], large[1]]


async def test_more_than_one_mutation_may_hold_is_added_all_the_same(store: ScyllaConversations):
    many = [replace(a_message(f"m{n:02}"), body="x" * 900_000) for n in range(8)]
    await store.append(*many)
    assert await store.messages("c1") == many
