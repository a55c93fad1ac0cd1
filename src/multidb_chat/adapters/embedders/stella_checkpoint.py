"""What lies in the folder of a Stella model, read and checked before anything heavy is loaded.

The layout is that of https://huggingface.co/NovaSearch/stella_en_1.5B_v5 (MIT): a Qwen2 network whose tokens see each
other in both directions, the mean over all tokens, and one linear head for each length of vectors. Its `config.json`
does not say that it is bidirectional, and its tokenizer does not append the end mark without the code that came with
it; both are done here instead, and what says otherwise in a folder is refused.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multidb_chat.domain.errors import StoreCorrupt

STORE = "embedder"
HEAD = "2_Dense_{}"
END_MARK = 151_643
"""The id of `<|endoftext|>`, which ends every text that the model was trained on."""

_NETWORK = {
    "hidden_size": 1_536,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "intermediate_size": 8_960,
}
_SAMPLES, _SAMPLE_BYTES = 64, 65_536


@dataclass(frozen=True, slots=True)
class StellaCheckpoint:
    """A folder that can be loaded. `window`: tokens of one run, prompt and end mark included.

    `published`: its network has the shape of the published 1.5B model, so that the model card's figures must hold.
    """

    folder: Path
    dimensions: int
    window: int
    prompts: Mapping[str, str]
    published: bool

    @property
    def head(self) -> Path:
        """The folder of the linear layer that gives the vectors their length."""
        return self.folder / HEAD.format(self.dimensions)

    @property
    def weights(self) -> list[Path]:
        """The files of the network."""
        return sorted(self.folder.glob("model*.safetensors"))

    def fingerprint(self) -> str:
        """Return eight hexadecimal digits that differ when the vectors would.

        Of each file its size and 64 parts of 64 KB, spread evenly, are hashed, so that 6 GB take some milliseconds;
        training changes all parts of a network, and what a disk changes is found by the recorded sha256.
        """
        digest = hashlib.sha256()
        small = [self.folder / name for name in ("config.json", "tokenizer.json", "config_sentence_transformers.json")]
        for path in (*small, *self.weights, self.head / "config.json", self.head / "model.safetensors"):
            digest.update(f"{path.relative_to(self.folder)}\0{path.stat().st_size}\0".encode())
            for part in _samples(path):
                digest.update(part)
        return digest.hexdigest()[:8]


def read_checkpoint(folder: Path, dimensions: int) -> StellaCheckpoint:
    """Return what is in the folder. Raises `StoreCorrupt` when something is missing or would give other vectors."""
    config = _read(folder / "config.json")
    _check_network(folder, config)
    _check_modules(folder)
    checkpoint = StellaCheckpoint(
        folder,
        dimensions,
        int(_read(folder / "sentence_bert_config.json").get("max_seq_length", 512)),
        _prompts(folder),
        published=all(config.get(key) == value for key, value in _NETWORK.items()),
    )
    if not checkpoint.weights:
        raise StoreCorrupt(STORE, f"{folder / 'model.safetensors'} is missing: copy the model's folder whole")
    _check_head(checkpoint, int(config["hidden_size"]))
    _check_end_mark(folder, config)
    return checkpoint


def lengths(folder: Path) -> list[int]:
    """Return the lengths of vectors that the folder has a head for."""
    names = [path.parent.name.rpartition("_")[2] for path in folder.glob(HEAD.format("*/config.json"))]
    return sorted(int(name) for name in names if name.isdecimal())


def _check_network(folder: Path, config: Mapping[str, Any]) -> None:
    if config.get("model_type") != "qwen2":
        raise _refused(folder / "config.json", f"it is of the kind {config.get('model_type')!r}, not qwen2")
    if config.get("is_causal"):
        raise _refused(folder / "config.json", "its tokens do not see what follows (is_causal), as in a chat model")
    if config.get("use_sliding_window"):
        raise _refused(folder / "config.json", "its tokens see only their neighbours (use_sliding_window)")


def _check_modules(folder: Path) -> None:
    modules: Any = _read(folder / "modules.json")
    names = [str(module["type"]).rpartition(".")[2] for module in modules]
    if names[:3] != ["Transformer", "Pooling", "Dense"]:
        raise _refused(folder / "modules.json", f"its parts are {', '.join(names)}, not Transformer, Pooling, Dense")
    path = folder / str(modules[1]["path"]) / "config.json"
    pooling = _read(path)
    modes = [key.removeprefix("pooling_mode_") for key, on in pooling.items() if key.startswith("pooling_mode_") and on]
    named = pooling.get("pooling_mode", modes)
    if named not in ("mean", ["mean"], ["mean_tokens"]):
        raise _refused(path, f"it pools by {named}, not by the mean")
    if not pooling.get("include_prompt", True):
        raise _refused(path, "it leaves the prompt out of the mean (include_prompt)")


def _check_head(checkpoint: StellaCheckpoint, hidden: int) -> None:
    path = checkpoint.head / "config.json"
    if not path.is_file():
        known = ", ".join(map(str, lengths(checkpoint.folder)))
        raise StoreCorrupt(
            STORE, f"{checkpoint.folder} has no head for {checkpoint.dimensions} dimensions: use {known}"
        )
    config = _read(path)
    if (config.get("in_features"), config.get("out_features")) != (hidden, checkpoint.dimensions):
        raise _refused(path, f"it is not a layer of {hidden} to {checkpoint.dimensions}")
    if not str(config.get("activation_function", "Identity")).endswith("Identity"):
        raise _refused(path, f"it has an activation ({config['activation_function']})")
    if not (checkpoint.head / "model.safetensors").is_file():
        raise StoreCorrupt(STORE, f"{checkpoint.head / 'model.safetensors'} is missing: copy the model's folder whole")


def _check_end_mark(folder: Path, config: Mapping[str, Any]) -> None:
    path = folder / "tokenizer.json"
    marks = {token["id"]: token["content"] for token in _read(path).get("added_tokens", ())}
    if END_MARK not in marks:
        raise _refused(path, f"it has no end mark (token {END_MARK})")
    if config.get("eos_token_id", END_MARK) != END_MARK:
        raise _refused(folder / "config.json", f"its end mark is {config['eos_token_id']}, not {END_MARK}")
    settings = folder / "tokenizer_config.json"
    if settings.is_file() and _read(settings).get("add_eos_token") is False:
        raise _refused(settings, "it puts no end mark behind a text (add_eos_token)")


def _prompts(folder: Path) -> Mapping[str, str]:
    path = folder / "config_sentence_transformers.json"
    prompts: Mapping[str, str] = _read(path).get("prompts", {})
    if not {"s2p_query", "s2s_query"} <= prompts.keys():
        raise _refused(path, "it lacks the prompts s2p_query and s2s_query")
    return prompts


def _samples(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        for number in range(_SAMPLES):
            file.seek(max(0, size - _SAMPLE_BYTES) * number // (_SAMPLES - 1))
            yield file.read(_SAMPLE_BYTES)
            if size <= _SAMPLE_BYTES:
                return


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StoreCorrupt(STORE, f"{path} is missing: copy the model's folder whole") from None
    except (OSError, ValueError) as error:
        raise StoreCorrupt(STORE, f"{path} cannot be read ({error}): copy the model's folder again") from error


def _refused(path: Path, why: str) -> StoreCorrupt:
    return StoreCorrupt(STORE, f"{path} is not of a Stella model: {why}")
