"""Hostile text of documents as Markdown that does nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from multidb_chat.domain.text import clean
from multidb_chat.services.answering.rendering import fenced, inert, table

PARSER = MarkdownIt("gfm-like", {"linkify": False})


def tokens(markdown: str) -> list[Token]:
    found = PARSER.parse(markdown)
    return found + [child for token in found for child in token.children or []]


def shown(markdown: str) -> str:
    return "".join(token.content for token in tokens(markdown) if token.type in ("text", "code_inline", "text_special"))


@pytest.mark.parametrize(
    ("text", "markdown", "expected"),
    [
        ("See [the site](https://evil.example/x).", True, "See the site."),
        ("![logo](https://evil.example/pixel.png) here", True, "logo here"),
        ("[![a](b)](https://evil.example)", True, "a"),
        ("as in [12] and [3, 4]", False, "as in (12) and (3, 4)"),
        ("informa-\ntion of 1990-\n95 in Rhine-\nMain", False, "informa-tion of 1990- 95 in Rhine- Main"),
        ("two\nlines  of\ttext", False, "two lines of text"),
        ("run `make` and **wait**", True, "run `make` and **wait**"),
        ("2 * 3 * 4", False, r"2 \* 3 \* 4"),
        ("# not a heading", False, r"\# not a heading"),
        ("1. not a list", False, r"1\. not a list"),
        ("<b>bold</b>", False, r"\<b>bold\</b>"),
        ("visit https://evil.example/a_b now", False, "visit `https://evil.example/a_b` now"),
        ("``<b>``https://evil.example", True, "``<b>`` `https://evil.example`"),
        ("https://evil.example``<b>``", True, "`https://evil.example` ``<b>``"),
        ("red\x1b[31malert\x07", False, "redalert"),
    ],
)
def test_a_line_is_made_inert(text: str, markdown: bool, expected: str) -> None:
    assert inert(text, markdown) == expected


_PIECES = [
    "[", "]", "(", ")", "![", "](", "<", ">", "<script>", "</", "<!--", "&lt;", "&#60;", "`", "``", "\\", "\\[", "*",
    "**", "_", "~~", "#", "# ", "- ", "1. ", "> ", "| ", "---", "===", "    ", "```", "http://a.b/c",
    "javascript:alert(1)", "[1]", "[x]: http://e.x", "[x][y]", "<http://a.b>", "a@b.c", "\n", "\n\n", "\t",
]  # fmt: skip
_HOSTILE = st.lists(st.text(max_size=8) | st.sampled_from(_PIECES), max_size=10).map("".join)


@settings(max_examples=150, deadline=None)
@given(_HOSTILE, st.booleans())
def test_no_text_becomes_a_link_an_image_html_or_a_block(text: str, markdown: bool) -> None:
    found = {token.type for token in tokens(inert(text, markdown))}
    assert found <= {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "text_special",
        "code_inline",
        "softbreak",
    } | ({"em_open", "em_close", "strong_open", "strong_close", "s_open", "s_close"} if markdown else set())


@settings(max_examples=150, deadline=None)
@given(_HOSTILE)
def test_plain_text_shows_its_own_words(text: str) -> None:
    def plain(some: str) -> list[str]:
        return [character for character in some if character.isalnum() and character.isascii()]

    assert plain(shown(inert(text))) == plain(clean(text))


@settings(max_examples=150, deadline=None)
@given(_HOSTILE)
def test_code_cannot_leave_its_fence(text: str) -> None:
    found = [token.type for token in PARSER.parse(fenced(text))]
    assert found == ["fence"]


def test_a_fence_keeps_its_language() -> None:
    assert fenced("```python title=x\nprint(1)\n```") == "```python\nprint(1)\n```"


@settings(max_examples=150, deadline=None)
@given(_HOSTILE.map(lambda text: " ".join(text.split())))
def test_a_row_stays_a_table_of_inert_cells(text: str) -> None:
    found = {token.type for token in tokens(table("| a | b |", f"| x | {text} |"))}
    assert not found & {"link_open", "image", "html_inline", "html_block", "heading_open", "fence", "bullet_list_open"}
    assert "table_open" in found
