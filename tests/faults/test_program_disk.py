"""Disks that are full or read-only, homes that cannot be written, and no home at all."""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.faults.program import (
    LIGHTHOUSE,
    PAINTER,
    answers,
    assert_whole,
    error_line,
    fill,
    mount,
    small_disk,
    unprivileged,
)

NOT_SAVED = "note: This turn is not saved: "


@pytest.fixture
def tight(tmp_path: Path, prepared: Path):
    """The program with a copy of the prepared home on a disk of four megabytes."""
    with small_disk(tmp_path / "disk", "4m") as disk:
        shutil.copytree(prepared, disk / "home")
        yield Program(disk / "home")


def test_on_a_full_disk_questions_are_answered_and_nothing_else_is_promised(tight: Program, papers: Path) -> None:
    ballast = fill(tight.home.parent)
    for arguments in ((), ("--continue", "--no-cache")):
        beside = answers(tight, *arguments)
        assert beside.startswith(NOT_SAVED)
        assert "No space is left" in beside.splitlines()[0]
        assert "Traceback" not in beside
    assert tight("docs", "list").stdout.count("\n") == 3
    assert "lighthouse.txt" in tight("docs", "search", "lighthouse").stdout
    (papers.parent / "new.txt").write_text("Something new.")
    for refused in (
        ("docs", "add", papers.parent / "new.txt"),
        ("docs", "remove", "--yes", "otters.md"),
        ("collections", "create", "essays"),
    ):
        done = tight(*refused)
        assert done.returncode == 5, refused
        # A removal is recorded before it is done.
        assert re.search(r"No space is left for the (library|accounts) file", error_line(done))
    ballast.unlink()
    assert answers(tight, "--no-cache").startswith("\nSources")
    assert tight("docs", "list").stdout.count("\n") == 3
    assert_whole(tight.home)


def test_a_disk_that_fills_up_while_adding_loses_nothing_that_was_added(tight: Program, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number:02}.txt").write_text(f"Lake {number} is {number + 3} metres deep. " * 400)
    space = os.statvfs(tight.home)
    (tight.home.parent / "ballast").write_bytes(bytes(space.f_bavail * space.f_frsize - 350_000))
    done = tight("docs", "add", folder)
    assert done.returncode == 5
    assert "No space is left" in error_line(done)
    assert len(done.stderr) < 300
    stored = {line.split()[1] for line in tight("docs", "list").stdout.splitlines()}
    assert {"lighthouse.txt", "otters.md", "tides.html"} < stored, "some were added before the disk was full"
    answers(tight, "--no-cache")
    for path in folder.iterdir():  # there is room for those that are there, no more
        if path.name not in stored:
            path.unlink()
    again = tight("docs", "add", folder)
    assert again.returncode == 0, again.stderr
    assert "failed" not in again.stdout
    assert {line.split()[1] for line in tight("docs", "list").stdout.splitlines()} == stored
    assert_whole(tight.home)


