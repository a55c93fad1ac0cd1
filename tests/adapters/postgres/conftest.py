"""Schemas of a test's own on the server."""

import asyncio
from collections.abc import Iterator

import pytest

from multidb_chat.domain.database_roles import RolesMade
from tests.adapters.postgres.opening import empty, own_schema, role_names, roles_at, url_as


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


@pytest.fixture(scope="module")
def roles(shared_url: str) -> Iterator[RolesMade]:
    """The roles of the shared schema."""
    with role_names(shared_url) as names:
        yield asyncio.run(roles_at(shared_url, names))


@pytest.fixture
def emptied(shared_url: str, roles: RolesMade) -> str:
    """The URL of a shared schema whose stores are empty, for the role that programs use."""
    empty(shared_url)
    return url_as(shared_url, roles.names.app, roles.passwords[roles.names.app])
