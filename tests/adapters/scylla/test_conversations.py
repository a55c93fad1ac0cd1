"""Conversations on ScyllaDB or Cassandra: the contract."""

from functools import partial

import pytest

from tests.adapters.scylla.opening import Keyspace, conversations_at
from tests.contracts.conversations import ConversationsContract
from tests.contracts.conversations_processes import OpenConversations
from tests.servers import needs

pytestmark = needs("scylla")


class TestScyllaConversations(ConversationsContract):
    @pytest.fixture
    def open_conversations(self, keyspace: Keyspace) -> OpenConversations:
        return partial(conversations_at, keyspace.url)
