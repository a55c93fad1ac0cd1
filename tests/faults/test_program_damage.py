"""Databases that are cut, garbage, empty, or of another version: told in one line, or healed where nothing is lost."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.faults.program import LIGHTHOUSE, PAINTER, STORES, answers, assert_whole, error_line


def cut(path: Path) -> None:
    """Lose the last third of the file."""
    os.truncate(path, path.stat().st_size * 2 // 3)


def scramble(path: Path) -> None:
    """Replace the content by bytes of any kind."""
    path.write_bytes(os.urandom(path.stat().st_size))


def empty_out(path: Path) -> None:
    """Lose all content."""
    os.truncate(path, 0)


@pytest.mark.parametrize(("store", "damage"), [("accounts", scramble), ("library", cut), ("library", scramble)])
def test_a_damaged_store_is_named_with_what_to_do(program: Program, store: str, damage: Callable[[Path], None]) -> None:
    path = program.home / "data" / f"{store}.sqlite"
    damage(path)
    content = path.read_bytes()
    for arguments in (("ask", "Who paints?"), ("docs", "list"), ("docs", "add", __file__), ("docs", "search", "otter")):
        done = program.inside(*arguments)
        assert done.returncode == 5
        line = error_line(done)
        assert f"{path} is damaged or not a database: restore a backup, or move it away" in line
    assert path.read_bytes() == content, "what is left for a rescue stays as it is"
    path.rename(path.with_suffix(".damaged"))
    assert program("docs", "list").returncode == 0, "the advice helps"


@pytest.mark.parametrize("damage", [cut, scramble])
def test_damaged_conversations_keep_nobody_from_asking(program: Program, damage: Callable[[Path], None]) -> None:
    damage(program.home / "data" / "conversations.sqlite")
    for arguments in ((), ("--no-cache",)):
        beside = answers(program, *arguments)
        assert beside.startswith("note: This turn is not saved: The conversations file")
        assert "damaged" in beside.splitlines()[0]
    done = program("ask", "--continue", "Who paints?")
    assert done.returncode == 5
    assert "damaged" in error_line(done)


@pytest.mark.parametrize("store", STORES)
def test_an_empty_file_is_a_new_store(program: Program, papers: Path, store: str) -> None:
    empty_out(program.home / "data" / f"{store}.sqlite")
    if store == "library":
        assert "There are no documents yet" in program.inside("docs", "list").stderr
        assert program("docs", "add", papers).stdout.startswith("3 added")
    assert "note:" not in answers(program, "--no-cache")
    assert_whole(program.home)


@pytest.mark.parametrize(
    ("what", "damage"),
    [
        *(("cache.sqlite", damage) for damage in (cut, scramble, empty_out)),
        *(("index/index.sqlite", damage) for damage in (cut, scramble, empty_out)),
        *(("index/*.f32", damage) for damage in (cut, scramble, Path.unlink)),
        *(("index/*.i8", damage) for damage in (scramble, Path.unlink)),
    ],
)
def test_what_is_derived_heals_without_a_word(program: Program, what: str, damage: Callable[[Path], None]) -> None:
    healthy = program.inside("docs", "search", "lighthouse", "--json").stdout
    paths = list((program.home / "cache").glob(what))
    assert paths
    for path in paths:
        damage(path)
    done = program.inside("ask", LIGHTHOUSE, "--no-cache")
    assert done.returncode == 0, done.stderr
    assert PAINTER in done.stdout
    assert done.stderr.startswith("\nSources\n"), "not a word about it"
    assert program.inside("docs", "search", "lighthouse", "--json").stdout == healthy
    assert_whole(program.home)


def test_without_cache_and_index_everything_comes_back(program: Program) -> None:
    healthy = program.inside("docs", "search", "otter", "--json").stdout
    for path in sorted((program.home / "cache").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert program.inside("docs", "search", "otter", "--json").stdout == healthy
    assert answers(program).startswith("\nSources\n")


@pytest.mark.parametrize("store", STORES)
def test_a_newer_program_migrates_behind_a_backup_and_an_older_one_then_refuses(
    program: Program, tmp_path: Path, store: str
) -> None:
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "sitecustomize.py").write_text(
        f"from multidb_chat.adapters.sqlite import {store}_schema as schema\n"
        'schema.SCHEMA += ("CREATE TABLE later (id TEXT PRIMARY KEY);",)\n'
    )
    path = program.home / "data" / f"{store}.sqlite"
    assert "note:" not in answers(program, "--no-cache", PYTHONPATH=str(tmp_path / "newer"))
    backups = list(path.parent.glob("*-backup"))
    assert [backup.name[: len(path.name)] for backup in backups] == [path.name]
    assert backups[0].stat().st_mode & 0o077 == 0
    done = program("ask", "--continue", "Who paints?")  # the command that needs all three
    assert done.returncode == 5
    line = error_line(done)
    assert str(path) in line
    assert "newer version of multidb-chat" in line
    assert "update the program" in line
    backups[0].replace(path)
    for log in path.parent.glob(f"{path.name}-*"):
        log.unlink()
    assert "note:" not in answers(program, "--no-cache"), "the backup is whole"
    assert_whole(program.home)
