"""Where a store's server is, and where its password comes from."""

from pathlib import Path

import pytest

from multidb_chat.domain.errors import InvalidSetting
from multidb_chat.settings import load_settings
from multidb_chat.settings.secrets import server_url

URL = "postgresql://chat@db.example.org:5433/chat?sslmode=verify-full"


def url(tmp_path: Path, place: str = "", store: str = "accounts", value: str = URL, **secrets: str) -> str | None:
    """Return the URL for these settings; `secrets` are both the environment and the keyring."""
    overrides = {f"stores.{store}": value} | ({f"stores.{store}_password": place} if place else {})
    settings = load_settings(overrides=overrides, environ={"MULTIDB_CHAT_HOME": str(tmp_path)})
    return server_url(settings, store, secrets.get, secrets)


def test_what_is_embedded_has_no_url(tmp_path: Path) -> None:
    assert url(tmp_path, value="embedded") is None


def test_a_url_is_taken_as_it_is_unless_the_settings_say_where_the_password_lies(tmp_path: Path) -> None:
    assert url(tmp_path) == URL


@pytest.mark.parametrize("place", ["env:DB_PASSWORD", "keyring:DB_PASSWORD"])
def test_a_password_from_elsewhere_is_encoded_into_the_url(tmp_path: Path, place: str) -> None:
    assert url(tmp_path, place, DB_PASSWORD="p@ss/word:1") == URL.replace("chat@", "chat:p%40ss%2Fword%3A1@")


def test_a_password_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("geheim\n")
    assert url(tmp_path, f"file:{tmp_path / 'password'}") == URL.replace("chat@", "chat:geheim@")


def test_a_server_without_users_has_a_password_too(tmp_path: Path) -> None:
    found = url(tmp_path, "env:X", store="cache", value="rediss://cache.example.org/0", X="secret")
    assert found == "rediss://:secret@cache.example.org/0"


@pytest.mark.parametrize(
    ("place", "what"),
    [
        ("env:NOWHERE", "the variable NOWHERE is not set"),
        ("keyring:nowhere", "the keyring has no secret named nowhere"),
        ("file:/nowhere/at/all", "/nowhere/at/all cannot be read"),
    ],
)
def test_a_password_that_is_not_there_is_told_with_its_setting(tmp_path: Path, place: str, what: str) -> None:
    with pytest.raises(InvalidSetting, match=r"flag.*accounts_password") as refused:
        url(tmp_path, place)
    assert what in str(refused.value)


@pytest.mark.parametrize("place", ["hunter2", "env:", "url ", "vault:x"])
def test_a_password_itself_is_no_place(tmp_path: Path, place: str) -> None:
    with pytest.raises(InvalidSetting, match='"env:NAME"'):
        url(tmp_path, place.replace("url ", "url:"))


@pytest.mark.parametrize(
    ("store", "value"),
    [
        ("conversations", "scylla://one:9042,two:9042,[::1]:9042/chat?datacenter=east"),
        ("library", "mongodb://a:27017,b:27018/chat?replicaSet=rs0"),
        ("library", "mongodb+srv://cluster.example.org/chat"),
        ("cache", "redis+sentinel://a:26379,b:26379/0?service=chat"),
    ],
)
def test_a_url_may_name_several_hosts(tmp_path: Path, store: str, value: str) -> None:
    assert url(tmp_path, store=store, value=value) == value


@pytest.mark.parametrize("value", ["scylla://one:99999/x", "scylla://one,,two/x", "scylla:///x", "scylla://one:x/y"])
def test_a_url_with_a_host_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(InvalidSetting, match="scylla://"):
        url(tmp_path, store="conversations", value=value)
