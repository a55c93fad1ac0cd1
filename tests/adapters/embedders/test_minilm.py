"""The shipped model: the contract, parity with the published weights, windows, damage, and what stays unloaded."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.adapters.embedders.minilm import FOLDER, MiniLMEmbedder
from multidb_chat.adapters.embedders.minilm_model import SLICE_CHARS, WINDOW, MiniLMModel, slices
from multidb_chat.domain.errors import StoreCorrupt, StoreUnavailable
from multidb_chat.domain.search import Embedder
from tests.adapters.embedders.reference import Reference, weights_folder
from tests.adapters.embedders.texts import TEXTS
from tests.contracts.embedder import PASSAGES, EmbedderContract, cosine

PIECES = 20_000  # word pieces of a text that keeps a thread for a while


@pytest.fixture
async def embedder() -> AsyncIterator[MiniLMEmbedder]:
    embedder = MiniLMEmbedder(threads=2)
    yield embedder
    await embedder.close()


@pytest.fixture(scope="module")
def model() -> MiniLMModel:
    return MiniLMModel(FOLDER)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "model"))


class TestMiniLM(EmbedderContract):
    def test_it_is_an_embedder_by_its_types_too(self, embedder: MiniLMEmbedder):
        port: Embedder = embedder
        assert (port.name, port.dimensions) == ("minilm-l6-v2-int8", 384)


async def test_its_vectors_are_those_of_the_published_weights(embedder: MiniLMEmbedder):
    theirs = Reference(weights_folder()).vectors(TEXTS)
    ours = np.frombuffer(b"".join(await embedder.embed_documents(TEXTS)), "<f4").reshape(theirs.shape)
    similar = (ours * theirs).sum(axis=1)
    least = int(np.argmin(similar))
    # Measured: mean .9968, least .9858.
    assert np.mean(similar) >= 0.995, f"mean {np.mean(similar):.4f}, least {similar[least]:.4f}: {TEXTS[least]!r}"
    assert similar[least] >= 0.98, TEXTS[least]


async def test_a_vector_is_the_same_bit_for_bit_alone_among_others_and_on_any_number_of_threads():
    found = []
    for threads in (1, 2, 5):
        embedder = MiniLMEmbedder(threads)
        found.append(await embedder.embed_documents(TEXTS))
        found.append([await embedder.embed_query(text) for text in TEXTS])
        found.append((await embedder.embed_documents(TEXTS[::-1]))[::-1])
        await embedder.close()
    assert all(vectors == found[0] for vectors in found)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The length of each window that was begun."""
    lengths: list[int] = []
    run = MiniLMModel._run

    def counted(self: MiniLMModel, window: list[int]) -> object:
        lengths.append(len(window))
        return run(self, window)

    monkeypatch.setattr(MiniLMModel, "_run", counted)
    return lengths


async def begin_long_work(embedder: MiniLMEmbedder, started: list[int]) -> asyncio.Task[list[bytes]]:
    """Embed long texts, one for each thread, and return when their first windows have begun."""
    work = asyncio.create_task(embedder.embed_documents(["word " * PIECES] * 2))
    while len(started) < 3:
        await asyncio.sleep(0.001)
    return work


async def test_a_question_does_not_queue_behind_passages(embedder: MiniLMEmbedder, started: list[int]):
    work = await begin_long_work(embedder, started)
    await embedder.embed_query("first")
    assert sum(started) < 2 * PIECES / 2, "a passage was finished first"
    work.cancel()


async def test_cancelling_stops_the_threads_within_a_window(embedder: MiniLMEmbedder, started: list[int]):
    work = await begin_long_work(embedder, started)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    begun = len(started)
    await embedder.embed_documents(["next", "after"])  # on the same threads
    assert len(started) <= begun + 2 + 2


@given(st.text(st.sampled_from("ab \n"), max_size=200), st.integers(1, 1_000))
def test_slices_join_to_the_text_and_fit(text: str, times: int):
    long = text * times
    cut = list(slices(long))
    assert "".join(cut) == long
    assert all(len(part) <= SLICE_CHARS for part in cut)


def test_slicing_a_long_text_changes_no_word_piece(model: MiniLMModel):
    text = " \n".join(TEXTS) * 20
    assert len(list(slices(text))) > 3
    whole = model._network.tokenizer.encode(text, add_special_tokens=False).ids
    assert model._ids(text, lambda: False) == whole


def test_a_window_in_the_middle_of_a_long_text_moves_its_vector(model: MiniLMModel):
    filler = "The committee approved the minutes of the last meeting. " * 60
    (plain, told, said) = model.vectors([filler * 2, filler + PASSAGES[4] + filler, PASSAGES[4]], lambda: False)
    assert cosine(said, told) > cosine(said, plain) + 0.01


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "garbage", "folder"])
async def test_a_missing_or_damaged_file_is_named_with_how_to_mend_it(copied: Path, name: str, damage: str):
    file = copied / name
    content = file.read_bytes()
    file.unlink()
    if damage == "folder":
        file.mkdir()
    elif damage != "missing":
        file.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "garbage": b"\xff\x00" * 5_000}[damage])
    embedder = MiniLMEmbedder(folder=copied)
    with pytest.raises(StoreCorrupt, match=r"install multidb-chat again") as caught:
        await embedder.embed_query("anything")
    assert str(copied) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.store == "embedder"
    with pytest.raises(StoreCorrupt):
        await embedder.verify()
    await embedder.close()


async def test_mended_files_are_taken_up_without_a_restart(copied: Path):
    (copied / "tokenizer.json").rename(copied / "away")
    embedder = MiniLMEmbedder(folder=copied)
    with pytest.raises(StoreCorrupt):
        await embedder.embed_query("anything")
    (copied / "away").rename(copied / "tokenizer.json")
    assert len(await embedder.embed_query("anything")) == 4 * 384
    await embedder.close()


async def test_the_files_are_what_was_shipped(embedder: MiniLMEmbedder):
    await embedder.verify()


async def test_verifying_notices_one_changed_bit(copied: Path):
    content = bytearray((copied / "model.onnx").read_bytes())
    content[9_000_000] ^= 1
    (copied / "model.onnx").write_bytes(content)
    embedder = MiniLMEmbedder(folder=copied)
    with pytest.raises(StoreCorrupt, match=r"model\.onnx is not what was shipped"):
        await embedder.verify()
    await embedder.close()


async def test_a_failure_of_the_runtime_is_a_domain_error(embedder: MiniLMEmbedder, model: MiniLMModel):
    with pytest.raises(StoreUnavailable, match="could not be embedded"):
        model._run([1] * WINDOW)  # two more than there are positions


def test_importing_and_making_it_loads_no_library():
    code = (
        "import sys; from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder; MiniLMEmbedder();"
        "print(*{'numpy', 'onnxruntime', 'tokenizers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
