"""`analyze`, `research`, `tasks` and `notifications`."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import HOSTILE, Program, unsafe


def tasks(program: Program, *arguments: str) -> list[dict[str, Any]]:
    return json.loads(program.inside("tasks", "list", "--json", *arguments).stdout)["tasks"]


def letters(program: Program, *arguments: str) -> list[dict[str, Any]]:
    return json.loads(program.inside("notifications", "list", "--json", *arguments).stdout)["notifications"]


def test_without_tasks_lists_are_empty_and_say_what_to_do(empty: Program) -> None:
    for command, words in ((("tasks", "list"), "multidb-chat research"), (("notifications", "list"), "empty")):
        done = empty.inside(*command)
        assert (done.returncode, done.stdout) == (0, "")
        assert words in done.stderr
    assert tasks(empty) == []
    assert letters(empty) == []


def test_a_research_prints_its_report_and_is_in_the_inbox_as_read(program: Program) -> None:
    done = program.inside("research", "churn in 2019")
    assert done.returncode == 0
    assert done.stdout.startswith("# Research: churn in 2019")
    assert "Churn fell to 4.2 percent in 2019" in done.stdout
    assert "## Sources" in done.stdout
    (task,) = tasks(program)
    assert (task["kind"], task["state"], task["about"]) == ("research", "done", "churn in 2019")
    (letter,) = letters(program)
    assert (letter["task"], letter["read"], letter["failed"]) == (task["id"], True, False)


def test_a_report_comes_as_json_and_goes_to_a_file(program: Program, tmp_path: Path) -> None:
    made = json.loads(program.inside("research", "churn in 2019", "--json").stdout)
    assert made["state"] == "done"
    assert made["report"]["found"]
    cited = made["report"]["citations"][0]
    assert cited["number"] == 1
    assert cited["snippet"]
    target = tmp_path / "report.md"
    done = program.inside("tasks", "show", made["id"][-8:], "--output", target)
    assert (done.returncode, done.stdout) == (0, "")
    assert target.read_text() == made["report"]["markdown"]
    refused = program.inside("tasks", "show", made["id"], "--output", tmp_path)
    assert refused.returncode == 6
    assert "cannot be written" in refused.stderr


def test_a_research_of_an_unknown_topic_finds_nothing(program: Program) -> None:
    done = program.inside("research", "quantum chromodynamics")
    assert (done.returncode, done.stdout) == (3, "")
    assert "What the documents do not say" in done.stderr


def test_a_saved_research_can_be_searched(program: Program) -> None:
    assert program.inside("research", "churn in 2019", "--save", "reports").returncode == 0
    found = json.loads(program.inside("docs", "list", "--collection", "reports", "--json").stdout)["documents"]
    assert [one["title"] for one in found] == ["Research: churn in 2019"]


def test_an_analysis_counts_the_documents(program: Program) -> None:
    made = json.loads(program.inside("analyze", "churn", "--json").stdout)
    figures = made["report"]["data"]
    assert figures["focus"] == ["churn"]
    assert figures["documents"] == len(json.loads(program.inside("docs", "list", "--json").stdout)["documents"])
    done = program.inside("analyze")
    assert done.returncode == 0
    assert "## Most frequent terms" in done.stdout
    assert not unsafe(done.stdout)


def test_an_analysis_of_nothing_finds_nothing(empty: Program) -> None:
    done = empty.inside("analyze")
    assert (done.returncode, done.stdout) == (3, "")
    assert "multidb-chat docs add" in done.stderr


def test_a_queued_task_is_done_by_whoever_works(program: Program) -> None:
    done = program.inside("research", "churn in 2019", "--background")
    assert done.stdout.startswith("queued ")
    assert "tasks work" in done.stderr
    (task,) = tasks(program, "--state", "queued")
    assert program.inside("tasks", "work", "--until-empty").returncode == 0
    assert tasks(program, "--state", "queued") == []
    (letter,) = letters(program, "--unread", "--keep")
    assert letter["task"] == task["id"]
    assert program.inside("notifications", "list").stdout.startswith("* ")
    assert letters(program, "--unread") == []
    assert json.loads(program.inside("notifications", "clear", "--json").stdout) == {"cleared": 1}
    assert letters(program) == []
    assert [one["id"] for one in tasks(program)] == [task["id"]]


def test_an_inbox_with_unread_lines_is_cleared_only_when_that_is_meant(program: Program) -> None:
    program.inside("research", "churn", "--background")
    program.inside("tasks", "work", "--until-empty")
    refused = program.inside("notifications", "clear")
    assert refused.returncode == 4
    assert "--yes" in refused.stderr
    assert program.inside("notifications", "clear", "--yes").stdout == "1 cleared\n"


def test_waiting_does_the_work_where_nobody_else_does(program: Program) -> None:
    key = json.loads(program.inside("research", "churn in 2019", "--background", "--json").stdout)["id"]
    done = program.inside("tasks", "wait", key[-8:])
    assert done.returncode == 0
    assert done.stdout.startswith("# Research: churn in 2019")


def test_a_cancelled_task_is_not_done_until_it_is_retried(program: Program) -> None:
    key = json.loads(program.inside("research", "churn in 2019", "--background", "--json").stdout)["id"]
    assert program.inside("tasks", "cancel", key).stdout == f"cancelled {key[-8:]}\n"
    again = program.inside("tasks", "cancel", key)
    assert again.returncode == 6
    assert "ended already" in again.stderr
    waited = program.inside("tasks", "wait", key)
    assert (waited.returncode, waited.stdout) == (1, "")
    assert program.inside("tasks", "retry", key).stdout == f"queued {key[-8:]}\n"
    assert program.inside("tasks", "wait", key).returncode == 0


def test_a_failed_task_exits_with_1_and_says_why(program: Program) -> None:
    program.inside("collections", "create", "gone")
    key = json.loads(program.inside("research", "churn", "--collection", "gone", "--background", "--json").stdout)["id"]
    program.inside("collections", "delete", "gone", "--yes")
    done = program.inside("tasks", "wait", key)
    assert (done.returncode, done.stdout) == (1, "")
    assert "failed" in done.stderr
    shown = program.inside("tasks", "show", key)
    assert shown.returncode == 0
    assert "no collection" in shown.stdout
    (letter,) = letters(program)
    assert letter["failed"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("research", "?!"), 2),
        (("research", "churn", "--collection", "nowhere"), 6),
        (("tasks", "list", "--state", "asleep"), 2),
        (("tasks", "show", "nowhere"), 6),
        (("tasks", "cancel", "nowhere"), 6),
        (("tasks", "work", "--lanes", "0"), 2),
    ],
)
def test_what_cannot_be_is_said_in_one_line(program: Program, arguments: tuple[str, ...], code: int) -> None:
    done = program.inside(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_an_interrupted_worker_gives_its_place_up_tidily(program: Program) -> None:
    process = subprocess.Popen(
        program.line("tasks", "work"), env=program.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Working.")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said


def test_hostile_documents_reach_no_terminal(empty: Program, tmp_path: Path) -> None:
    (tmp_path / "ev\x1b[31mil.txt").write_text(HOSTILE * 4, encoding="utf-8")
    empty.inside("docs", "add", tmp_path / "ev\x1b[31mil.txt")
    for command in (("research", "red light\x1b[31mhouse"), ("analyze", "paint\x9b2J"), ("tasks", "list")):
        done = empty.inside(*command)
        assert not unsafe(done.stdout + done.stderr)
