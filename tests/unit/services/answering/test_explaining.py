"""How an answer came about, in words."""

from dataclasses import replace

from multidb_chat.domain.turns import Answer, CuratedBy, ModelUse
from multidb_chat.services.answering.explaining import summary


def test_a_curated_answer_says_which_entry_it_is_and_how_sure_that_is() -> None:
    by = CuratedBy("k1", "What are your \x1b[31mhours?", "Office", 3, 0.934)
    answer = Answer("When are you open?", "When are you open?", "Nine to five.", True, method="knowledge", curated=by)
    rows = dict(summary(answer))
    assert rows["Answer"] == "a curated knowledge entry"
    assert rows["Knowledge"] == "What are your hours? (Office), confidence 0.93"
    other = replace(answer, method="extractive", curated=None)
    assert dict(summary(other))["Knowledge"] == "no curated entry answered"


def test_an_answer_that_was_quoted_in_the_place_of_a_models_says_so() -> None:
    use = ModelUse("gguf:smollm2.gguf-98362432", 375, 40)
    answer = Answer("When?", "When?", "In 1912.", True, method="extractive", model=use)
    rows = dict(summary(answer))
    assert rows["Answer"] == "quoted: the language model said nothing that could be used"
    assert rows["Model"] == "gguf:smollm2.gguf, 375 tokens read, 40 written"
