"""A whole analysis of documents whose figures are known, through the real reader, library and embedder's format."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from multidb_chat.domain.ids import new_id
from multidb_chat.domain.tasks import Task
from multidb_chat.services.analysis.analysis import Analysis
from multidb_chat.services.documents import Documents
from multidb_chat.services.tasks.reports import Report, loads
from tests.unit.services.ingesting import OWNER, Workplace

ONE = """# Tea

Tea is grown in Assam. Tea is grown in Darjeeling too. The harvest begins in March 2021.

The harvest was sold for 3 million euros. Everybody drinks tea in the morning.
"""
OTHER = """# Coffee

Coffee is grown in Brazil. The harvest begins in March 2021. Nobody drinks coffee in Assam.
"""


async def analysed(work: Workplace, about: str = "", **payload: str) -> Report:
    told: list[tuple[float, str]] = []
    task = Task(new_id(), OWNER.id, "analyze", {"about": about, **payload}, work.collection.created_at)
    analysis = Analysis(Documents(work.library), work.library)
    outcome = await analysis(task, OWNER, lambda progress, step: told.append((progress, step)))
    assert [progress for progress, _ in told] == sorted(progress for progress, _ in told)
    json.loads(outcome.result)
    return loads(outcome.result)


def by(rows: list[dict[str, Any]], key: str, value: str) -> dict[str, Any]:
    (row,) = [row for row in rows if row[key] == value]
    return row


@pytest.fixture
async def filled(work: Workplace, tmp_path: Path) -> Workplace:
    for name, text in (("tea.md", ONE), ("coffee.md", OTHER), ("copy.md", ONE.replace("everybody", "Everybody"))):
        (tmp_path / name).write_text(text, encoding="utf-8")
    await work.add(*(tmp_path / name for name in ("tea.md", "coffee.md", "copy.md")))
    return work


async def test_the_figures_are_those_one_can_count(filled: Workplace):
    report = await analysed(filled)
    data = report.data
    assert report.found
    assert (data["documents"], data["sentences"]) == (3, 5 + 5 + 3)
    tea, coffee = (by(data["by_document"], "name", name) for name in ("tea.md", "coffee.md"))
    # Headings are words of a document, and no sentences.
    assert (tea["sentences"], tea["words"], coffee["sentences"], coffee["words"]) == (5, 32, 3, 17)
    assert data["words"] == 32 + 32 + 17
    assert by(data["terms"], "term", "tea") == {"term": "tea", "count": 8, "documents": 2}
    assert by(data["terms"], "term", "coffee") == {"term": "coffee", "count": 3, "documents": 1}
    assert by(data["terms"], "term", "harvest") == {"term": "harvest", "count": 5, "documents": 3}


async def test_sentences_names_dates_and_amounts_are_counted(filled: Workplace):
    data = (await analysed(filled)).data
    repeated = by(data["repeated"], "sentence", "The harvest begins in March 2021.")
    assert (repeated["count"], repeated["documents"]) == (3, 3)
    assert by(data["entities"]["names"], "text", "Assam") == {"text": "Assam", "count": 3, "documents": 3}
    assert by(data["entities"]["dates"], "text", "March 2021")["count"] == 3
    assert by(data["entities"]["amounts"], "text", "3 million euros")["count"] == 2


async def test_copies_are_nearly_the_same(filled: Workplace):
    (pair,) = (await analysed(filled)).data["near_duplicates"]
    assert {pair["first"], pair["second"]} == {"tea.md", "copy.md"}
    assert pair["similarity"] == 1.0


async def test_what_was_asked_about_is_counted_by_document(filled: Workplace):
    report = await analysed(filled, "statistics about the coffee harvest")
    assert report.data["focus"] == ["coffee", "harvest"]
    counted = {row["name"]: row["focus"] for row in report.data["by_document"]}
    assert counted == {"coffee.md": 3, "tea.md": 2, "copy.md": 2}
    assert "## What you asked about: coffee, harvest" in report.markdown


async def test_words_that_occur_nowhere_are_said_to(filled: Workplace):
    assert "None of these words occurs" in (await analysed(filled, "penguins")).markdown


async def test_a_report_is_the_same_when_it_is_made_again(filled: Workplace):
    assert await analysed(filled, "tea") == await analysed(filled, "tea")


async def test_a_description_or_an_option_narrows_to_collections(filled: Workplace, tmp_path: Path):
    documents = Documents(filled.library)
    essays = await documents.create_collection(OWNER, "essays")
    for report in (await analysed(filled, "essays"), await analysed(filled, collections=essays.id)):
        assert not report.found
    assert (await analysed(filled, f"tea in {filled.collection.name}")).data["documents"] == 3


async def test_hostile_names_and_texts_stay_text(work: Workplace, tmp_path: Path):
    (tmp_path / "a|b *c*.md").write_text("# [x](http://evil)\n\nA | table [link](http://evil) is *here* again. " * 3)
    await work.add(tmp_path / "a|b *c*.md")
    report = await analysed(work)
    assert "a\\|b \\*c\\*.md" in report.markdown
    assert "](http" not in report.markdown.replace("\\](", "")


async def test_a_document_without_words_is_no_trouble(work: Workplace, tmp_path: Path):
    (tmp_path / "numbers.txt").write_text("1 2 3\n\n--- ...\n")
    await work.add(tmp_path / "numbers.txt")
    report = await analysed(work)
    assert report.data["documents"] == 1
    assert report.data["readability"]["flesch"] is None


async def test_somebody_elses_private_documents_are_not_counted(filled: Workplace):
    stranger = replace(OWNER, id="stranger", email="s@example.org")
    task = Task(new_id(), stranger.id, "analyze", {"about": ""}, filled.collection.created_at)
    await filled.library.update_collection(replace(filled.collection, shared=False))
    outcome = await Analysis(Documents(filled.library), filled.library)(task, stranger, lambda *_: None)
    assert not loads(outcome.result).found
    assert "tea" not in outcome.result
