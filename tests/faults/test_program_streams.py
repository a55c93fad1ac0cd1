"""Terminals and streams on their bad days: closed, full, narrow, without colours, without anybody who reads."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pexpect
import pytest

from tests.cli.conftest import Program, unsafe
from tests.faults.program import LIGHTHOUSE, PAINTER, error_line

SGR = re.compile(r"\x1b\[[0-9;]*m")
FULL = Path("/dev/full")


def shell(program: Program, line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell, in which `chat` is the program, with `pipefail`."""
    command = f'set -o pipefail; chat() {{ {" ".join(program.line())} "$@"; }}; {line}'
    done = subprocess.run(
        ["bash", "-c", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=program.environ(**environ),
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert "Exception ignored" not in done.stderr
    return done


def screen(program: Program, width: int, *arguments: str | Path, **environ: str) -> tuple[int, str]:
    """Run the program on a terminal of this width; return the exit code and all that was written."""
    command, *rest = program.line(*arguments)
    environment = program.environ(**environ)
    running = pexpect.spawn(command, rest, env=environment, encoding="utf-8", dimensions=(24, width), timeout=60)
    text = running.read().replace("\r\n", "\n")
    running.close()
    return running.exitstatus, text


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A home with many documents, more of them than a pipe holds."""
    folder = tmp_path_factory.mktemp("crowd")
    lines = (
        json.dumps({"id": f"{'a rather long name ' * 20}{n}", "text": f"Lake {n} is {n + 3} metres deep."})
        for n in range(200)
    )
    (folder / "lakes.jsonl").write_text("\n".join(lines))
    program = Program(tmp_path_factory.mktemp("crowded"))
    assert program("docs", "add", folder).returncode == 0
    return program


@pytest.mark.parametrize(
    "line",
    [
        "docs list",
        "docs list --json",
        "docs search lake --limit 300",
        "ask 'How deep is lake 7?'",
        "--help",
    ],
)
def test_a_reader_that_takes_one_line_ends_the_program_quietly(crowded: Program, line: str) -> None:
    done = shell(crowded, f"chat {line} | head -1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert "error" not in done.stderr


def test_nobody_who_reads_at_all_is_no_error(crowded: Program) -> None:
    for line in ("docs list", "ask 'How deep is lake 7?' 2>&1"):
        done = shell(crowded, f"chat {line} | true")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    "line",
    ["docs list", "docs search otter --json", "docs export otters.md", "--help"],
)
def test_an_output_that_is_full_is_one_line(shared: Program, line: str) -> None:
    done = shell(shared, f"chat {line} > {FULL}")
    assert done.returncode == 1
    assert "standard output cannot be written to: No space left on device" in error_line(done)


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
def test_an_answer_that_cannot_be_written_is_not_called_one(shared: Program) -> None:
    done = shell(shared, f"chat ask '{LIGHTHOUSE}' > {FULL}")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr.splitlines()[-1]
    assert shell(shared, f"chat ask '{LIGHTHOUSE}' 2> {FULL}").stdout.strip().startswith("Mats Berg")
    assert shell(shared, f"chat ask '{LIGHTHOUSE}' > {FULL} 2> {FULL}").returncode == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_no_reason_to_fail(program: Program, closed: str, papers: Path) -> None:
    for line in (f"ask '{LIGHTHOUSE}'", "docs list", f"docs add {papers}", "docs search otter"):
        done = shell(program, f"chat {line} {closed}")
        assert done.returncode == 0, (line, done.stderr)
        assert bool(done.stdout) is (closed == "<&-")


def test_closed_standard_input_is_no_question_and_no_document(shared: Program) -> None:
    done = shell(shared, "chat ask <&-")
    assert done.returncode == 2
    error_line(done)
    done = shell(shared, "chat docs add - --name notes.txt <&-")
    assert done.returncode == 1
    assert "not read: notes.txt: empty" in done.stderr


def test_on_a_pipe_there_are_no_colours_and_no_controls(shared: Program) -> None:
    for line in (f"ask '{LIGHTHOUSE}'", "docs list", "docs search otter", "--help"):
        done = shell(shared, f"chat {line}", TERM="xterm-256color", FORCE_COLOR="1", CLICOLOR_FORCE="1")
        assert done.returncode == 0
        assert not unsafe(done.stdout + done.stderr)


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}, {"TERM": "unheard-of"}])
def test_terminals_without_colours_or_without_a_name_are_served(shared: Program, environ: dict[str, str]) -> None:
    for arguments in (("ask", LIGHTHOUSE), ("docs", "list")):
        code, text = screen(shared, 80, *arguments, **environ)
        assert code == 0
        plain = text if environ != {"TERM": "unheard-of"} else SGR.sub("", text)
        assert not unsafe(plain)
        assert PAINTER in text or "lighthouse.txt" in text


@pytest.mark.parametrize("width", [20, 1])
def test_a_narrow_terminal_gets_everything(program: Program, width: int, tmp_path: Path) -> None:
    code, text = screen(program, width, "ask", LIGHTHOUSE)
    assert code == 0
    assert PAINTER in SGR.sub("", text)
    assert not unsafe(SGR.sub("", text))
    (tmp_path / "a rather long name of a file.txt").write_text("The quarry is closed on Sundays.")
    code, text = screen(program, width, "docs", "add", tmp_path / "a rather long name of a file.txt")
    assert code == 0, text
    assert "1 added" in text
    code, text = screen(program, width, "docs", "list")
    assert code == 0
    assert "otters.md" in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_app_that_is_asked_to_end_gives_the_terminal_back(shared: Program, number: signal.Signals) -> None:
    command, *rest = shared.line()
    running = pexpect.spawn(command, rest, env=shared.environ(), encoding="utf-8", dimensions=(24, 80), timeout=60)
    running.expect_exact("\x1b[?1049h")  # the other screen
    running.expect("multidb")
    running.kill(number)
    running.expect_exact("\x1b[?1049l")
    running.expect(pexpect.EOF)
    running.close()
    assert running.signalstatus is None


def test_without_any_terminal_there_is_no_app_and_no_question(shared: Program) -> None:
    done = shell(shared, "chat")
    assert done.returncode == 2
    assert "terminal" in error_line(done)
    done = shell(shared, "chat docs remove otters.md")
    assert done.returncode == 4
    assert "--yes" in error_line(done)
    assert "otters.md" in shared.inside("docs", "list").stdout


@pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
def test_any_encoding_of_the_streams_is_served(shared: Program, encoding: str) -> None:
    line = " ".join(shared.line("ask", f"'{LIGHTHOUSE}'"))
    environ = shared.environ(PYTHONIOENCODING=encoding, LC_ALL="C")
    done = subprocess.run(["bash", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, env=environ)
    assert done.returncode == 0
    assert PAINTER in done.stdout.decode(encoding)
    assert os.linesep in done.stderr.decode(encoding)
