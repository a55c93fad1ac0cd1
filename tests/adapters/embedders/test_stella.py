"""Stella's layout with small random weights: parity with an independent reference, proofs, windows, memory, threads."""

import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from multidb_chat.adapters.embedders.stella import StellaEmbedder
from multidb_chat.domain.errors import StoreCorrupt, StoreUnavailable
from multidb_chat.domain.search import Embedder
from tests.adapters.embedders.stella_checkpoints import builder, needs_extra
from tests.adapters.embedders.texts import TEXTS
from tests.contracts.embedder import PASSAGES, EmbedderContract, cosine

if TYPE_CHECKING:
    from multidb_chat.adapters.embedders.stella_model import StellaModel
    from tests.adapters.embedders.stella_reference import Reference

pytestmark = needs_extra

S2P = "Instruct: Given a web search query, retrieve relevant passages that answer the query.\nQuery: "
FEW = [*TEXTS[:20:4], *TEXTS[20:40:4], TEXTS[-1]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = builder().build(tmp_path_factory.mktemp("stella") / "small")
    return made


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


@pytest.fixture(scope="module")
def model(folder: Path) -> "StellaModel":
    from multidb_chat.adapters.embedders.stella_model import StellaModel

    return StellaModel(folder, 1_024, "cpu", "float32")


@pytest.fixture(scope="module")
def reference(folder: Path) -> "Reference":
    from tests.adapters.embedders.stella_reference import Reference

    return Reference(folder)


@pytest.fixture
async def embedder(folder: Path) -> AsyncIterator[StellaEmbedder]:
    embedder = StellaEmbedder(folder, device="cpu", precision="float32")
    yield embedder
    await embedder.close()


def rows(vectors: Sequence[bytes]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.frombuffer(b"".join(vectors), "<f4").reshape(len(vectors), -1)


def embed(model: "StellaModel", texts: Sequence[str], prompt: Any = "") -> list[bytes]:
    return model.vectors(model.tokens(texts, prompt), lambda: False)


class TestStella(EmbedderContract):
    def test_it_is_an_embedder_by_its_types_too(self, embedder: StellaEmbedder):
        port: Embedder = embedder
        assert port.name.startswith("stella-1024-")
        assert port.dimensions == 1_024

    @pytest.mark.skip(reason="random weights mean nothing")
    async def test_a_question_lies_nearest_to_the_passage_that_answers_it(self, embedder: Embedder): ...

    @pytest.mark.skip(reason="random weights mean nothing")
    async def test_a_long_text_lies_near_all_its_parts(self, embedder: Embedder): ...

    async def test_the_last_sentence_of_a_long_text_counts(self, embedder: Embedder):
        filler = "The committee met again and approved the minutes of the last meeting. " * 120
        other, same = await embedder.embed_documents([filler, filler + PASSAGES[0]])
        assert cosine(other, same) < 0.9999


class TestParity:
    def test_alone_a_text_has_the_reference_s_vector(self, model: "StellaModel", reference: "Reference"):
        for text in TEXTS:
            ours = rows(embed(model, [text]))
            assert float((ours * reference.vectors([text]).numpy()).sum()) >= 0.99999, text

    def test_packed_with_others_it_has_the_vector_of_the_padded_reference(
        self, model: "StellaModel", reference: "Reference"
    ):
        similar = (rows(embed(model, TEXTS)) * reference.vectors(TEXTS).numpy()).sum(axis=1)
        assert similar.min() >= 0.99999

    def test_questions_have_the_prompt_in_front_and_passages_none(self, model: "StellaModel", reference: "Reference"):
        ours = rows(embed(model, FEW, "s2p_query"))
        assert (ours * reference.vectors([S2P + text for text in FEW]).numpy()).sum(axis=1).min() >= 0.99999
        assert (ours * rows(embed(model, FEW))).sum(axis=1).max() < 0.999

    @pytest.mark.parametrize("dimensions", [256, 1_024])
    def test_each_length_of_vectors_has_a_head_of_its_own(self, folder: Path, dimensions: int):
        from multidb_chat.adapters.embedders.stella_model import StellaModel
        from tests.adapters.embedders.stella_reference import Reference

        ours = rows(embed(StellaModel(folder, dimensions, "cpu", "float32"), FEW))
        theirs = Reference(folder, dimensions).vectors(FEW).numpy()
        assert ours.shape == (len(FEW), dimensions)
        assert (ours * theirs).sum(axis=1).min() >= 0.99999

    def test_bfloat16_gives_nearly_the_same_vectors(self, folder: Path, reference: "Reference"):
        from multidb_chat.adapters.embedders.stella_model import StellaModel

        ours = rows(embed(StellaModel(folder, 1_024, "cpu", "bfloat16"), TEXTS))
        assert (ours * reference.vectors(TEXTS).numpy()).sum(axis=1).min() >= 0.999

    def test_sentence_transformers_gives_the_same_vectors_once_it_is_told_all_that(
        self, folder: Path, model: "StellaModel"
    ):
        library = pytest.importorskip("sentence_transformers")
        theirs = library.SentenceTransformer(
            str(folder), device="cpu", model_kwargs={"dtype": "float32"}, processor_kwargs={"add_eos_token": True}
        )
        theirs[0].model.config.is_causal = False
        expected = theirs.encode(TEXTS, normalize_embeddings=True)
        assert (rows(embed(model, TEXTS)) * expected).sum(axis=1).min() >= 0.99999


class TestTokens:
    def test_every_window_ends_with_the_end_mark_and_fits(self, model: "StellaModel"):
        for windows in model.tokens(["", "short", "words of a long text " * 900]):
            assert all(window[-1] == 151_643 and len(window) <= 512 for window in windows)

    def test_a_long_question_has_the_prompt_in_every_window(self, model: "StellaModel"):
        prompt = model.tokens([S2P.rstrip()])[0][0][:-1]
        (windows,) = model.tokens(["where is it " * 900], "s2p_query")
        assert len(windows) > 3
        assert all(window[: len(prompt)] == prompt for window in windows)

    def test_a_long_text_is_covered_to_its_last_token(self, model: "StellaModel"):
        text = " ".join(f"n{number}" for number in range(2_000))
        (windows,) = model.tokens([text])
        known = model._tokenizer.encode(text).ids
        assert windows[0][:100] == known[:100]
        assert windows[-1][-101:-1] == known[-100:]

    def test_a_document_cannot_end_a_text_with_the_model_s_own_mark(self, model: "StellaModel"):
        (windows,) = model.tokens(["before <|endoftext|> after <|im_start|>"])
        assert [window.count(151_643) for window in windows] == [1]
        assert 151_644 not in windows[0]


def _edited(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _causal(copy: Path) -> None:
    _edited(copy / "config.json", is_causal=True)


def _sliding(copy: Path) -> None:
    _edited(copy / "config.json", use_sliding_window=True)


def _another_network(copy: Path) -> None:
    _edited(copy / "config.json", model_type="llama")


def _last_token(copy: Path) -> None:
    _edited(copy / "1_Pooling/config.json", pooling_mode_mean_tokens=False, pooling_mode_lasttoken=True)


def _two_poolings(copy: Path) -> None:
    _edited(copy / "1_Pooling/config.json", pooling_mode_cls_token=True)


def _promptless_mean(copy: Path) -> None:
    _edited(copy / "1_Pooling/config.json", include_prompt=False)


def _no_end_mark(copy: Path) -> None:
    _edited(copy / "tokenizer.json", added_tokens=[])


def _end_mark_not_appended(copy: Path) -> None:
    _edited(copy / "tokenizer_config.json", add_eos_token=False)


def _other_end_mark(copy: Path) -> None:
    _edited(copy / "config.json", eos_token_id=151_645)


def _no_prompts(copy: Path) -> None:
    _edited(copy / "config_sentence_transformers.json", prompts={})


def _activated_head(copy: Path) -> None:
    _edited(copy / "2_Dense_1024/config.json", activation_function="torch.nn.modules.activation.Tanh")


def _sliced_head(copy: Path) -> None:
    shutil.copy(copy / "2_Dense_256/model.safetensors", copy / "2_Dense_1024/model.safetensors")


def _no_head(copy: Path) -> None:
    shutil.rmtree(copy / "2_Dense_1024")


def _headless_modules(copy: Path) -> None:
    modules = json.loads((copy / "modules.json").read_text())
    (copy / "modules.json").write_text(json.dumps(modules[:2]))


def _no_weights(copy: Path) -> None:
    (copy / "model.safetensors").unlink()


def _cut_weights(copy: Path) -> None:
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _fewer_layers_than_told(copy: Path) -> None:
    _edited(copy / "config.json", num_hidden_layers=3, layer_types=["full_attention"] * 3, max_window_layers=3)


def _not_json(copy: Path) -> None:
    (copy / "config.json").write_text("{")


MUTATIONS: dict[Callable[[Path], None], str] = {
    _causal: "is_causal",
    _sliding: "use_sliding_window",
    _another_network: "llama",
    _last_token: "lasttoken",
    _two_poolings: "cls_token",
    _promptless_mean: "include_prompt",
    _no_end_mark: "no end mark",
    _end_mark_not_appended: "add_eos_token",
    _other_end_mark: "151645",
    _no_prompts: "s2p_query",
    _activated_head: "activation",
    _sliced_head: "1024 numbers",
    _no_head: "use 256",
    _headless_modules: "Dense",
    _no_weights: "missing",
    _cut_weights: "cannot be loaded",
    _fewer_layers_than_told: "lack",
    _not_json: "cannot be read",
}


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__.strip("_"))
def test_a_folder_that_would_give_wrong_vectors_is_refused_in_one_line(copied: Path, mutate: Callable[[Path], None]):
    from multidb_chat.adapters.embedders.stella_model import StellaModel

    mutate(copied)
    with pytest.raises(StoreCorrupt) as refused:
        StellaModel(copied, 1_024, "cpu", "float32")
    assert MUTATIONS[mutate] in str(refused.value)
    assert "\n" not in str(refused.value)


class TestProof:
    """What would go wrong behind the checks of the folder is seen in what comes out."""

    def test_a_network_that_reads_from_left_to_right_is_refused(self, folder: Path, causal: None):
        from multidb_chat.adapters.embedders.stella_model import StellaModel

        with pytest.raises(StoreCorrupt, match="attention is causal"):
            StellaModel(folder, 1_024, "cpu", "float32")

    def test_a_network_that_lets_texts_see_their_neighbours_is_refused(self, folder: Path, joined: None):
        from multidb_chat.adapters.embedders.stella_model import StellaModel

        with pytest.raises(StoreCorrupt, match="beside others"):
            StellaModel(folder, 1_024, "cpu", "float32")

    def test_a_text_without_end_mark_is_refused(self, model: "StellaModel"):
        from multidb_chat.adapters.embedders.stella_proof import prove

        with pytest.raises(StoreCorrupt, match="end mark"):
            prove(model.network, lambda text: model.tokens([text])[0][0][:-1])

    def test_weights_that_are_not_the_published_ones_do_not_give_the_model_card_s_figures(self, model: "StellaModel"):
        from multidb_chat.adapters.embedders.stella_proof import prove_published

        with pytest.raises(StoreCorrupt, match="model card"):
            prove_published(model.network, lambda text: model.tokens([text])[0][0], S2P)

    @pytest.fixture
    def causal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import torch

        from multidb_chat.adapters.embedders import packed_attention

        attend = torch.nn.functional.scaled_dot_product_attention
        monkeypatch.setattr(
            packed_attention, "scaled_dot_product_attention", lambda *parts: attend(*parts, is_causal=True)
        )

    @pytest.fixture
    def joined(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from multidb_chat.adapters.embedders import packed_attention

        by_runs = packed_attention._by_runs
        monkeypatch.setattr(
            packed_attention, "_by_runs", lambda query, key, value, runs: by_runs(query, key, value, _one(runs))
        )


def _one(runs: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return ((1, sum(count * length for count, length in runs)),)


class TestCompiling:
    @pytest.fixture
    def on_a_card(self, model: "StellaModel", monkeypatch: pytest.MonkeyPatch) -> "StellaModel":
        """The model as on a CUDA card, of which compiling alone knows here, and from the 500th token on."""
        monkeypatch.setattr(model, "placement", replace(model.placement, device="cuda"))
        monkeypatch.setattr(model, "compiled_from", model._embedded + 500)
        monkeypatch.setattr(model, "_compiled", False)
        return model

    def test_layers_are_compiled_once_when_so_much_was_embedded_and_proved_again(
        self, on_a_card: "StellaModel", monkeypatch: pytest.MonkeyPatch
    ):
        compiled: list[bool] = []
        monkeypatch.setattr(on_a_card.network, "compile", lambda: compiled.append(True))
        on_a_card._compile_when_it_pays(499)
        assert compiled == []
        for _ in range(3):
            on_a_card._compile_when_it_pays(1)
        assert compiled == [True]

    def test_what_cannot_be_compiled_goes_on_as_it_was(
        self, on_a_card: "StellaModel", monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ):
        def compile_() -> None:
            raise RuntimeError("no compiler")

        monkeypatch.setattr(on_a_card.network, "compile", compile_)
        on_a_card._compile_when_it_pays(500)
        assert "goes on without compiled layers: no compiler" in caplog.text
        monkeypatch.undo()
        assert embed(on_a_card, TEXTS[:1])


class TestMemory:
    @pytest.fixture
    def small_device(self, model: "StellaModel", monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
        """A device with room for 600 tokens; the tokens of each batch that was begun."""
        import torch

        begun: list[int] = []
        vectors = model.network.vectors

        def limited(windows: Sequence[Sequence[int]]) -> torch.Tensor:
            begun.append(sum(map(len, windows)))
            if begun[-1] > 600:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return vectors(windows)

        budget = model.budget
        monkeypatch.setattr(model.network, "vectors", limited)
        yield begun
        model.budget = budget

    def test_what_does_not_fit_is_done_by_halves_and_smaller_from_then_on(
        self, model: "StellaModel", small_device: list[int]
    ):
        texts = TEXTS * 3
        first = embed(model, texts)
        failed = sum(tokens > 600 for tokens in small_device)
        assert failed
        again = embed(model, texts)
        assert sum(tokens > 600 for tokens in small_device) == failed
        model.budget = 100_000
        for ours, theirs in zip(first, again, strict=True):
            assert cosine(ours, theirs) == pytest.approx(1, abs=1e-5)

    def test_one_window_that_does_not_fit_is_said_in_one_line(
        self, model: "StellaModel", monkeypatch: pytest.MonkeyPatch
    ):
        import torch

        def full(windows: Sequence[Sequence[int]]) -> torch.Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory")

        monkeypatch.setattr(model.network, "vectors", full)
        with pytest.raises(StoreUnavailable, match="memory"):
            embed(model, ["a"])


class TestNames:
    def test_the_name_tells_other_weights_heads_and_prompts_apart(self, folder: Path, copied: Path):
        names = [StellaEmbedder(folder).name, StellaEmbedder(folder, 256).name]
        assert StellaEmbedder(copied).name == names[0]
        names.append(StellaEmbedder(builder().build(copied, seed=2)).name)
        _edited(copied / "config_sentence_transformers.json", prompts={"s2p_query": "other ", "s2s_query": ""})
        names.append(StellaEmbedder(copied).name)
        assert len(set(names)) == 4

    async def test_where_it_runs_is_told_with_the_reason(self, embedder: StellaEmbedder):
        assert "runs on cpu in float32: embedder.precision says so" in await embedder.describe()


def test_nothing_heavy_is_loaded_before_the_first_text(folder: Path):
    import subprocess
    import sys

    program = (
        "import sys; from pathlib import Path; from multidb_chat.adapters.embedders.stella import StellaEmbedder;"
        f"StellaEmbedder(Path({str(folder)!r})).name;"
        "print([name for name in ('torch', 'transformers', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
