"""A place to work at."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.services.tasks.working import Place


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path)
    await made.people()
    yield made
    await made.close()
