"""Looking after conversations in a cluster: what it holds, what is damaged, and that looking changes nothing."""

import pytest

from multidb_chat.adapters.scylla.address import address_of
from multidb_chat.adapters.scylla.schema import VERSIONS
from multidb_chat.adapters.scylla.upkeep import ScyllaUpkeep
from multidb_chat.domain.errors import SchemaTooNew, StoreUnavailable
from tests.adapters.scylla.opening import Keyspace, conversations_at, own_url, session_at
from tests.contracts.conversations_processes import TALK, a_message
from tests.faults.proxy import Proxy
from tests.servers import needs

pytestmark = needs("scylla")


async def test_a_store_that_is_not_made_yet_is_sound_and_empty_and_stays_so():
    url = own_url()
    upkeep = ScyllaUpkeep(url)
    report = await upkeep.report()
    assert (report.store, report.schema, report.known_schema) == ("conversations", 0, len(VERSIONS))
    assert report.on_server
    assert (await upkeep.problems(), await upkeep.obstacle()) == ([], "")
    with session_at(url) as session:
        assert address_of(url).keyspace not in session.cluster.metadata.keyspaces


async def test_a_store_tells_where_it_is_and_about_what_it_holds(keyspace: Keyspace):
    async with conversations_at(keyspace.url) as store:
        await store.put_conversation(TALK)
        await store.append(a_message("m1"))
    upkeep = ScyllaUpkeep(keyspace.url)
    report = await upkeep.report()
    assert (report.schema, report.place) == (len(VERSIONS), address_of(keyspace.url).where)
    # The cluster counts every five minutes.
    assert list(report.records) == ["conversations (about)"]
    assert report.size_bytes is not None
    assert (await upkeep.problems(), await upkeep.obstacle()) == ([], "")


async def test_messages_without_their_conversation_are_told(keyspace: Keyspace):
    async with conversations_at(keyspace.url) as store:
        await store.put_conversation(TALK)
        await store.append(a_message("m1"))
        keyspace.session.execute("DELETE FROM conversations WHERE id = 'c1' IF EXISTS")
        upkeep = ScyllaUpkeep(keyspace.url)
        assert [("'c1'" in one) for one in await upkeep.problems()] == [True]
        await store.delete_conversation("c1")
        assert await upkeep.problems() == []


async def test_the_store_of_a_newer_program_is_named(keyspace: Keyspace):
    session = keyspace.session
    try:
        session.execute("UPDATE schema_versions SET version = 99 WHERE name = 'conversations' IF EXISTS")
        upkeep = ScyllaUpkeep(keyspace.url)
        with pytest.raises(SchemaTooNew):
            await upkeep.report()
        assert "newer version" in (await upkeep.problems())[0]
    finally:
        session.execute(
            "UPDATE schema_versions SET version = %s WHERE name = 'conversations' IF EXISTS", (len(VERSIONS),)
        )


async def test_a_cluster_that_is_away_is_an_obstacle(keyspace: Keyspace):
    async with Proxy(keyspace.url) as proxy:
        proxy.refuse()
        upkeep = ScyllaUpkeep(proxy.url)
        assert "can be reached" in await upkeep.obstacle()
        assert "can be reached" in (await upkeep.problems())[0]
        with pytest.raises(StoreUnavailable):
            await upkeep.report()
