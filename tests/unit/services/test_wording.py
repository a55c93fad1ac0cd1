"""How numbers are put into words."""

import pytest

from multidb_chat.services.wording import counted


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (counted(0, "document"), "0 documents"),
        (counted(1, "document"), "1 document"),
        (counted(1_400, "document"), "1,400 documents"),
        (counted(1, "query", "queries"), "1 query"),
        (counted(2, "query", "queries"), "2 queries"),
        (counted(1, "thing is", "things are"), "1 thing is"),
        (counted(0, "thing is", "things are"), "0 things are"),
    ],
)
def test_one_thing_is_told_as_one(said: str, words: str):
    assert said == words
