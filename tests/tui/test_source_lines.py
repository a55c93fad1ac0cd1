"""The lines below an answer: what is said there however long a title is."""

import pytest

from multidb_chat.domain.turns import Citation
from multidb_chat.tui.widgets.source_lines import source_line

LONG = "The annual statistical survey of ferries, harbours and coastal lighthouses of the northern islands"


def citation(title: str, *headings: str, page: int | None = None) -> Citation:
    return Citation(
        1, "id", "survey.pdf", title, "/survey.pdf", "papers", 0, 5, "words", page, headings, 0.99, "excellent"
    )


@pytest.mark.parametrize(
    ("cited", "line"),
    [
        (citation("Ferries", "Winter", page=3), "[1] Ferries, p. 3 · Winter  (excellent 0.99)"),
        (citation(LONG), "[1] The annual statistical survey of ferries, harbours an…  (excellent 0.99)"),
        (citation(LONG, page=12), "[1] The annual statistical survey of ferries, harb…, p. 12  (excellent 0.99)"),
        (citation(LONG, "Lamps"), "[1] The annual statistical survey of ferries, har… · Lamps  (excellent 0.99)"),
        (citation("Ferries", LONG), "[1] Ferries · The annual statistical survey of ferries, h…  (excellent 0.99)"),
        (citation(LONG, LONG[4:]), "[1] The annual statistical sur… · annual statistical surv…  (excellent 0.99)"),
        (citation("島" * 50), "[1] " + "島" * 26 + " …  (excellent 0.99)"),
    ],
)
def test_a_long_title_gives_way_to_the_page_the_heading_and_the_score(cited: Citation, line: str) -> None:
    assert source_line(cited, 76).plain == line
    assert source_line(cited, 76).cell_length <= 76


def test_in_full_where_nothing_is_known_of_the_room_or_there_is_none() -> None:
    for width in (0, 3):
        assert source_line(citation(LONG), width).plain == f"[1] {LONG}  (excellent 0.99)"
