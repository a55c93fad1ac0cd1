"""The database servers that tests talk to, told by the environment; a test is skipped, by name, where one is absent.

`TEST_REDIS_URL`, `TEST_POSTGRES_URL`, `TEST_SCYLLA_URL` and `TEST_MONGODB_URL` say where they are; `scripts/services
env` prints them. With `REQUIRE_SERVERS=1` an absent one fails the test instead. `TEST_SERVERS` is the program that
starts, stops, kills and freezes them. Every test uses a schema, keyspace, database or key prefix of its own
(`own_name`) and drops it.
"""

import os
import subprocess
from pathlib import Path
from typing import Literal

import pytest

from multidb_chat.domain.ids import new_id

Server = Literal["redis", "postgres", "scylla", "mongodb"]
SERVERS: tuple[Server, ...] = ("redis", "postgres", "scylla", "mongodb")
# What the program of `TEST_SERVERS` calls them.
NAMES = {"redis": "redis", "postgres": "postgres", "scylla": "cassandra", "mongodb": "mongodb"}


def needs(server: Server) -> pytest.MarkDecorator:
    """Mark what needs a server: as `pytestmark` of a module, or on one test."""
    return pytest.mark.needs_server(server)


def url_of(server: Server) -> str:
    """Return where the server is; skips the test that asks, or fails it, where nothing says so."""
    require(server)
    return os.environ[variable(server)]


def require(server: Server) -> None:
    """Skip or fail the running test when the server is absent."""
    if os.environ.get(variable(server)):
        return
    reason = f"no {server} server: {variable(server)} is not set (scripts/services start)"
    if os.environ.get("REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def variable(server: Server) -> str:
    """Return the name of the variable that says where the server is."""
    return f"TEST_{server.upper()}_URL"


def own_name() -> str:
    """Return a name that no other test uses, good for a schema, a keyspace, a database or a prefix."""
    return "test_" + new_id().replace("-", "")[:26]


def control(
    verb: Literal["start", "stop", "restart", "kill", "freeze", "thaw"], *servers: str, folder: Path | None = None
) -> None:
    """Start, stop, kill (-9) or freeze servers, by the names of `NAMES` or of the program itself (`cassandra2`).

    With their data in the `folder`, they are others than those that all tests use, at the same addresses.
    """
    program = os.environ.get("TEST_SERVERS")
    if not program:
        pytest.skip("servers cannot be stopped: TEST_SERVERS is not set (scripts/services env)")
    place = {} if folder is None else {"TEST_SERVERS_DIR": str(folder)}
    subprocess.run(
        [program, verb, *(NAMES.get(server, server) for server in servers)],
        check=True, timeout=180, env=os.environ | place,
        stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
