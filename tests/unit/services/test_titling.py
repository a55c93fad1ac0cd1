"""Titles made of a first question and its answer."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.conversations import Message
from multidb_chat.domain.text import clean_line
from multidb_chat.domain.turns import Answer, Citation
from multidb_chat.services.answering import codec
from multidb_chat.services.titling import LIMIT, title_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CITED = Citation(1, "d", "report.md", "Annual report", "report.md", "c", 0, 4, "Text", None, (), 0.9, "excellent")


def title(question: str, cited: bool = False) -> str:
    answer = Answer(question, question, "Text [1]", True, citations=(CITED,) if cited else ())
    return title_of(
        Message("q", "c", "ada", "user", question, NOW),
        Message("a", "c", "ada", "assistant", "Text [1]", NOW, "q", codec.dumps(answer)),
    )


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What was churn in 2019?", "Churn in 2019"),
        ("How do I add my own documents?", "How to add my own documents"),
        ("Hi! Can you please tell me about the Kestrel observatory? Thanks.", "The Kestrel observatory"),
        ("Please explain how sails work.", "Explain how sails work"),
        ("could you explain how sails work", "How sails work"),
        ("I'd like to know who founded it. It is for a talk.", "Who founded it"),
        ("What do my documents say about late fees?", "Late fees"),
        (
            "When was the observatory founded, and who founded it?",
            "When was the observatory founded, and who founded it",
        ),
        ("what is it", "What is it"),
        ("Wie funktioniert ein Segel?", "Wie funktioniert ein Segel"),
        ("数据库是什么？谢谢", "数据库是什么"),
        ("Read this:\n\n# A long text\n\nwith lines", "Read this"),
        ("  ## Heading  ", "Heading"),
        ("v2.1 release notes", "V2.1 release notes"),
        ("what's the ETA?", "ETA"),
    ],
)
def test_a_title_says_what_the_question_is_about(question: str, expected: str):
    assert title(question) == expected


@pytest.mark.parametrize(("question", "expected"), [("Why?", "Why"), ("Summarise this.", "Summarise this")])
def test_a_question_that_names_nothing_is_named_by_what_answered_it(question: str, expected: str):
    assert title(question) == expected
    assert title(question, cited=True) == f"{expected} · Annual report"


def test_a_long_title_is_cut_between_words():
    assert title("word " * 40) == f"W{('word ' * 11)[1:-1]}…"
    assert title("x" * 100) == "X" + "x" * (LIMIT - 2) + "…"


def test_an_answer_that_cannot_be_read_makes_no_difference():
    question, answer = Message("q", "c", "ada", "user", "Why?", NOW), Message("a", "c", "ada", "assistant", "", NOW)
    assert title_of(question, answer) == "Why"


@given(st.text())
def test_any_question_has_a_title_that_fits_a_line(question: str):
    made = title(question)
    assert len(made) <= LIMIT + 2  # an upper case letter may be written as three
    assert clean_line(made) == made
