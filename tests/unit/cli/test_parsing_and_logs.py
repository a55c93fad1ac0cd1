"""Parameters are read without the library Typer would load, and logs go where they belong."""

import logging
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
import typer

from multidb_chat.cli.console import Console
from multidb_chat.cli.logs import LARGEST, LogFile
from multidb_chat.cli.main import run
from multidb_chat.cli.parsing import PlainParameter, quicken


def parsed(arguments: list[str]) -> dict[str, object]:
    """Return what a command with every type of parameter is called with."""
    seen: dict[str, object] = {}
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    def command(
        words: Annotated[list[str] | None, typer.Argument()] = None,
        number: Annotated[int, typer.Option(min=1, max=9)] = 3,
        share: float = 0.5,
        path: Path | None = None,
        flag: bool = False,
        many: list[int] | None = None,
    ) -> None:
        seen.update(locals())

    tree = typer.main.get_command(app)
    quicken(tree)
    tree.main(arguments, prog_name="x", standalone_mode=False)
    seen.pop("seen", None)
    return seen


def test_every_type_is_read_and_defaults_stay() -> None:
    given = ["a", "b", "--number", "7", "--share", "0.25", "--path", "/x", "--flag", "--many", "1", "--many", "2"]
    expected = {"words": ["a", "b"], "number": 7, "share": 0.25, "path": Path("/x"), "flag": True, "many": [1, 2]}
    assert parsed(given) == expected
    assert parsed([]) == {"words": None, "number": 3, "share": 0.5, "path": None, "flag": False, "many": None}


@pytest.mark.parametrize(
    "wrong", [["--number", "x"], ["--number", "0"], ["--number", "10"], ["--share", ""], ["--many", "1.5"], ["--none"]]
)
def test_a_wrong_value_is_a_usage_error(wrong: list[str]) -> None:
    with pytest.raises(typer.BadParameter.__mro__[1]):
        parsed(wrong)


def test_a_bound_that_is_open_on_one_side_is_told_so() -> None:
    with pytest.raises(typer.BadParameter, match="'0' is not at least 1"):
        PlainParameter(int, 1, None)._one("0", None, None)


def test_reading_a_command_line_loads_no_validation_library() -> None:
    code = "import sys; from multidb_chat.cli.main import run; from multidb_chat.cli.console import standard_console; "
    code += "run(['docs', 'search', '--limit', '3', '--since', 'x', 'y'], standard_console()); "
    code += "print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert "--since: 'x' is not a date like 2019-01-31" in done.stderr


def test_a_log_file_appears_with_its_first_line_and_holds_nothing_that_acts(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "a.log"
    handler = LogFile(path)
    assert not path.parent.exists()
    handler.handle(logging.makeLogRecord({"msg": "a \x1b[31mline\nand more", "levelname": "WARNING", "name": "n"}))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith("WARNING n: a line")
    assert lines[1:] == ["    and more"]


def test_a_log_file_begins_anew_when_it_is_large(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("x" * (LARGEST + 1), encoding="utf-8")
    LogFile(path).handle(logging.makeLogRecord({"msg": "next", "levelname": "ERROR", "name": "n"}))
    assert path.read_text(encoding="utf-8").endswith("ERROR n: next\n")
    assert (tmp_path / "a.log.1").stat().st_size == LARGEST + 1


def test_a_log_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way", encoding="utf-8")
    LogFile(tmp_path / "logs" / "a.log").handle(logging.makeLogRecord({"msg": "lost"}))


@pytest.mark.parametrize(("level", "kept"), [("info", {"info", "error"}), ("error", {"error"})])
def test_the_level_decides_what_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str, kept: set[str]
) -> None:
    from multidb_chat.cli import listing

    async def logging_list(*_: object) -> int:
        for name in ("debug", "info", "error"):
            getattr(logging.getLogger("multidb_chat.test"), name)(name)
        return 0

    monkeypatch.setattr(listing, "list_documents", logging_list)
    monkeypatch.setenv("MULTIDB_CHAT_HOME", str(tmp_path))
    root = logging.getLogger()
    before, was = list(root.handlers), root.level
    with (tmp_path / "out").open("w", encoding="utf-8") as out:
        assert run(["--set", f"log.level={level}", "docs", "list"], Console(out, out, {})) == 0
    root.handlers[:] = before
    root.setLevel(was)
    logging.captureWarnings(False)
    logged = [line for line in (tmp_path / "logs" / "multidb-chat.log").read_text().splitlines() if "chat.test" in line]
    assert {line.rpartition(" ")[2] for line in logged} == kept
