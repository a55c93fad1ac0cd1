"""`memory`, and the same line by line: what models are to know, exported and erased with the account."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.adapters.language_models.serving import saying, served
from tests.cli.conftest import CHURN, Program


def test_facts_are_added_listed_and_removed(program: Program) -> None:
    assert program("memory", "add", "I work in Bergen").stdout == "remembered as number 1\n"
    program("memory", "add", "Prices are in kroner")
    assert json.loads(program("memory", "list", "--json").stdout) == {
        "facts": ["I work in Bergen", "Prices are in kroner"]
    }
    assert program("memory", "remove", "bergen").stdout == "forgotten: I work in Bergen\n"
    assert program("memory", "list").stdout == "  1  Prices are in kroner\n"
    assert program("memory", "remove", "7").returncode != 0


def test_facts_are_kept_line_by_line_and_reach_the_model_as_data(program: Program) -> None:
    pytest.importorskip("pydantic_ai", reason="the extra models is not installed")
    typed = f"/remember Churn means customers who left\n/memory\n{CHURN}\n/forget 1\n{CHURN}\n/quit\n"
    with served(saying("Churn fell to 4.2 percent in 2019 [1].")) as (url, came):
        program("models", "use", "openai:scripted", "--url", url)
        said = program("--plain", stdin=typed.encode())
    assert "Remembered as number 1." in said.stdout
    assert "Forgotten: Churn means customers who left" in said.stdout
    first, second = (json.dumps(one.request["messages"]) for one in came)
    assert "<facts>\\n- Churn means customers who left\\n</facts>" in first
    assert "<facts>" not in second


def test_what_is_recalled_of_a_conversation_is_shown_and_reaches_the_model(program: Program) -> None:
    pytest.importorskip("pydantic_ai", reason="the extra models is not installed")
    with served(saying("Churn fell to 4.2 percent in 2019 [1].")) as (url, came):
        program("models", "use", "openai:scripted", "--url", url)
        program("ask", CHURN)
        program("ask", "--continue", "and in 2020?")
    assert "Assistant: Churn fell to 4.2 percent in 2019.\\n</conversation>" in json.dumps(came[1].request["messages"])
    shown = program("memory", "show")
    assert "In their words: the latest 2 turns" in shown.stdout
    told = json.loads(program("memory", "show", "last", "--json").stdout)
    talk = told["conversation"]
    assert (told["facts"], talk["summary"], talk["turns"], talk["left_out"]) == ([], None, 2, 0)
    assert 0 < talk["tokens"] < talk["budget"] == 600
    assert f"about {talk['tokens']} of 600 tokens" in shown.stdout
    assert program("conversations", "delete", "last", "--yes").returncode == 0
    assert program("memory", "show", talk["id"]).returncode != 0


def test_facts_are_in_the_export_of_the_account(program: Program, tmp_path: Path) -> None:
    program("memory", "add", "I work in Bergen")
    done = program("account", "export", tmp_path / "mine.zip")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        profile = json.loads(archive.read("profile.json"))
    assert "I work in Bergen" in json.dumps(profile)
