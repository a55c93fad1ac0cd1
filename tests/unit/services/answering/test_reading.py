"""What of passages is read with a question in mind, and what that does to the answer."""

from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.adapters.embedders.span_reader import MiniLMSpanReader
from multidb_chat.domain.search import Match
from multidb_chat.domain.turns import Draft, Question
from multidb_chat.services.answering.evidence import Candidate
from multidb_chat.services.answering.extractive import Extractive
from multidb_chat.services.answering.passages import open_passages
from multidb_chat.services.answering.reading import MOST, Reading, as_read
from multidb_chat.services.answering.words import Words
from tests.unit.services.answering.passages import match


def candidates(*matches: Match) -> list[Candidate]:
    """Return every unit of the passages, in order."""
    passages = open_passages(matches, Words())
    return [Candidate(one, at, {}, 0.0, 0.0, 0.0, False) for one in passages for at in range(len(one.units))]


SENTENCES = st.lists(st.sampled_from(["Rain fell.", "It was cold! " * 9, "- item\n", "A word" * 60 + "."]), min_size=1)


@given(SENTENCES.map("\n\n".join), st.integers(0, 10_000))
def test_every_sentence_that_is_read_is_a_span_of_what_is_read_and_gets_its_odds(text: str, start: int) -> None:
    found = candidates(match(text, start=start))
    reading = Reading(found)
    read = [excerpt.text[begin:end] for excerpt in reading.excerpts for begin, end in excerpt.spans]
    assert all(excerpt.text in text for excerpt in reading.excerpts)
    assert {one.text for one in found[:MOST]} <= set(read)
    reading.settle(found, [[float(begin) for begin, _ in excerpt.spans] for excerpt in reading.excerpts])
    assert all(one.odds is not None for one in found[:MOST])


def test_a_sentence_is_read_with_what_is_around_it_once_and_of_a_long_passage_only_that() -> None:
    short = candidates(match("The bridge is red. It was built in 1912. Nobody knows by whom."))
    assert [excerpt.text for excerpt in Reading(short).excerpts] == [
        "The bridge is red. It was built in 1912. Nobody knows by whom."
    ]
    long = candidates(match(" ".join(f"Sentence number {n} tells of something." for n in range(200))))
    (excerpt,) = Reading(long[100:101]).excerpts
    assert "number 100 " in excerpt.text
    assert len(excerpt.text) < 600


def test_where_it_stands_is_told_by_title_and_heading_but_not_by_a_heading_that_is_read_anyway() -> None:
    found = candidates(match("It is red.", title="Bridges", headings=("Arda", "Colour")))
    assert Reading(found).excerpts[0].above == "Bridges Colour"
    found = candidates(match("## Colour\n\nIt is red.", title="Bridges", headings=("Arda", "Colour")))
    assert Reading(found).excerpts[0].above == "Bridges"


def test_what_was_read_twice_has_its_better_odds_and_what_was_not_read_has_none() -> None:
    found = candidates(match(" ".join(f"Sentence number {n} tells of something." for n in range(200))))
    reading = Reading([found[0], found[14]])
    assert len(reading.excerpts) == 2
    odds: list[Sequence[float]] = [
        [value] * len(one.spans) for value, one in zip((1.0, 2.0), reading.excerpts, strict=True)
    ]
    reading.settle(found, odds)
    assert (found[0].odds, found[14].odds, found[199].odds) == (1.0, 2.0, None)


@pytest.fixture
async def answerer() -> AsyncIterator[Extractive]:
    reader = MiniLMSpanReader(1)
    yield Extractive(reader)
    await reader.close()


async def said(answerer: Extractive, question: str, *matches: Match) -> str:
    drafts = [one async for one in answerer.answer(Question(question, question), matches) if isinstance(one, Draft)]
    return " ".join(sentence.text for sentence in drafts[-1].sentences)


TOWN = match(
    "Marl lies on the Arda. The mayor is Ines Kolb, who has held the office since 2016. "
    "The old bridge was put up by the engineer Ivo Lenz in 1912. Heavy lorries are not allowed on it. "
    "In summer the baths open at eight.",
    title="Marl",
)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who constructed the bridge?", "Ivo Lenz"),
        ("Who is in charge of Marl?", "Ines Kolb"),
        ("May trucks cross the bridge?", "not allowed"),
    ],
)
async def test_other_words_than_those_of_the_text_find_the_sentence_that_answers(
    answerer: Extractive, question: str, answer: str
) -> None:
    assert answer in await said(answerer, question, TOWN)


@pytest.mark.parametrize(
    "question", ["How much did the bridge cost?", "How long is the bridge?", "Who was mayor in 2010?"]
)
async def test_what_the_text_does_not_say_is_not_answered_from_what_it_says_of_the_same_things(
    answerer: Extractive, question: str
) -> None:
    assert await said(answerer, question, TOWN) == ""


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("What did the 2019 report say about churn?", "What about churn in the 2019 report?"),
        ("what does Ines tell us about the old bridge", "What about the old bridge in Ines?"),
        ("What does the sign say?", "What does the sign say?"),
        ("Who said that about churn?", "Who said that about churn?"),
    ],
)
def test_the_reader_is_asked_about_the_thing_where_the_question_is_what_a_text_says_about_it(
    asked: str, read: str
) -> None:
    assert as_read(asked) == read


async def test_what_a_report_says_about_something_is_not_only_what_speaks_of_the_report(answerer: Extractive) -> None:
    report = match(
        "In 2019 the monthly churn fell from 4.1 percent to 2.8 percent. The report names the new onboarding as the "
        "main reason. Support tickets fell by a third in the same year.",
        title="Annual report 2019",
    )
    assert "from 4.1 percent" in await said(answerer, "What did the 2019 report say about churn?", report)
