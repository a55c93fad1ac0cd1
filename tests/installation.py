"""An installation whose stores are on the four servers, each in a place of its own that goes with the test."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from tests.adapters.mongo.opening import own_database
from tests.adapters.postgres.opening import own_schema
from tests.adapters.scylla.opening import own_url, session_at
from tests.servers import own_name, url_of

STORES = ("accounts", "conversations", "library", "cache")


@contextmanager
def on_servers() -> Iterator[dict[str, str]]:
    """Yield the environment by which a program keeps everything on the servers; remove all of it behind the block."""
    scylla, prefix = own_url(), f"{own_name()}:"
    redis = url_of("redis")
    with asyncio.Runner() as runner, own_schema() as postgres:
        databases = own_database()
        mongodb = runner.run(databases.__aenter__())
        try:
            yield {
                "MULTIDB_CHAT_STORES_ACCOUNTS": postgres,
                "MULTIDB_CHAT_STORES_CONVERSATIONS": scylla,
                "MULTIDB_CHAT_STORES_LIBRARY": mongodb,
                "MULTIDB_CHAT_STORES_CACHE": f"{redis}{'&' if '?' in redis else '?'}prefix={prefix}",
            }
        finally:
            runner.run(databases.__aexit__(None, None, None))
            with Redis.from_url(redis) as connection:
                for key in connection.scan_iter(f"{prefix}*", count=1_000):
                    connection.delete(key)
            with session_at(scylla) as session:
                session.execute(f"DROP KEYSPACE IF EXISTS {scylla.rpartition('/')[2].partition('?')[0]}", timeout=60)


def without(environment: dict[str, str], store: str) -> dict[str, str]:
    """Return the environment with a store where nobody listens, as if its server were stopped."""
    name = f"MULTIDB_CHAT_STORES_{store.upper()}"
    scheme, _, rest = environment[name].partition("://")
    login, at, place = rest.partition("/")[0].rpartition("@")
    host = place.rpartition(":")[0]
    return environment | {name: f"{scheme}://{login}{at}{host}:9/{rest.partition('/')[2]}"}
