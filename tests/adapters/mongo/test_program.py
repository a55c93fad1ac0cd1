"""The program with its library on MongoDB: two machines, one library."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from multidb_chat.bootstrap import Application
from multidb_chat.domain.search import SearchFilters
from multidb_chat.settings import load_settings
from tests.adapters.mongo.opening import own_database
from tests.servers import needs

pytestmark = needs("mongodb")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with own_database() as url:
        yield f"{url}?timeoutMS=30000"


def machine(home: Path, url: str) -> Application:
    environ = {"MULTIDB_CHAT_HOME": str(home), "MULTIDB_CHAT_STORES_LIBRARY": url}
    return Application(load_settings(environ=environ))


async def test_what_one_machine_adds_it_finds_at_once_and_another_one_too(tmp_path: Path, url: str):
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "tides.md").write_text("# Tides\n\nThe moon raises the tides of the sea twice a day.\n")
    one, other = machine(tmp_path / "one", url), machine(tmp_path / "other", url)
    await one.open("local")
    collection = await one.documents.ensure_collection(one.account, "documents")
    async for _ in one.ingestion.add(one.account, collection, [papers]):
        pass
    for app in (one, other):
        (match, *_) = await app.retrieval.search("What raises the tides?", SearchFilters((collection.id,)))
        assert match.document.name == "tides.md"
        assert "The moon" in match.chunk.text
    found = [finding async for finding in one.health.examine()]
    assert [finding for finding in found if finding.severity == "wrong"] == []
    assert any("searched for on this machine" in finding.text for finding in found)
    assert any("library" in finding.text and "127.0.0.1" in finding.text for finding in found)
    await one.close()
    await other.close()
