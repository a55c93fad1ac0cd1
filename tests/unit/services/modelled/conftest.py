"""Who pays where a model is asked to help to find passages."""

from collections.abc import AsyncIterator

import pytest

from multidb_chat.services.modelled.paying import paid_by
from tests.unit.services.modelled.scripted import ADA


@pytest.fixture
async def paid() -> AsyncIterator[None]:
    with paid_by(ADA):
        yield
