"""Vectors that are kept: the contract around the default embedder, hits, bounds, and trouble that is none."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from multidb_chat.adapters.embedders.kept import KeepingEmbedder
from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
from tests.contracts.embedder import EmbedderContract
from tests.unit.services.ingesting import HashingEmbedder

SIZE = 4 * 16 + 80  # what a vector of the small embedder takes


@pytest.fixture
async def embedder(tmp_path: Path) -> AsyncIterator[KeepingEmbedder]:
    embedder = KeepingEmbedder(MiniLMEmbedder(2), tmp_path / "vectors", 1_000_000)
    yield embedder
    await embedder.close()


class TestKeeping(EmbedderContract):
    """Also with what is kept from the first call on."""


def keeping(folder: Path, most: int = 1_000_000, name: str = "hashing-16") -> tuple[KeepingEmbedder, HashingEmbedder]:
    inner = HashingEmbedder(name)
    return KeepingEmbedder(inner, folder, most), inner


async def test_a_text_is_embedded_once_also_by_the_next_run(tmp_path: Path):
    first, inner = keeping(tmp_path)
    vectors = await first.embed_documents(["a", "b", "a"])
    assert await first.embed_documents(["b", "c"]) == [vectors[1], await inner.embed_query("c")]
    assert inner.seen == ["a", "b", "c"]
    await first.close()
    again, inner = keeping(tmp_path)
    assert await again.embed_documents(["a", "b", "a"]) == vectors
    assert inner.seen == []


async def test_another_embedder_has_vectors_of_its_own(tmp_path: Path):
    first, _ = keeping(tmp_path)
    other, inner = keeping(tmp_path, name="other/16: with marks")
    await first.embed_documents(["a"])
    await other.embed_documents(["a"])
    assert inner.seen == ["a"]
    assert {path.parent for path in tmp_path.rglob("*.sqlite")} == {tmp_path}


async def test_closing_drops_the_oldest_that_are_too_many(tmp_path: Path):
    first, _ = keeping(tmp_path, 3 * SIZE)
    await first.embed_documents([str(n) for n in range(5)])
    await first.close()
    again, inner = keeping(tmp_path)
    await again.embed_documents([str(n) for n in range(5)])
    assert inner.seen == ["0", "1"]


async def test_a_damaged_file_keeps_nobody_from_working(tmp_path: Path):
    (tmp_path / "hashing-16.sqlite").write_bytes(b"no database" * 100)
    embedder, inner = keeping(tmp_path)
    assert await embedder.embed_documents(["a"]) == [await inner.embed_query("a")]
    await embedder.close()


async def test_a_vector_of_another_length_is_not_taken(tmp_path: Path):
    embedder, inner = keeping(tmp_path)
    await embedder.embed_documents(["a"])
    with sqlite3.connect(tmp_path / "hashing-16.sqlite") as connection:
        connection.execute("UPDATE vectors SET vector = x'00'")
    assert await embedder.embed_documents(["a"]) == [await inner.embed_query("a")]


async def test_the_file_is_its_owner_s_alone(tmp_path: Path):
    embedder, _ = keeping(tmp_path / "vectors")
    await embedder.embed_documents(["a"])
    assert (tmp_path / "vectors").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "vectors/hashing-16.sqlite").stat().st_mode & 0o777 == 0o600
