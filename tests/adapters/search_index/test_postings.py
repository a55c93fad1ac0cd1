"""What is remembered of words: the same as full text search says, and of the words asked last."""

import sqlite3
from collections.abc import Iterator

import pytest

from multidb_chat.adapters.search_index import postings
from multidb_chat.adapters.search_index.postings import Postings
from multidb_chat.adapters.search_index.segments import Segment
from multidb_chat.adapters.search_index.tables import Tables

SEGMENT = Segment(number=3, dimensions=0, file="", slots=60, dead=0)
WORDS = [f"word{number}" for number in range(6)]


@pytest.fixture
def connection(tmp_path) -> Iterator[sqlite3.Connection]:
    tables = Tables(tmp_path)
    with tables.writing() as connection:
        for slot in range(60):  # each word in every second, third, fourth ... passage
            held = " ".join(word for number, word in enumerate(WORDS, 2) if slot % number == 0)
            connection.execute(
                "INSERT INTO passages (rowid, title, headings, body) VALUES (?, ?, '', ?)",
                (SEGMENT.first + slot, WORDS[slot % 6], f"{held} and more of the text"),
            )
        yield connection
    tables.close()


@pytest.mark.parametrize("word", WORDS)
def test_a_word_gives_each_passage_what_full_text_search_gives_it(connection: sqlite3.Connection, word: str):
    expected = connection.execute(
        "SELECT rowid, -bm25(passages, 3, 2, 1) FROM passages WHERE passages MATCH ? AND rowid >= ? ORDER BY rowid",
        (word, SEGMENT.first),
    ).fetchall()
    found = Postings().of(connection, SEGMENT, word)
    assert [SEGMENT.first + slot for slot in found.slots.tolist()] == [row for row, _ in expected]
    assert found.scores.tolist() == pytest.approx([score for _, score in expected], abs=2e-6)


def test_a_word_that_occurs_nowhere_has_no_passages(connection: sqlite3.Connection):
    found = Postings().of(connection, SEGMENT, "nowhere")
    assert (len(found.slots), len(found.scores)) == (0, 0)


def test_words_asked_long_ago_are_forgotten_first(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch):
    known = Postings()
    first, second, third = (known.of(connection, SEGMENT, word) for word in WORDS[:3])
    assert known.of(connection, SEGMENT, WORDS[0]) is first  # asked again: later than the second
    monkeypatch.setattr(postings, "MOST_PASSAGES", sum(len(one.slots) for one in (first, second, third)))
    fourth = known.of(connection, SEGMENT, WORDS[3])
    assert [known.of(connection, SEGMENT, WORDS[number]) for number in (0, 2, 3)] == [first, third, fourth]
    again = known.of(connection, SEGMENT, WORDS[1])
    assert again is not second
    assert again.scores.tolist() == second.scores.tolist()
