"""Stella in plain torch and float32, straight from a checkpoint's files: what `stella` is measured by.

Written from the description of Qwen2 (arXiv:2407.10671: RMS norm before each half of a layer, rotary positions, grouped
queries, SwiGLU) and of the model's card: every token attends to every other one of its text, the mean over all tokens
with the prompt and the end mark, a linear head, unit length. One text at a time, or padded with a mask.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

END_MARK = 151_643


class Reference:
    def __init__(self, folder: Path, dimensions: int = 1_024) -> None:
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {name.removeprefix("model."): part.float() for path in folder.glob("model*.safetensors")
                        for name, part in load_file(path).items()}  # fmt: skip
        self.head = load_file(folder / f"2_Dense_{dimensions}/model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.width = self.config["hidden_size"] // self.config["num_attention_heads"]

    def tokens(self, text: str) -> list[int]:
        return [*self.tokenizer.encode(text, add_special_tokens=False).ids, END_MARK]

    def linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        product = x @ self.weights[f"{name}.weight"].T
        bias = self.weights.get(f"{name}.bias")
        return product if bias is None else product + bias

    def norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        scale = (x.square().mean(-1, keepdim=True) + self.config["rms_norm_eps"]).rsqrt()
        return x * scale * self.weights[f"{name}.weight"]

    def rotated(self, x: torch.Tensor) -> torch.Tensor:
        """Turn pairs of numbers, half a head apart, by angles that grow with the position (x: ..., tokens, width)."""
        half = self.width // 2
        theta = float((self.config.get("rope_parameters") or self.config)["rope_theta"])
        frequency = theta ** (-torch.arange(half).float() / half)
        angle = torch.arange(x.shape[-2]).float()[:, None] * frequency
        first, second = x[..., :half], x[..., half:]
        return torch.cat([first * angle.cos() - second * angle.sin(), second * angle.cos() + first * angle.sin()], -1)

    def attention(self, x: torch.Tensor, name: str, known: torch.Tensor) -> torch.Tensor:
        def heads(part: str) -> torch.Tensor:
            return self.linear(x, f"{name}.{part}_proj").unflatten(-1, (-1, self.width)).transpose(1, 2)

        query, key, value = self.rotated(heads("q")), self.rotated(heads("k")), heads("v")
        times = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(times, 1), value.repeat_interleave(times, 1)
        scores = query @ key.transpose(-1, -2) / self.width**0.5
        scores = scores.masked_fill(~known[:, None, None, :], float("-inf"))
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).flatten(2)
        return self.linear(mixed, f"{name}.o_proj")

    def vectors(self, texts: list[str]) -> torch.Tensor:
        """Return the unit vectors of texts of at most 512 tokens, padded to the longest of them."""
        ids = [self.tokens(text) for text in texts]
        longest = max(map(len, ids))
        assert longest <= 512
        known = torch.tensor([[place < len(row) for place in range(longest)] for row in ids])
        padded = torch.tensor([row + [END_MARK] * (longest - len(row)) for row in ids])
        x = self.weights["embed_tokens.weight"][padded]
        for layer in (f"layers.{number}" for number in range(self.config["num_hidden_layers"])):
            x = x + self.attention(self.norm(x, f"{layer}.input_layernorm"), f"{layer}.self_attn", known)
            inner = self.norm(x, f"{layer}.post_attention_layernorm")
            gate = torch.nn.functional.silu(self.linear(inner, f"{layer}.mlp.gate_proj"))
            x = x + self.linear(gate * self.linear(inner, f"{layer}.mlp.up_proj"), f"{layer}.mlp.down_proj")
        x = self.norm(x, "norm") * known[:, :, None]
        means = x.sum(1) / known.sum(1, keepdim=True)
        found = means @ self.head["linear.weight"].T + self.head["linear.bias"]
        return found / found.norm(dim=1, keepdim=True)
