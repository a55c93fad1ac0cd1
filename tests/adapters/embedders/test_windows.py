"""Windows cover a text, whatever the model's room and overlap."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.adapters.embedders.windows import windows


@given(st.integers(0, 5_000), st.sampled_from([(254, 32), (511, 64), (490, 64)]))
def test_windows_cover_every_token_overlap_and_fit(count: int, model: tuple[int, int]):
    room, overlap = model
    tokens = list(range(count))
    cut = list(windows(tokens, room, overlap))
    assert all(len(window) <= room for window in cut)
    assert cut[0] == tokens[: len(cut[0])]
    assert cut[-1] == tokens[count - len(cut[-1]) :]
    for before, after in itertools.pairwise(cut):
        assert before[-overlap:] == after[:overlap]
    assert len(cut) == 1 or max(map(len, cut)) - min(map(len, cut)) <= len(cut)
