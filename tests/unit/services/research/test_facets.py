"""A topic as questions."""

from datetime import UTC, datetime

import pytest

from multidb_chat.domain.library import Chunk, Document
from multidb_chat.domain.search import Match
from multidb_chat.services.answering.words import Words
from multidb_chat.services.research.facets import (
    Facet,
    follow_ups,
    library_facets,
    own_facets,
    topic_of,
    usual_facets,
)
from multidb_chat.services.research.quoting import quoted

WORDS = Words()


def a_match(text: str, *headings: str, title: str = "Report") -> Match:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    document = Document("d", "c", "/d", "d.md", title, "markdown", "", now, now)
    return Match(Chunk("d", 0, 0, len(text), text, headings=headings), document, None, None, 1.0, 0.9)


@pytest.mark.parametrize(
    ("about", "topic"),
    [
        ("customer churn", "customer churn"),
        ("Research customer churn.", "customer churn"),
        ("please write a report about the tea trade", "the tea trade"),
        ("How did churn develop?", "churn develop"),
        ("customer churn and why it rose", "customer churn"),
        ("tea; coffee", "tea"),
        ("why?", "why"),
        ("", ""),
        ("research", "research"),
        ("research;", "research"),
    ],
)
def test_a_topic_is_what_a_request_is_about(about: str, topic: str):
    assert topic_of(about) == topic


def test_the_parts_of_a_request_are_questions_of_their_own():
    facets = own_facets("customer churn, and why did it rise?\nwhen was it lowest")
    assert [(facet.title, facet.asked, facet.fit) for facet in facets] == [
        ("Customer churn", "customer churn", None),
        ("Why did it rise", "why did it rise: customer churn?", "reason"),
        ("When was it lowest", "when was it lowest: customer churn?", "date"),
    ]


def test_the_usual_questions_are_about_the_topic():
    facets = usual_facets("tea")
    assert all("tea" in facet.asked for facet in facets)
    assert len({facet.title for facet in facets}) == len(facets)


@pytest.mark.parametrize(
    ("fit", "sentence", "fits"),
    [
        ("reason", "It fell because the price rose.", True),
        ("reason", "It has been automatic since 1989.", False),
        ("definition", "Churn is the share of customers who leave.", True),
        ("definition", "Halden had 1,840 customers.", False),
        ("manner", "The lamp works by turning a lens.", True),
        ("manner", "The lamp weighs 40 kilograms.", False),
        ("trouble", "The supplier failed to deliver.", True),
        ("trouble", "The loaf is brown.", False),
        ("place", "The office is in Tromsø.", True),
        ("place", "We expect it to grow by 5 to 8 percent.", False),
        ("date", "It opened in 1872.", True),
        ("date", "It opened.", False),
        ("quantity", "It has 40 rooms.", True),
        (None, "Anything.", True),
    ],
)
def test_an_answer_is_of_the_kind_that_was_asked_for(fit: str, sentence: str, fits: bool):
    assert Facet("", "", "usual", fit).fits(sentence, WORDS) is fits  # type: ignore[arg-type]


def test_a_reason_is_quoted_from_passages_about_the_topic_with_what_it_leans_on():
    told = a_match("Churn was 6.4 percent. Most of them named the price as the reason. The north is cold.", "Churn")
    other = a_match("Revenue fell because two customers paused.", "Revenue")
    draft = quoted(Facet("Why", "", "usual", "reason"), "customer churn", [other, told], WORDS)
    assert draft.found is False  # neither speaks of customers and churn
    draft = quoted(Facet("Why", "", "usual", "reason"), "churn", [other, told], WORDS)
    (sentence,), (cited,) = draft.sentences, draft.citations
    assert sentence.text == "Churn was 6.4 percent. Most of them named the price as the reason."
    assert cited.snippet == told.chunk.text[cited.start : cited.end] == sentence.text


def test_headings_and_shared_words_of_the_library_are_questions_too():
    matches = [
        a_match("The supplier delivers sensors.", "Report", "1.2 Risks"),
        a_match("One supplier is not enough.", "Report", "Risks"),
        a_match("The supplier has 40 percent.", "Report", "Outlook"),
        a_match("Halden makes sensors.", "Report", "Halden"),
    ]
    facets = library_facets("Halden", matches, WORDS)
    assert [(facet.title, facet.origin) for facet in facets] == [
        ("Risks", "heading"),
        ("Outlook", "heading"),
        ("Supplier", "term"),
    ]


def test_names_that_turned_up_are_followed_the_most_frequent_first():
    texts = ["The parts come from Varga Instruments.", "In Pécs, Varga Instruments and Halden met.", "Later Pécs grew."]
    facets = follow_ups("Halden", [*texts, "Today Varga Instruments sells more."], [Facet("Pécs", "", "topic")], WORDS)
    assert [facet.title for facet in facets] == ["Varga Instruments"]
