"""`ask`: what goes to which stream, where the question and the documents come from, and the exit codes."""

import json
from pathlib import Path

from tests.cli.conftest import CHURN, REPORT, Program, unsafe


def test_on_a_pipe_only_the_answer_is_on_standard_output(shared: Program) -> None:
    done = shared("ask", CHURN)
    assert done.returncode == 0
    assert done.stdout == "Churn fell to 4.2 percent in 2019, the lowest figure since 2011. [1]\n"
    assert "Sources" in done.stderr
    assert "[1] Annual report 2019 (report.md), Customers  excellent" in done.stderr
    assert not unsafe(done.stdout + done.stderr)


def test_quiet_says_nothing_but_the_answer(shared: Program) -> None:
    done = shared("ask", "--quiet", CHURN)
    assert done.stdout.startswith("Churn fell to 4.2 percent")
    assert done.stderr == ""


def test_the_handbook_answers_before_anything_was_added(empty: Program) -> None:
    done = empty("ask", "How do I add my own documents?")
    assert done.returncode == 0
    assert "multidb-chat docs add" in done.stdout
    assert "guests register first" in done.stdout  # in the app `/add` is not theirs
    assert "[1] Adding documents" in done.stderr


def test_the_question_can_come_from_standard_input(shared: Program) -> None:
    for arguments in ((), ("-",)):
        done = shared("ask", "-q", *arguments, stdin=CHURN.encode() + b"\n")
        assert done.stdout.startswith("Churn fell to 4.2 percent")


def test_with_a_question_standard_input_is_a_document(shared: Program) -> None:
    log = b"12:03 begin of the backup\n12:04 error: the disk is full\n12:05 end of the backup\n"
    done = shared("ask", "What is full?", stdin=log)
    assert done.returncode == 0
    assert "the disk is full [1]" in done.stdout
    assert "[1] standard input" in done.stderr


def test_a_file_is_answered_from_without_being_added(shared: Program, tmp_path: Path) -> None:
    (tmp_path / "minutes.txt").write_text("The next meeting of the choir is on 12 March in Visby.\n", encoding="utf-8")
    done = shared("ask", "--file", tmp_path / "minutes.txt", "When is the next meeting of the choir?")
    assert done.returncode == 0
    assert "12 March" in done.stdout
    assert "minutes" not in shared("docs", "list").stdout


