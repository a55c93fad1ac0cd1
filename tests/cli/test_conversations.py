"""`multidb-chat conversations` through the program itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import CHURN, Program, unsafe


@pytest.fixture
def talked(program: Program) -> Program:
    """The program with one more conversation, of two questions."""
    for arguments in ((CHURN,), ("Who wrote the report?", "--continue")):
        assert program.inside("ask", *arguments).returncode == 0
    return program


def listed(program: Program, *arguments: str) -> list[dict[str, Any]]:
    done = program.inside("conversations", "list", "--json", *arguments)
    return json.loads(done.stdout)["conversations"]


def test_conversations_are_listed_with_the_last_one_first(talked: Program) -> None:
    last, first = listed(talked)
    assert (last["title"], first["title"]) == ("Churn in 2019", "How to add my own documents")
    assert (last["archived"], last["unread"], last["forked_from"], last["deleted_at"]) == (False, True, None, None)
    done = talked.inside("conversations", "list")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{last['id'][:13]}  ●  ")
    assert lines[0].endswith("  Churn in 2019")
    assert done.stderr == "2 conversations\n"
    assert len(listed(talked, "--limit", "1")) == 1


def test_words_are_found_in_questions_and_answers(talked: Program) -> None:
    (found,) = listed(talked, "--search", "LINDQVIST chur")
    assert found["title"] == "Churn in 2019"
    assert "Lindqvist" in found["excerpt"]
    done = talked.inside("conversations", "list", "-s", "lindqv")
    assert done.stdout.splitlines()[1].strip().startswith("The report was written by Ada Lindqvist.")
    nothing = talked.inside("conversations", "list", "--search", "zeppelin")
    assert (nothing.returncode, nothing.stdout) == (3, "")
    assert nothing.stderr == "No conversation has all of these words.\n"


def test_what_was_said_is_shown_with_its_sources(talked: Program) -> None:
    shown = talked.inside("conversations", "show", "last").stdout
    assert (
        shown.index("> What was churn in 2019?") < shown.index("4.2 percent") < shown.index("> Who wrote the report?")
    )
    assert "[1] Annual report 2019, Customers" in shown
    record = json.loads(talked.inside("conversations", "show", "last", "--json").stdout)
    assert [message["role"] for message in record["messages"]] == ["user", "assistant"] * 2
    answer = record["messages"][1]["answer"]
    assert answer["citations"][0]["document_name"] == "report.md"
    assert (answer["conversation_id"], answer["message_id"]) == (record["id"], record["messages"][1]["id"])


def test_a_conversation_is_renamed_put_away_and_taken_out(talked: Program) -> None:
    done = talked.inside("conversations", "rename", "last", "For the \x1b[31mboard")
    assert done.stdout.startswith("renamed For the board  ")
    key = listed(talked)[0]["id"]
    assert talked.inside("conversations", "archive", key[:13]).stdout.startswith("archived For the board")
    assert [one["title"] for one in listed(talked, "--archived")] == ["For the board"]
    assert [one["title"] for one in listed(talked)] == ["How to add my own documents"]
    assert listed(talked, "--search", "churn") == []
    assert [one["id"] for one in listed(talked, "--search", "churn", "--archived")] == [key]
    assert talked.inside("conversations", "unarchive", key).returncode == 0
    assert len(listed(talked)) == 2
    assert talked.inside("conversations", "rename", key, " \u200b").returncode == 6


def test_a_deleted_conversation_is_nowhere_until_it_is_brought_back(talked: Program) -> None:
    key = listed(talked)[0]["id"]
    refused = talked.inside("conversations", "delete", "last")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert 'Delete "Churn in 2019"?' in refused.stderr
    done = talked.inside("conversations", "delete", "last", "--yes")
    assert done.stdout == f"deleted Churn in 2019  {key}\n"
    assert done.stderr == f"Take it back: multidb-chat conversations undelete {key}\n"
    assert [one["title"] for one in listed(talked)] == ["How to add my own documents"]
    for arguments in (("show", key), ("export", key), ("fork", key), ("rename", key, "Mine"), ("archive", key)):
        assert talked.inside("conversations", *arguments).returncode == 6
    assert talked.inside("ask", CHURN, "--conversation", key).returncode == 6
    assert [one["id"] for one in listed(talked, "--deleted")] == [key]
    assert talked.inside("conversations", "undelete", "last").stdout == f"brought back Churn in 2019  {key}\n"
    assert listed(talked)[0]["id"] == key
    assert talked.inside("conversations", "undelete", key).returncode == 6


def test_a_fork_goes_its_own_way(talked: Program) -> None:
    shown = json.loads(talked.inside("conversations", "show", "last", "--json").stdout)
    at = shown["messages"][1]["id"]
    (made,) = json.loads(talked.inside("conversations", "fork", "last", "--at", at, "--json").stdout)["conversations"]
    assert (made["title"], made["forked_from"]) == ("Churn in 2019 (fork)", shown["id"])
    assert talked.inside("ask", "And in 2020?", "--conversation", made["id"][:-2]).returncode == 0
    record = json.loads(talked.inside("conversations", "show", made["id"], "--json").stdout)
    assert [message["body"] for message in record["messages"]][::2] == [CHURN, "And in 2020?"]
    assert "5.1 percent" in record["messages"][3]["body"]
    assert talked.inside("conversations", "fork", "last", "--at", "gone").returncode == 6


def test_an_export_is_a_whole_file_with_a_harmless_name(talked: Program, tmp_path: Path) -> None:
    talked.inside("conversations", "rename", "last", "../../evil\x1b[31m")
    printed = talked("conversations", "export", "last").stdout
    assert printed.startswith("# ../../evil\n")
    assert "- [1] Annual report 2019 (" in printed
    assert not unsafe(printed)
    folder = tmp_path / "out"
    folder.mkdir()
    assert talked.inside("conversations", "export", "last", "-o", folder, "--format", "json").returncode == 0
    (file,) = folder.iterdir()
    assert file.name == "evil.json"
    assert json.loads(file.read_text())["messages"][1]["answer"]["found"] is True
    assert talked.inside("conversations", "export", "last", "--format", "pdf").returncode == 2
    assert talked.inside("conversations", "export", "last", "-o", tmp_path / "no" / "x.md").returncode == 6


def test_without_conversations_it_is_said_how_to_begin_one(empty: Program) -> None:
    done = empty.inside("conversations", "list")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("There are no conversations here yet.")
    for arguments in (("show", "last"), ("show", "zzz"), ("delete", "last", "--yes"), ("undelete", "last")):
        done = empty.inside("conversations", *arguments)
        assert (done.returncode, done.stdout) == (6, "")
        assert done.stderr.count("\n") == 1
