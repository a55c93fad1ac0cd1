"""Homes for the tests of the whole program."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.faults.program import TEXTS, answers


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three short documents."""
    folder = tmp_path_factory.mktemp("papers")
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, papers: Path) -> Path:
    """A home that has the papers and the handbook, an answer in its cache and an index; not to be changed."""
    program = Program(tmp_path_factory.mktemp("prepared"))
    added = program("docs", "add", papers)
    assert (added.returncode, added.stderr) == (0, "")
    answers(program)
    return program.home


@pytest.fixture
def program(prepared: Path, tmp_path: Path) -> Program:
    """The program with a copy of the prepared home."""
    shutil.copytree(prepared, tmp_path / "home")
    return Program(tmp_path / "home")


@pytest.fixture
def shared(prepared: Path) -> Program:
    """The program with the prepared home itself, for what changes nothing in the library."""
    return Program(prepared)


@pytest.fixture
def empty(tmp_path: Path) -> Program:
    """The program with a home that does not exist yet."""
    return Program(tmp_path / "new home")
