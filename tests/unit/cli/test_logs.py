"""Logs go where they belong."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from multidb_chat.cli.console import Console
from multidb_chat.cli.logs import LARGEST, LogFile
from multidb_chat.cli.main import run


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
