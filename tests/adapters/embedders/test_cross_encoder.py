"""Cross-encoders from a folder: the contract, parity with `CrossEncoder.predict`, and what is refused."""

import json
import shutil
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from multidb_chat.adapters.embedders.cross_encoder import CrossEncoderReranker
from multidb_chat.adapters.embedders.windows import text_windows
from multidb_chat.domain.errors import InvalidSetting, StoreCorrupt, StoreUnavailable
from tests.adapters.embedders.built import built_by
from tests.adapters.embedders.texts import SHORT
from tests.contracts.reranker import QUESTION, RerankerContract

pytestmark = pytest.mark.skipif(
    find_spec("sentence_transformers") is None,
    reason="the extra stella is not installed: scripts/test-stella makes an environment that has it",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reranker") / "tiny"
    built_by("build-test-reranker").build(folder)
    return folder


@pytest.fixture
async def reranker(folder: Path) -> AsyncIterator[CrossEncoderReranker]:
    reranker = CrossEncoderReranker(folder, "cpu", "float32")
    yield reranker
    await reranker.close()


class TestCrossEncoder(RerankerContract):
    def test_its_name_tells_folder_and_files(self, reranker: CrossEncoderReranker):
        assert reranker.name.startswith("tiny-")


async def test_its_scores_are_those_of_the_library(reranker: CrossEncoderReranker, folder: Path):
    from sentence_transformers import CrossEncoder

    passages = [*SHORT, "The halyard hoists the sail, and the sheet trims it. " * 20]
    ours = await reranker.scores(QUESTION, passages)
    theirs = CrossEncoder(str(folder), device="cpu").predict([(QUESTION, passage) for passage in passages])
    assert ours == pytest.approx(theirs.tolist(), abs=1e-5)
    assert len({round(score, 4) for score in ours}) > len(ours) / 2, "a model that says the same of all proves nothing"


async def test_the_end_of_a_long_passage_counts(reranker: CrossEncoderReranker, folder: Path):
    from sentence_transformers import CrossEncoder

    library = CrossEncoder(str(folder), device="cpu")
    long = " ".join(f"word {number} of a very long passage" for number in range(400))
    (ours,) = await reranker.scores(QUESTION, [long])
    taken = len(library.tokenizer(QUESTION, add_special_tokens=False)["input_ids"])
    windows = text_windows(library.tokenizer, long, 512 - taken - 4)
    assert len(windows) > 4
    assert long.endswith(windows[-1])
    assert ours == pytest.approx(max(library.predict([(QUESTION, window) for window in windows]).tolist()), abs=1e-5)


async def test_a_closed_one_refuses(folder: Path):
    reranker = CrossEncoderReranker(folder, "cpu", "float32")
    await reranker.close()
    with pytest.raises(StoreUnavailable):
        await reranker.scores(QUESTION, ["a passage"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"auto_map": {"AutoModel": "modeling.Evil"}}, "code of its own"),
        ({"id2label": {"0": "no", "1": "yes"}}, "no single score"),
        ({"architectures": ["BertModel"]}, "no single score"),
        ({"architectures": None}, "not the folder of a cross-encoder"),
    ],
)
def test_a_folder_that_is_no_cross_encoder_is_refused(
    folder: Path, tmp_path: Path, change: dict[str, object], told: str
):
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(InvalidSetting, match=told):
        CrossEncoderReranker(copy)


def test_no_folder_is_refused(tmp_path: Path):
    with pytest.raises(InvalidSetting, match="not the folder of a cross-encoder"):
        CrossEncoderReranker(tmp_path / "nowhere")


async def test_damaged_weights_are_said_in_one_line(folder: Path, tmp_path: Path):
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(StoreCorrupt, match="cannot be loaded"):
        await CrossEncoderReranker(copy, "cpu", "float32").scores(QUESTION, ["a passage"])