def test_a_file_that_cannot_be_read_among_others_makes_it_partly_done(shared: Program, tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text(REPORT, encoding="utf-8")
    (tmp_path / "empty.txt").touch()
    done = shared("ask", "-f", tmp_path / "report.md", "-f", tmp_path / "empty.txt", "-f", tmp_path / "none", CHURN)
    assert done.returncode == 1
    assert done.stdout.startswith("Churn fell")
    assert f"note: not read: {tmp_path}/empty.txt: empty" in done.stderr
    assert f"note: not read: {tmp_path}/none: no such file or folder" in done.stderr


def test_when_nothing_given_can_be_read_the_input_is_bad(shared: Program, tmp_path: Path) -> None:
    done = shared("ask", "-f", tmp_path / "none", CHURN)
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr == f"error: {tmp_path}/none: no such file or folder\n"


def test_what_is_given_is_not_mixed_with_the_library(shared: Program) -> None:
    done = shared("ask", CHURN, stdin=b"Sails work by turning the wind.\n")
    assert (done.returncode, done.stdout) == (3, "")


def test_nothing_found_shows_the_nearest_passages_and_leaves_standard_output_empty(shared: Program) -> None:
    done = shared("ask", "Who composed the opera Fidelio in Vienna?")
    assert (done.returncode, done.stdout) == (3, "")
    assert "I found nothing in your documents that answers this." in done.stderr
    shown = [line for line in done.stderr.splitlines() if line.startswith("[")]
    assert [line[:3] for line in shown] == ["[1]", "[2]", "[3]"]
    assert all("poor 0." in line or "fair 0." in line for line in shown)


def test_sources_are_shown_without_marks_of_markdown_and_given_as_json_with_them(
    program: Program, tmp_path: Path
) -> None:
    text = "# Lamps\n\nThe `wick` is cut daily. The lamp of Skerryness is lit by `lamp --light` at dusk.\n"
    (tmp_path / "keeper.md").write_text(text)
    assert program.inside("docs", "add", tmp_path / "keeper.md").returncode == 0
    question = "How is the lamp of Skerryness lit?"
    plain = "The wick is cut daily. The lamp of Skerryness is lit by lamp --light at dusk."
    assert plain in " ".join(program.inside("ask", question).stderr.split())
    found = program.inside("docs", "search", question, "--limit", "1").stdout
    assert f"Lamps {plain}" in " ".join(found.split())
    (citation,) = json.loads(program.inside("ask", "--json", question).stdout)["citations"]
    assert text[citation["start"] : citation["end"]] == citation["snippet"]
    assert "`lamp --light`" in citation["snippet"]


def test_json_is_one_document_with_spans_that_are_exact(shared: Program, documents: Path) -> None:
    done = shared.inside("ask", "--json", CHURN)
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert done.stderr == ""
    assert answer["found"] is True
    assert answer["text"].startswith("Churn fell")
    assert answer["method"] == "extractive"
    (citation,) = answer["citations"]
    assert answer["sentences"][0]["citations"] == [citation["number"]]
    text = (documents / "report.md").read_text(encoding="utf-8")
    assert text[citation["start"] : citation["end"]] == citation["snippet"]
    assert {"document_id", "document_name", "title", "page", "headings", "score", "lexical", "vector"} <= set(citation)
    assert answer["timings"]["total"] > 0


def test_json_says_when_nothing_was_found(shared: Program) -> None:
    done = shared.inside("ask", "--json", "Who composed the opera Fidelio in Vienna?")
    answer = json.loads(done.stdout)
    assert done.returncode == 3
    assert answer["found"] is False
    assert len(answer["nearest"]) == 3


def test_the_same_question_again_comes_from_the_cache_unless_that_is_refused(program: Program) -> None:
    question = "Where did the office move in March 2019?"
    cached = [json.loads(program.inside("ask", "--json", *more, question).stdout) for more in ((), (), ("--no-cache",))]
    assert [answer["cached"] for answer in cached] == [False, True, False]
    assert len({answer["text"] for answer in cached}) == 1


def test_a_changed_document_leaves_no_stale_answer(program: Program, tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    question = "Where is the key to the boathouse?"
    for place in ("under the third stone", "behind the blue barrel"):
        note.write_text(f"# Boathouse\n\nThe key to the boathouse is {place}.\n", encoding="utf-8")
        assert program.inside("docs", "add", note).returncode == 0
        assert place in program.inside("ask", "-q", question).stdout


def test_a_follow_up_is_asked_in_the_last_conversation(program: Program) -> None:
    first = json.loads(program.inside("ask", "--json", CHURN).stdout)
    follow = json.loads(program.inside("ask", "--json", "--continue", "And in 2020?").stdout)
    named = json.loads(
        program.inside("ask", "--json", "--conversation", first["conversation_id"], "And in 2020?").stdout
    )
    assert "5.1 percent" in follow["text"]
    assert follow["conversation_id"] == named["conversation_id"] == first["conversation_id"]
    assert json.loads(program.inside("ask", "--json", CHURN).stdout)["conversation_id"] != first["conversation_id"]


def test_a_refused_question_leaves_no_empty_conversation(program: Program) -> None:
    first = json.loads(program.inside("ask", "--json", CHURN).stdout)
    assert program("ask", "x" * 40_000).returncode == 6
    follow = json.loads(program.inside("ask", "--json", "--continue", "And in 2020?").stdout)
    assert follow["conversation_id"] == first["conversation_id"]


def test_only_the_named_collections_are_searched(program: Program, tmp_path: Path) -> None:
    assert program.inside("collections", "create", "boats").returncode == 0
    assert program("ask", "-c", "boats", CHURN).returncode == 3
    assert program("ask", "-c", "boats", "-c", "documents", CHURN).returncode == 0
    misspelt = program("ask", "-c", "boat", CHURN)
    assert misspelt.returncode == 6
    assert misspelt.stderr == 'error: There is no collection named "boat". Did you mean "boats"?\n'


def test_hostile_text_and_names_reach_no_stream(shared: Program) -> None:
    question = "Who paints the lighthouse every third summer?"
    for more in ((), ("--json",)):
        done = shared("ask", *more, question)
        assert done.returncode == 0
        assert "Mats Berg" in done.stdout
        assert not unsafe(done.stdout + done.stderr)


def test_json_keeps_hostile_text_exactly_and_harmless(shared: Program, documents: Path) -> None:
    done = shared.inside("docs", "search", "--json", "lighthouse", "--limit", "1")
    match = json.loads(done.stdout)["matches"][0]
    assert "\x1b" in match["source"]
    assert (documents / Path(match["source"]).name).exists()
    assert not unsafe(done.stdout)


def test_empty_binary_and_endless_questions_are_bad_input(shared: Program) -> None:
    for stdin in (b"", b" \n\t", b"\x00\x01\x02\x1b[31m", b"x" * 1_000_000):
        done = shared("ask", stdin=stdin)
        assert (done.returncode, done.stdout) == (6, ""), stdin[:10]
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1


def test_a_question_in_another_script_is_answered_or_not_found(shared: Program) -> None:
    assert shared("ask", "Какой была убыль клиентов в 2019 году?").returncode in {0, 3}


def test_a_question_is_needed(shared: Program) -> None:
    done = shared("ask")
    assert (done.returncode, done.stdout) == (2, "")
    assert "QUESTION" in done.stderr


def test_a_question_can_be_about_one_document_alone(shared: Program) -> None:
    done = shared("ask", "--document", "report.md", CHURN)
    assert done.returncode == 0
    assert "[1] Annual report 2019 (report.md)" in done.stderr
    elsewhere = shared("ask", "-d", "handbook", "-d", "report.md", CHURN)
    assert elsewhere.returncode == 6
    assert 'There is no document "handbook"' in elsewhere.stderr
