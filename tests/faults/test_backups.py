"""Backups made while another process writes, and restores that are killed."""

import random
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.admin.conftest import HOURS, PASSWORD, QUICKLY, WHEN, data, done
from tests.cli.conftest import Program
from tests.faults.program import assert_whole, killed, started

OTHER = "Ten to four."


@pytest.fixture(scope="module")
def administered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an administrator and an entry of the knowledge base."""
    program = Program(tmp_path_factory.mktemp("administered") / "home", QUICKLY)
    done(program, "admin", "init", "--email", "root@example.org", "--password-stdin", given=f"{PASSWORD}\n")
    done(program, "admin", "knowledge", "add", HOURS, WHEN)
    return program.home


@pytest.fixture
def root(administered: Path, tmp_path: Path) -> Program:
    shutil.copytree(administered, tmp_path / "home")
    return Program(tmp_path / "home", QUICKLY)


def test_backups_made_while_documents_are_added_are_whole(root: Program, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    for number in range(30):
        (papers / f"{number:02}.md").write_text(f"# Paper {number}\n\n" + f"It is about the number {number}. " * 40)
    adding = started(root, "docs", "add", papers)
    made = []
    while adding.poll() is None or len(made) < 2:
        made.append(tmp_path / f"{len(made)}.zip")
        done(root, "admin", "backup", made[-1])
    assert adding.communicate()[0].startswith("30 added")
    counts = []
    for file in made:
        fresh = Program(tmp_path / file.stem, QUICKLY)
        done(fresh, "admin", "restore", file, "--yes")
        assert_whole(fresh.home)
        done(fresh, "login", "root@example.org", "--password-stdin", given=f"{PASSWORD}\n")
        assert data(fresh, "admin", "audit", "verify")["sound"]
        counts.append(len(data(fresh, "docs", "list")["documents"]))
    assert counts == sorted(counts)
    assert counts[-1] <= 30


def test_a_restore_that_is_killed_leaves_all_of_the_old_or_all_of_the_new(root: Program, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    done(root, "admin", "backup", file)
    done(root, "admin", "knowledge", "edit", HOURS, "--answer", OTHER)
    delays = random.Random(11)
    outcomes = set()
    for number in range(8):
        home = tmp_path / f"home {number}"
        shutil.copytree(root.home, home)
        program = Program(home, QUICKLY)
        restoring = started(program, "admin", "restore", file, "--yes")
        try:
            restoring.communicate(timeout=delays.uniform(0.2, 1.2))
        except subprocess.TimeoutExpired:
            killed(restoring)
        assert restoring.returncode in (0, -signal.SIGKILL)
        assert_whole(home)
        outcomes.add(answer_in(home))
        if list(home.glob("data.restoring-*")):
            done(program, "admin", "doctor", "--fix", "--quiet")
        assert not list(home.glob("data.restoring-*"))
    assert outcomes <= {WHEN, OTHER}


def answer_in(home: Path) -> str:
    with closing(sqlite3.connect(home / "data" / "conversations.sqlite")) as connection:
        return str(connection.execute("SELECT answer FROM knowledge").fetchone()[0])
