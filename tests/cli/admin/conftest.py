"""An installation with an administrator, made once, and what its commands say."""

import asyncio
import json
import shutil
import subprocess
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.cli.conftest import Program
from tests.tui.home import furnish

ROOT, EVE = "root@example.org", "eve@example.org"
PASSWORD = "turning the brass key"
QUICKLY = {"MULTIDB_CHAT_LOGIN_PASSWORD_COST": "4", "MULTIDB_CHAT_LOGIN_KEYRING": "false"}
HOURS, WHEN = "What are your opening hours?", "Nine to *five*."


def told(program: Program, *arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command line with this text on standard input."""
    with mock.patch("sys.stdin", StringIO(given)):
        return program.inside(*arguments)


def done(program: Program, *arguments: str | Path, given: str = "") -> str:
    """Run a command line that has to succeed; return what it says."""
    run = told(program, *arguments, given=given)
    assert run.returncode == 0, f"{arguments}: {run.stdout}{run.stderr}"
    return run.stdout


def data(program: Program, *arguments: str | Path, given: str = "") -> Any:
    """Run a command line with `--json` that has to succeed; return its document."""
    return json.loads(done(program, *arguments, "--json", given=given))


@pytest.fixture(scope="session")
def administered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an administrator who is logged in, a user, an entry of the knowledge base, and the handbook."""
    program = Program(tmp_path_factory.mktemp("administered") / "home", QUICKLY)
    done(program, "admin", "init", "--email", ROOT, "--password-stdin", given=f"{PASSWORD}\n")
    done(program, "admin", "users", "create", EVE, "--password-stdin", given=f"{PASSWORD}\n")
    done(program, "admin", "knowledge", "add", HOURS, WHEN, "--category", "Office")
    asyncio.run(furnish(program.home, [], QUICKLY))
    return program.home


@pytest.fixture
def root(administered: Path, tmp_path: Path) -> Program:
    """The program with a copy of that home, used by the administrator."""
    shutil.copytree(administered, tmp_path / "home")
    return Program(tmp_path / "home", QUICKLY)


@pytest.fixture
def eve(root: Program) -> Program:
    """The same installation, used by the user, who is logged in in another home folder."""
    done(root, "login", EVE, "--password-stdin", given=f"{PASSWORD}\n")
    return replace(root)
