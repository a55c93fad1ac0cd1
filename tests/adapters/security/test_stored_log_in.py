"""The stored log-in: in a file for its owner alone, or in a keyring, and never in both."""

import json
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from multidb_chat.adapters.security.keyring_secrets import KeyringSecret
from multidb_chat.adapters.security.stored_log_in import LogInFile
from multidb_chat.domain.errors import StoreCorrupt, StoreUnavailable
from tests.contracts.stored_log_in import ONE, OTHER, OpenLogIn, StoredLogInContract

keyring = pytest.importorskip("keyring", reason="the extra keyring is not installed")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "login.json"


class TestLogInFile(StoredLogInContract):
    @pytest.fixture
    def open_log_in(self, path: Path) -> OpenLogIn:
        return partial(LogInFile, path)


class Shelf(keyring.backend.KeyringBackend):  # type: ignore[name-defined,misc]
    """A keyring in memory; `broken` lets everything fail as a locked desktop does."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.broken = False

    def _check(self) -> None:
        if self.broken:
            raise RuntimeError("the desktop is locked")

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        del self.kept[service, username]


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    before, made = keyring.get_keyring(), Shelf()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


async def test_the_file_is_for_its_owner_alone_and_refused_when_it_is_not(path: Path):
    stored = LogInFile(path)
    await stored.store(ONE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(StoreUnavailable, match="mode 0640"):
        await stored.load()
    await stored.clear()
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "1", '{"access": "x"}', '{"in": "nowhere"}'])
async def test_a_damaged_file_is_told_and_can_be_cleared(path: Path, content: str):
    stored = LogInFile(path)
    await stored.store(ONE)
    path.write_text(content)
    with pytest.raises(StoreCorrupt, match="multidb-chat logout"):
        await stored.load()
    await stored.clear()
    assert await stored.load() is None


async def test_with_a_keyring_the_file_holds_no_token(path: Path, shelf: Shelf):
    stored = LogInFile(path, keyring=KeyringSecret(str(path)))
    await stored.store(ONE)
    assert b"refresh 1" not in path.read_bytes()
    assert (await stored.load(), await stored.remembered()) == (ONE, "account")
    assert list(shelf.kept) == [("multidb-chat", str(path))]
    await stored.clear()
    assert shelf.kept == {}
    assert not path.exists()


async def test_installations_share_a_keyring_and_no_log_in(path: Path, tmp_path: Path, shelf: Shelf):
    one = LogInFile(path, keyring=KeyringSecret("one"))
    other = LogInFile(tmp_path / "other.json", keyring=KeyringSecret("other"))
    await one.store(ONE)
    await other.store(OTHER)
    await one.clear()
    assert await other.load() == OTHER


async def test_a_keyring_that_cannot_be_used_is_done_without(path: Path, shelf: Shelf):
    stored = LogInFile(path, keyring=KeyringSecret("one"))
    shelf.broken = True
    await stored.store(ONE)
    assert json.loads(path.read_text()) == {"access": "access 1", "refresh": "refresh 1"}
    assert await stored.load() == ONE
    shelf.broken = False
    await stored.store(OTHER)
    shelf.broken = True
    assert await stored.load() is None  # nobody is logged in by a token that nobody can read
    await stored.clear()
    assert await stored.remembered() is None


async def test_a_backend_that_keeps_nothing_is_none(path: Path):
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    try:
        stored = LogInFile(path, keyring=KeyringSecret("one"))
        await stored.store(ONE)
        assert await stored.load() == ONE
    finally:
        keyring.set_keyring(before)
