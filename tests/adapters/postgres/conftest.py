"""A schema of a test's own on the server."""

from collections.abc import AsyncIterator

import pytest

from tests.adapters.postgres.opening import own_schema


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """The URL of a schema that does not exist yet, and does not any more when the test is over."""
    async with own_schema() as url:
        yield url
