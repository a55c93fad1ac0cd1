"""The questions about real documents: what is measured with them is only as good as they are."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.data.answers.library import COLLECTION, Texts, texts_in
from tests.data.answers.quality import REAL, REWORDED, UNSEEN, follow_ups, holds, plain, questions, share

each_set = pytest.mark.parametrize("asked_of", [REAL, REWORDED, UNSEEN], ids=lambda folder: folder.name)


@pytest.fixture
async def texts(tmp_path: Path, asked_of: Path) -> AsyncIterator[Texts]:
    async with texts_in(tmp_path, asked_of / "documents") as opened:
        yield opened


@each_set
async def test_every_span_is_in_the_document_that_is_named_as_it_is_read(texts: Texts, asked_of: Path) -> None:
    read = {}
    for one in await texts.library.documents([COLLECTION.id], limit=100):
        read[Path(one.name).name] = await texts.library.text(one.id) or ""
    spans = [(one.document, span) for one in questions(asked_of) for span in one.gold]
    spans += [(one.document, span) for one in follow_ups(asked_of) for span in one.gold]
    for document, span in spans:
        assert holds(read[document], [span]), (document, span)


@each_set
def test_there_are_enough_questions_each_asked_once_and_no_document_is_in_both_parts(asked_of: Path) -> None:
    asked = questions(asked_of)
    assert sum(bool(one.gold) for one in asked) >= 300
    assert sum(not one.gold for one in asked) >= 150
    assert len({one.id for one in asked}) == len({one.question for one in asked}) == len(asked)
    parts = {(one.document, one.split) for one in asked} | {(one.document, one.split) for one in follow_ups(asked_of)}
    assert len({document for document, _ in parts}) == len(parts)


@each_set
def test_no_question_is_a_sentence_of_its_document(asked_of: Path) -> None:
    for one in questions(asked_of):
        assert plain(one.question) not in plain((asked_of / "documents" / one.document).read_text("utf-8"))


def test_a_share_comes_with_the_interval_of_wilson() -> None:
    assert share(8, 10) == " 80.0%  [49.0%, 94.3%]  8 of 10"
    assert share(0, 0) == "none"
