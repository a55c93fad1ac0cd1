"""The acceptance set: real documents in many formats, read through the real reader, once for all tests here."""

import asyncio
import csv
from pathlib import Path

import pytest

from multidb_chat.adapters.readers import SubprocessReader
from multidb_chat.domain.errors import UnreadableDocument
from multidb_chat.domain.reading import ParsedDocument
from tests.adapters.readers.rules import Part, assert_well_formed, collected

_FOLDER = Path(__file__).parents[3] / "../shared/formats"
_PRESENT = (_FOLDER / "manifest.tsv").exists()
_ROWS = list(csv.DictReader((_FOLDER / "manifest.tsv").open(), delimiter="\t")) if _PRESENT else []

pytestmark = pytest.mark.skipif(not _PRESENT, reason="the acceptance set is not beside the checkout")
Outcome = list[Part] | UnreadableDocument


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    async def read_all() -> dict[str, Outcome]:
        reader = SubprocessReader()
        found: dict[str, Outcome] = {}
        for row in _ROWS:
            try:
                found[row["file"]] = await collected(reader, _FOLDER / row["file"])
            except UnreadableDocument as error:
                found[row["file"]] = error
        await reader.close()
        return found

    return asyncio.run(read_all())


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row["file"])
def test_each_file_gives_what_the_manifest_expects(row: dict[str, str], outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[row["file"]]
    expected = row["expect"].partition(":")[0]
    if isinstance(outcome, UnreadableDocument):
        reasons = {"notext": "no text, only images", "password": "needs a password"}
        assert expected != "text"
        assert outcome.reason == reasons.get(expected, outcome.reason)
        return
    assert expected in ("text", "any")
    documents = [part for part in outcome if isinstance(part, ParsedDocument)]
    assert documents
    for document in documents:
        assert_well_formed(document)
    # The text is laid out anew, so white space may differ.
    found = " ".join(" ".join(document.text for document in documents).split())
    assert " ".join(row["must_contain"].split()) in found


@pytest.mark.parametrize(
    ("file", "kind", "title", "pages"),
    [
        (
            "01_MTRAG-UN-arxiv.pdf",
            "pdf",
            "MTRAG-UN: A Benchmark for Open Challenges in Multi-Turn RAG Conversations",
            7,
        ),
        ("08_DA-619p.pdf", "pdf", None, 619),
        ("06_right_to_left_01.pdf", "pdf", "تحسين الإنتاجية وحل المشكلات من خلال البرمجة بلغة R وPython", 1),
        ("29_powerpoint_sample.pptx", "pptx", "Test Table Slide", 3),
        ("32_2023-half-year-analyses-by-segment.xlsx", "xlsx", None, 5),
        ("34_test_wikipedia.html", "html", "Microsoft - Wikipedia", 0),
        ("41_wasteland.epub", "epub", "The Waste Land", 0),
        ("46_quickstart.rst", "rst", "Getting Started", 0),
        ("48_email-no-utf8-2008-07-16.062410.eml", "email", "RE: שלום", 0),
        ("50_test_rss.xml", "feed", "The Official Microsoft Blog", 0),
    ],
)
def test_titles_kinds_and_pages_are_as_in_the_file(
    outcomes: dict[str, Outcome], file: str, kind: str, title: str | None, pages: int
) -> None:
    outcome = outcomes[file]
    assert isinstance(outcome, list)
    document = outcome[0]
    assert isinstance(document, ParsedDocument)
    assert (document.kind, document.pages) == (kind, pages)
    assert title is None or document.title == title
