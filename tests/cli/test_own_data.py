"""Usage, figures, and the rights over one's own data, from the shell."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import CHURN, REPORT, Program

PASSWORD = b"three lighthouses and a ferry at dawn\n"
ADDRESS = "ada-of-4711@example.org"


@pytest.fixture(scope="module")
def adas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Ada's report, and a home in which she is logged in, has added it and asked about it."""
    folder = tmp_path_factory.mktemp("adas")
    program = Program(folder / "home")
    done = program("register", ADDRESS, "--password-stdin", stdin=PASSWORD)
    assert done.returncode == 0, done.stderr
    (folder / "report.md").write_text(REPORT)
    assert program.inside("docs", "add", folder / "report.md").returncode == 0
    assert program.inside("ask", CHURN).returncode == 0
    return folder


@pytest.fixture
def ada(adas: Path, tmp_path: Path) -> Program:
    """The program with a copy of that home; the report lies beside it."""
    shutil.copytree(adas, tmp_path, dirs_exist_ok=True)
    return Program(tmp_path / "home")


def test_usage_tells_what_is_left(ada: Program) -> None:
    told = json.loads(ada.inside("usage", "--json").stdout)
    assert (told["plan"], told["until"]) == ("free", None)
    by_name = {one["resource"]: one for one in told["usage"]}
    assert (by_name["messages"]["used"], by_name["messages"]["left"]) == (1, 999)
    assert (by_name["documents"]["used"], by_name["storage"]["used"]) == (1, len(REPORT))
    assert by_name["storage"]["resets_at"] is None
    shown = ada.inside("usage")
    assert "999 of 1,000 left" in shown.stdout
    assert "A month is a calendar month in UTC" in shown.stderr


def test_little_left_is_told_after_adding_and_with_whoami_and_beyond_it_is_refused(
    ada: Program, tmp_path: Path
) -> None:
    more = tmp_path / "more.txt"
    more.write_text("Some more words.")
    scarce = ("--set", "plans.free_documents=2")
    added = ada.inside(*scarce, "docs", "add", more)
    assert added.returncode == 0
    assert "note: 0 of 2 documents left (free): new documents are refused until 1 " in added.stderr
    assert "0 of 2 documents left (free)" in ada.inside(*scarce, "whoami").stderr
    most = tmp_path / "most.txt"
    most.write_text("Too many words.")
    refused = ada.inside(*scarce, "docs", "add", most, "--json")
    assert refused.returncode == 4
    (failure,) = json.loads(refused.stdout)["failures"]
    assert failure["refused"]
    assert failure["reason"].startswith("All 2 documents a month (free) are used; you can go on from 1 ")
    partly = ada.inside(*scarce, "docs", "add", most, tmp_path / "report.md")
    assert partly.returncode in (1, 4)
    assert f"refused: {most}" in partly.stderr
    asked = ada.inside("--set", "plans.free_messages=1", "ask", CHURN)
    assert asked.returncode == 4
    assert asked.stderr.startswith("error: All 1 messages a month (free) are used; you can go on from 1 ")


def test_stats_tell_the_account_s_own_figures(ada: Program) -> None:
    assert ada.inside("ask", CHURN).returncode == 0
    told = json.loads(ada.inside("stats", "--days", "2", "--json").stdout)
    assert (told["questions"], told["turns"], told["cached"], told["hit_rate"]) == (2, 2, 1, 0.5)
    assert (told["documents"], told["size_bytes"], len(told["days"])) == (1, len(REPORT), 2)
    shown = ada.inside("stats").stdout
    assert "50 % of the answers" in shown
    assert ada("logout").returncode == 0
    assert "nothing answered yet" in ada.inside("stats").stdout


def test_an_export_holds_the_data_and_an_erased_account_leaves_none(ada: Program, tmp_path: Path) -> None:
    target = tmp_path / "data.zip"
    done = ada.inside("account", "export", target)
    assert done.returncode == 0, done.stderr
    assert "1 conversation, 1 document" in done.stdout
    with zipfile.ZipFile(target) as archive:
        texts = [archive.read(name).decode() for name in archive.namelist() if name.startswith("documents/")]
        assert texts == [REPORT]
    again = ada.inside("account", "export", target)
    assert again.returncode == 6
    assert "is there already" in again.stderr
    assert ada.inside("account", "erase").returncode == 4
    assert ADDRESS in ada.inside("whoami").stdout
    erased = ada("account", "erase", "--yes", "--json")
    assert erased.returncode == 0, erased.stderr
    assert json.loads(erased.stdout) == {"conversations": 1, "documents": 1, "tasks": 0}
    assert "local account" in ada.inside("whoami").stdout
    assert ada("login", ADDRESS, "--password-stdin", stdin=PASSWORD).returncode == 4
    for file in ada.home.rglob("*"):
        if file.is_file() and file.suffix != ".zip":
            content = file.read_bytes()
            assert ADDRESS.encode() not in content, file
            assert b"4,210 customers" not in content, file


def test_erasing_announces_as_many_conversations_as_it_erases_deleted_ones_too(ada: Program) -> None:
    assert "with 1 conversation and 1 document." in ada.inside("account", "erase").stderr
    assert ada.inside("conversations", "delete", "last", "--yes").returncode == 0
    assert ada.inside("ask", CHURN).returncode == 0
    announced = ada.inside("account", "erase")
    assert announced.returncode == 4
    assert "with 2 conversations (1 of them deleted) and 1 document." in announced.stderr
    erased = ada.inside("account", "erase", "--yes")
    assert erased.stdout == "erased the account, with 2 conversations and 1 document\n"


def test_the_local_account_exports_and_is_not_erased_alone(empty: Program, tmp_path: Path) -> None:
    assert empty.inside("account", "export", tmp_path / "local.zip").returncode == 0
    refused = empty.inside("account", "erase", "--yes")
    assert refused.returncode == 6
    assert "multidb-chat config path" in refused.stderr
