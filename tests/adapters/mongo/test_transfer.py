"""Rows of the library carried out of MongoDB and into it: the contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from multidb_chat.adapters.mongo.transfer import MongoTransfer
from tests.adapters.mongo.opening import PATIENCE, open_at, own_database
from tests.contracts.transfer import Empty, LibraryTransferContract, Twin
from tests.servers import needs

pytestmark = needs("mongodb")


class TestMongoTransfer(LibraryTransferContract):
    EXAMPLES = 4

    @pytest.fixture
    def empty(self) -> Empty:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Twin]:
            async with own_database() as url:
                library, transfer = open_at(url), MongoTransfer(url, PATIENCE)
                yield Twin(transfer, library)
                await library.close()
                await transfer.close()

        return opened
