"""A cluster that is away, frozen, forgetful or slow: every call ends, and tells what is known."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from multidb_chat.adapters.scylla.conversations import ScyllaConversations
from multidb_chat.domain.conversations import Conversations
from multidb_chat.domain.errors import StoreError, StoreUnavailable
from tests.adapters.scylla.opening import Keyspace, conversations_at
from tests.contracts.conversations_curation import ENTRY, a_feedback
from tests.contracts.conversations_processes import NOW, TALK, a_message
from tests.faults.proxy import Proxy
from tests.servers import needs

pytestmark = needs("scylla")

# However long the driver may take for it, with its limits added up; nothing is timed here, it must only end.
ENDS = 15


@pytest.fixture
async def proxy(keyspace: Keyspace) -> AsyncIterator[Proxy]:
    async with Proxy(keyspace.url) as proxy:
        yield proxy


@pytest.fixture
async def store(proxy: Proxy) -> AsyncIterator[ScyllaConversations]:
    """A store behind the proxy, with a conversation, a knowledge entry, and every statement prepared."""
    async with conversations_at(proxy.url) as store:
        await store.put_conversation(TALK)
        await store.append(a_message("m1"))
        await store.put_knowledge(ENTRY)
        await store.count_use("acme", ENTRY.id)
        yield store


Call = Callable[[Conversations], Coroutine[Any, Any, Any]]
CALLS: list[Call] = [
    lambda store: store.conversation("c1"),
    lambda store: store.put_conversation(replace(TALK, id="c2")),
    lambda store: store.change_conversation("ada", "c1", title="Ebb"),
    lambda store: store.conversations("ada"),
    lambda store: store.idle_conversations(NOW),
    lambda store: store.search_conversations("ada", ["tides"]),
    lambda store: store.append(a_message("m2")),
    lambda store: store.messages("c1"),
    lambda store: store.outline("c1"),
    lambda store: store.questions(NOW.date()),
    lambda store: store.delete_conversation("c1"),
    lambda store: store.erase("ada"),
    lambda store: store.put_knowledge(replace(ENTRY, version=9)),
    lambda store: store.count_use("acme", ENTRY.id),
    lambda store: store.put_feedback(a_feedback()),
    lambda store: store.feedback_on(NOW.date()),
]


async def test_every_call_of_a_frozen_cluster_ends_and_goes_on_when_it_is_back(
    proxy: Proxy, store: ScyllaConversations
):
    proxy.freeze()
    async with asyncio.timeout(ENDS):
        outcomes = await asyncio.gather(*(call(store) for call in CALLS), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * len(CALLS)
    proxy.thaw()
    await until(store.append, a_message("m3"))
    assert a_message("m3") in await store.messages("c1")


async def until(call: Callable[..., Coroutine[Any, Any, Any]], *arguments: object) -> Any:
    """Call until the store is back: the driver connects anew after some time of its own."""
    while True:
        try:
            return await call(*arguments)
        except StoreUnavailable:
            await asyncio.sleep(0.05)


async def test_a_cluster_that_is_frozen_from_the_beginning_ends_calls_too(proxy: Proxy):
    proxy.freeze()
    async with asyncio.timeout(ENDS), conversations_at(proxy.url) as store:
        outcomes = await asyncio.gather(*(call(store) for call in CALLS), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * len(CALLS)
        proxy.thaw()
        await until(store.put_conversation, TALK)


async def test_a_cluster_that_refuses_is_away_and_is_found_again(proxy: Proxy):
    proxy.refuse()
    async with conversations_at(proxy.url) as store:
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{proxy.port}"):
            await store.conversation("c1")
        proxy.admit()
        await store.put_conversation(TALK)
        assert await store.conversation("c1") == TALK


async def test_nobody_is_there():
    async with conversations_at("scylla://ada:secret@127.0.0.1:1/chat?datacenter=one") as store:
        with pytest.raises(StoreError) as caught:
            await store.conversation("c1")
    assert isinstance(caught.value, StoreUnavailable)
    assert "secret" not in str(caught.value)


async def test_connections_that_break_are_made_anew(proxy: Proxy, store: ScyllaConversations):
    for number in range(3):
        proxy.reset()
        await until(store.append, a_message(f"n{number}"))
    assert len(await until(store.messages, "c1")) == 4


@pytest.mark.parametrize("count", [1, 2])
async def test_what_was_written_without_an_answer_is_written_once(proxy: Proxy, store: ScyllaConversations, count: int):
    for number in range(count):
        proxy.swallow_reply(to=b"never said before")
        message = replace(a_message(f"s{number}"), body="never said before")
        await until(store.append, message)
        assert proxy.cut.is_set()
        assert await until(store.message, "c1", message.id) == message
    assert len(await store.messages("c1")) == count + 1


async def test_a_decision_without_an_answer_is_not_made_twice(proxy: Proxy, store: ScyllaConversations):
    later = replace(TALK, id="c2", title="never given before")
    proxy.swallow_reply(to=b"never given before")
    with pytest.raises(StoreUnavailable):
        await store.put_conversation(later)
    assert proxy.cut.is_set()
    await until(store.put_conversation, later)
    assert await store.conversations("ada") == [later, TALK]


async def test_a_count_without_an_answer_is_not_repeated(proxy: Proxy, store: ScyllaConversations, keyspace: Keyspace):
    counter = keyspace.session.execute("SELECT counter_id FROM knowledge_uses").one()[0]
    proxy.swallow_reply(to=counter.encode())
    with pytest.raises(StoreUnavailable, match=r"may or may not|reached"):
        await store.count_use("acme", ENTRY.id)
    assert proxy.cut.is_set()
    assert await until(store.uses, "acme", [ENTRY.id]) == {ENTRY.id: 2}


async def test_cancelled_calls_end_at_once_and_confuse_no_other(proxy: Proxy, store: ScyllaConversations):
    for n in range(20):
        await store.append(a_message(f"n{n:02}"))
    proxy.delay = 0.01
    asked = [asyncio.create_task(store.message("c1", f"n{n % 20:02}")) for n in range(200)]
    await asyncio.sleep(0)
    for task in asked[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    for n, outcome in enumerate(outcomes):
        if n % 2 == 0:
            assert isinstance(outcome, asyncio.CancelledError)
        else:
            assert outcome == a_message(f"n{n % 20:02}")


async def test_answers_that_come_when_the_loop_is_closed_are_dropped(keyspace: Keyspace, caplog):
    async with Proxy(keyspace.url) as proxy:
        # Another loop in another thread begins a call, is stopped in the midst of it and closed.
        def abandon() -> None:
            async def begin() -> None:
                store = ScyllaConversations(proxy.url)
                await store.conversation("c1")
                proxy.delay = 0.05
                asyncio.get_running_loop().create_task(store.conversation("c1"))
                await asyncio.sleep(0.01)
                proxy.delay = 0.0
                threads.append(store)

            asyncio.run(begin())

        threads: list[ScyllaConversations] = []
        await asyncio.to_thread(abandon)
        await asyncio.sleep(0.2)
    assert [record for record in caplog.records if record.name.startswith("cassandra") and record.exc_info] == []
