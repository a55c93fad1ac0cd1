"""Making the keyspace: by several at once, by a newer program, by somebody else, and after an interruption."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from cassandra.cluster import Session

from multidb_chat.adapters.scylla.address import address_of
from multidb_chat.adapters.scylla.conversations import ScyllaConversations
from multidb_chat.adapters.scylla.creating import _Maker, is_scylla, schema_version
from multidb_chat.adapters.scylla.schema import VERSIONS
from multidb_chat.domain.errors import SchemaTooNew, StoreError
from multidb_chat.services.resilience.breaker import Breaker
from multidb_chat.services.resilience.guard import DEADLINE, Guard
from multidb_chat.services.resilience.guarded import guarded
from multidb_chat.services.resilience.ports import CONVERSATIONS
from tests.adapters.scylla.opening import Keyspace, conversations_at, own_url, session_at
from tests.contracts import processes
from tests.contracts.conversations_processes import TALK
from tests.servers import needs, url_of

pytestmark = needs("scylla")


@pytest.fixture
def url() -> Iterator[str]:
    """The URL of a keyspace that is not there; dropped in the end."""
    url = own_url()
    yield url
    with session_at(url) as session:
        session.execute(f"DROP KEYSPACE IF EXISTS {address_of(url).keyspace}", timeout=30)


async def put_one(url: str, number: int) -> None:
    async with conversations_at(url) as store:
        processes.starting_line()
        await store.put_conversation(TALK.__class__(f"c{number}", "ada", "", TALK.last_activity))


def test_of_several_programs_that_come_at_once_one_makes_the_tables(url: str):
    processes.race([processes.start(put_one, url, number) for number in range(4)])

    async def found() -> list[str]:
        async with conversations_at(url) as store:
            return [one.id for one in await store.conversations("ada")]

    assert asyncio.run(found()) == ["c3", "c2", "c1", "c0"]
    with session_at(url) as session:
        assert schema_version(session, address_of(url), len(VERSIONS)) == len(VERSIONS)
        keyspace = address_of(url).keyspace
        assert session.execute(f"SELECT name FROM {keyspace}.schema_versions").all() == [("conversations",)]
        replication = session.cluster.metadata.keyspaces[keyspace].replication_strategy.export_for_schema()
        assert "NetworkTopologyStrategy" in replication
        assert f"'{address_of(url).datacenter}': '1'" in replication


async def test_what_was_interrupted_is_completed(url: str):
    keyspace = address_of(url).keyspace
    with session_at(url) as session:
        made_by_an_administrator(session, keyspace)
        columns = "(name text PRIMARY KEY, version int, owner text)"
        session.execute(f"CREATE TABLE {keyspace}.schema_versions {columns}", timeout=30)
        session.execute(f"CREATE TABLE {keyspace}.erased (account_id text PRIMARY KEY)", timeout=30)
        # The lock of a program that was killed; after a minute, or here two seconds, it is gone by itself.
        session.execute(f"INSERT INTO {keyspace}.schema_versions (name, owner) VALUES ('lock', 'x') USING TTL 2")
    async with conversations_at(url) as store:
        await store.put_conversation(TALK)
        assert await store.conversation("c1") == TALK


async def test_a_turn_waits_until_the_tables_are_made(url: str, monkeypatch: pytest.MonkeyPatch):
    change = _Maker._change

    def slowly(maker: _Maker, statement: str) -> None:
        time.sleep(0.2)
        change(maker, statement)

    monkeypatch.setattr(_Maker, "_change", slowly)
    async with conversations_at(url) as store:
        guard = Guard(Breaker("conversations"))
        guard.making = lambda: store.making
        began = time.monotonic()
        talks = guarded(store, CONVERSATIONS, guard)
        await talks.put_conversation(TALK)
        assert time.monotonic() - began > DEADLINE
        assert await talks.conversation("c1") == TALK
        assert not store.making


def made_by_an_administrator(session: Session, keyspace: str) -> None:
    strategy = f"{{'class': 'NetworkTopologyStrategy', '{address_of(url_of('scylla')).datacenter}': 1}}"
    session.execute(f"CREATE KEYSPACE {keyspace} WITH replication = {strategy}", timeout=30)


async def test_tables_of_a_newer_program_are_left_alone(keyspace: Keyspace):
    session = keyspace.session
    try:
        session.execute("UPDATE schema_versions SET version = 99 WHERE name = 'conversations' IF EXISTS")
        async with conversations_at(keyspace.url) as store:
            for _ in range(2):
                with pytest.raises(SchemaTooNew, match=f"schema 99, this one knows {len(VERSIONS)}"):
                    await store.conversation("c1")
    finally:
        session.execute(
            "UPDATE schema_versions SET version = %s WHERE name = 'conversations' IF EXISTS", (len(VERSIONS),)
        )


def test_a_server_is_told_from_another_by_what_only_it_has(keyspace: Keyspace):
    keyspaces = keyspace.session.cluster.metadata.keyspaces
    assert is_scylla(keyspace.session) is ("scylla_tables" in keyspaces["system_schema"].tables)


async def test_an_unknown_data_centre_is_told_with_those_there_are(keyspace: Keyspace):
    known = address_of(keyspace.url).datacenter
    store = ScyllaConversations(keyspace.url.replace(known, "nowhere"))
    with pytest.raises(StoreError, match=f"no data centre 'nowhere', but {known}"):
        await store.conversation("c1")
    await store.close()
