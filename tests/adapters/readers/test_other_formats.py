"""Office files, tables, JSON, books, mail, feeds and source code."""

import json
from datetime import UTC, datetime

import pytest

from multidb_chat.adapters.readers.source import Refusal
from multidb_chat.domain.reading import ParsedDocument, Unreadable
from tests.adapters.readers import making
from tests.adapters.readers.rules import document_of, parts_of, shape


def test_docx_has_headings_lists_tables_and_the_text_as_changed() -> None:
    document = document_of("rules.docx", making.docx())
    assert shape(document) == [
        ("heading1", "Mooring"),
        ("paragraph", "Boats moor at the north quay."),
        ("heading2", "Fees"),
        ("list", "- Pay the warden\n- Keep the receipt\n1. First knock\n2. Then enter"),
        ("table", "Boat: Dinghy; Fee: 3 crowns\nBoat: Brig; Fee: 40 crowns"),
    ]
    assert (document.title, document.language) == ("Rules of the harbour", "en")
    assert document.authored_at == datetime(2019, 5, 4, 10, tzinfo=UTC)
    assert document.metadata["author"] == "Ada Mole"


def test_docx_notes_stand_behind_the_paragraph_that_refers_to_them() -> None:
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    claim = '<w:p><w:r><w:t>A claim</w:t><w:footnoteReference w:id="2"/></w:r></w:p>'
    body = f"{claim}<w:p><w:r><w:t>Next.</w:t></w:r></w:p>"
    note = '<w:footnote w:id="2"><w:p><w:r><w:t>Its proof.</w:t></w:r></w:p></w:footnote>'
    data = making.zipped(
        {
            "word/document.xml": f"<w:document {w}><w:body>{body}</w:body></w:document>".encode(),
            "word/footnotes.xml": f"<w:footnotes {w}>{note}</w:footnotes>".encode(),
        }
    )
    assert document_of("n.docx", data).text == "A claim [2]\n\n[2] Its proof.\n\nNext."


def test_pptx_slides_are_pages_with_tables_and_notes() -> None:
    document = document_of("light.pptx", making.pptx())
    assert [(block.page, *pair) for block, pair in zip(document.blocks, shape(document), strict=True)] == [
        (1, "heading1", "Why a light"),
        (1, "list", "- Ships see it\n- Sailors sleep"),
        (2, "heading1", "Costs"),
        (2, "table", "Item: Oil; Crowns: 12"),
        (2, "paragraph", "Notes: Mention the oil tax."),
    ]
    assert (document.pages, document.title) == (2, "The lighthouse")


def test_xlsx_rows_say_their_columns_and_values_are_shown_as_in_the_sheet() -> None:
    document = document_of("catch.xlsx", making.xlsx())
    assert [(block.page, *pair) for block, pair in zip(document.blocks, shape(document), strict=True)] == [
        (1, "heading1", "Catches"),
        (1, "paragraph", "Catches of the year"),
        (
            1,
            "table",
            "Port: Aber; Tons: 12; Share: 25%; Seen on: 2020-03-01\n"
            "Port: Byr; Tons: 36.5; Share: 75%; Seen on: 2020-03-02",
        ),
        (3, "heading1", "Notes"),
        (3, "table", "Only one cell"),
    ]
    assert document.pages == 3


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_in_any_dialect(delimiter: str) -> None:
    rows = [["Port", "Remark"], ["Aber", '"two, or ""three"";\nboats"'], ["Byr", ""], ["", ""]]
    document = document_of("a.csv", "\r\n".join(delimiter.join(row) for row in rows))
    assert document.text == 'Port: Aber; Remark: two, or "three"; boats\nPort: Byr'


def test_csv_without_a_header_keeps_every_row() -> None:
    assert document_of("a.csv", "1,2\n3,4\n").text == "1 | 2\n3 | 4"


def test_a_long_table_is_several_blocks_of_whole_rows() -> None:
    document = document_of("a.csv", "name,number\n" + "".join(f"boat {n},{n}\n" for n in range(2000)))
    assert 2 < len(document.blocks) < 20
    assert all(text.startswith("name: boat ") for _, text in shape(document))


def test_json_values_have_their_paths_and_records_stay_together() -> None:
    value = {
        "name": "Kelp",
        "where": {"sea": "north", "depths": [3, 5]},
        "uses": [{"of": "food", "by": {"who": "people"}}, {"of": "ash"}],
        "none": None,
    }
    document = document_of("kelp.json", json.dumps(value))
    assert document.title == "Kelp"
    assert document.text == (
        "name: Kelp\n\nwhere.sea: north\nwhere.depths: 3, 5\n\nuses.of: food\nuses.by.who: people\n\nuses.of: ash"
    )


