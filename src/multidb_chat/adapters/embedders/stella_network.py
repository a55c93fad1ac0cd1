"""The network of a Stella model: tokens in, one vector for each window out. Needs torch and transformers.

Windows lie one behind the other in one row (see `packed_attention`), on every device: there is no padding and no mask.
"""

from collections.abc import Sequence
from copy import copy
from itertools import chain
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import Qwen2Config, Qwen2Model
from transformers.utils.logging import disable_progress_bar

from multidb_chat.adapters.embedders.packed_attention import NAME, packing
from multidb_chat.adapters.embedders.placement import Placement
from multidb_chat.adapters.embedders.stella_checkpoint import STORE, StellaCheckpoint
from multidb_chat.domain.errors import StoreCorrupt

disable_progress_bar()  # standard error belongs to the program


class StellaNetwork:
    """The weights of a checkpoint, loaded. Raises `StoreCorrupt` when they do not fit the network."""

    def __init__(self, checkpoint: StellaCheckpoint, placement: Placement) -> None:
        self.placement = placement
        self.network = _network(checkpoint, placement)
        self._head = _head(checkpoint, placement)

    def with_head(self, checkpoint: StellaCheckpoint) -> "StellaNetwork":
        """Return the same network with the head of another checkpoint of the same folder."""
        other = copy(self)
        other._head = _head(checkpoint, self.placement)
        return other

    def compile(self) -> None:
        """Let the layers be compiled when they are next run, for any number of tokens."""
        for layer in self.network.layers:
            layer.compile(dynamic=True)

    def decompile(self) -> None:
        """Run the layers as they are again."""
        for layer in self.network.layers:
            layer._compiled_call_impl = None

    def states(self, windows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return what the last layer gives for each token of all windows, one behind the other."""
        device = self.placement.device
        lengths = [len(window) for window in windows]
        ids = torch.tensor(list(chain.from_iterable(windows)))
        places = torch.cat([torch.arange(length) for length in lengths])
        with torch.inference_mode():
            given = self.network(
                input_ids=ids.to(device, non_blocking=True)[None],
                position_ids=places.to(device, non_blocking=True)[None],
                use_cache=False,
                packing=packing(lengths, device, self.placement.dtype),
            )
        states: torch.Tensor = given.last_hidden_state[0]
        return states

    def vectors(self, windows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return the head's output for the mean over each window's tokens: (windows, dimensions), float32, not scaled.

        Sums and head are float32 whatever the network computes with: they cost nothing beside it.
        """
        states = self.states(windows)
        device = self.placement.device
        lengths = torch.tensor([len(window) for window in windows])
        rows = torch.repeat_interleave(torch.arange(len(windows)), lengths).to(device, non_blocking=True)
        with torch.inference_mode():
            sums = torch.zeros(len(windows), states.shape[1], device=device)
            sums.index_add_(0, rows, states.float())
            means = sums / lengths.to(device)[:, None]
            return torch.nn.functional.linear(means, *self._head)


def _network(checkpoint: StellaCheckpoint, placement: Placement) -> Any:
    """Load the network with attention in both directions; nothing of the folder is run as code."""
    try:
        config = Qwen2Config.from_pretrained(checkpoint.folder, local_files_only=True)
        config.is_causal = False
        network, report = Qwen2Model.from_pretrained(
            checkpoint.folder,
            config=config,
            dtype=placement.dtype,
            attn_implementation=NAME,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    except Exception as error:  # the libraries raise kinds of their own
        raise StoreCorrupt(STORE, f"the weights in {checkpoint.folder} cannot be loaded: {_line(error)}") from error
    if lacking := sorted([*report["missing_keys"], *map(str, report["mismatched_keys"])]):
        raise StoreCorrupt(STORE, f"the weights in {checkpoint.folder} lack {lacking[0]} ({len(lacking)} in all)")
    return network.eval().to(placement.device)


def _head(checkpoint: StellaCheckpoint, placement: Placement) -> tuple[torch.Tensor, torch.Tensor | None]:
    path = checkpoint.head / "model.safetensors"
    try:
        parts = {name: part.float().to(placement.device) for name, part in load_file(path).items()}
    except Exception as error:  # as above
        raise StoreCorrupt(STORE, f"{path} cannot be loaded: {_line(error)}") from error
    weight = parts.get("linear.weight")
    if weight is None or weight.shape[0] != checkpoint.dimensions:
        raise StoreCorrupt(STORE, f"{path} holds no layer that gives {checkpoint.dimensions} numbers")
    return weight, parts.get("linear.bias")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
