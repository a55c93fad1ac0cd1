"""Conversations on ScyllaDB or Cassandra against the model of the contract."""

from contextlib import AbstractAsyncContextManager

import pytest
from hypothesis import Phase, settings

from multidb_chat.domain.conversations import Conversations
from tests.adapters.scylla.opening import Keyspace, conversations_at
from tests.contracts.conversations_machine import ConversationsMachine
from tests.servers import needs

pytestmark = needs("scylla")


class ScyllaConversationsMachine(ConversationsMachine):
    keyspace: Keyspace

    def __init__(self) -> None:
        super().__init__()
        self.keyspace.empty()

    def open(self) -> AbstractAsyncContextManager[Conversations]:
        return conversations_at(self.keyspace.url)


class TestScyllaConversationsMachine(ScyllaConversationsMachine.TestCase):
    # A step compares everything, some 60 calls of a server: making a failing example shorter would take half an hour.
    settings = settings(
        max_examples=6, stateful_step_count=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate]
    )

    @pytest.fixture(autouse=True)
    def _keyspace(self, made_keyspace: Keyspace) -> None:
        ScyllaConversationsMachine.keyspace = made_keyspace
