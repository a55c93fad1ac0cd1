"""The program on a terminal: streaming, colours, the progress bar, questions, interrupts. A real one, by pexpect."""

import re
from pathlib import Path

import pexpect
import pytest

from tests.cli.conftest import CHURN, Program, unsafe

SGR = re.compile(r"\x1b\[[0-9;]*m")


def session(program: Program, *arguments: str | Path, **environ: str) -> pexpect.spawn:
    """Start the program on a terminal of 100 columns."""
    command, *rest = program.line(*arguments)
    return pexpect.spawn(
        command, rest, env=program.environ(**environ), encoding="utf-8", dimensions=(30, 100), timeout=60
    )


def screen(program: Program, *arguments: str | Path, **environ: str) -> tuple[int, str]:
    """Run the program on a terminal to its end; return the exit code and all that was written."""
    running = session(program, *arguments, **environ)
    text = running.read().replace("\r\n", "\n")
    running.close()
    assert "Traceback" not in text
    return running.exitstatus, text


def test_an_answer_comes_with_its_sources_and_the_cited_words_marked(shared: Program) -> None:
    code, text = screen(shared, "ask", CHURN)
    assert code == 0
    plain = SGR.sub("", text)
    assert plain.startswith("Churn fell to 4.2 percent in 2019, the lowest figure since 2011. [1]\n\nSources\n")
    assert "\x1b[1;36m[1]\x1b[0m \x1b[1mAnnual report 2019\x1b[0m (report.md), Customers" in text
    marked = "".join(re.findall(r"\x1b\[1;33m(.*?)\x1b\[0m", text)).replace("\n", "")
    assert marked.startswith("Churn fell to 4.2 percent")
    assert "At the end of 2019 the company had 4,210 customers." in " ".join(plain.split())
    assert not unsafe(plain)


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_switched_off(shared: Program, environ: dict[str, str]) -> None:
    code, text = screen(shared, "ask", CHURN, **environ)
    assert code == 0
    assert "\x1b" not in text
    assert "Sources" in text


def test_hostile_text_moves_nothing_on_the_terminal(shared: Program) -> None:
    for arguments in (
        ("ask", "Who paints the lighthouse every third summer?"),
        ("docs", "list"),
        ("docs", "search", "red"),
    ):
        _, text = screen(shared, *arguments)
        assert not unsafe(SGR.sub("", text)), arguments
        assert "\x1b[31mred" not in text
        assert "stolen title" not in text


def test_adding_shows_a_bar_that_goes_away(empty: Program, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    for number in range(12):
        text = f"Lake {number} is {number + 3} metres deep. " * 20
        (folder / f"{number} \x1b[31mred.txt").write_text(text, encoding="utf-8")
    code, text = screen(empty, "docs", "add", folder)
    assert code == 0
    assert re.search(r"\d+ of 12 files", text)
    assert "━" in text
    assert "100%" in text or re.search(r"\d+%", text)
    assert "12 added (12 documents, " in text
    assert "\x1b[31mred" not in text


def test_a_dumb_terminal_gets_no_bar(empty: Program, documents: Path) -> None:
    code, text = screen(empty, "docs", "add", documents, TERM="dumb")
    assert code == 0
    assert "\x1b" not in text
    assert "\r" not in text
    assert text.startswith("3 added (3 documents, ")


def test_quiet_adding_says_nothing(empty: Program, documents: Path) -> None:
    assert screen(empty, "docs", "add", "--quiet", documents) == (0, "")


@pytest.mark.parametrize(("reply", "code", "left"), [("y", 0, False), ("n", 4, True), ("", 4, True), ("\x04", 4, True)])
def test_removing_asks_on_the_terminal(program: Program, reply: str, code: int, left: bool) -> None:
    running = session(program, "docs", "remove", "report.md")
    running.expect_exact("Remove 1 document?")
    running.send(reply) if reply == "\x04" else running.sendline(reply)
    running.read()
    running.close()
    assert running.exitstatus == code
    assert ("report.md" in program("docs", "list").stdout) is left


def test_ctrl_c_while_adding_is_130_and_says_how_to_go_on(empty: Program, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    for number in range(80):
        (folder / f"{number}.txt").write_text(f"Lake {number} is {number} metres deep. " * 25, encoding="utf-8")
    running = session(empty, "docs", "add", folder)
    running.expect(r"\d+ of 80 files")
    running.sendintr()
    text = running.read()
    running.close()
    assert running.exitstatus == 130
    assert "the same command again completes the rest" in text
    assert "Traceback" not in text


def test_ctrl_c_at_a_question_is_130(program: Program) -> None:
    running = session(program, "docs", "remove", "report.md")
    running.expect_exact("Remove 1 document?")
    running.sendintr()
    text = running.read()
    running.close()
    assert running.exitstatus == 130
    assert "Traceback" not in text


def test_a_narrow_terminal_wraps_the_sources(shared: Program) -> None:
    running = session(shared, "ask", CHURN, NO_COLOR="1", COLUMNS="44")
    text = running.read().replace("\r\n", "\n")
    running.close()
    cited = text.partition("Sources\n")[2].splitlines()[1:]
    assert len(cited) > 1
    assert all(len(line) <= 44 for line in cited)
