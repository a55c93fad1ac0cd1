"""Counts, entities, topics, charts and scope, each against values that can be checked by hand."""

import random
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.library import Collection
from multidb_chat.services.analysis.charts import bar, sparkline
from multidb_chat.services.analysis.entities import EntityTally
from multidb_chat.services.analysis.frequencies import Frequencies
from multidb_chat.services.analysis.scope import focus_of, named_in
from multidb_chat.services.analysis.topics import Sample, Sampled, kmeans, silhouette, topics_of
from multidb_chat.services.answering.words import Words
from multidb_chat.services.tasks.reports import escaped, table


def entities(*sentences: str, language: str = "en") -> dict[str, list[str]]:
    tally = EntityTally()
    for sentence in sentences:
        tally.of(sentence, language)
    tally.met()
    found = tally.entities()
    return {
        "names": [one.text for one in found.names],
        "dates": [one.text for one in found.dates],
        "amounts": [one.text for one in found.amounts],
    }


# Counts


def test_counts_and_documents_are_told_apart():
    counts = Frequencies(100)
    for document in ({"tea": 3, "cup": 1}, {"tea": 1}):
        counts.add(Counter(document))
        counts.met(Counter(document))
    assert counts.top(5) == [("tea", 4, 2), ("cup", 1, 1)]
    assert counts.top(5, least=2) == [("tea", 4, 2)]
    assert counts.exact


@given(st.lists(st.lists(st.integers(0, 300).map(str), max_size=60), max_size=40))
def test_bounded_counts_never_count_too_much_and_keep_what_is_frequent(documents: list[list[str]]):
    counts, exact = Frequencies(50), Counter[str]()
    for document in documents:
        exact.update(document)
        counts.add(Counter(document))
        counts.met(document)
        assert len(counts.counts) <= 50
    assert all(count <= exact[key] for key, count in counts.counts.items())
    if counts.exact:
        assert counts.counts == exact


def test_a_term_that_is_frequent_throughout_survives_many_rare_ones():
    counts = Frequencies(50)
    for number in range(500):
        words = Counter(["tea", "tea", *(f"rare{number}-{n}" for n in range(10))])
        counts.add(words)
        counts.met(words)
    assert not counts.exact
    assert counts.top(1)[0][0] == "tea"
    assert counts.top(1)[0][1] > 900


# Entities


def test_names_are_capitalised_inside_sentences():
    found = entities(
        "Yesterday Ingrid Solberg met Lotte in Tromsø.",
        "The bank of the river was steep. However, Lotte left.",
        "Later the Bank of England answered.",
        "NASA confirmed it to Lotte.",
    )
    assert set(found["names"]) == {"Ingrid Solberg", "Lotte", "Tromsø", "Bank of England", "NASA"}
    assert found["names"][0] == "Lotte"


@pytest.mark.parametrize(
    "sentence", ["Churn rose.", "However, it fell.", "THIS IS SHOUTED.", "On Monday in March it rains.", "- Water: hot"]
)
def test_what_only_begins_a_sentence_is_no_name(sentence: str):
    assert [name for name in entities(sentence)["names"] if name not in ("THIS",)] == []


def test_german_nouns_are_no_names():
    assert entities("Dann kam der Hund zu Anna Weber.", language="de")["names"] == ["Anna Weber"]


@pytest.mark.parametrize(
    ("sentence", "dates"),
    [
        ("It opened on 2021-03-04.", ["2021-03-04"]),
        ("It opened on 3 March 2021 and closed in 1999.", ["1999", "3 March 2021"]),
        ("On March 3, 2021 and in May 2022.", ["March 3, 2021", "May 2022"]),
        ("Room 2500 has 12345 seats and 3.2021 doors.", []),
    ],
)
def test_dates_are_found_in_their_forms(sentence: str, dates: list[str]):
    assert sorted(entities(sentence)["dates"]) == sorted(dates)


@pytest.mark.parametrize(
    ("sentence", "amounts"),
    [
        ("It cost 14.2 million euros, $3,400 or 20 €.", ["$3,400", "14.2 million euros", "20 €"]),
        ("6.4 percent of 40 km at 22 °C for 5 minutes.", ["22 °C", "40 km", "5 minutes", "6.4 percent"]),
        ("Version 3.1.4 of 12 monkeys and K2.", []),
    ],
)
def test_amounts_are_numbers_with_units(sentence: str, amounts: list[str]):
    assert sorted(entities(sentence)["amounts"]) == amounts


# Topics


