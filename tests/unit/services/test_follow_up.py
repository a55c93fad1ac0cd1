"""Follow-up questions made to stand alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multidb_chat.services.follow_up import PastTurn, leans, may_lean, standalone

NOTHING = PastTurn("")


@pytest.mark.parametrize(
    ("before", "asked", "expected"),
    [
        ("How many customers left in 2019?", "and in 2020?", "How many customers left in 2020?"),
        ("How many customers left?", "And in 2020?", "How many customers left in 2020?"),
        ("What was revenue in 2019?", "2021?", "What was revenue in 2021?"),
        ("What was revenue in March 2019?", "and in April?", "What was revenue in April 2019?"),
        ("What was revenue in 2019?", "what about profit?", "What was profit in 2019?"),
        ("When was Debian 2.1 released?", "and Debian 2.2?", "When was Debian 2.2 released?"),
        ("What did Anna Berg propose?", "and Karl Weiss?", "What did Karl Weiss propose?"),
        ("How many people work in Oslo?", "what about in Bergen?", "How many people work in Bergen?"),
        ("What does the Pro plan cost?", "what about enterprise?", "What does the enterprise plan cost?"),
        ("What does the Pro plan cost?", "and the Team plan?", "What does the Team plan cost?"),
        ("How much does the Pro plan cost?", "How much for enterprise?", "How much does the enterprise plan cost?"),
        ("Who discovered phosphorus?", "and bromine?", "Who discovered bromine?"),
        ("Who discovered gold in Norway?", "and silver?", "Who discovered silver in Norway?"),
        ("Who discovered gold in Norway?", "and Sweden?", "Who discovered gold in Sweden?"),
        ("How much argon is in the air?", "what about neon?", "How much neon is in the air?"),
    ],
)
def test_what_is_contrasted_takes_the_place_of_its_counterpart(before: str, asked: str, expected: str) -> None:
    assert standalone(asked, [PastTurn(before)]) == expected


@pytest.mark.parametrize(
    ("before", "asked", "expected"),
    [
        (PastTurn("What is the Lantern report about?"), "Who wrote it?", "Who wrote the Lantern report?"),
        (PastTurn("Who is Maria Lopez?"), "When did she join?", "When did Maria Lopez join?"),
        (PastTurn("Who leads research?", "Tomas Berg leads it."), "When did he join?", "When did Tomas Berg join?"),
        (PastTurn("Which manual covers scale?", title="K2 manual"), "Who wrote it?", "Who wrote K2 manual?"),
        (PastTurn("Where is the pump?"), "What is its capacity?", "What is the pump's capacity?"),
        (PastTurn("How do I reset the lamp?"), "How long does it take?", "How long does reset the lamp take?"),
    ],
)
def test_a_pronoun_becomes_what_it_means(before: PastTurn, asked: str, expected: str) -> None:
    assert standalone(asked, [before]) == expected


@pytest.mark.parametrize(
    ("before", "asked", "expected"),
    [
        ("Did churn fall in 2020?", "why?", "Why did churn fall in 2020?"),
        ("Who approved the budget?", "When?", "When approved the budget?"),
        ("How many customers left in 2019?", "why exactly?", "Why customers left in 2019?"),
    ],
)
def test_a_bare_question_word_asks_about_the_question_before(before: str, asked: str, expected: str) -> None:
    assert standalone(asked, [PastTurn(before)]) == expected


COMPLETE = [
    "What was the headcount in 2020?",
    "How long does it take to charge the battery?",
    "Which files that cannot be read are listed?",
    "When a document changes, does it get indexed again?",
    "How do I add a document and delete it?",
    "How do employees book their leave?",
    "Is it possible to search without an answer?",
    "churn 2019",
    "customers in the north",
    "Who wrote the manual of the kettle?",
    "And who wrote the manual of the kettle?",
    "解約率は何ですか？",
]


@pytest.mark.parametrize("asked", COMPLETE)
def test_a_complete_question_stays_as_it_is(asked: str) -> None:
    assert standalone(asked, [PastTurn("How much does the Pro plan cost?", "It costs 19 euros.", "Plans")]) == asked


@pytest.mark.parametrize(
    ("before", "asked", "expected"),
    [
        ("What is a symlink?", "and how do I make one?", "how do I make a symlink?"),
        ("Do I need an account?", "How do I get a new one?", "How do I get an account?"),
        ("Who kept the lighthouse?", "Who was the last one?", "Who was the last one?"),
    ],
)
def test_one_at_the_end_is_what_was_asked_about_unless_it_is_told_which(before: str, asked: str, expected: str) -> None:
    assert standalone(asked, [PastTurn(before)]) == expected


def test_a_chain_of_follow_ups_keeps_its_topic() -> None:
    past = [PastTurn("How many customers left in 2019?")]
    for year in ("2020", "2021"):
        past.append(PastTurn(standalone(f"and in {year}?", past)))
    assert past[-1].question == "How many customers left in 2021?"


_WORDS = st.sampled_from(
    [
        "who",
        "and",
        "what about",
        "it",
        "its",
        "in",
        "2020",
        "why",
        "Anna",
        "the",
        "plan",
        "she",
        "that",
        "?",
        "for",
        "é",
        "\n",
    ]
)
_QUESTIONS = st.lists(_WORDS, max_size=7).map(" ".join)


@given(_QUESTIONS)
def test_without_a_turn_before_nothing_changes(asked: str) -> None:
    assert standalone(asked, []) == asked


@settings(deadline=None, max_examples=300)
@given(_QUESTIONS, st.lists(st.builds(PastTurn, _QUESTIONS, _QUESTIONS, _QUESTIONS), max_size=3))
def test_any_question_behind_any_conversation_gives_one_question(asked: str, past: list[PastTurn]) -> None:
    made = standalone(asked, past)
    assert made == asked or "\n" not in made
    assert made.strip() or not asked.strip()


@given(st.sampled_from(COMPLETE), st.builds(PastTurn, _QUESTIONS, _QUESTIONS, _QUESTIONS))
def test_a_complete_question_stays_as_it_is_whatever_came_before(asked: str, before: PastTurn) -> None:
    assert standalone(asked, [before]) == asked


@pytest.mark.parametrize(
    "question",
    [
        "why?",
        "and in 2020?",
        "who wrote it?",
        "What is its licence?",
        "what about contractors?",
        "2020?",
        "How many?",
        "How do I install the driver without one?",
    ],
)
def test_a_question_that_leaves_out_what_it_is_about_leans(question: str) -> None:
    assert leans(question)
    assert may_lean(question)


@pytest.mark.parametrize(
    "question",
    ["Who founded the Kestrel observatory?", "How many customers left in 2020?", "When was Debian 2.1 released?"],
)
def test_a_question_that_asks_a_whole_thing_does_not(question: str) -> None:
    assert not leans(question)
    assert not may_lean(question)


@pytest.mark.parametrize(
    "question", ["Explain more.", "Shorter, please", "Wer leitet das Büro?", "What is the deadline?"]
)
def test_what_rules_cannot_tell_may_lean(question: str) -> None:
    assert not leans(question)
    assert may_lean(question)


def test_a_pronoun_for_what_the_question_itself_names_does_not_lean() -> None:
    assert not leans("What did Ida Berg do before she ran the Bergen office?")
