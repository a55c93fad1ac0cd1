"""The library on MongoDB against the model of the contract."""

from hypothesis import settings

from multidb_chat.adapters.mongo.library import MongoLibrary
from tests.adapters.mongo.opening import open_at, own_database
from tests.contracts.library_machine import LibraryMachine
from tests.servers import needs


class MongoLibraryMachine(LibraryMachine):
    def __init__(self) -> None:
        super().__init__()
        self.database = own_database()
        self.url = self.runner.run(self.database.__aenter__())

    async def open(self) -> MongoLibrary:
        self.opened = open_at(self.url)
        return self.opened

    async def close(self) -> None:
        await self.opened.close()

    def teardown(self) -> None:
        if hasattr(self, "library"):
            self.does(self.close)
        self.runner.run(self.database.__aexit__(None, None, None))
        self.runner.close()


@needs("mongodb")
class TestMongoLibraryMachine(MongoLibraryMachine.TestCase):
    settings = settings(max_examples=10, stateful_step_count=25, deadline=None)
