"""Attention over texts that lie one behind the other in one row: each attends to itself alone, in both directions.

Nothing is padded, so nothing is computed for nothing, and no mask keeps the fast kernels away. Registered with
transformers under `NAME`; `Packing` goes through a model's `forward` as its keyword `packing`.
"""

import inspect
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

try:
    from torch.nn.attention.varlen import varlen_attn
except ImportError:
    varlen_attn = None

NAME = "multidb_chat_packed"
_SHARES_HEADS = varlen_attn is not None and "enable_gqa" in inspect.signature(varlen_attn).parameters


class Packing(NamedTuple):
    """Where texts begin and end in a row: `bounds` on the device (int32, one more than texts), and the longest.

    `runs`: neighbours of the same length, as (how many, tokens of each); none where a kernel needs them not.
    """

    bounds: torch.Tensor
    longest: int
    runs: tuple[tuple[int, int], ...]


def packing(lengths: Sequence[int], device: str, dtype: torch.dtype) -> Packing:
    """Return the packing of texts of these lengths, in their order, on a device that computes with `dtype`."""
    bounds = torch.zeros(len(lengths) + 1, dtype=torch.int32)
    bounds[1:] = torch.tensor(lengths, dtype=torch.int32).cumsum(0)
    runs = () if _has_kernel(device, dtype) else tuple((len(list(same)), one) for one, same in groupby(lengths))
    return Packing(bounds.to(device, non_blocking=True), max(lengths), runs)


def packed_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packing: Packing,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within each text. Tensors are (1, heads, tokens, width), the result (1, tokens, heads, width).

    What transformers says of masks, causality and windows does not reach the sums: there is one row, and it has none.
    """
    if packing.runs:
        mixed = _by_runs(query, key, value, packing.runs)
    else:
        mixed = _by_kernel(query, key, value, packing.bounds, packing.longest)
    return mixed[None], None


def _has_kernel(device: str, dtype: torch.dtype) -> bool:
    """Tell whether torch's kernel for packed texts (from 2.10 on) runs there: flash attention, of 16 bits alone."""
    return varlen_attn is not None and device == "cuda" and dtype in (torch.bfloat16, torch.float16)


def _by_kernel(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bounds: torch.Tensor, longest: int
) -> torch.Tensor:
    """Attend to all texts at once."""
    if _SHARES_HEADS:
        rows = [tensor[0].transpose(0, 1) for tensor in (query, key, value)]
        return varlen_attn(*rows, bounds, bounds, longest, longest, enable_gqa=True)
    rows = [tensor[0].transpose(0, 1) for tensor in (query, *_spread(query, key, value))]
    return varlen_attn(*rows, bounds, bounds, longest, longest)


def _spread(query: torch.Tensor, *shared: torch.Tensor) -> list[torch.Tensor]:
    """Return keys and values with a head for each of the queries'."""
    return [tensor.repeat_interleave(query.shape[1] // tensor.shape[1], dim=1) for tensor in shared]


def _by_runs(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, runs: tuple[tuple[int, int], ...]
) -> torch.Tensor:
    """Attend to texts of equal length together, run by run."""
    key, value = _spread(query, key, value)
    parts, start = [], 0
    for count, length in runs:
        stop = start + count * length
        texts = [
            tensor[0, :, start:stop].unflatten(1, (count, length)).transpose(0, 1) for tensor in (query, key, value)
        ]
        parts.append(scaled_dot_product_attention(*texts).transpose(1, 2).flatten(0, 1))
        start = stop
    return torch.cat(parts)


AttentionInterface.register(NAME, packed_attention)
