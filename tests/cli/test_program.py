"""The program as a whole: exit codes, streams, settings, start-up, and the days on which something is missing."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from multidb_chat import __version__
from multidb_chat.cli.console import EXPLAINED, Exit, OutputFailed, exit_of
from multidb_chat.cli.reference import command_line_page
from multidb_chat.domain import errors
from tests.cli.conftest import CHURN, Program, unsafe

ROOT = Path(__file__).parents[2]
HEAVY = ("textual", "rich", "pydantic", "numpy", "onnxruntime", "tokenizers", "usearch", "lxml", "semchunk", "asyncio")
# Groups of commands, and what logging in, background work, reading files and figures need.
NOT_ASKED_FOR = (
    "multidb_chat.cli.docs",
    "multidb_chat.cli.tasks",
    "multidb_chat.cli.admin",
    "multidb_chat.domain.keys",
    "multidb_chat.domain.reading",
    "multidb_chat.domain.signing_in",
    "multidb_chat.domain.tasks",
    "multidb_chat.services.audit",
    "multidb_chat.services.authentication",
    "multidb_chat.services.chunking",
    "multidb_chat.services.erasure",
    "multidb_chat.services.ingestion",
    "multidb_chat.services.retention",
    "statistics",
    "email",
    "zoneinfo",
    "secrets",
    "bcrypt",
    "jwt",
)


def test_help_loads_nothing_heavy() -> None:
    code = f"""
import sys
from multidb_chat.cli.console import standard_console
from multidb_chat.cli.main import run
code = run(["--help"], standard_console())
print("loaded", [name for name in {(*HEAVY, *NOT_ASKED_FOR, "sqlite3")!r} if name in sys.modules], code)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded [] 0"


def test_a_cached_answer_loads_what_it_uses_alone(program: Program) -> None:
    code = f"""
import sys
from multidb_chat.cli.console import standard_console
from multidb_chat.cli.main import run
run(["ask", {CHURN!r}], standard_console())
print("loaded", [name for name in {(*HEAVY[:-1], *NOT_ASKED_FOR)!r} if name in sys.modules])
"""
    assert program("ask", CHURN).returncode == 0
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=program.environ())
    assert done.stdout.splitlines()[-1] == "loaded []"


def test_every_command_explains_itself_with_an_example(empty: Program) -> None:
    page = command_line_page()
    commands = re.findall(r"^## `multidb-chat ?(.*)`$", page, re.MULTILINE)
    assert len(commands) > 18
    leaves = [name for name in commands if not any(other.startswith(f"{name} ") for other in commands)]
    sections = re.split(r"^## `multidb-chat ?(.*)`$", page, flags=re.MULTILINE)
    by_name = dict(zip(sections[1::2], sections[2::2], strict=True))
    assert all("Example: " in by_name[name] for name in leaves)
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page
    done = empty("docs", "add", "-h")
    assert done.returncode == 0
    assert "Usage: multidb-chat docs add [OPTIONS] PATH..." in done.stdout
    assert not empty.home.exists()


def test_the_version_is_that_of_the_package(empty: Program) -> None:
    assert empty("--version").stdout == f"multidb-chat {__version__}\n"


def test_every_domain_error_has_an_exit_code_of_its_kind() -> None:
    samples = {
        errors.InvalidSetting("x"): Exit.INVALID,
        errors.UnreadableDocument("x", "y"): Exit.INVALID,
        errors.NotFound("x"): Exit.INVALID,
        errors.UnfitPassword("x"): Exit.INVALID,
        errors.Conflict("x"): Exit.INVALID,
        errors.EmbedderMismatch("x"): Exit.INVALID,
        errors.WrongPassword("x"): Exit.REFUSED,
        errors.SecondFactorNeeded("x"): Exit.REFUSED,
        errors.SessionEnded("x"): Exit.REFUSED,
        errors.TooManyAttempts("x", datetime.now(UTC)): Exit.REFUSED,
        errors.QuotaExceeded("x"): Exit.REFUSED,
        errors.StoreUnavailable("cache", "x"): Exit.AWAY,
        errors.StoreFull("cache", "x"): Exit.AWAY,
        errors.StoreCorrupt("cache", "x"): Exit.AWAY,
        errors.SchemaTooNew("cache", "x"): Exit.AWAY,
        errors.ModelUnavailable("x"): Exit.AWAY,
        errors.PromptTooLong("x"): Exit.AWAY,
    }
    assert exit_of(errors.NotPermitted("x")) is exit_of(errors.LogInRefused("x")) is Exit.REFUSED
    assert {type(error) for error in samples} == set(leaves(errors.MultidbChatError))
    assert exit_of(OutputFailed("x")) is Exit.PARTLY
    for error, code in samples.items():
        assert exit_of(error) == code, type(error)
    assert set(EXPLAINED) == set(Exit)


def leaves(kind: type) -> list[type]:
    """Return the classes of the domain below a class that have none below them."""
    below = [one for one in kind.__subclasses__() if one.__module__ == errors.__name__]
    return [leaf for one in below for leaf in leaves(one)] if below else [kind]


