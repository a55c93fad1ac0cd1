"""`feedback`: rating the last answer, telling something, and listing both."""

import json

from tests.cli.conftest import Program


def test_feedback_is_given_once_for_an_answer_and_listed(empty: Program) -> None:
    nothing = empty("feedback", "list")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "You gave no feedback yet" in nothing.stderr
    too_early = empty("feedback", "give", "--good")
    assert too_early.returncode == 6
    assert "There is no answer yet to rate" in too_early.stderr
    assert empty("ask", "-q", "How do I add my own documents?").returncode == 0
    assert "noted as feedback on a good answer" in empty("feedback", "give", "--good").stdout
    assert empty("feedback", "give", "--bad", "It was \x1b[31mshort.").returncode == 0
    given = json.loads(empty("feedback", "give", "More themes!", "--json").stdout)
    assert (given["rating"], given["comment"], given["message_id"]) == (0, "More themes!", None)
    listed = empty("feedback", "list").stdout.splitlines()
    assert [line[18:] for line in listed] == ["the program  More themes!", "bad answer   It was short."]
    rated = json.loads(empty("feedback", "list", "--json", "-n", "2").stdout)["feedback"][1]
    assert rated["rating"] == -1
    again = empty("feedback", "give", "--good", "--conversation", rated["conversation_id"])
    assert again.returncode == 0
    assert empty("feedback", "give", "--good", "--conversation", "nobodys").returncode == 6


def test_a_call_that_says_nothing_is_refused(empty: Program) -> None:
    for arguments in ((), ("--good", "--bad"), ("--conversation", "c", "x")):
        assert empty("feedback", "give", *arguments).returncode == 2
    assert empty("feedback", "give", " ").returncode == 6
