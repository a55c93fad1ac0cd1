"""The answerer that quotes: the right sentences, exactly cited, or none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multidb_chat.domain.turns import Draft, Question
from multidb_chat.services.answering.extractive import Extractive
from tests.unit.services.answering.passages import answered, draft, match

REPORTS = [
    match(
        f"Customer churn was {churn} percent. {left} customers left. The office stayed in Tromsø.",
        f"report-{year}.md",
        title=f"Annual report {year}",
    )
    for year, churn, left in ((2019, 6.4, 118), (2020, 8.1, 149), (2021, 4.9, 92))
]
MANUAL = match(
    "## Descaling\n\nTo descale the kettle:\n\n1. Fill it with acid.\n2. Heat it.\n3. Rinse it.\n\nNever use vinegar.",
    "manual.md",
    headings=("Kettle", "Descaling"),
)


async def test_every_citation_is_exactly_a_span_of_its_document() -> None:
    text = "Rain fell.  The bridge was built in 1912,\nafter the flood. It is red."
    passage = match(text, start=400)
    found = await draft("When was the bridge built?", passage)
    assert [citation.snippet for citation in found.citations] == ["The bridge was built in 1912,\nafter the flood."]
    for citation in found.citations:
        assert text[citation.start - 400 : citation.end - 400] == citation.snippet


async def test_a_wrapped_sentence_is_shown_on_one_line() -> None:
    assert (
        await answered("When was the bridge built?", match("The bridge was built\nin 1912. It is red."))
        == "The bridge was built in 1912. [1]"
    )


async def test_a_glossary_is_read_by_its_headwords_which_answer_nothing_themselves() -> None:
    glossary = match(
        "argon\nSymbol: Ar\nA noble gas. Used in lamps.\n\nzinc\nSymbol: Zn\nA metal. Used against rust.\n", "g.txt"
    )
    assert await answered("What is zinc used for?", glossary) == "Used against rust. [1]"


@pytest.mark.parametrize("question", ["What failed?", "What went wrong?", "What was the error?"])
async def test_a_log_tells_what_failed_however_it_is_asked(question: str) -> None:
    log = match("12:01 start\n12:04 error: the disk is full\n12:05 stop\n", "build.log")
    assert await answered(question, log) == "12:04 error: the disk is full [1]"


@pytest.mark.parametrize(("year", "left"), [(2019, 118), (2020, 149), (2021, 92)])
async def test_the_year_that_is_asked_for_decides(year: int, left: int) -> None:
    answer = await answered(f"How many customers left in {year}?", *REPORTS)
    assert f"{left} customers left." in answer
    assert sum(f"{other} customers left" in answer for other in (118, 149, 92)) == 1


@pytest.mark.parametrize(
    "question",
    [
        "How many customers left in 2017?",
        "How many customers left Initech in 2019?",
        "How do I descale the dishwasher?",
        "Who painted the ceiling of the chapel?",
        "What is the boiling point of ethanol?",
        "???",
        "the and of",
    ],
)
async def test_what_the_passages_do_not_say_is_not_answered(question: str) -> None:
    assert not (await draft(question, *REPORTS, MANUAL)).found


async def test_no_passage_gives_no_answer() -> None:
    assert await draft("Who?") == Draft((), (), False)


async def test_a_how_to_question_gets_the_whole_list_with_its_lead_in_under_one_citation() -> None:
    found = await draft("How do I descale the kettle?", *REPORTS, MANUAL)
    assert [sentence.text for sentence in found.sentences][:4] == [
        "To descale the kettle:",
        "1. Fill it with acid.",
        "2. Heat it.",
        "3. Rinse it.",
    ]
    assert {sentence.citations for sentence in found.sentences} == {(1,)}
    assert found.citations[0].snippet.startswith("To descale the kettle:\n\n1. Fill it")


async def test_code_is_quoted_whole_with_the_sentence_that_introduces_it() -> None:
    passage = match("To build it, run:\n\n```sh\nmake\nmake install\n```\n\nThe weather is fine.")
    assert await answered("How do I build it?", passage) == "To build it, run:\n\n```sh\nmake\nmake install\n```\n\n[1]"


async def test_a_table_row_is_shown_below_its_header_and_cited_alone() -> None:
    passage = match("| Plan | Price |\n| --- | --- |\n| Basic | 19 euros |\n| Team | 79 euros |")
    found = await draft("How much does the Team plan cost?", passage)
    assert [sentence.text for sentence in found.sentences] == ["| Plan | Price |\n| --- | --- |\n| Team | 79 euros |"]
    assert [citation.snippet for citation in found.citations] == ["| Team | 79 euros |"]


async def test_a_sentence_that_leans_on_the_one_before_brings_it() -> None:
    passage = match("Olga Rød kept the lighthouse. She rang the fog bell for eleven hours. The sea was calm.")
    assert (
        await answered("Who rang the fog bell?", passage)
        == "Olga Rød kept the lighthouse. [1] She rang the fog bell for eleven hours. [2]"
    )


async def test_the_answer_to_a_question_in_the_text_is_quoted_not_the_question() -> None:
    passage = match("Can I return the lamp? Yes, within 14 days of the purchase.")
    assert await answered("Can I return the lamp?", passage) == "Yes, within 14 days of the purchase. [1]"


async def test_the_same_sentence_in_two_documents_is_quoted_once() -> None:
    text = "The bridge was built in 1912 by the guild."
    found = await draft("When was the bridge built?", match(text, "a.md"), match(text, "b.md"))
    assert len(found.sentences) == 1


async def test_a_passage_inside_another_one_is_not_quoted_twice() -> None:
    text = "The bridge was built in 1912. Its arch is 40 metres wide. The bridge has two towers."
    found = await draft("What do we know about the bridge?", match(text), match(text[:29]))
    assert len({(citation.start, citation.end) for citation in found.citations}) == len(found.citations)
    assert len({sentence.text for sentence in found.sentences}) == len(found.sentences)


async def test_sentences_of_one_document_come_in_its_order() -> None:
    passage = match("Basic has no alarms. It rains often. Team adds alarms. Snow fell.")
    answer = await answered("What is the difference between Basic and Team alarms?", passage)
    assert answer.index("Basic has") < answer.index("Team adds")


async def test_a_question_in_another_script_is_answered_from_it() -> None:
    passage = match("会社は京都にあります。昨年の解約率は六パーセントでした。社長は田中です。")
    assert "解約率は六パーセントでした。" in await answered("昨年の解約率は何パーセントですか？", passage)


async def test_hostile_text_does_nothing_in_an_answer() -> None:
    passage = match("The bridge was built in 1912 [9], see [here](http://evil.example) <img src=x>\x1b[2J.")
    answer = await answered("When was the bridge built?", passage)
    assert answer == "The bridge was built in 1912 (9), see here \\<img src=x>. [1]"


@pytest.mark.parametrize(
    "question", ["Summarise this.", "What is this document about?", "tl;dr", "Give me a summary of the text"]
)
async def test_a_summary_is_the_opening_and_the_sentences_the_rest_is_about(question: str) -> None:
    passage = match(
        "The harbour of Vik was rebuilt last year. The harbour of Vik now has a new quay for large ships. "
        "My aunt likes tea. Large ships at the new quay bring most goods. Goods from large ships leave Vik by train. "
        "It was a Monday. The weather had been cold."
    )
    answer = await answered(question, passage)
    assert answer.startswith("The harbour of Vik was rebuilt last year. [1]")
    assert "large ships" in answer
    assert "aunt" not in answer
    assert answer.count("[") == 4


_PIECES = [
    "who",
    "when",
    "how many",
    "2019",
    "churn",
    "the",
    "report.",
    "1.",
    "-",
    "|",
    "```",
    "#",
    "Berg?",
    "\n",
    "\n\n",
]
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=30).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(_TEXTS, st.lists(_TEXTS, max_size=4))
async def test_whatever_is_asked_of_whatever_text_the_citations_hold(question: str, texts: list[str]) -> None:
    matches = [match(text, f"{at}.md", start=at * 7) for at, text in enumerate(texts) if text.strip()]
    stream = Extractive(support=0.1).answer(Question(question, question), matches)
    [found] = [item async for item in stream if isinstance(item, Draft)]
    by_id = {one.document.id: one.chunk for one in matches}
    assert [citation.number for citation in found.citations] == list(range(1, len(found.citations) + 1))
    numbers = [number for sentence in found.sentences for number in sentence.citations]
    assert list(dict.fromkeys(numbers)) == [citation.number for citation in found.citations]
    for citation in found.citations:
        chunk = by_id[citation.document_id]
        assert chunk.text[citation.start - chunk.start : citation.end - chunk.start] == citation.snippet != ""
