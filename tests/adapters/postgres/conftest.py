"""Schemas of a test's own on the server."""

from collections.abc import Iterator

import pytest

from tests.adapters.postgres.opening import empty, own_schema


@pytest.fixture
def url() -> Iterator[str]:
    """The URL of a schema that does not exist yet, and does not any more when the test is over."""
    with own_schema() as url:
        yield url


@pytest.fixture(scope="module")
def shared_url() -> Iterator[str]:
    """The URL of a schema that the tests of a module share, since making one takes long."""
    with own_schema() as url:
        yield url


@pytest.fixture
def emptied(shared_url: str) -> str:
    """The URL of a shared schema whose stores are empty."""
    empty(shared_url)
    return shared_url
