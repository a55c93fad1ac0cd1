"""What a model gets of a conversation: the latest turns in their words, older ones summed up, within the budget."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.domain.turns import Answer, AnswerSentence
from multidb_chat.services.answering.codec import dumps
from multidb_chat.services.modelled.estimating import tokens
from multidb_chat.services.recalling.summary import Summary, as_message, summary_in
from multidb_chat.services.recalling.window import MOST_TURNS, SUMMARY_SHARE, room_for_turns, window
from tests.unit.services.recalling.talks import branch, said, summary


def numbers(turns: tuple[tuple[object, str], ...]) -> list[int]:
    return [int(end[:4]) for _, end in turns]


def test_a_short_conversation_is_there_in_its_own_words_without_marks() -> None:
    seen = window(branch(3), (), 600)
    assert [turn.asked for turn, _ in seen.turns] == ["Question 0?", "Question 1?", "Question 2?"]
    assert seen.turns[0][0].said == ("Answer 0 " + "word " * 10).strip()
    assert (seen.summary, seen.left_out, seen.to_sum_up()) == (None, (), ())
    assert 0 < seen.used < 600


def test_the_oldest_turns_do_not_fit_first() -> None:
    seen = window(branch(12, 40), (), 300)
    assert numbers(seen.left_out) + numbers(seen.turns) == list(range(12))
    assert seen.turns
    assert seen.left_out


def test_a_summary_takes_the_place_of_the_turns_it_holds() -> None:
    talk = branch(6)
    seen = window(talk, [*talk, summary("Two were asked.", 1)], 600)
    assert seen.summary is not None
    assert (seen.recalled.summary, numbers(seen.turns)) == ("Two were asked.", [2, 3, 4, 5])


def test_of_several_summaries_the_one_that_reaches_farthest_counts_and_of_equal_ones_the_last() -> None:
    talk = branch(6)
    far = [summary("Far.", 3), summary("Far again.", 3)]
    seen = window(talk, [*far, summary("Near.", 1), *talk], 600)
    assert seen.recalled.summary == "Far again."


def test_a_summary_of_another_branch_does_not_count() -> None:
    talk = branch(4)
    other = [replace(message, id=f"x{message.id}") for message in said(3)]
    elsewhere = as_message(Summary("Elsewhere.", 4, other[-1].id, ""), "talk", "ann")
    assert window(talk, [*talk, *other, elsewhere], 600).summary is None
    shared = as_message(Summary("Shared.", 3, talk[5].id, ""), "talk", "ann")
    forked = [*talk[:6], *other]
    assert window(forked, [*forked, shared], 600).recalled.summary == "Shared."


def test_older_turns_are_summed_up_before_they_have_to_be_left_out() -> None:
    for turns in range(1, 30):
        seen = window(branch(turns, 25), (), 600)
        if older := seen.to_sum_up():
            assert not seen.left_out
            assert numbers(older)[0] == 0
            break
    else:
        pytest.fail("nothing was ever summed up")


def test_after_a_summary_there_is_room_for_some_turns() -> None:
    talk = branch(11, 30)
    older = window(talk, (), 600).to_sum_up()
    done = summary("Older ones.", int(older[-1][1][:4]))
    assert window(talk, [*talk, done], 600).to_sum_up() == ()


def test_many_tiny_turns_are_summed_up_too() -> None:
    assert window(branch(MOST_TURNS - 1, 0), (), 10_000).to_sum_up() == ()
    assert window(branch(MOST_TURNS, 0), (), 10_000).to_sum_up()


@given(st.integers(0, 20), st.integers(0, 300), st.integers(0, 2_000), st.text(max_size=3_000))
def test_the_budget_is_kept_and_the_latest_turn_is_not_summed_up(
    turns: int, words: int, budget: int, text: str
) -> None:
    talk = branch(turns, words)
    around = [*talk, summary(text[: budget * 4 // SUMMARY_SHARE // 4], 1)] if turns > 2 else talk
    seen = window(talk, around, budget)
    assert seen.used <= budget
    assert room_for_turns(budget, seen.summary) >= budget * 2 // 3
    if turns:
        assert f"{turns - 1:04}b" not in [end for _, end in seen.to_sum_up()]


def test_a_long_answer_is_cut_behind_a_word_and_without_spaces_anywhere() -> None:
    (turn, _), *_ = window(said(0, 2_000), (), 600).turns
    assert turn.said.endswith("word ...")
    assert tokens(turn.said) <= 102
    long = replace(said(0)[1], body="語" * 2_000)
    (turn, _), *_ = window([said(0)[0], long], (), 600).turns
    assert 0 < tokens(turn.said) <= 102


def test_what_no_passage_supported_is_not_recalled() -> None:
    asked, told = said(0)
    sentences = (AnswerSentence("It opened in 1912."), AnswerSentence("It is a museum.", supported=False))
    answer = Answer("q", "q", "It opened in 1912. [1] It is a museum. [?]", True, sentences, method="model")
    ((turn, _),) = window([asked, replace(told, meta=dumps(answer))], (), 600).turns
    assert turn.said == "It opened in 1912."


def test_a_summary_is_the_same_after_it_was_stored_and_nothing_else_is_one() -> None:
    message = summary("It said “x”.\x1b[2J", 3)
    assert message.body == ""
    assert summary_in(message) == Summary("It said “x”.", 2, "0003b", "scripted:one")
    assert summary_in(replace(message, role="assistant")) is None
    assert summary_in(replace(message, meta="{}")) is None
    assert summary_in(replace(message, meta="no json")) is None
    assert summary_in(replace(message, parent_id=None)) is None
    assert summary_in(said(0)[1]) is None