@pytest.mark.parametrize("text", ['{"a":', "[" * 100_000, "nonsense"])
def test_broken_json_is_broken(text: str) -> None:
    with pytest.raises(Refusal, match="broken: "):
        parts_of("a.json", text.encode())


def test_jsonl_gives_a_document_a_line() -> None:
    lines = [
        {"id": "doc-1", "title": "Tides", "text": "They turn.\n\nTwice.", "year": 1999, "tags": ["a", "b"]},
        {"_id": 7, "text": "Untitled body", "date": "2020-02-03"},
        {"port": "Aber", "tons": 12},
        "just a string",
    ]
    data = "\n".join([*map(json.dumps, lines), "not json", "", "[1]", json.dumps({"id": "doc-1", "text": "again"})])
    first, second, third, fourth, *bad = parts_of("a.jsonl", data.encode())
    assert isinstance(first, ParsedDocument)
    assert (first.name, first.title, first.text) == ("doc-1", "Tides", "They turn.\n\nTwice.")
    assert first.metadata == {"year": "1999", "tags": '["a", "b"]'}
    assert len(first.blocks) == 2
    assert isinstance(second, ParsedDocument)
    assert (second.name, second.title, second.text) == ("7", "7", "Untitled body")
    assert second.authored_at == datetime(2020, 2, 3, tzinfo=UTC)
    assert isinstance(third, ParsedDocument)
    assert (third.name, third.text) == ("line 3", "port: Aber\ntons: 12")
    assert isinstance(fourth, ParsedDocument)
    assert fourth.text == "just a string"
    assert bad == [
        Unreadable("line 5", "broken: not JSON"),
        Unreadable("line 7", "broken: not a JSON object"),
        Unreadable("doc-1", "another part has the same name"),
    ]


def test_half_a_character_in_json_is_replaced() -> None:
    (part,) = parts_of("a.jsonl", b'{"id": "\\ud800", "text": "a \\udfff b"}')
    assert isinstance(part, ParsedDocument)
    assert part.text == "a \ufffd b"
    part.name.encode()


def test_a_notebook_has_text_and_code() -> None:
    document = document_of("t.ipynb", making.ipynb())
    assert shape(document) == [
        ("heading1", "# Tide table"),
        ("paragraph", "It reads the gauge."),
        ("code", "print('high')"),
    ]
    assert document.title == "Tide table"


def test_a_book_is_read_in_the_order_of_its_spine() -> None:
    document = document_of("b.epub", making.epub())
    assert document.text == "Ebb\n\nThe water left.\n\nFlood\n\nThe water came back."
    assert (document.title, document.metadata["author"], document.language) == ("Two Tides", "B. Gull", "en")
    assert document.authored_at == datetime(1911, 2, 3, tzinfo=UTC)


def test_opendocument_is_read() -> None:
    assert shape(document_of("n.odt", making.odt())) == [
        ("heading2", "Nets"),
        ("paragraph", "Mend them daily."),
        ("list", "- Twine"),
    ]


def test_a_message_and_its_attachments_are_documents() -> None:
    message, attachment, picture = parts_of("m.eml", making.eml())
    assert isinstance(message, ParsedDocument)
    assert (message.title, message.kind) == ("Sailing on Möwe island", "email")
    assert message.authored_at == datetime(2018, 5, 4, 7, 30, tzinfo=UTC)
    assert message.metadata["from"] == "Ann Tern <ann@example.org>"
    assert message.metadata["attachments"] == "list.md, map.png"
    assert "We sail at nine.\n\nBring oilskins." in message.text
    assert isinstance(attachment, ParsedDocument)
    assert (attachment.name, attachment.title) == ("m.eml/list.md", "Packing")
    assert picture == Unreadable("m.eml/map.png", "no text, only images")


def test_a_mailbox_gives_every_message() -> None:
    data = b"From a@b Mon\n" + making.eml() + b"\nFrom c@d Tue\nSubject: Second\n\nShort.\n"
    names = [part.name for part in parts_of("box.mbox", data)]
    assert names == ["tide-7@example.org", "tide-7@example.org/list.md", "tide-7@example.org/map.png", "message 2"]


