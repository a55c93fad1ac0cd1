"""Any model of sentence-transformers, here the published MiniLM: the contract, parity, and what is refused."""

import json
import shutil
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from multidb_chat.adapters.embedders.sentence_transformer import SentenceTransformerEmbedder
from multidb_chat.domain.errors import InvalidSetting, StoreCorrupt
from tests.adapters.embedders.reference import Reference, weights_folder
from tests.adapters.embedders.texts import SHORT
from tests.contracts.embedder import EmbedderContract

pytestmark = pytest.mark.skipif(
    find_spec("sentence_transformers") is None,
    reason="the extra stella is not installed: scripts/test-stella makes an environment that has it",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(weights_folder(), tmp_path_factory.mktemp("st") / "MiniLM"))


@pytest.fixture
async def embedder(folder: Path) -> AsyncIterator[SentenceTransformerEmbedder]:
    embedder = SentenceTransformerEmbedder(folder, "cpu", "float32")
    yield embedder
    await embedder.close()


class TestSentenceTransformer(EmbedderContract):
    def test_its_name_tells_folder_length_and_files(self, embedder: SentenceTransformerEmbedder):
        assert embedder.name.startswith("minilm-384-")


async def test_its_vectors_are_those_of_the_reference(embedder: SentenceTransformerEmbedder):
    ours = np.frombuffer(b"".join(await embedder.embed_documents(SHORT)), "<f4").reshape(len(SHORT), -1)
    assert (ours * Reference(weights_folder()).vectors(SHORT)).sum(axis=1).min() > 0.9999


def test_a_folder_that_needs_its_own_code_is_refused(folder: Path, tmp_path: Path):
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "modeling.Evil"}}))
    with pytest.raises(InvalidSetting, match="code of its own"):
        SentenceTransformerEmbedder(copy)


def test_a_folder_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(InvalidSetting, match="not the folder of a model"):
        SentenceTransformerEmbedder(tmp_path / "nowhere")


async def test_damaged_weights_are_said_in_one_line(folder: Path, tmp_path: Path):
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "model.safetensors").write_bytes(b"\x00" * 100)
    embedder = SentenceTransformerEmbedder(copy, "cpu")
    with pytest.raises(StoreCorrupt, match="cannot be loaded") as refused:
        await embedder.embed_query("a")
    assert "\n" not in str(refused.value)
    await embedder.close()
