"""The chat line by line: in a terminal, in a simple one, and on a pipe."""

import asyncio
import os
import re
import shutil
import signal
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest

from multidb_chat.bootstrap import Application
from multidb_chat.cli.console import Console
from multidb_chat.cli.looping import running_loop
from multidb_chat.cli.plain import _IN_THE_SHELL
from multidb_chat.cli.plain_commands import RUN
from multidb_chat.tui.commands import COMMANDS
from tests.cli.conftest import CHURN, Program, unsafe

pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
if not hasattr(pexpect, "spawn"):
    pytest.skip("there are no pseudo-terminals here", allow_module_level=True)

ANSWER = "Churn fell to 4.2 percent in 2019"
ESCAPES = re.compile(r"\x1b[^m]*?[A-Za-ln-z]|\x08|\r(?!\n)")  # what is no colour: cursors, modes, erasing


def test_the_table_and_the_functions_name_the_same_commands() -> None:
    assert set(RUN) == {command.name for command in COMMANDS if command.plain}


def talk(shared: Program, *arguments: str, **environment: str) -> Any:
    """Start the chat in a terminal."""
    command, *rest = shared.line(*arguments)
    variables = shared.environ(**({"TERM": "xterm-256color", "NO_COLOR": "1"} | environment))
    return pexpect.spawn(command, rest, env=variables, encoding="utf-8", timeout=60, echo=False)


def test_a_conversation_line_by_line(shared: Program) -> None:
    child = talk(shared, "--plain")
    heard = []

    def hear(text: str) -> None:
        child.expect_exact(text)
        heard.append(child.before + child.after)

    hear("/help lists the commands")
    hear("> ")
    for line, expected in (
        ("/why", "there is no answer yet"),
        (CHURN, ANSWER),
        ("/why", "Cache: not answered from the cache"),
        ("/open 1", ">>> Churn fell"),
        ("/sources", "[1] Annual report 2019"),
        ("/rate + Fine.", "Thank you"),
        ("/my-feedback", "good answer"),
        ("/retry", ANSWER),
        ("/copy", "/copy is of the app alone; /help lists"),
        ("/add notes.md", "/add is of the app alone; in the shell: multidb-chat docs add PATH"),
        ("/dosc", "Did you mean /docs?"),
        ("/docs", "report.md"),
        ("???", "The question is empty"),
        ("/new", "begins a new conversation"),
        ("/help", "Ctrl-D leaves"),
    ):
        child.sendline(line)
        hear(expected)
        hear("> ")
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    text = "".join(heard)
    assert not ESCAPES.search(text), ESCAPES.search(text)
    assert not re.search("[\u2500-\u259f\u2800-\u28ff]", text)  # boxes, blocks, spinners


def test_a_simple_terminal_gets_the_chat_line_by_line(shared: Program) -> None:
    child = talk(shared, TERM="dumb")
    child.expect_exact("line by line")
    child.sendline("quit")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_ctrl_c_at_the_prompt_drops_the_line_and_goes_on(shared: Program) -> None:
    child = talk(shared, "--plain")
    child.setecho(True)  # so that what the line editor has read is seen
    child.expect_exact("> ")
    child.send("half a question")
    child.expect_exact("half a question")  # what is not read yet is lost, and the line editor waits for another key
    child.sendintr()
    child.expect_exact("> ")
    child.sendline(CHURN)
    child.expect_exact(ANSWER)
    child.expect_exact("> ")
    child.sendline("/quit")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_on_a_pipe_each_line_is_a_question(shared: Program) -> None:
    done = shared("--plain", stdin=f"{CHURN}\n\n/why\nand in 2011?\n".encode())
    assert done.returncode == 0
    assert done.stdout.startswith(f"{ANSWER}, the lowest figure since 2011. [1]\n")
    assert "Asked: " in done.stdout
    assert "[1] Annual report 2019" in done.stderr
    assert not unsafe(done.stdout + done.stderr)


def test_a_question_can_name_its_document_here_too(shared: Program) -> None:
    done = shared("--plain", stdin=f"@report.md {CHURN}\n@none.md {CHURN}\n".encode())
    assert done.stdout.startswith(ANSWER)
    assert 'note: There is no document "none.md"' in done.stderr


def test_a_command_is_not_run_line_by_line(shared: Program) -> None:
    done = shared("--plain", "docs", "list")
    assert done.returncode == 2
    assert "--plain" in done.stderr


def test_ctrl_c_stops_an_answer_and_the_chat_goes_on() -> None:
    from multidb_chat.cli import plain

    out = StringIO()
    chat = plain.PlainChat(Console(out, out, {}), cast("Application", None))
    stopped: list[str] = []

    async def endless() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append("in order")
            raise

    with running_loop() as loop:
        plain._until_stopped(chat, loop, endless())
        plain._until_stopped(chat, loop, chat.take("/help"))
    assert stopped == ["in order"]
    assert "Stopped." in out.getvalue()
    assert "Ctrl-D leaves" in out.getvalue()


def test_background_work_is_done_and_told_line_by_line(prepared: Path, tmp_path: Path) -> None:
    home = Program(tmp_path / "home")
    shutil.copytree(prepared, home.home)
    child = talk(home, "--plain")
    for line, expected in (
        ("/research churn", "register"),
        ("/tasks", "no background tasks"),
        ("/notifications", "inbox is empty"),
        ("/notifications clear", "0 cleared"),
    ):
        child.expect_exact("> ")
        child.sendline(line)
        child.expect_exact(expected)
    child.sendline("/quit")
    child.expect(pexpect.EOF)


def test_conversations_are_kept_in_order_line_by_line(prepared: Path, tmp_path: Path) -> None:
    home = Program(tmp_path / "home")
    shutil.copytree(prepared, home.home)
    file = tmp_path / "talk.md"
    lines = (
        "/rename Early", CHURN, "/rename Churn, for the board", f"/export {file}", "/fork", "/new",
        "/conversations board", "/conversations", "/conversations zebra", "/resume 2", "/retry", "/resume nonsense",
        "/rename",
    )  # fmt: skip
    done = home("--plain", stdin="\n".join(lines).encode())
    said = done.stdout
    assert "error: there is no conversation here yet; ask something first" in done.stderr
    assert "This conversation is called Churn, for the board now." in said
    assert ANSWER in file.read_text(encoding="utf-8")
    assert "This is the copy; /conversations lists both." in said
    assert "1: Churn, for the board" in said
    assert "2: Churn, for the board" in said
    assert "No conversation has all of these words." in said
    resumed = said.partition("No conversation has all of these words.")[2]
    assert f"(1 question)\n> {CHURN}\n{ANSWER}" in resumed
    assert resumed.count(ANSWER) == 2  # it was said again, and asked again
    assert "nonsense" in done.stderr
    assert "say how it is to be called" in done.stderr
    assert not unsafe(done.stdout + done.stderr)


def test_what_it_names_in_the_shell_is_there(shared: Program) -> None:
    for command, shell in _IN_THE_SHELL.items():
        assert any(one.name == command and not one.plain for one in COMMANDS), command
        assert shared(*(word for word in shell.split() if word.islower()), "--help").returncode == 0, shell
