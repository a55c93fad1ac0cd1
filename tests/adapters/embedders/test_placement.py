"""Where a network runs, and why."""

import re

import pytest

from multidb_chat.domain.errors import InvalidSetting
from tests.adapters.embedders.stella_checkpoints import needs_extra

pytestmark = needs_extra


def test_what_is_wanted_is_chosen_and_the_precision_too():
    import torch

    from multidb_chat.adapters.embedders.placement import place

    assert (place("cpu", "float32").device, place("cpu", "float32").dtype) == ("cpu", torch.float32)
    assert place("cpu", "bfloat16").dtype == torch.bfloat16
    assert "processor" in str(place("cpu"))


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [
        ((9, 0), True, "on cuda in bfloat16: Card computes with bfloat16"),
        ((7, 5), False, "on cuda in float32: Card is of before bfloat16 (compute capability 7)"),
        (None, True, "on mps in bfloat16: the graphics processor of this Mac computes with bfloat16"),
        (None, False, "on cpu in .*: no CUDA card and no Apple graphics processor was found; this processor "),
    ],
)
def test_by_itself_it_takes_a_card_before_a_mac_s_before_the_processor(
    cuda: tuple[int, int] | None, mps: bool, expected: str, monkeypatch: pytest.MonkeyPatch
):
    import torch

    from multidb_chat.adapters.embedders.placement import place

    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda is not None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Card")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch.backends.mps, "is_macos_or_newer", lambda *_: True)
    assert re.match(re.escape(expected).replace(r"\.\*", ".*"), str(place()))


def test_a_device_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch):
    import torch

    from multidb_chat.adapters.embedders.placement import place

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InvalidSetting, match="there is no cuda"):
        place("cuda")
