"""Text, Markdown, reStructuredText, HTML and PDF: text, structure, title, dates and language."""

from datetime import UTC, datetime

import pytest

from multidb_chat.adapters.readers.source import Refusal
from tests.adapters.readers import making
from tests.adapters.readers.rules import document_of, parts_of, shape


def test_paragraphs_are_blocks_and_sure_headings_are_headings() -> None:
    text = (
        "The Sea\n=======\n\nCHAPTER I\n\nIt is wide.\nAnd deep.\n\n2.1 Waves and wind\n\n- one\n- two\n\nMr. 7 said.\n"
    )
    document = document_of("sea.txt", text)
    assert document.text == text
    assert document.title == "The Sea"
    assert shape(document) == [
        ("heading1", "The Sea\n======="),
        ("heading2", "CHAPTER I"),
        ("paragraph", "It is wide.\nAnd deep."),
        ("heading3", "2.1 Waves and wind"),
        ("list", "- one\n- two"),
        ("paragraph", "Mr. 7 said."),
    ]


def test_a_chapter_number_is_no_title() -> None:
    assert document_of("moby.txt", "CHAPTER I\n\nCall me.\n").title == "moby"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "cp1252", "latin-1"]
)
def test_text_is_read_in_any_western_encoding(encoding: str) -> None:
    text = "Caf\u00e9s d\u00e9j\u00e0 ferm\u00e9s, les \u00e9t\u00e9s o\u00f9 le p\u00e8re dort.\n\n" * 5
    assert document_of("a.txt", text.encode(encoding)).text == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("shift_jis", "海の水は塩からい。船は港に入りました。これは日本語の文章です。" * 4),
        ("koi8-r", "Море широкое и глубокое, корабли идут в гавань каждый день. " * 4),
        ("cp1253", "Η θάλασσα είναι μεγάλη και βαθιά, τα πλοία έρχονται στο λιμάνι. " * 4),
        ("cp1250", "Zażółć gęślą jaźń, proszę pana, i był to piękny dzień na Śląsku. " * 4),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy, a děti se smály. " * 4),
        ("cp1252", "El niño comió una piña en España; ¿quién lo vio? “Yo”, dijo. " * 4),
        ("cp1252", "Café"),
        ("gb18030", "海水是咸的,船进了港口,天气很好,我们去游泳。" * 4),
    ],
)
def test_text_is_read_in_many_languages_without_a_mark(encoding: str, text: str) -> None:
    assert document_of("a.txt", text.encode(encoding)).text == text


def test_one_bad_byte_does_not_spoil_a_utf8_text() -> None:
    data = ("Über die Möwen und ihre Jungen im größten Frühjahrssturm der Küste. " * 4).encode()
    assert "größten" in document_of("a.txt", data[:200] + b"\xff" + data[200:]).text


def test_line_ends_are_one_sort_and_nul_is_gone() -> None:
    assert document_of("a.txt", b"one\r\ntwo\rthree\x00four\n").text == "one\ntwo\nthree four\n"


def test_form_feeds_are_pages() -> None:
    document = document_of("a.txt", "first\n\fsecond\n\n\fthird")
    assert document.pages == 3
    assert [block.page for block in document.blocks] == [1, 2, 3]


@pytest.mark.parametrize("data", [bytes(range(256)) * 20, b"\x00" * 500, b"\x7fELF\x02\x01\x01" + bytes(64)])
def test_what_is_no_text_is_of_no_known_format(data: bytes) -> None:
    with pytest.raises(Refusal, match="unknown format"):
        parts_of("a.txt", data)


@pytest.mark.parametrize("data", [b"", b" \n\t\r\n ", b"\xef\xbb\xbf"])
def test_a_text_without_a_visible_character_is_empty(data: bytes) -> None:
    with pytest.raises(Refusal, match="empty"):
        parts_of("a.md", data)


