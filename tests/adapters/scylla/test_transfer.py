"""Rows of the conversations carried out of a cluster and into it: the contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from multidb_chat.adapters.scylla.conversations import ScyllaConversations
from multidb_chat.adapters.scylla.transfer import ScyllaTransfer
from tests.adapters.scylla.opening import Keyspace
from tests.contracts.transfer import ConversationsTransferContract, Empty, Twin
from tests.servers import needs

pytestmark = needs("scylla")


class TestScyllaTransfer(ConversationsTransferContract):
    EXAMPLES = 3

    @pytest.fixture
    def empty(self, keyspace: Keyspace) -> Empty:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Twin]:
            keyspace.empty()
            port, transfer = ScyllaConversations(keyspace.url), ScyllaTransfer(keyspace.url)
            yield Twin(transfer, port)
            await port.close()
            await transfer.close()

        return opened
