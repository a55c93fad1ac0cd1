"""Attention over texts that lie one behind the other in one row: each attends to itself alone, in both directions.

Nothing is padded, so nothing is computed for nothing, and no mask keeps the fast kernels away. Registered with
transformers under `NAME`; `Packing` goes through a model's `forward` as its keyword `packing`.
"""

import inspect
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

NAME = "multidb_chat_packed"


class Packing(NamedTuple):
    """Where texts begin and end in a row: `bounds` on the device (int32, one more than texts), and the longest.

    `runs`: neighbours of the same length, as (how many, tokens of each).
    """

    bounds: torch.Tensor
    longest: int
    runs: tuple[tuple[int, int], ...]


def packing(lengths: Sequence[int], device: str) -> Packing:
    """Return the packing of texts of these lengths, in their order."""
    bounds = torch.zeros(len(lengths) + 1, dtype=torch.int32)
    bounds[1:] = torch.tensor(lengths, dtype=torch.int32).cumsum(0)
    runs = tuple((len(list(same)), length) for length, same in groupby(lengths))
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
    if query.is_cuda and query.dtype in (torch.bfloat16, torch.float16) and (varlen := _varlen()):
        mixed: torch.Tensor = varlen(query, key, value, packing)
    else:
        mixed = _by_runs(query, key, value, packing.runs)
    return mixed[None], None


@cache
def _varlen() -> Any:
    """Return attention by torch's kernel for packed texts, None before torch 2.10."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    grouped = "enable_gqa" in inspect.signature(varlen_attn).parameters

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, packing: Packing) -> torch.Tensor:
        rows = [tensor[0].transpose(0, 1) for tensor in (query, key, value)]
        bounds, longest = packing.bounds, packing.longest
        if grouped:
            return varlen_attn(*rows, bounds, bounds, longest, longest, enable_gqa=True)
        times = rows[0].shape[1] // rows[1].shape[1]
        spread = [row.repeat_interleave(times, dim=1) for row in rows[1:]]
        return varlen_attn(rows[0], *spread, bounds, bounds, longest, longest)

    return attend


def _by_runs(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, runs: tuple[tuple[int, int], ...]
) -> torch.Tensor:
    """Attend to texts of equal length together, run by run."""
    times = query.shape[1] // key.shape[1]
    key, value = (tensor.repeat_interleave(times, dim=1) for tensor in (key, value))
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