def test_on_a_full_disk_a_first_question_is_one_line(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        fill(disk)
        done = Program(disk / "home")("ask", LIGHTHOUSE)
        assert done.returncode == 5
        assert "No space is left" in error_line(done)


def test_from_a_read_only_disk_questions_are_answered(tight: Program, papers: Path) -> None:
    mount("-o", "remount,ro", tight.home.parent)
    for arguments in ((), ("--no-cache",)):
        assert answers(tight, *arguments).startswith(NOT_SAVED)
    assert "lighthouse.txt" in tight("docs", "search", "lighthouse").stdout
    done = tight("docs", "remove", "--yes", "otters.md")
    assert done.returncode == 5
    assert "cannot be opened or written" in error_line(done)


@pytest.fixture
def barred(program: Program):
    """The program with a home that may only be read."""
    folders = [program.home, *(path for path in program.home.rglob("*") if path.is_dir())]
    for path in program.home.rglob("*"):
        path.chmod(0o500 if path.is_dir() else 0o400)
    program.home.chmod(0o500)
    yield program
    for folder in folders:
        folder.chmod(0o700)


def test_from_a_home_without_the_permission_to_write_questions_are_answered(barred: Program, papers: Path) -> None:
    for arguments in ((), ("--no-cache",)):
        done = unprivileged(barred, "ask", LIGHTHOUSE, *arguments)
        assert done.returncode == 0, done.stderr
        assert PAINTER in done.stdout
        assert done.stderr.startswith(NOT_SAVED)
    assert "lighthouse.txt" in unprivileged(barred, "docs", "search", "lighthouse").stdout
    assert unprivileged(barred, "docs", "list").stdout.count("\n") == 3
    (papers.parent / "more.txt").write_text("Something more.")
    done = unprivileged(barred, "docs", "add", papers.parent / "more.txt")
    assert done.returncode == 5
    assert "cannot be opened or written" in error_line(done)


def test_an_installation_that_cannot_be_written_works(empty: Program, tmp_path: Path) -> None:
    package = tmp_path / "site" / "multidb_chat"
    source = Path(__file__).parents[2]
    shutil.copytree(source / "src" / "multidb_chat", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(source / "docs" / "handbook", package / "handbook", dirs_exist_ok=True)
    everything = {package, *package.rglob("*")}
    for path in everything:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        done = unprivileged(empty, "ask", "How do I add my own documents?", PYTHONPATH=str(package.parent))
        where = unprivileged(empty, "config", "path", PYTHONPATH=str(package.parent))
    finally:
        for path in everything:
            path.chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert "multidb-chat docs add" in done.stdout
    assert str(empty.home) in where.stdout
    assert {package, *package.rglob("*")} == everything


@pytest.mark.parametrize("place", ["/dev/null", "/proc/self", "shut"])
def test_a_home_that_cannot_be_made_is_one_line(tmp_path: Path, place: str) -> None:
    (tmp_path / "shut").mkdir(mode=0o500)
    home = tmp_path / "shut" / "home" if place == "shut" else Path(place)
    for arguments in (("ask", LIGHTHOUSE), ("docs", "list")):
        done = unprivileged(Program(home), *arguments)
        assert done.returncode == 5
        assert "cannot be opened or written" in error_line(done)
    plain = unprivileged(Program(home), "ask", LIGHTHOUSE, MULTIDB_CHAT_HOME="")
    assert plain.returncode == 5
    assert str(home) in error_line(plain)


def test_a_home_that_cannot_be_looked_into_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0)
    done = unprivileged(Program(tmp_path / "shut"), "docs", "list")
    assert done.returncode in {5, 6}
    assert "Permission denied" in error_line(done)


def test_without_home_the_program_asks_for_one_or_takes_the_system_s(tmp_path: Path) -> None:
    none = Program(tmp_path, {"HOME": "", "MULTIDB_CHAT_HOME": ""})
    done = none("docs", "list")
    assert done.returncode == 6
    assert "MULTIDB_CHAT_HOME" in error_line(done)
    assert none("--help").returncode == 0
    elsewhere = none("docs", "list", MULTIDB_CHAT_HOME=str(tmp_path / "home"))
    assert elsewhere.returncode == 0, elsewhere.stderr


def test_nothing_is_written_outside_the_home(empty: Program, tmp_path: Path, papers: Path) -> None:
    user = tmp_path / "user"
    user.mkdir()
    assert empty("docs", "add", papers, HOME=str(user)).returncode == 0
    answers(empty, HOME=str(user))
    assert list(user.iterdir()) == [], "a library keeps something of its own in the user's home"
    assert not [path for path in empty.home.rglob("*") if path.stat().st_mode & 0o077 and path.is_file()]


def test_a_broken_configuration_is_one_line_with_its_place(empty: Program) -> None:
    empty.home.mkdir()
    file = empty.home / "config.toml"
    for content, told in {
        b"[search]\nlimit = 10\nthreshold = = 3\n": "line 3",
        b"[search]\nlimitt = 10\n": "line 2",
        b"[search]\nlimit = 'ten'\n": "line 2",
        b"\xff\xfe\x00[": "UTF-8",
    }.items():
        file.write_bytes(content)
        for arguments in (("ask", LIGHTHOUSE), ("docs", "list")):
            done = empty(*arguments)
            assert done.returncode == 6, content
            assert told in error_line(done)
            assert str(file) in done.stderr
    file.unlink()
    file.mkdir()
    done = empty("docs", "list")
    assert done.returncode == 6
    assert os.fspath(file) in error_line(done)
