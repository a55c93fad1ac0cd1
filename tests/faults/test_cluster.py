"""Three nodes that each keep everything: nobody notices that one is killed and comes back, and nothing is lost."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from multidb_chat.domain.conversations import Conversations
from multidb_chat.domain.errors import StoreError, StoreUnavailable
from tests.adapters.scylla.opening import conversations_at, own_url
from tests.contracts.conversations_processes import TALK, a_message
from tests.servers import control, needs

# Three nodes take a minute or two until they are a cluster.
pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(580),
    needs("scylla"),
    pytest.mark.skipif(os.environ.get("TEST_CLUSTER") != "1", reason="three nodes take minutes: set TEST_CLUSTER=1"),
]
NODES = ("cassandra", "cassandra2", "cassandra3")
TALKS = 8
ENOUGH = 300


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Path]:
    """Put a cluster of three, with data of its own, in the place of the node that all tests use."""
    control("stop", "scylla")
    try:
        for node in NODES:
            control("start", node, folder=tmp_path)
        yield tmp_path
    finally:
        control("stop", *NODES, folder=tmp_path)
        control("start", "scylla")


def url_of_three() -> str:
    """Return the URL of the nodes: at the address of the one that all tests use, and at the two behind it."""
    parts = urlsplit(own_url())
    assert parts.hostname
    hosts = ",".join(f"{ip_address(parts.hostname) + number}:{parts.port}" for number in range(len(NODES)))
    return urlunsplit(parts._replace(netloc=hosts, query=f"{parts.query}&replication_factor=3"))


@dataclass
class Talk:
    """Somebody who writes and reads one conversation, one message after the other."""

    id: str
    written: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def go_on(self, store: Conversations) -> None:
        """Write and read until cancelled."""
        number = 0
        while True:
            number += 1
            message = a_message(f"{self.id}-{number:06}", self.id)
            try:
                await store.append(message)
                self.written.append(message.id)
                assert (await store.messages(self.id, limit=1))[-1].id == message.id
            except StoreError as error:
                self.refused.append(str(error))


async def test_nothing_fails_and_nothing_is_lost_when_a_node_is_killed_and_started_again(cluster: Path) -> None:
    talks = [Talk(f"talk{number}") for number in range(TALKS)]
    async with conversations_at(url_of_three()) as store:
        for talk in talks:
            await _begun(store, talk)
        going_on = [asyncio.create_task(talk.go_on(store)) for talk in talks]
        await _more(talks)
        await asyncio.to_thread(control, "kill", "cassandra3", folder=cluster)
        await _more(talks)
        await asyncio.to_thread(control, "start", "cassandra3", folder=cluster)
        await _more(talks)
        assert not any(task.done() for task in going_on)
        for task in going_on:
            task.cancel()
        await asyncio.gather(*going_on, return_exceptions=True)
        assert [talk.refused for talk in talks] == [[]] * TALKS
        for talk in talks:
            stored = {message.id for message in await store.messages(talk.id, limit=100_000)}
            assert set(talk.written) <= stored


async def _begun(store: Conversations, talk: Talk) -> None:
    """Begin a conversation, as soon as nodes that have just started answer."""
    while True:
        try:
            return await store.put_conversation(replace(TALK, id=talk.id))
        except StoreUnavailable:
            await asyncio.sleep(0.5)


async def _more(talks: list[Talk]) -> None:
    """Wait until so many more messages were written."""
    wanted = sum(len(talk.written) for talk in talks) + ENOUGH
    while sum(len(talk.written) for talk in talks) < wanted:
        await asyncio.sleep(0.05)
