"""One keyspace for all tests of a process."""

from collections.abc import Iterator

import pytest

from tests.adapters.scylla.opening import Keyspace, own_url


@pytest.fixture(scope="session")
def made_keyspace() -> Iterator[Keyspace]:
    keyspace = Keyspace(own_url())
    try:
        yield keyspace
    finally:
        keyspace.drop()


@pytest.fixture
def keyspace(made_keyspace: Keyspace) -> Keyspace:
    """The tables, with nothing in them."""
    made_keyspace.empty()
    return made_keyspace
