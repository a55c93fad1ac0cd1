"""The terminal sanitiser against hostile text, and the normal form of questions."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from multidb_chat.domain.text import as_sentence, clean, clean_line, normalise_question

STRINGS = ["\x1b]", "\x9d", "\x1bP", "\x90", "\x1bX", "\x98", "\x1b^", "\x9e", "\x1b_", "\x9f"]
PAYLOADS = [
    *STRINGS, "\x1b", "\x1b[", "\x9b", "\x1b\\", "\x9c", "\x07", "\r", "\r\n", "\x08", "\x7f", "\x00", "\x85",
    "\x1b[31m", "\x1b[2J", "\x1b[?1049h", "\x9b1;2H", "\x1b(0", "\x1b#8", "\x1bc", "\x1b7", "\x1b]0;t\x07",
    "\x1b]52;c;ZXZpbA==\x07", "\x1b]8;;http://x\x1b\\", "\x1bP+q\x1b\\", "\x9d0;t\x9c", "\x1b_G\x1b\\",
    "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2028", "\U000e0041", "\U000e007f",
    "\ud83d", "\udfff",
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PAYLOADS) | st.text(max_size=6), max_size=12).map("".join)
# Every assigned character that is a mark on the page, of all scripts; and the two controls that layout needs.
PLAIN = st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")) | st.sampled_from("\n\t"))
FORBIDDEN = {
    *map(chr, range(0x200B, 0x2010)),  # zero width, directional marks
    *map(chr, range(0x2028, 0x202F)),  # separators, bidirectional embeddings and overrides
    *map(chr, range(0x2060, 0x2070)),  # invisible operators, bidirectional isolates
    *map(chr, range(0xFFF9, 0xFFFC)),  # interlinear annotation
    *map(chr, range(0xE0000, 0xE0080)),  # tags
    "\u00ad", "\u061c", "\u180e", "\ufeff",
}  # fmt: skip


@given(HOSTILE)
def test_nothing_that_can_steer_a_terminal_survives(text: str):
    for character in clean(text):
        assert character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cs"}
        assert character not in FORBIDDEN


@given(HOSTILE)
def test_cleaning_twice_is_cleaning_once(text: str):
    assert clean(clean(text)) == clean(text)


@given(PLAIN)
@example("Привет, мир! 日本語 العربية עברית हिन्दी ไทย 한국어 🎉👍🏽 ﬁ e\u0301 ½ ℝ")
@example("C:\\dir [31m] ]0; {x} ~`|")
def test_plain_text_of_any_script_is_left_alone(text: str):
    assert clean(text) == text


@given(PLAIN, HOSTILE, PLAIN)
def test_text_on_the_lines_around_is_never_lost(before: str, hostile: str, after: str):
    cleaned = clean(f"{before}\n{hostile}\n{after}")
    assert cleaned.startswith(f"{before}\n")
    assert cleaned.endswith(f"\n{after}")


@given(st.sampled_from(STRINGS), PLAIN)
def test_an_unterminated_string_hides_nothing(introducer: str, text: str):
    assert clean(introducer + text) == text


@given(
    st.sampled_from(["\x1b[", "\x9b"]), st.text("0123456789;:?<=> !\"#$%&'()*+,-./"), st.sampled_from(["", "é", "\n"])
)
def test_an_unterminated_control_sequence_hides_nothing(introducer: str, parameters: str, behind: str):
    assert clean(introducer + parameters + behind) == parameters + behind


@pytest.mark.parametrize("introducer", STRINGS)
def test_an_endless_string_is_no_string(introducer: str):
    text = "visible words " * 400
    assert clean(introducer + text + "\x1b\\") == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b1;31mred", "red"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]52;c;ZXZpbA==\x1b\\b", "ab"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x1bPsecret\x1b\\b\x90secret\x9cc", "abc"),
        ("a\x1b(0b\x1bcc\x1b\x1b[mc", "abcc"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("pass\x08\x08word\x7f", "password"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("pay\u200bpal \U000e0068\U000e0069", "paypal "),
        ("half \ud83d of one", "half  of one"),
        ("", ""),
    ],
)
def test_whole_sequences_go_and_the_words_stay(text: str, shown: str):
    assert clean(text) == shown


def test_a_million_introducers_are_read_in_one_pass():
    for introducer in (*STRINGS, "\x1b[", "\x9b1", "\x1b"):
        assert clean(introducer * (1_000_000 // len(introducer)) + "\nend").endswith("\nend")


@given(HOSTILE)
def test_a_line_is_one_line_without_space_around(text: str):
    line = clean_line(text)
    assert line == line.strip()
    assert len(line.splitlines()) <= 1
    assert "  " not in line
    assert clean_line(line) == line


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is RAG?", "  what is\n rag "),
        ("What is RAG?", "WHAT IS RAG ?!"),
        ("straße", "STRASSE"),
        ("ﬁle", "file"),
        ("Ångström", "A\u030angstro\u0308m"),
        ("ｗｈｙ？", "why?"),
        ("why…", "why..."),
        ("wh\u200by", "\x1b[1mwhy\x1b[0m"),
    ],
)
def test_questions_that_differ_in_writing_alone_are_equal(one: str, other: str):
    assert normalise_question(one) == normalise_question(other) != ""


@pytest.mark.parametrize(("one", "other"), [("C", "C++"), ("a b", "ab"), ("résumé", "resume"), ("2019", "2020")])
def test_questions_that_differ_in_words_are_different(one: str, other: str):
    assert normalise_question(one) != normalise_question(other)


@given(HOSTILE | PLAIN)
def test_the_normal_form_of_a_normal_form_is_itself(text: str):
    once = normalise_question(text)
    assert normalise_question(once) == once


def test_a_text_becomes_a_sentence_where_it_is_none() -> None:
    assert [as_sentence(text) for text in ("Overloaded", "Try again.", "Why?")] == ["Overloaded.", "Try again.", "Why?"]
