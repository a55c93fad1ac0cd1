"""`config`: what is configured, where it came from, and what is wrong with it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Program


def test_the_settings_are_shown_with_their_origins_and_without_secrets(empty: Program) -> None:
    empty.home.mkdir()
    (empty.home / "config.toml").write_text("[search]\nlimit = 7\n", encoding="utf-8")
    url = "postgresql://me:hunter2@localhost/x"
    done = empty("--set", "tui.theme=paper", "config", "show", MULTIDB_CHAT_STORES_ACCOUNTS=url)
    rows = {row.split()[0]: row for row in done.stdout.splitlines()}
    assert rows["search.limit"].split(maxsplit=2)[1:] == ["7", f"file {empty.home}/config.toml line 2"]
    assert re.split(r"  +", rows["tui.theme"])[1:] == ['"paper"', "flag"]
    assert "environment MULTIDB_CHAT_STORES_ACCOUNTS" in rows["stores.accounts"]
    assert "hunter2" not in done.stdout
    shown = json.loads(empty("config", "show", "--json", MULTIDB_CHAT_STORES_ACCOUNTS=url).stdout)["settings"]
    by_key = {row["key"]: row for row in shown}
    assert by_key["search.limit"]["value"] == 7
    assert by_key["stores.accounts"]["value"] == "postgresql://me:***@localhost/x"


def test_a_broken_configuration_is_one_line_for_every_command(empty: Program) -> None:
    empty.home.mkdir()
    (empty.home / "config.toml").write_text("[search]\ntreshold = 1\n", encoding="utf-8")
    for arguments in (("ask", "x"), ("docs", "list"), ("config", "check"), ("config", "show")):
        done = empty(*arguments)
        assert (done.returncode, done.stdout) == (6, "")
        assert "line 2: there is no setting search.treshold; the nearest is search.threshold" in done.stderr
        assert done.stderr.count("\n") == 1
    assert str(empty.home / "data") in empty("config", "path").stdout


def test_the_printed_example_is_a_good_configuration(empty: Program) -> None:
    example = empty("config", "example").stdout
    empty.home.mkdir()
    (empty.home / "config.toml").write_text(example, encoding="utf-8")
    assert empty("config", "check").stdout.endswith("all is well, 0 settings differ from the defaults\n")


def test_without_any_home_it_says_what_to_set(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "multidb_chat", "docs", "list"]
    done = subprocess.run(line, capture_output=True, text=True, env={"PATH": os.environ["PATH"], "HOME": ""})
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith("error: there is no home folder to keep files in: set HOME, or MULTIDB_CHAT_HOME")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user that nobody entered")
def test_an_unknown_user_without_home_is_told_what_to_set() -> None:
    # Everything is loaded before, since such a user may not be allowed to read the checkout.
    code = """
import asyncio, os, sys
import platformdirs
import multidb_chat.cli.commands, multidb_chat.cli.session, multidb_chat.settings
from multidb_chat.cli.main import main
os.setuid(54321)
sys.argv = ["multidb-chat", "docs", "list"]
main()
"""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ)
    assert done.returncode == 6, done.stderr
    assert done.stderr.startswith("error: there is no home folder")


def test_a_setting_is_set_used_and_unset(empty: Program) -> None:
    done = empty("config", "set", "search.limit", "7")
    assert re.split(r"  +", done.stdout.strip()) == ["search.limit = 7", f"file {empty.home}/config.toml line 2"]
    with (empty.home / "config.toml").open("a", encoding="utf-8") as file:
        file.write("# mine\n")
    shown = json.loads(empty("config", "set", "tui.theme", "paper", "--json", MULTIDB_CHAT_TUI_THEME="ink").stdout)
    assert (shown["value"], shown["origin"]) == ("ink", "environment MULTIDB_CHAT_TUI_THEME")
    assert (empty.home / "config.toml").read_text() == '[search]\nlimit = 7\n# mine\n\n[tui]\ntheme = "paper"\n'
    assert "2 settings differ" in empty("config", "check").stdout
    assert empty("config", "unset", "search.limit").stdout.split() == ["search.limit", "=", "10", "default"]


def test_another_file_is_changed_where_one_is_named(empty: Program, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    assert empty("--config", str(other), "config", "set", "log.level", "info").returncode == 0
    assert other.read_text() == '[log]\nlevel = "info"\n'
    assert not empty.home.exists()


def test_a_bad_setting_is_refused_in_one_line(empty: Program) -> None:
    for arguments in (("set", "search.limt", "7"), ("set", "search.limit", "0"), ("unset", "search.limt")):
        done = empty("config", *arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (6, "", 1)
        assert "search.limit" in done.stderr
    assert not (empty.home / "config.toml").exists()
