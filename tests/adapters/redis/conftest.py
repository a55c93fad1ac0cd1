"""Redis servers of a test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.redis.processes import Started


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    started = Started(tmp_path)
    yield started
    started.end()
