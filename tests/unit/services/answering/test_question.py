"""Questions taken apart."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multidb_chat.services.answering.question import Analysis, analyse
from multidb_chat.services.answering.words import Words


def analysis(question: str) -> Analysis:
    return analyse(question, Words())


@pytest.mark.parametrize(
    ("question", "kind", "expected"),
    [
        ("Who wrote the report?", "fact", "person"),
        ("When was it built?", "fact", "date"),
        ("In which year did it open?", "fact", "date"),
        ("Where is the key?", "fact", "place"),
        ("Where does the name Arran come from?", "fact", "none"),
        ("How old was she?", "fact", "duration"),
        ("How many people came?", "fact", "quantity"),
        ("How much does it cost?", "fact", "money"),
        ("What is the price of the lamp?", "fact", "money"),
        ("How long does it take?", "fact", "duration"),
        ("How often is it cleaned?", "fact", "frequency"),
        ("What percentage of users left?", "fact", "share"),
        ("How do I reset it?", "steps", "none"),
        ("How to bake bread", "steps", "none"),
        ("List the steps to reset it", "steps", "none"),
        ("What is a gauge?", "definition", "none"),
        ("what does churn mean?", "definition", "none"),
        ("What are the ingredients?", "list", "none"),
        ("Which formats can be read?", "list", "none"),
        ("Why did it fail?", "reason", "none"),
        ("Can I carry it over?", "yesno", "none"),
        ("Is it free?", "yesno", "none"),
        ("What is the difference between Pro and Team?", "compare", "none"),
        ("What is this document about?", "summary", "none"),
        ("Summarise the log", "summary", "none"),
        ("churn 2019", "plain", "none"),
    ],
)
def test_a_question_tells_what_it_asks_for(question: str, kind: str, expected: str) -> None:
    found = analysis(question)
    assert (found.kind, found.expected) == (kind, expected)


def test_names_and_numbers_must_be_met_and_form_words_hardly() -> None:
    terms = {term.key: term for term in analysis("What percentage of customers did Maria lose in 2019?").terms}
    assert terms["maria"].hard
    assert terms["2019"].hard
    assert terms["2019"].year
    assert not terms["custom"].hard
    assert terms["percentag"].weight < terms["custom"].weight


def test_the_first_word_is_no_name_for_its_capital() -> None:
    assert not any(term.hard for term in analysis("Customers lost").terms)


def test_a_question_in_capitals_is_not_full_of_names() -> None:
    assert not any(term.hard for term in analysis("WHO WROTE THE REPORT").terms)


def test_what_is_counted_is_known() -> None:
    assert analysis("How many large customers left?").focus >= {"custom"}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_taken_apart(text: str) -> None:
    found = analysis(text)
    assert len({term.key for term in found.terms}) == len(found.terms)
    assert all(term.weight > 0 for term in found.terms)
