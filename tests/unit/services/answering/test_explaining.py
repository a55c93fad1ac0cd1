"""How an answer came about, in words."""

from dataclasses import replace

from multidb_chat.domain.turns import Answer, CuratedBy
from multidb_chat.services.answering.explaining import summary


def test_a_curated_answer_says_which_entry_it_is_and_how_sure_that_is() -> None:
    by = CuratedBy("k1", "What are your \x1b[31mhours?", "Office", 3, 0.934)
    answer = Answer("When are you open?", "When are you open?", "Nine to five.", True, method="knowledge", curated=by)
    rows = dict(summary(answer))
    assert rows["Answer"] == "a curated knowledge entry"
    assert rows["Knowledge"] == "What are your hours? (Office), confidence 0.93"
    other = replace(answer, method="extractive", curated=None)
    assert dict(summary(other))["Knowledge"] == "no curated entry answered"
