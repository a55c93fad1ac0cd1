"""Texts whose writer broke the lines: what is one paragraph, and what is left as it is."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.reading import Block
from multidb_chat.tui.paragraphs import paragraphs
from multidb_chat.tui.reading import drawn, laid_out

PROSE = """\
The lighthouse of Skerryness was lit for the first time in 1854 and is now the
oldest one that is still in use on the northern islands. Its lamp is visible at
a distance of 21 nautical miles.
"""
INDENTED = """\
1.  Introduction

   The ferry between the mainland and the northern island is operated by
   the Lindqvist company since 1934, and it carries 120,000 passengers.

   In winter there is a hovercraft.
"""
MANUAL = """\
DESCRIPTION
       The  tide  program  computes  the  height  of  the tide in the
       harbours of the northern islands from the harmonic  constants.
"""
LIST = """\
- The lamp burns with 1,000 watts, and has a spare one that switches itself on
  when the first one fails, which happened four times.
- A fog horn was added in the year 1911, and it was heard until the year 1988 by
  everybody on the island.
"""
LEFT = (
    "| Lamp of the lighthouse    | 1854 |\n| Horn of the lighthouse    | 1911 |",
    "GET /index.html 200 12 ms from the cache\nPOST /login 403\nGET /a 200 9 ms",
    "+------------+----------------+\n+------------+----------------+",
    "single fare of adults         12\nsingle fare of children       6\nreturn fare                   20",
    "## The lighthouse and its keepers\nThe first\nof them came in 1854.",
    "Roses are red\nand violets are blue,\nsugar is sweet",
    "x" * 140 + "\n" + "y" * 30,
)


def shown(text: str, width: int) -> str:
    lines = laid_out(text, (), width)
    return "\n".join(" " * line.indent + drawn(text[line.start : line.end]) for line in lines)


def test_a_paragraph_that_fits_keeps_its_own_lines() -> None:
    assert shown(PROSE, 80) == PROSE


def test_a_paragraph_that_does_not_fit_is_broken_once() -> None:
    assert shown(PROSE, 60) == (
        "The lighthouse of Skerryness was lit for the first time in\n"
        "1854 and is now the oldest one that is still in use on the\n"
        "northern islands. Its lamp is visible at a distance of 21\n"
        "nautical miles.\n"
    )


def test_lines_stay_as_far_in_as_they_were() -> None:
    assert shown(INDENTED, 50) == (
        "1.  Introduction\n\n"
        "   The ferry between the mainland and the northern\n"
        "   island is operated by the Lindqvist company\n"
        "   since 1934, and it carries 120,000 passengers.\n\n"
        "   In winter there is a hovercraft.\n"
    )
    assert shown(MANUAL, 50) == (
        "DESCRIPTION\n"
        "       The  tide  program  computes  the  height\n"
        "       of  the tide in the harbours of the\n"
        "       northern islands from the harmonic\n"
        "       constants.\n"
    )
    assert shown(LIST, 60).split("\n")[:4] == [
        "- The lamp burns with 1,000 watts, and has a spare one that",
        "  switches itself on when the first one fails, which",
        "  happened four times.",
        "- A fog horn was added in the year 1911, and it was heard",
    ]


@pytest.mark.parametrize("text", LEFT)
def test_tables_logs_verses_and_headings_are_left_as_they_are(text: str) -> None:
    lines = text.split("\n")
    assert [len(run) for run in paragraphs(lines, 10)][:2] == [1, 1]


def test_what_a_reader_knows_to_be_code_is_left_as_it_is() -> None:
    code = (Block(0, len(PROSE), "code"),)
    assert all("\n" not in PROSE[line.start : line.end] for line in laid_out(PROSE, code, 60))


@given(st.lists(st.text("ab -#|1.\t", max_size=20)), st.integers(1, 30), st.data())
def test_every_line_is_in_one_paragraph_and_none_reaches_across_blocks(
    lines: list[str], width: int, data: st.DataObject
) -> None:
    blocks = data.draw(st.lists(st.sampled_from((None, 0, 1)), min_size=len(lines), max_size=len(lines)))
    runs = list(paragraphs(lines, width, blocks))
    assert [number for run in runs for number in run] == list(range(len(lines)))
    for run in runs:
        assert len(run) == 1 or len(set(_of(blocks, run))) == 1
        assert len(run) == 1 or None not in _of(blocks, run)


def _of(blocks: list[int | None], run: range) -> Iterator[int | None]:
    return (blocks[number] for number in run)
