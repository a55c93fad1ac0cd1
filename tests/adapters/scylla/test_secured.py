"""A node that asks for a log-in and speaks TLS alone: the contract, and what is told where something is wrong."""

import asyncio
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from multidb_chat.adapters.scylla.address import address_of
from multidb_chat.domain.errors import StoreError, StoreUnavailable
from multidb_chat.settings import load_settings
from multidb_chat.settings.secrets import server_url
from tests.adapters.scylla.opening import Keyspace, conversations_at
from tests.adapters.scylla.secured_node import PASSWORD, SecuredNode, patiently
from tests.certificates import needs_openssl
from tests.cli.conftest import Program
from tests.contracts.conversations import ConversationsContract
from tests.contracts.conversations_processes import TALK, OpenConversations

pytestmark = [
    needs_openssl,
    pytest.mark.alone,
    pytest.mark.timeout(580),
    pytest.mark.skipif(os.environ.get("TEST_SECURED") != "1", reason="a node of its own: set TEST_SECURED=1"),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredNode]:
    node = SecuredNode(tmp_path_factory.mktemp("secured"), clients=True)
    try:
        node.start().make_role()
        yield node
    finally:
        node.stop()


def with_password(url: str, password: str = PASSWORD) -> str:
    """Return the URL as the program makes it of `stores.conversations` and `stores.conversations_password`."""
    names = {"MULTIDB_CHAT_STORES_CONVERSATIONS": url, "MULTIDB_CHAT_STORES_CONVERSATIONS_PASSWORD": "env:TALK"}
    found = server_url(load_settings(environ=names), "conversations", lambda _: None, {"TALK": password})
    assert found
    return found


@pytest.fixture(scope="module")
def made_keyspace(node: SecuredNode) -> Iterator[Keyspace]:
    url = with_password(node.url(with_client=True))
    asyncio.run(made(url))
    keyspace = patiently(lambda: Keyspace(url))
    yield keyspace
    keyspace.session.shutdown()  # the tables go with the node


async def made(url: str) -> None:
    """Have the tables made, however long a node takes that has just started."""
    while True:
        async with conversations_at(url) as store:
            try:
                return await store.put_conversation(TALK)
            except StoreUnavailable:
                await asyncio.sleep(0.5)


class TestSecuredConversations(ConversationsContract):
    @pytest.fixture
    def open_conversations(self, keyspace: Keyspace) -> OpenConversations:
        return partial(conversations_at, keyspace.url)


async def told(url: str) -> str:
    while True:  # a node that has just started may have no time for it yet
        async with conversations_at(url) as store:
            with pytest.raises(StoreError) as error:
                await store.put_conversation(TALK)
        assert PASSWORD not in str(error.value)
        if "in time" not in str(error.value):
            return str(error.value)


async def test_a_wrong_password_is_told_as_that(node: SecuredNode):
    assert "refuses the log-in" in await told(with_password(node.url(with_client=True), "another"))


async def test_a_role_that_may_not_make_tables_is_told_what_it_needs(node: SecuredNode, made_keyspace: Keyspace):
    with_others = node.url(keyspace="system_auth", with_client=True)
    assert "grant the role SELECT and MODIFY" in await told(with_password(with_others))


async def test_without_tls_nothing_is_said_to_it(node: SecuredNode):
    parts = urlsplit(with_password(node.url()))
    with pytest.raises(StoreUnavailable):
        async with conversations_at(urlunsplit(parts._replace(query="datacenter=datacenter1"))) as store:
            await store.put_conversation(TALK)


async def test_a_program_without_a_certificate_is_refused_where_one_is_wanted(node: SecuredNode):
    with pytest.raises(StoreUnavailable):
        async with conversations_at(with_password(node.url())) as store:
            await store.put_conversation(TALK)


def test_the_program_talks_to_it(node: SecuredNode, tmp_path: Path):
    place = node.url(keyspace="by_the_program", with_client=True)
    program = Program(
        tmp_path,
        {
            "MULTIDB_CHAT_STORES_CONVERSATIONS": place,
            "MULTIDB_CHAT_STORES_CONVERSATIONS_PASSWORD": "env:TALK",
            "TALK": PASSWORD,
        },
    )
    asked = program("ask", "How do I add my own documents?")
    assert (asked.returncode, "delayed" in asked.stderr) == (0, False)
    doctor = program("admin", "doctor")
    assert f"The conversations store on {address_of(place).where} is sound" in doctor.stdout
    assert "add my own documents" in program("conversations", "list").stdout
