"""Libraries on MongoDB, each in a database of its own that is dropped afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymongo import AsyncMongoClient

from multidb_chat.adapters.mongo.library import MongoLibrary
from tests.servers import own_name, url_of

# A server under the tests of eight workers may be slow; only the tests of slow servers use the real bound.
PATIENCE = 30.0


def with_database(url: str, name: str) -> str:
    """Return the URL with a database as its path."""
    head, mark, options = url.partition("?")
    scheme, _, rest = head.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{name}{mark}{options}"


@asynccontextmanager
async def own_database() -> AsyncIterator[str]:
    """Yield the URL of a database that no other test uses, and drop it."""
    server, name = url_of("mongodb"), own_name()
    try:
        yield with_database(server, name)
    finally:
        async with AsyncMongoClient(server) as client:
            await client.drop_database(name)


def open_at(url: str) -> MongoLibrary:
    """Open the library at a URL, patient as tests are."""
    return MongoLibrary(url, PATIENCE)
