"""Attention over packed texts, each by itself: by runs of equal length, and in the layout that the kernel expects."""

import itertools
import math
from typing import Any

import pytest

from tests.adapters.embedders.stella_checkpoints import needs_extra

pytestmark = needs_extra

LENGTHS = (3, 3, 1, 7, 2, 2)


def plain(query: Any, key: Any, value: Any, bounds: list[int]) -> Any:
    """Attend in the plainest way: text by text, head by head, (tokens, heads, width) in and out."""
    import torch

    out = torch.empty_like(query)
    times = query.shape[1] // key.shape[1]
    for start, stop in itertools.pairwise(bounds):
        for head in range(query.shape[1]):
            q, k, v = query[start:stop, head], key[start:stop, head // times], value[start:stop, head // times]
            out[start:stop, head] = (q @ k.T / math.sqrt(q.shape[1])).softmax(-1) @ v
    return out


@pytest.fixture
def parts() -> list[Any]:
    """Queries of four heads, keys and values of two, as transformers gives them: (1, heads, tokens, width)."""
    import torch

    torch.manual_seed(3)
    return [torch.randn(1, heads, sum(LENGTHS), 8) for heads in (4, 2, 2)]


@pytest.fixture
def expected(parts: list[Any]) -> Any:
    bounds = [sum(LENGTHS[:place]) for place in range(len(LENGTHS) + 1)]
    return plain(*(part[0].transpose(0, 1) for part in parts), bounds)[None]


def test_runs_of_equal_length_give_what_plain_attention_gives(parts: list[Any], expected: Any):
    import torch

    from multidb_chat.adapters.embedders.packed_attention import packed_attention, packing

    packed = packing(LENGTHS, "cpu", torch.float32)
    assert packed.runs == ((2, 3), (1, 1), (1, 7), (2, 2))
    found, _ = packed_attention(None, *parts, None, packing=packed)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("shares_heads", [True, False])
def test_the_kernel_gets_what_it_expects_whether_it_shares_heads_or_not(
    parts: list[Any], expected: Any, shares_heads: bool, monkeypatch: pytest.MonkeyPatch
):
    """With the kernel's signature, as its documentation tells it, in plain torch: it runs on CUDA alone."""
    import torch

    from multidb_chat.adapters.embedders import packed_attention as module

    def kernel(
        query: Any, key: Any, value: Any, cu_seq_q: Any, cu_seq_k: Any, max_q: int, max_k: int, enable_gqa: bool = False
    ) -> Any:
        assert enable_gqa == shares_heads
        assert enable_gqa or query.shape[1] == key.shape[1]
        assert (cu_seq_q.dtype, max_q, max_k) == (torch.int32, 7, 7)
        assert cu_seq_q is cu_seq_k
        return plain(query, key, value, cu_seq_q.tolist())

    monkeypatch.setattr(module, "varlen_attn", kernel)
    monkeypatch.setattr(module, "_SHARES_HEADS", shares_heads)
    monkeypatch.setattr(module, "_has_kernel", lambda *_: True)
    packed = module.packing(LENGTHS, "cpu", torch.float32)
    assert packed.runs == ()
    found, _ = module.packed_attention(None, *parts, None, packing=packed)
    torch.testing.assert_close(found, expected)


def test_the_kernel_is_taken_on_cuda_with_sixteen_bits_alone(monkeypatch: pytest.MonkeyPatch):
    import torch

    from multidb_chat.adapters.embedders import packed_attention as module

    assert module._has_kernel("cuda", torch.bfloat16)
    assert not module._has_kernel("cuda", torch.float32)
    assert not module._has_kernel("mps", torch.bfloat16)
    monkeypatch.setattr(module, "varlen_attn", None)
    assert not module._has_kernel("cuda", torch.bfloat16)