def sampled(direction: int, number: int, word: str) -> Sampled:
    import numpy as np

    noise = np.random.default_rng(number).normal(0, 0.05, 8)
    noise[direction] += 1
    vector = (noise / np.linalg.norm(noise)).astype("<f4").tobytes()
    return Sampled(f"{word}.md", vector, Counter({word: 3, "common": 2, f"rare{number}": 1}), f"About {word}.")


def test_passages_that_point_in_three_directions_are_three_topics():
    passages = [sampled(n % 3, n, ("tea", "ships", "stars")[n % 3]) for n in range(60)]
    found = topics_of(passages, {"tea": "Tea"})
    assert [(topic.terms[0], topic.passages, topic.share) for topic in found] == [
        ("Tea", 20, 0.333),
        ("ships", 20, 0.333),
        ("stars", 20, 0.333),
    ]
    assert found[0].documents == ("tea.md",)
    assert found[0].example == "About tea."


def test_too_few_passages_have_no_topics():
    assert topics_of([sampled(0, n, "tea") for n in range(7)], {}) == []
    assert topics_of([], {}) == []


def test_passages_that_are_all_the_same_are_no_trouble():
    assert topics_of([sampled(0, 1, "tea")] * 20, {})


def test_kmeans_finds_the_means_and_the_silhouette_is_best_for_the_right_number():
    import numpy as np

    vectors = np.array([[0, 0], [0, 1], [10, 0], [10, 1]], dtype=np.float32)
    labels, centres = kmeans(vectors, 2)
    assert sorted(map(tuple, centres.tolist())) == [(0.0, 0.5), (10.0, 0.5)]
    assert labels[0] == labels[1] != labels[2] == labels[3]
    # Each point is 0.5 from its centre and sqrt(100.25) from the other.
    assert silhouette(vectors, labels, centres) == pytest.approx(1 - 0.5 / 100.25**0.5)


@given(st.permutations(range(40)), st.integers(1, 40))
def test_a_sample_is_the_same_in_any_order(order: list[int], most: int):
    sample = Sample(most)
    ranks = random.Random(5).sample(range(1_000), 40)
    for number in order:
        if sample.wants(ranks[number]):
            sample.add(ranks[number], Sampled(str(ranks[number]), b"", Counter(), ""))
    assert [passage.document for passage in sample.passages()] == [str(rank) for rank in sorted(ranks)[:most]]


# Charts and Markdown


@pytest.mark.parametrize(
    ("value", "drawn"), [(0, ""), (10, "█" * 10), (5, "█" * 5), (0.5, "▌"), (0.001, "▏"), (99, "█" * 10)]
)
def test_a_bar_is_as_long_as_its_share(value: float, drawn: str):
    assert bar(value, 10, 10) == drawn


def test_a_line_rises_with_its_values():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 8]) == "▁▂▃▄▅▆▇█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"), ("a|b", "a\\|b"), ("*x* [y](z)", "\\*x\\* \\[y\\](z)"), ("# no heading", "\\# no heading"),
        ("1. no list", "1\\. no list"), ("0.5 is a number", "0.5 is a number"), ("te\x1b[31ma\nb", "tea b"),
        ("<b>", "\\<b\\>"), ("-", "\\-"),
    ],
)  # fmt: skip
def test_text_of_documents_is_no_markup(text: str, shown: str):
    assert escaped(text) == shown


def test_a_table_has_its_rule():
    assert table(("A", "B"), [("x", "1")], "lr") == "| A | B |\n| --- | --: |\n| x | 1 |"


# Scope

COLLECTIONS = [
    Collection(str(n), "ada", name, datetime(2026, 1, 1, tzinfo=UTC))
    for n, name in enumerate(["papers", "board minutes", "c"])
]


@pytest.mark.parametrize(
    ("description", "names"),
    [
        ("churn in papers", ["papers"]), ("#papers", ["papers"]), ("newspapers", []), ("", []),
        ("Board Minutes and Papers", ["papers", "board minutes"]), ("vitamin C", ["c"]),
    ],
)  # fmt: skip
def test_collections_are_found_in_a_description(description: str, names: list[str]):
    assert [one.name for one in named_in(description, COLLECTIONS)] == names


def test_the_words_that_are_left_are_what_it_is_about():
    words = Words()
    assert list(focus_of("an analysis of customer churn in papers", COLLECTIONS[:1], words).values()) == [
        "customer", "churn",
    ]  # fmt: skip
    assert focus_of("statistics of all my documents", [], words) == {}