def test_an_option_without_its_value_leads_to_the_help_of_its_command(shared: Program) -> None:
    for words in (("admin", "stats", "--watch"), ("docs", "add", "x", "-c"), ("usage", "--days"), ("--set",)):
        refused = shared(*words)
        assert refused.returncode == 2
        path = " ".join(("multidb-chat", *words[:-1])).removesuffix(" x")
        assert refused.stderr.endswith(f"; see {path} --help\n"), refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ask", "-q", CHURN), 0),
        (("docs", "list"), 0),
        (("config", "check"), 0),
        (("docs", "add", "/nowhere/at-all.txt"), 1),
        (("asq",), 2),
        (("ask", "--nonsense"), 2),
        (("docs",), 2),
        (("ask", "--limit", "many", "x"), 2),
        (("ask", "--limit", "101", "x"), 2),
        (("--set", "search.limit", "ask", "x"), 2),
        ((), 2),
        (("ask", "Who composed the opera Fidelio in Vienna?"), 3),
        (("docs", "search", "--kind", "pdf", "x"), 3),
        (("collections", "delete", "documents"), 4),
        (("--set", "plans.enterprise_messages=1", "ask", "And who painted it?"), 4),
        (("--set", "stores.cache=http://localhost", "ask", "x"), 6),
        (("ask", "--model", "gguf:/nowhere/at/all.gguf", "x"), 6),
        (("ask", "--model", "nonsense", "x"), 6),
        (("--set", "search.limit=0", "config", "show"), 6),
        (("--config", "/nowhere/config.toml", "config", "show"), 6),
        (("docs", "show", "nowhere"), 6),
        (("ask", "--conversation", "nowhere", "x"), 6),
    ],
)
def test_the_exit_code_tells_what_happened(shared: Program, arguments: tuple[str, ...], code: int) -> None:
    done = shared.inside(*arguments)
    assert done.returncode == code, done.stderr
    if code in {2, 4, 6}:
        assert done.stdout == ""
        assert done.stderr.startswith("error: ") or code == 4
        assert done.stderr.count("\n") == 1


def test_a_store_that_cannot_be_read_is_away(program: Program) -> None:
    (program.home / "data" / "library.sqlite").write_bytes(b"this is no database" * 1_000)
    done = program("docs", "list")
    assert (done.returncode, done.stdout) == (5, "")
    assert "library.sqlite" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_unexpected_error_is_one_line_and_a_report(program: Program) -> None:
    code = """
import multidb_chat.cli.choosing
async def broken(*_): raise RuntimeError("a \\x1b[31mhostile\\n message")
multidb_chat.cli.choosing.named = broken
import multidb_chat.cli.listing
multidb_chat.cli.listing.named = broken
import sys
sys.argv = ["multidb-chat", "docs", "list"]
from multidb_chat.cli.main import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=program.environ())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: something unexpected happened (RuntimeError: a hostile message)")
    assert done.stderr.count("\n") == 1
    (report,) = (program.home / "logs").glob("crash-*.txt")
    assert str(report) in done.stderr
    assert "RuntimeError: a " in report.read_text(encoding="utf-8")


def test_a_reader_that_goes_away_ends_the_program_quietly(shared: Program) -> None:
    for arguments in (
        ("--help",),
        ("config", "example"),
        ("docs", "list"),
        ("ask", CHURN),
        ("docs", "search", "--json", "churn"),
    ):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            shared.line(*arguments), stdout=write, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            env=shared.environ(),
        )  # fmt: skip
        os.close(write)
        assert done.returncode == 0, arguments
        assert b"Traceback" not in done.stderr
        assert b"BrokenPipe" not in done.stderr
        assert b"Exception ignored" not in done.stderr


def test_a_full_disk_behind_standard_output_is_one_line(shared: Program) -> None:
    for arguments in (("--help",), ("docs", "list"), ("ask", "-q", CHURN), ("docs", "export", "report.md")):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(
                shared.line(*arguments), stdout=full, stderr=subprocess.PIPE, text=True, env=shared.environ()
            )
        assert done.returncode == 1, arguments
        assert done.stderr == "error: standard output cannot be written to: No space left on device\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_reason_to_fail(shared: Program, closed: str) -> None:
    line = f'"$0" -m multidb_chat ask -q "{CHURN}" {closed}'
    done = subprocess.run(["sh", "-c", line, sys.executable], capture_output=True, text=True, env=shared.environ())
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_an_interrupt_is_130_without_a_traceback(program: Program, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")
    process = subprocess.Popen(
        program.line("ask", "What?"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=program.environ(),
    )  # fmt: skip
    assert process.stderr is not None
    assert b"Waiting for standard input to end" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err


def stored(library: Path, folder: Path) -> int:
    """Return how many documents of a folder are in a library, 0 while there is none."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{library}?mode=ro", uri=True)) as connection:
        count: int
        (count,) = connection.execute("SELECT count(*) FROM documents WHERE source LIKE ?", (f"{folder}%",)).fetchone()
        return count
    return 0


def test_an_interrupted_docs_add_is_completed_by_the_next_one(empty: Program, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(60):
        text = f"Page {number} is about the lake with the number {number}. " * 15
        (folder / f"{number:03}.txt").write_text(text, encoding="utf-8")
    process = subprocess.Popen(
        empty.line("docs", "add", folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=empty.environ()
    )
    while not stored(empty.home / "data" / "library.sqlite", folder) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == b""
    assert b"the same command again completes the rest" in err
    assert b"Traceback" not in err
    done = json.loads(empty("docs", "add", "--json", folder).stdout)
    assert done["failed"] == 0
    assert len(json.loads(empty("docs", "list", "--json").stdout)["documents"]) == 60


def test_the_app_needs_a_terminal(shared: Program) -> None:
    done = shared()
    assert (done.returncode, done.stdout) == (2, "")
    assert 'The app needs a terminal; without one, use multidb-chat ask "..."' in done.stderr


def test_completion_is_offered(shared: Program) -> None:
    done = shared(_MULTIDB_CHAT_COMPLETE="complete_bash", COMP_WORDS="multidb-chat do", COMP_CWORD="1")
    assert done.stdout.split() == ["docs"]


def test_an_encoding_without_the_characters_is_no_reason_to_fail(shared: Program) -> None:
    done = shared("docs", "search", "lighthouse …", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert not unsafe(done.stdout)