def test_markdown_keeps_its_text_and_has_its_blocks_from_the_parser() -> None:
    text = (
        "---\ntitle: 'Sand'\ndate: 2021-07-01\nauthor: Ada\n---\n# The [big](http://x) *dunes*\n\nA\nline.\n\n"
        "- one\n  - two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\n# no heading\n```\n\nWinds\n-----\n"
    )
    document = document_of("a.md", text)
    assert document.text == text
    assert (document.title, document.authored_at) == ("Sand", datetime(2021, 7, 1, tzinfo=UTC))
    assert document.metadata == {"author": "Ada"}
    assert shape(document)[1:] == [
        ("heading1", "# The [big](http://x) *dunes*"),
        ("paragraph", "A\nline."),
        ("list", "- one\n  - two"),
        ("table", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("code", "```py\n# no heading\n```"),
        ("heading2", "Winds\n-----"),
    ]
    assert [block.label for block in document.blocks if block.kind == "heading"] == ["The big dunes", "Winds"]


def test_rst_titles_have_the_levels_of_their_underlines() -> None:
    text = (
        "=====\nGuide\n=====\n\nStart\n-----\n\nRead this::\n\n    a = 1\n\n    b = 2\n\nBack.\n\nMore\n~~~~\n\n"
        ".. code-block:: py\n\n   c = 3\n\nEnd\n---\n\n==  ==\na   b\n==  ==\n1   2\n==  ==\n\n* one\n"
    )
    document = document_of("guide.rst", text)
    assert document.text == text
    assert document.title == "Guide"
    found = shape(document)
    assert [block.level for block in document.blocks if block.kind == "heading"] == [1, 2, 3, 2]
    assert [text for kind, text in found if kind == "code"] == ["a = 1", "b = 2", ".. code-block:: py", "c = 3"]
    assert [kind for kind, _ in found][-2:] == ["table", "list"]


def test_html_gives_its_main_content_in_blocks() -> None:
    page = """<!DOCTYPE html><html lang="en-US"><head><title> The   salt works </title>
      <meta name="author" content="Ada"><meta property="article:published_time" content="2020-01-02T03:04:05+02:00">
      <style>p {}</style></head><body><nav><a href="/">Home</a></nav><script>alert(1)</script>
      <main><h1>Salt</h1><p>Dry <b>it</b> in the<br>sun.</p><div>Loose <span>words</span><p>then more</p>tail</div>
      <ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul><ol><li>first</li></ol>
      <pre>x =  1
  y</pre><table><tr><th>Port</th><th>Tons</th></tr><tr><td>Aber</td><td>12</td></tr></table>
      <p hidden>secret</p><p style="display: none">gone</p><aside>see also</aside></main>
      <footer>imprint</footer></body></html>"""
    document = document_of("x.html", page)
    assert shape(document) == [
        ("heading1", "Salt"),
        ("paragraph", "Dry it in the\nsun."),
        ("paragraph", "Loose words"),
        ("paragraph", "then more"),
        ("paragraph", "tail"),
        ("list", "- one\n  - inner\n- two"),
        ("list", "- first"),
        ("code", "x =  1\n  y"),
        ("table", "Port: Aber; Tons: 12"),
    ]
    assert (document.title, document.language) == ("The salt works", "en")
    assert document.authored_at == datetime(2020, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert document.metadata == {"author": "Ada"}


def test_html_table_cells_keep_their_columns_whatever_spans_them() -> None:
    page = """<table><tr><th>Port<th>Year<th>Tons<tr><td rowspan=2>Aber<td>2019<td>3<tr><td>2020<td>4
      <tr><td colspan=2>All<td>7<tr><td>Byr<td><table><tr><td>in<td>ner</table><td>1</table>
      <table><tr><th>Founded<td>1<b>9</b>07<tr><th>Seat:<td>Aber<br>on sea</table>"""
    assert document_of("a.html", page).text.split("\n") == [
        "Port: Aber; Year: 2019; Tons: 3",
        "Port: Aber; Year: 2020; Tons: 4",
        "Port: All; Tons: 7",
        "Port: Byr; Year: in ner; Tons: 1",
        "",
        "Founded: 1907",
        "Seat: Aber on sea",
    ]


@pytest.mark.parametrize(
    ("head", "encoding", "content_type"),
    [
        ('<meta charset="windows-1251">', "cp1251", ""),
        ('<meta http-equiv="Content-Type" content="text/html; charset=shift_jis">', "shift_jis", ""),
        ("", "utf-16", ""),
        ("", "utf-8", ""),
        ('<meta charset="latin-1">', "cp1252", ""),
    ],
)
def test_html_is_decoded_as_it_says(head: str, encoding: str, content_type: str) -> None:
    words = {"cp1251": "Соль и море", "shift_jis": "塩と海", "cp1252": "“été”"}.get(encoding, "Ελλάδα été")
    page = f"<html><head>{head}</head><body><p>{words}</p></body></html>"
    assert document_of("a.html", page.encode(encoding), content_type).text == words


def test_the_content_decides_when_the_name_says_nothing() -> None:
    assert document_of("download", b"<!doctype html><p>Hello there").kind == "html"
    assert document_of("a.txt", b"<html><body><p>Hello").kind == "html"
    assert document_of("a.html", making.pdf([[(12, "A page")]])).kind == "pdf"
    assert document_of("page", b"just words", "text/markdown; charset=utf-8").kind == "markdown"
    assert document_of("noname", b'{"a": "b"}').kind == "json"


def test_deeply_nested_html_does_no_harm() -> None:
    page = b"<div>" * 3000 + b"deep" + b"</div>" * 3000
    try:
        assert "deep" in document_of("a.html", page).text
    except Refusal as refusal:  # The parser may give up at a depth of its own.
        assert str(refusal) in ("empty", "broken: nested too deeply")  # noqa: PT017


def test_pdf_pages_headings_and_paragraphs() -> None:
    first = [
        (22, "The harbour of the north"),
        (11, ""),
        (11, "The harbour was built by the old guild of the sail makers in a"),
        (11, "year of storms, and it has been mended every spring since then."),
        (11, ""),
        (11, ""),
        (11, "A second paragraph stands here on its own."),
    ]
    document = document_of("h.pdf", making.pdf([first, [], [(11, "On page three.")]], title="Harbours"))
    assert shape(document) == [
        ("heading1", "The harbour of the north"),
        (
            "paragraph",
            "The harbour was built by the old guild of the sail makers in a year of storms, "
            "and it has been mended every spring since then.",
        ),
        ("paragraph", "A second paragraph stands here on its own."),
        ("paragraph", "On page three."),
    ]
    assert [block.page for block in document.blocks] == [1, 1, 1, 3]
    assert (document.pages, document.title, document.metadata) == (3, "Harbours", {"author": "Ada Mole"})
    assert document.authored_at == datetime(2020, 1, 2, 2, 4, 5, tzinfo=UTC)


def test_a_pdf_word_broken_at_the_line_end_is_whole() -> None:
    lines = [
        (11, "Every captain in this port must know the regu-"),
        (11, "lations, which are well-known, and the second law, of well-"),
        (11, "known fame, by heart."),
    ]
    text = document_of("w.pdf", making.pdf([lines])).text
    assert "the regulations, which" in text
    assert "of well-known fame" in text


def test_a_pdf_without_text_says_so() -> None:
    with pytest.raises(Refusal, match="no text, only images"):
        parts_of("a.pdf", making.pdf([[], []]))


@pytest.mark.parametrize("title", ["", "untitled", "Microsoft Word - draft.docx", "report.pdf"])
def test_a_title_that_says_nothing_gives_way_to_the_heading(title: str) -> None:
    assert (
        document_of("f.pdf", making.pdf([[(20, "On ropes"), (10, "Text below it.")]], title=title)).title == "On ropes"
    )
