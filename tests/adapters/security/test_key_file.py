"""The key file: the contract, and that it is for its owner alone."""

import os
import stat
from functools import partial
from pathlib import Path

import pytest

from multidb_chat.adapters.security.key_file import KeyFile
from multidb_chat.domain.errors import StoreCorrupt, StoreUnavailable
from tests.contracts.keys import KeysContract, OpenKeys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys.json"


class TestKeyFile(KeysContract):
    @pytest.fixture
    def open_keys(self, path: Path) -> OpenKeys:
        return partial(KeyFile, path)


async def test_the_file_is_for_its_owner_alone_whatever_the_umask_says(path: Path):
    before = os.umask(0)
    try:
        await KeyFile(path).rotate("audit")
        await KeyFile(path).rotate("audit")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
async def test_a_file_that_others_can_read_or_write_is_refused_and_left_alone(path: Path, mode: int):
    await KeyFile(path).current("audit")
    before = path.read_bytes()
    path.chmod(mode)
    for purpose in ("audit", "tokens"):
        with pytest.raises(StoreUnavailable, match=f"mode {mode:04o}.*chmod 600"):
            await KeyFile(path).current(purpose)
    assert path.read_bytes() == before
    path.chmod(0o600)
    assert await KeyFile(path).current("audit")


async def test_a_link_in_its_place_is_refused(path: Path, tmp_path: Path):
    await KeyFile(tmp_path / "elsewhere.json").current("audit")
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(StoreUnavailable):
        await KeyFile(path).current("audit")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"audit": [{"kid": "a", "secret": "00"}]}', '{"audit": 1}'])
async def test_a_damaged_file_is_told_and_not_made_anew(path: Path, content: str):
    await KeyFile(path).current("audit")
    path.write_text(content)
    with pytest.raises(StoreCorrupt, match="restore it"):
        await KeyFile(path).current("audit")
    assert path.read_text() == content
