"""Tables of the commands for administrators: they fit into the terminal, and lose nothing of their last column."""

import os
import re
from dataclasses import replace
from io import StringIO
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multidb_chat.cli.admin.overview import held
from multidb_chat.cli.admin.tables import brief, write_paragraph, write_rows
from multidb_chat.cli.console import Console
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.upkeep import StoreReport


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def written(columns: int, rows: list[list[str]], terminal: bool = True) -> list[str]:
    out = Terminal() if terminal else StringIO()
    console = Console(out, StringIO(), {"TERM": "xterm", "NO_COLOR": "1"})
    with mock.patch("shutil.get_terminal_size", return_value=os.terminal_size((columns, 24))):
        write_rows(console, ["one", "two", "three"], rows)
    return out.getvalue().splitlines()


AT_ANY_PACE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORD = st.text("abc é", min_size=0, max_size=40).map(lambda text: " ".join(text.split()))


@AT_ANY_PACE
@given(st.integers(60, 200), st.tuples(WORD, WORD, WORD).map(list))
def test_a_table_fits_and_its_last_column_is_whole(columns: int, row: list[str]) -> None:
    lines = written(columns, [row])
    assert lines[0].split() == ["one", "two", "three"]
    assert all(len(line.rstrip()) <= columns for line in lines)
    assert re.sub(r"\s", "", "".join(lines)).endswith(re.sub(r"\s", "", row[2]))


@AT_ANY_PACE
@given(st.lists(st.tuples(WORD, WORD, WORD).map(list), min_size=1, max_size=5))
def test_on_a_pipe_nothing_is_cut_and_each_row_is_a_line(rows: list[list[str]]) -> None:
    lines = written(60, rows, terminal=False)
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert all(cell in line for cell in row)


def test_a_paragraph_is_wrapped_behind_its_beginning() -> None:
    out = Terminal()
    console = Console(out, StringIO(), {"TERM": "xterm", "NO_COLOR": "1"})
    with mock.patch("shutil.get_terminal_size", return_value=os.terminal_size((60, 24))):
        write_paragraph(console, ["begin "], 6, "word " * 20)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("begin word")
    assert all(line.startswith("      word") for line in lines[1:])
    assert "".join(lines).count("word") == 20


def test_identifiers_are_told_by_their_end_and_other_targets_as_they_are() -> None:
    identifier = new_id()
    assert brief(identifier) == identifier[-8:]
    assert brief("plans.free_messages") == "plans.free_messages"


@pytest.mark.parametrize(
    ("kind", "one"),
    [
        ("accounts", "account"),
        ("audit entries", "audit entry"),
        ("days of figures", "day of figures"),
        ("accounts with values", "account with values"),
        ("conversations (about)", "conversation (about)"),
    ],
)
def test_one_of_a_kind_that_a_store_holds_is_told_as_one(kind: str, one: str) -> None:
    report = StoreReport("cache", "here", 1, 1, 0, {kind: 1})
    assert held(report) == f"1 {one}"
    assert held(replace(report, records={kind: 1_200})) == f"1,200 {kind}"