def test_a_feed_has_its_entries_as_sections() -> None:
    feed = """<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour news</title><language>en</language>
      <item><title>New pier</title><pubDate>Wed, 02 Oct 2002 13:00:00 GMT</pubDate><link>http://x/1</link>
      <description>&lt;p&gt;It is &lt;b&gt;long&lt;/b&gt;.&lt;/p&gt;</description></item></channel></rss>"""
    document = document_of("f.xml", feed)
    assert shape(document) == [
        ("heading1", "Harbour news"),
        ("heading2", "New pier"),
        ("paragraph", "2002-10-02\nhttp://x/1"),
        ("paragraph", "It is long."),
    ]
    assert document.kind == "feed"


def test_other_xml_gives_its_elements_texts() -> None:
    document = document_of("x.xml", "<r><title>Boats</title><b>One <i>small</i> boat</b><c><d>2</d></c></r>")
    assert document.text == "Boats\n\nOne small boat\n\n2"
    assert document.title == "Boats"


def test_external_entities_stay_outside() -> None:
    data = b'<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r><a>safe</a><b>&e;</b></r>'
    assert document_of("x.xml", data).text == "safe"


def test_python_functions_have_exact_spans_and_qualified_names() -> None:
    method = "    def moor(self):\n" + "        tie()\n" * 150
    text = f"import os\n\n@wrap\ndef first(a):\n    return a\n\nclass Boat:\n    size = 1\n\n{method}\nx = 1\n"
    document = document_of("boats.py", text)
    assert document.text == text
    found = {block.label: document.text[block.start : block.end] for block in document.blocks if block.label}
    assert found["first"] == "@wrap\ndef first(a):\n    return a"
    assert found["Boat.moor"] == method.strip()
    assert found["Boat"] == "class Boat:\n    size = 1"
    assert document.title == "boats.py (python)"


@pytest.mark.parametrize(
    ("name", "text", "labels"),
    [
        (
            "a.js",
            "export async function tide(a) {\n  return a\n}\n\nconst x = 1\n\nclass Sea {\n  deep() {}\n}\n",
            ["tide", "Sea"],
        ),
        ("a.go", "package main\n\nfunc (s *Sea) Tide(a int) int {\n\treturn a\n}\n", ["Tide"]),
        ("a.rs", "pub fn tide(a: i32) -> i32 {\n    a\n}\n\nstruct Sea {\n    a: i32,\n}\n", ["tide", "Sea"]),
        ("a.c", "#include <x.h>\n\nstatic int tide(int a)\n{\n    if (a) {\n    }\n    return a;\n}\n", ["tide"]),
        ("a.java", "import x;\n\npublic final class Sea {\n    void tide() {\n    }\n}\n", ["Sea"]),
        ("a.rb", "def tide(a)\n  a\nend\n\nclass Sea\nend\n", ["tide", "Sea"]),
        ("a.sh", "tide() {\n  echo\n}\n\ntide\n", ["tide"]),
        ("a.py", "def broken(:\n  pass\n\ndef good():\n  pass\n", ["broken", "good"]),
        ("a.toml", "[type]\nname = 1\n", []),
    ],
)
def test_functions_are_found_in_other_languages(name: str, text: str, labels: list[str]) -> None:
    document = document_of(name, text)
    assert document.text == text
    assert [block.label for block in document.blocks if block.kind == "function"] == labels


def test_old_office_files_and_encrypted_ones_are_told_apart() -> None:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    with pytest.raises(Refusal, match="needs a password"):
        parts_of("a.docx", head + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(Refusal, match="an old Office format"):
        parts_of("a.doc", head)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The boats lie in the harbour and the sailors are on land for the night, as it is late.", "en"),
        ("Die Boote liegen im Hafen und die Matrosen sind für die Nacht an Land, weil es spät ist.", "de"),
        ("Les bateaux sont dans le port et les marins passent la nuit à terre, car il est tard.", "fr"),
        ("Лодки стоят в гавани, и матросы на берегу, так как уже поздно и темно.", "ru"),
        ("船は港にあります。夜はとても暗いです。", "ja"),
        ("السفن في الميناء والبحارة على الشاطئ في الليل", "ar"),
        ("Boats.", ""),
        ("x1 x2 x3 y4 zz kk", ""),
    ],
)
def test_the_language_of_a_text_is_told_when_it_is_long_enough(text: str, language: str) -> None:
    assert document_of("a.txt", text).language == language
