"""The key file: made once, for its owner alone, and every version of a key is kept."""

import os
import stat
from pathlib import Path

import pytest

from multidb_chat.adapters.security.key_file import KeyFile
from multidb_chat.domain.errors import StoreCorrupt, StoreUnavailable
from tests.contracts import processes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys.json"


async def test_a_key_is_made_the_first_time_and_stays(path: Path):
    key = await KeyFile(path).current("audit")
    assert len(key.secret) == 32
    assert await KeyFile(path).current("audit") == key
    assert await KeyFile(path).key("audit", key.kid) == key
    assert await KeyFile(path).key("audit", "unknown") is None


async def test_purposes_have_keys_of_their_own(path: Path):
    keys = KeyFile(path)
    made = [await keys.current("audit"), await keys.current("tokens"), await keys.current("pepper")]
    assert len({key.secret for key in made}) == len({key.kid for key in made}) == 3


async def test_a_rotated_key_is_the_current_one_everywhere_and_the_older_one_is_kept(path: Path):
    keys, other = KeyFile(path), KeyFile(path)
    first = await other.current("tokens")
    second = await keys.rotate("tokens")
    assert await other.current("tokens") == second != first
    assert await other.keys("tokens") == [first, second]
    assert await other.key("tokens", first.kid) == first


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


def test_a_key_is_not_shown(path: Path):
    from multidb_chat.domain.keys import Key

    assert "secret" not in repr(Key("audit-1", b"secret"))


async def use_keys(path: Path) -> None:
    """Say the first audit key, and rotate the one for tokens a few times."""
    keys = KeyFile(path)
    processes.starting_line()
    processes.say((await keys.current("audit")).secret.hex())
    for _ in range(5):
        processes.say((await keys.rotate("tokens")).secret.hex())


async def test_processes_that_start_at_once_have_the_same_key_and_lose_none(path: Path):
    said = processes.race([processes.start(use_keys, path) for _ in range(3)])
    assert len({words[0] for words in said}) == 1
    kept = [key.secret.hex() for key in await KeyFile(path).keys("tokens")]
    assert sorted(kept) == sorted(word for words in said for word in words[1:])
    assert len({key.kid for key in await KeyFile(path).keys("tokens")}) == 15
