"""Passages as units that can be quoted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multidb_chat.services.answering.sentences import split


def pieces(text: str, kind: str = "text", headings: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(unit.kind, text[unit.start : unit.end]) for unit in split(text, kind, headings)]


def sentences(text: str) -> list[str]:
    return [piece for _, piece in pieces(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rains. We stay.", ["It rains.", "We stay."]),
        ("Dr. Weiss met J. R. Aune at 4.5 p.m. in the hall.", ["Dr. Weiss met J. R. Aune at 4.5 p.m. in the hall."]),
        ("He moved to the U.S. The firm stayed.", ["He moved to the U.S.", "The firm stayed."]),
        ("The U.S. Army left.", ["The U.S. Army left."]),
        ("See Fig. 3 and No. 7. Then stop.", ["See Fig. 3 and No. 7.", "Then stop."]),
        ("The answer was no. The talks ended.", ["The answer was no.", "The talks ended."]),
        ("Use tea, milk, etc. It is hot.", ["Use tea, milk, etc.", "It is hot."]),
        ("Use e.g. Python. Or not.", ["Use e.g. Python.", "Or not."]),
        ("Version 2.0 costs 1.50 euros. Fine.", ["Version 2.0 costs 1.50 euros.", "Fine."]),
        ("Well ... he waited. Long!", ["Well ... he waited.", "Long!"]),
        ('"Why?" she asked. "Because."', ['"Why?" she asked.', '"Because."']),
        ("He said “stop.” Then he left.", ["He said “stop.”", "Then he left."]),
        ("Really?! Yes.", ["Really?!", "Yes."]),
        ("今日は晴れです。明日は雨です！本当？", ["今日は晴れです。", "明日は雨です！", "本当？"]),
        ("यह पहला है। यह दूसरा है।", ["यह पहला है।", "यह दूसरा है।"]),
        ("هل هذا صحيح؟ نعم.", ["هل هذا صحيح؟", "نعم."]),
        ("No mark at the end", ["No mark at the end"]),
        ("The plan is B. The rest waits.", ["The plan is B.", "The rest waits."]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_a_text_is_split_where_its_sentences_end(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_wrapped_sentence_is_one_and_its_span_keeps_the_line_break() -> None:
    assert sentences("The tower is\n31 metres high and\nwhite. It stands.") == [
        "The tower is\n31 metres high and\nwhite.",
        "It stands.",
    ]


def test_the_lines_of_a_log_are_units_of_their_own() -> None:
    text = "2023-05-02 03:11 INFO started\n2023-05-02 03:12 ERROR disk full\n2023-05-02 03:13 INFO stopped"
    assert sentences(text) == text.split("\n")


def test_the_lines_of_a_form_are_units_of_their_own() -> None:
    assert sentences("Name: Ada Berg\nCity: Oslo\nPhone: 55") == ["Name: Ada Berg", "City: Oslo", "Phone: 55"]


def test_list_items_are_units_without_their_markers() -> None:
    text = "Do this:\n\n1. Fill it.\n   Wait.\n2. Heat it.\n\n- red\n* blue"
    assert pieces(text) == [
        ("sentence", "Do this:"),
        ("item", "Fill it.\n   Wait."),
        ("item", "Heat it."),
        ("item", "red"),
        ("item", "blue"),
    ]
    assert [unit.marker for unit in split(text)] == ["", "1.", "2.", "-", "-"]


def test_numbered_and_bulleted_items_are_different_lists() -> None:
    blocks = [unit.block for unit in split("1. one\n2. two\n\n- red\n- blue")]
    assert blocks[0] == blocks[1] != blocks[2] == blocks[3]


def test_a_blank_line_between_items_does_not_end_the_list() -> None:
    assert len({unit.block for unit in split("1. one\n\n2. two\n\n3. three")}) == 1


def test_a_wrapped_line_that_begins_with_a_number_is_no_list() -> None:
    assert sentences("They met on the\n12. May was warm that year and long.")[0].startswith("They met on the\n12.")


@pytest.mark.parametrize("text", ["## Rules\n\nBe kind.", "Rules\n=====\n\nBe kind.", "Rules\n\nBe kind."])
def test_a_heading_is_told_from_text(text: str) -> None:
    assert [kind for kind, _ in pieces(text)] == ["heading", "sentence"]


def test_a_line_of_the_heading_path_is_a_heading_however_it_is_written() -> None:
    assert pieces("how to begin:\nPress the key.", headings=("Guide", "how to begin:"))[0][0] == "heading"


def test_code_stays_whole() -> None:
    text = "Run this:\n\n```sh\nmake\n\nmake install. Now.\n```\n\nDone."
    assert pieces(text) == [
        ("sentence", "Run this:"),
        ("code", "```sh\nmake\n\nmake install. Now.\n```"),
        ("sentence", "Done."),
    ]
    assert pieces("def f():\n    return 1. \n", "function") == [("code", "def f():\n    return 1.")]


def test_an_open_fence_ends_with_the_passage() -> None:
    assert pieces("```\nx = 1\n") == [("code", "```\nx = 1")]


def test_a_table_is_its_header_and_its_rows() -> None:
    text = "| Plan | Price |\n| --- | ---: |\n| Basic | 19 |\n| Team | 79 |"
    assert pieces(text) == [
        ("header", "| Plan | Price |"),
        ("row", "| Basic | 19 |"),
        ("row", "| Team | 79 |"),
    ]


def test_rows_that_name_their_columns_need_no_header() -> None:
    assert [kind for kind, _ in pieces("plan: Basic; price: 19\nplan: Team; price: 79", "table")] == ["row", "row"]


def test_what_is_too_long_for_a_sentence_is_its_lines() -> None:
    lines = [f"value {number} of the flattened table without any mark at all in it" for number in range(30)]
    assert all(len(piece) <= 600 for piece in sentences("\n".join(lines)))
    assert sentences("\n".join(lines))[0].startswith("value 0 of")


_PIECES = [
    "# Head", "===", "---", "```", "~~~sh", "- item one. Two", "1. step", "2) step", "| a | b |", "|---|---|", "",
    "a) b", "Mr. A. B. said so. Then", "e.g. this... 。それ。", "12:04 ERROR x", "key: value", "\t- nested", "   ",
    "\x0b.",
]  # fmt: skip
_LINES = st.lists(st.text(max_size=40) | st.sampled_from(_PIECES), max_size=12)


@settings(max_examples=150, deadline=None)
@given(_LINES, st.sampled_from(["text", "table", "code", "function", "list"]))
def test_units_are_exact_ordered_and_lose_no_words(lines: list[str], kind: str) -> None:
    text = "\n".join(lines)
    units = split(text, kind)
    at = 0
    left = []
    for unit in units:
        assert at <= unit.start < unit.end <= len(text)
        piece = text[unit.start : unit.end]
        assert piece == piece.strip()
        left.append(text[at : unit.start])
        at = unit.end
    left.append(text[at:])
    # What no unit holds is space, rules, and the markers of lists.
    for gap in left:
        assert all(
            len(word) <= 5 and (not word.isalpha() or len(word) == 1) for word in gap.split() if word.strip("-=~|:")
        ), gap
