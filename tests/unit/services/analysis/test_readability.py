"""Readability against values computed by hand."""

import pytest

from multidb_chat.services.analysis.readability import Reading, ease_of, readability, syllables


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("the", 1), ("cat", 1), ("make", 1), ("table", 2), ("tables", 2), ("whole", 1), ("walked", 1), ("wanted", 2),
        ("used", 1), ("boxes", 2), ("makes", 1), ("agree", 2), ("people", 2), ("water", 2), ("reading", 2),
        ("being", 2), ("radio", 3), ("station", 2), ("material", 4), ("social", 2), ("various", 3), ("precious", 2),
        ("annual", 3), ("language", 2), ("medium", 3), ("video", 3), ("readability", 5), ("documentation", 5),
        ("I", 1), ("x", 1), ("K2", 1),
    ],
)  # fmt: skip
def test_syllables_of_common_words(word: str, count: int):
    assert syllables(word) == count


def test_the_formulas_give_what_a_pencil_gives():
    reading = Reading()
    reading.add("The cat sat on the mat.", english=True)  # 6 words, 6 syllables
    reading.add("Readable documentation matters.", english=True)  # 3 words, 3 + 5 + 2 syllables, all over 6 letters
    assert (reading.sentences, reading.words, reading.long_words, reading.syllables) == (2, 9, 3, 16)
    assert reading.words_per_sentence == 4.5
    assert reading.lix == pytest.approx(4.5 + 100 * 3 / 9)
    assert reading.flesch == pytest.approx(206.835 - 1.015 * 4.5 - 84.6 * 16 / 9)
    assert reading.grade == pytest.approx(0.39 * 4.5 + 11.8 * 16 / 9 - 15.59)


def test_formulas_for_english_are_not_used_for_other_languages():
    reading = Reading()
    reading.add("Die Katze sitzt auf der Matte.", english=False)
    measured = readability(reading, Reading())
    assert measured.flesch is None
    assert measured.grade is None
    assert measured.lix == 6.0


def test_nothing_has_no_readability():
    reading = Reading()
    reading.add("123 --- 456", english=True)
    assert (reading.sentences, reading.lix, reading.flesch, reading.grade) == (0, None, None, None)


@pytest.mark.parametrize(
    ("flesch", "words"), [(95, "very easy"), (65, "plain English"), (30, "difficult"), (0, "very")]
)
def test_an_ease_has_its_name(flesch: float, words: str):
    assert ease_of(flesch).startswith(words)
