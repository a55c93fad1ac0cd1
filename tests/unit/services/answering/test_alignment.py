"""Words of a question against the words of a text, by their vectors."""

import numpy as np
import pytest

from multidb_chat.domain.search import Pieces
from multidb_chat.services.answering.alignment import Asked

# Words with vectors made by hand: those of one row of the table mean the like.
MEANINGS = ["united unification", "mongols", "the of", "bread", "oven", "?"]


def pieces(text: str) -> Pieces:
    ids, spans, rows, at = [], [], [], 0
    for word in text.replace("?", " ?").split():
        place = next(place for place, words in enumerate(MEANINGS) if word in words.split())
        ids.append(hash(word) % 10_000)
        start = text.index(word, at)
        spans.append((start, at := start + len(word)))
        rows.append(np.eye(len(MEANINGS), dtype="<f4")[place])
    return Pieces(b"", tuple(ids), tuple(spans), b"".join(row.tobytes() for row in rows))


def test_another_word_of_the_same_meaning_is_a_counterpart() -> None:
    question, text = "united mongols", pieces("unification of the mongols")
    found = Asked(question, pieces(question), [text]).in_text(text)
    assert (found.mean, found.weakest) == pytest.approx((1.0, 1.0))


def test_a_word_without_a_counterpart_is_the_weakest_and_lowers_the_mean() -> None:
    question, text = "bread oven", pieces("the bread")
    found = Asked(question, pieces(question), [text]).in_text(text)
    assert found.weakest == pytest.approx(0.0)
    assert 0.0 < found.mean < 1.0


def test_a_word_that_many_texts_hold_counts_less_than_a_rare_one() -> None:
    question, texts = "bread oven", [pieces("bread"), pieces("bread of"), pieces("oven bread"), pieces("bread")]
    asked = Asked(question, pieces(question), texts)
    assert asked.in_text(pieces("oven")).mean > 0.5 > asked.in_text(pieces("bread")).mean


def test_punctuation_is_not_looked_for() -> None:
    question, text = "bread?", pieces("bread")
    assert Asked(question, pieces(question), [text]).in_text(text).weakest == pytest.approx(1.0)


@pytest.mark.parametrize(("question", "text"), [("bread", ""), ("", "bread"), ("", "")])
def test_nothing_comes_near_nothing(question: str, text: str) -> None:
    found = Asked(question, pieces(question), [pieces(text)]).in_text(pieces(text))
    assert (found.mean, found.weakest) == (0.0, 0.0)
