"""The anchor in a file: the contract, and what lies there when it is none."""

from functools import partial
from pathlib import Path

import pytest

from multidb_chat.adapters.security.anchor_file import AnchorFile
from multidb_chat.domain.audit import Head
from tests.contracts.anchor import AnchorContract, OpenAnchor


class TestAnchorFile(AnchorContract):
    @pytest.fixture
    def open_anchor(self, tmp_path: Path) -> OpenAnchor:
        return partial(AnchorFile, tmp_path / "audit.head")


@pytest.mark.parametrize("content", ["", "{", "[]", "1", '{"seq": "x", "mac": "", "seal": ""}', '{"seq": 1}'])
async def test_what_is_no_head_is_nothing_and_the_next_one_takes_its_place(tmp_path: Path, content: str):
    path = tmp_path / "audit.head"
    await AnchorFile(path).advance(Head(1, "mac", "seal"))
    path.write_text(content)
    assert await AnchorFile(path).head() is None
    await AnchorFile(path).advance(Head(2, "mac", "seal"))
    assert await AnchorFile(path).head() == Head(2, "mac", "seal")
