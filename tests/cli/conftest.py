"""The real program in processes of its own, and a home with documents that is made once."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from unittest import mock

import pytest

from multidb_chat.cli.console import Console
from multidb_chat.cli.logs import LogFile
from multidb_chat.cli.main import run

REPORT = """\
# Annual report 2019

## Customers

At the end of 2019 the company had 4,210 customers. Churn fell to 4.2 percent in 2019, the lowest figure since 2011.
In 2020 churn rose to 5.1 percent.

## People

The report was written by Ada Lindqvist. The office moved to Uppsala in March 2019.
"""
HOSTILE_NAME = "ev\x1b[31mil\nname\x9b2J.txt"
HOSTILE = (
    "A \x1b[31mred\x1b]0;stolen title\x07 lighthouse \u202eis painted\u202c every third summer by \x9b31mMats Berg.\n"
)
SAILS = "A sail turns the wind: the air leaves it in another direction and pushes the boat the other way.\n"
CHURN = "What was churn in 2019?"


@dataclass(frozen=True)
class Program:
    """Runs the program in a home; what it needs of the environment is given, nothing else."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment that the program gets."""
        own = {"HOME": str(self.home), "MULTIDB_CHAT_HOME": str(self.home), "TERM": "xterm-256color"}
        kept = {name: os.environ[name] for name in ("PATH", "PYTHON_KEYRING_BACKEND")}
        return {**kept, "LANG": "C.UTF-8", **own, **self.environment, **more}

    def __call__(
        self, *arguments: str | Path, stdin: bytes | None = None, cwd: Path | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line to its end with everything on pipes; without `stdin`, standard input is /dev/null."""
        done = subprocess.run(
            self.line(*arguments),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=self.environ(**environ),
            cwd=cwd,
            timeout=120,
        )
        out, err = done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("utf-8", "surrogateescape")
        assert "Traceback" not in out + err
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def inside(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command line in this process, which is faster; there is nothing on standard input."""
        out, err = StringIO(), StringIO()
        with mock.patch.dict(os.environ, self.environ(), clear=True):
            try:
                code = run([str(argument) for argument in arguments], Console(out, err, os.environ))
            finally:
                logging.captureWarnings(False)
                for handler in [one for one in logging.getLogger().handlers if isinstance(one, LogFile)]:
                    logging.getLogger().removeHandler(handler)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def line(self, *arguments: str | Path) -> list[str]:
        """Return the command line."""
        return [sys.executable, "-m", "multidb_chat", *map(str, arguments)]


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report, a note, and a text that is hostile in name and content."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "report.md").write_text(REPORT, encoding="utf-8")
    (folder / "sails.txt").write_text(SAILS, encoding="utf-8")
    (folder / HOSTILE_NAME).write_text(HOSTILE, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, documents: Path) -> Path:
    """A home whose library has the documents and the handbook; not to be changed, see `program`."""
    program = Program(tmp_path_factory.mktemp("prepared"))
    added = program("docs", "add", documents)
    assert (added.returncode, added.stderr) == (0, "")
    asked = program("ask", "How do I add my own documents?")
    assert asked.returncode == 0, asked.stderr
    shutil.copytree(program.home, _untouched(program.home))
    return program.home


def _untouched(prepared: Path) -> Path:
    """Return where the prepared home lies as it was before anything was asked in it."""
    return prepared.with_name(f"{prepared.name} untouched")


@pytest.fixture
def program(prepared: Path, tmp_path: Path) -> Program:
    """The program with a copy of the prepared home."""
    shutil.copytree(_untouched(prepared), tmp_path / "home")
    return Program(tmp_path / "home")


@pytest.fixture
def shared(prepared: Path) -> Program:
    """The program with the prepared home itself, for what adds nothing to the library."""
    return Program(prepared)


@pytest.fixture
def empty(tmp_path: Path) -> Program:
    """The program with a home that does not exist yet."""
    return Program(tmp_path / "new home")


def unsafe(text: str) -> list[str]:
    """Return the characters of a text that could act on a terminal."""
    return [character for character in text if not (character.isprintable() or character in "\n\t")]
