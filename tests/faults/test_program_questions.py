"""Questions nobody should ask, and questions in other scripts than the documents'."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Program, unsafe
from tests.faults.program import PAINTER, error_line

# Documents by script, and a question about each that has its words.
SCRIPTS = {
    "greek": (
        "Ο φάρος της Αλεξάνδρειας χτίστηκε τον τρίτο αιώνα. Ο αρχιτέκτονας του φάρου ήταν ο Σώστρατος ο Κνίδιος.",
        "Ποιος ήταν ο αρχιτέκτονας του φάρου της Αλεξάνδρειας;",
        "Σώστρατος",
    ),
    "chinese": (
        "长城是中国古代的军事防御工程。长城的总长度为两万一千一百九十六公里。明长城由明朝修建。",
        "长城的总长度是多少?",
        "公里",
    ),
    "arabic": (
        "تقع مدينة البتراء في الأردن. اكتشفها يوهان بوركهارت عام 1812. بناها الأنباط في القرن الرابع قبل الميلاد.",
        "متى اكتشفها يوهان بوركهارت؟",
        "1812",
    ),
    "emoji": (
        "The team marks a release with 🚀 and a bug with 🐛. The 🦄 means that Ingrid is on duty.",
        "What does the 🦄 mean?",
        "Ingrid",
    ),
}


@pytest.fixture(scope="module")
def polyglot(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A home with a document in each script."""
    folder = tmp_path_factory.mktemp("scripts")
    for name, (text, _, _) in SCRIPTS.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    program = Program(tmp_path_factory.mktemp("polyglot"))
    assert program("docs", "add", folder).returncode == 0
    return program


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_question_finds_the_document_in_its_own_script(polyglot: Program, script: str) -> None:
    _, question, word = SCRIPTS[script]
    done = polyglot.inside("ask", question)
    assert done.returncode in {0, 3}, done.stderr
    assert f"[1] {script} ({script}.txt)" in done.stderr
    assert word in (done.stdout if done.returncode == 0 else done.stderr)
    assert not unsafe(done.stdout + done.stderr)


@pytest.mark.parametrize("script", ["greek", "chinese", "arabic"])
def test_a_question_in_a_script_that_no_document_is_in_finds_nothing(shared: Program, script: str) -> None:
    done = shared.inside("ask", SCRIPTS[script][1])
    assert (done.returncode, done.stdout) == (3, "")
    assert "I found nothing" in done.stderr
    assert "poor" in done.stderr


def test_a_question_in_latin_letters_is_not_answered_from_another_script(polyglot: Program) -> None:
    done = polyglot.inside("ask", "How many people were employed at the shipyard in 1931?")
    assert (done.returncode, done.stdout) == (3, "")


@pytest.mark.parametrize("question", ["", "  ", "\n\t \n", "?!", "\u200b\u202e", "🦄🦄"])
def test_a_question_without_a_word_is_refused(shared: Program, question: str) -> None:
    done = shared.inside("ask", question)
    assert done.returncode == 6
    assert "empty" in error_line(done)


@pytest.mark.parametrize("given", [b"", b" \n\x0b"])
def test_an_empty_question_on_standard_input_is_refused(shared: Program, given: bytes) -> None:
    done = shared("ask", stdin=given)
    assert done.returncode == 6
    assert "empty" in error_line(done)


def test_a_question_of_a_megabyte_is_refused_with_its_length(shared: Program) -> None:
    done = shared("ask", stdin=b"Who paints? " * 83_334)
    assert done.returncode == 6
    assert "1,000,007 characters; 32,000 are allowed" in error_line(done)
    assert len(done.stderr) < 300
    argument = shared("ask", "Who? " * 25_000)  # a single argument can be no longer than 128 KiB
    assert argument.returncode == 6
    assert "124,999 characters" in error_line(argument) or "125,000 characters" in error_line(argument)


def test_more_than_any_question_is_not_read_to_its_end(shared: Program) -> None:
    done = shared("ask", stdin=b"a" * 5_000_000)
    assert done.returncode == 6
    assert "too large (limit 4 MB)" in error_line(done)


@pytest.mark.parametrize("size", [64, 1_000_000])
def test_bytes_that_are_no_text_are_no_question(shared: Program, size: int) -> None:
    done = shared("ask", stdin=os.urandom(size))
    assert done.returncode == 6
    assert len(error_line(done)) < 300


def test_an_argument_that_is_no_text_is_no_question(shared: Program) -> None:
    done = shared("ask", os.fsdecode(b"\xc3(\xa0\xa1 what\xe2\x28"))
    assert done.returncode == 6
    assert "not text" in error_line(done)


def test_a_stray_byte_or_escape_in_a_question_does_no_harm(shared: Program) -> None:
    for question in (os.fsdecode(b"Who paints the lighthouse\xff?"), "Who \x1b[31mpaints\x07 the lighthouse?"):
        done = shared.inside("ask", question, "--no-cache")
        assert done.returncode == 0, done.stderr
        assert PAINTER in done.stdout
        assert not unsafe(done.stdout + done.stderr)


@pytest.mark.parametrize("question", ["' OR 1=1; --", '"(NEAR * AND', "{}%s%n$(reboot)`id`", "../../etc/passwd"])
def test_what_would_be_a_command_elsewhere_is_only_words(shared: Program, question: str) -> None:
    for command in ("ask", "docs search"):
        done = shared.inside(*command.split(), question)
        assert done.returncode in {0, 3}, done.stderr
        assert not done.stderr.startswith("error: ")


def test_binary_bytes_given_with_a_question_are_no_document(shared: Program, tmp_path: Path) -> None:
    noise = tmp_path / "noise.bin"
    noise.write_bytes(b"\x00\x01\x02\xff" * 5_000)
    for done in (shared("ask", "What is it?", stdin=noise.read_bytes()), shared("ask", "What is it?", "-f", noise)):
        assert done.returncode == 6
        assert "unknown format" in error_line(done)
