"""Texts given with a question, ranked in memory."""

import asyncio
from collections.abc import Iterator

import pytest

from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
from multidb_chat.domain.reading import Block, ParsedDocument
from multidb_chat.domain.search import Match
from multidb_chat.domain.turns import Draft, Question
from multidb_chat.services.answering.extractive import Extractive
from multidb_chat.services.one_off import OneOff


@pytest.fixture(scope="module")
def one_off() -> Iterator[OneOff]:
    embedder = MiniLMEmbedder(1)
    yield OneOff(embedder)
    asyncio.run(embedder.close())


async def said(question: str, matches: list[Match]) -> list[str]:
    items = [item async for item in Extractive().answer(Question(question, question), matches)]
    assert isinstance(items[-1], Draft)
    return [sentence.text for sentence in items[-1].sentences]


LOG = "\n".join(f"12:{minute:02} info: request {minute} served" for minute in range(60))


async def test_the_failing_line_of_a_log_is_found(one_off: OneOff) -> None:
    text = f"{LOG}\n13:04 error: the disk is full\n13:05 info: stopped"
    matches = await one_off.rank_texts("What failed?", [("standard input", text)])
    assert await said("What failed?", matches) == ["13:04 error: the disk is full"]


async def test_one_short_line_is_enough(one_off: OneOff) -> None:
    matches = await one_off.rank_texts("What failed?", [("standard input", "12:04 error: the disk is full\n")])
    assert await said("What failed?", matches) == ["12:04 error: the disk is full"]


async def test_matches_are_passages_of_the_given_texts_best_first(one_off: OneOff) -> None:
    texts = {"cats": "Cats sleep all day.\n\nThey purr.", "rivers": "The Rhine is 1,230 km long."}
    matches = await one_off.rank_texts("How long is the Rhine?", list(texts.items()))
    assert [match.document.name for match in matches] == ["rivers", "cats"]
    assert matches[0].score > 0.5 > matches[1].score
    for match in matches:
        assert texts[match.document.name][match.chunk.start : match.chunk.end] == match.chunk.text


async def test_the_best_passage_of_a_long_text_is_found(one_off: OneOff) -> None:
    filler = [
        f"Paragraph {number} says that the weather in week {number} was mild and calm. " * 8 for number in range(900)
    ]
    filler.insert(500, "The treasure was buried below the old oak tree by captain Morgan.")
    matches = await one_off.rank_texts("Where was the treasure buried?", [("tale", "\n\n".join(filler))], limit=3)
    assert len(matches) == 3
    assert "below the old oak" in matches[0].chunk.text


async def test_structure_and_pages_of_a_parsed_document_are_kept(one_off: OneOff) -> None:
    text = "Intro\n\nThe price is 5 euros."
    blocks = (Block(0, 5, "heading", 1, page=1), Block(7, len(text), "paragraph", page=2))
    [match, *_] = await one_off.rank("What is the price?", [ParsedDocument("a.pdf", "A", "pdf", text, blocks, pages=2)])
    assert (match.chunk.page, match.chunk.headings, match.document.kind) == (2, ("Intro",), "pdf")


@pytest.mark.parametrize("texts", [[], [("empty", "")], [("blank", " \n\n\t")]])
async def test_nothing_to_read_gives_no_matches(one_off: OneOff, texts: list[tuple[str, str]]) -> None:
    assert await one_off.rank_texts("What failed?", texts) == []


async def test_a_question_without_words_gives_passages_all_the_same(one_off: OneOff) -> None:
    assert len(await one_off.rank_texts("?", [("a", "One. Two.")])) == 1


async def test_the_same_text_has_the_same_identity_and_another_one_another(one_off: OneOff) -> None:
    first, again, other = [
        (await one_off.rank_texts("x", [("a", text)]))[0].document.id for text in ("One.", "One.", "Two.")
    ]
    assert first == again != other
