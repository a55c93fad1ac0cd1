"""Fixtures for the tests of services."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from multidb_chat.adapters.readers.client import SubprocessReader
from multidb_chat.adapters.sqlite.library import SqliteLibrary
from tests.unit.services.ingesting import Workplace


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Workplace]:
    """An ingestion into an empty collection."""
    library, reader = SqliteLibrary(tmp_path / "library.db"), SubprocessReader()
    place = Workplace(tmp_path, library, reader)
    await library.create_collection(place.collection)
    yield place
    await reader.close()
    await library.close()
