"""Small files of every format, made with the libraries that write them."""

import io
import json
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any


def docx() -> bytes:
    """A Word file with a title, headings, lists, a table, a tracked change and core properties."""
    import docx as word
    from docx.oxml import parse_xml

    ns = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    file = word.Document()
    file.core_properties.title = "Rules of the harbour"
    file.core_properties.author = "Ada Mole"
    file.core_properties.created = datetime(2019, 5, 4, 10, tzinfo=UTC)
    file.core_properties.language = "en-GB"
    file.add_heading("Mooring", 1)
    changed = file.add_paragraph("Boats moor at the ")._p
    changed.append(parse_xml(f'<w:del {ns} w:id="1"><w:r><w:delText>old </w:delText></w:r></w:del>'))
    changed.append(parse_xml(f'<w:ins {ns} w:id="2"><w:r><w:t>north quay.</w:t></w:r></w:ins>'))
    file.add_heading("Fees", 2)
    file.add_paragraph("Pay the warden", style="List Bullet")
    file.add_paragraph("Keep the receipt", style="List Bullet")
    file.add_paragraph("First knock", style="List Number")
    file.add_paragraph("Then enter", style="List Number")
    table = file.add_table(rows=3, cols=2)
    for row, cells in enumerate((("Boat", "Fee"), ("Dinghy", "3 crowns"), ("Brig", "40 crowns"))):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    return _saved(file)


def pptx() -> bytes:
    """A presentation of two slides with a table and notes."""
    import pptx as powerpoint
    from pptx.util import Inches

    file = powerpoint.Presentation()
    file.core_properties.title = "The lighthouse"
    first = file.slides.add_slide(file.slide_layouts[1])
    first.shapes.title.text = "Why a light"
    first.placeholders[1].text = "Ships see it\nSailors sleep"
    second = file.slides.add_slide(file.slide_layouts[5])
    second.shapes.title.text = "Costs"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    for row, cells in enumerate((("Item", "Crowns"), ("Oil", "12"))):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    second.notes_slide.notes_text_frame.text = "Mention the oil tax."
    return _saved(file)


def xlsx() -> bytes:
    """A workbook of two sheets with a title above the header, a percentage and a date."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "Catches"
    sheet.append(["Catches of the year"])
    sheet.append(["Port", "Tons", "Share", "Seen on"])
    sheet.append(["Aber", 12, 0.25, datetime(2020, 3, 1)])
    sheet.append(["Byr", 36.5, 0.75, datetime(2020, 3, 2)])
    for row in (3, 4):
        sheet.cell(row, 3).number_format = "0%"
    book.create_sheet("Empty")
    book.create_sheet("Notes").append(["Only one cell"])
    return _saved(book)


def epub() -> bytes:
    """A book of two chapters."""
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><h1>{}</h1><p>{}</p></body></html>'
    return zipped(
        {
            "mimetype": b"application/epub+zip",
            "META-INF/container.xml": b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            b'<rootfile full-path="OPS/book.opf"/></rootfiles></container>',
            "OPS/book.opf": b'<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            b"<metadata><dc:title>Two Tides</dc:title><dc:creator>B. Gull</dc:creator><dc:language>en</dc:language>"
            b"<dc:date>1911-02-03</dc:date></metadata><manifest>"
            b'<item id="b" href="second%20part.xhtml" media-type="application/xhtml+xml"/>'
            b'<item id="a" href="first.xhtml" media-type="application/xhtml+xml"/>'
            b'</manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
            "OPS/first.xhtml": page.format("Ebb", "The water left.").encode(),
            "OPS/second part.xhtml": page.format("Flood", "The water came back.").encode(),
        }
    )


def odt() -> bytes:
    """An OpenDocument text."""
    names = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    )
    body = (
        '<text:h text:outline-level="2">Nets</text:h><text:p>Mend<text:s/>them <text:span>daily</text:span>.</text:p>'
        "<text:list><text:list-item><text:p>Twine</text:p></text:list-item></text:list>"
    )
    text = f"<office:body><office:text>{body}</office:text></office:body>"
    content = f"<office:document-content {names}>{text}</office:document-content>"
    return zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": content.encode()})


def eml() -> bytes:
    """A message with a text, its HTML twin and two attachments, one of them a picture."""
    message = EmailMessage()
    message["From"] = "Ann Tern <ann@example.org>"
    message["To"] = "crew@example.org"
    message["Subject"] = "Sailing on Möwe island"
    message["Date"] = "Fri, 04 May 2018 09:30:00 +0200"
    message["Message-ID"] = "<tide-7@example.org>"
    message.set_content("We sail at nine.\n\nBring oilskins.")
    message.add_alternative("<p>We sail at <b>nine</b>.</p>", subtype="html")
    message.add_attachment(b"# Packing\n\nTwo ropes.", maintype="text", subtype="markdown", filename="list.md")
    message.add_attachment(b"\x89PNG\r\n\x1a\n" + bytes(50), maintype="image", subtype="png", filename="map.png")
    return message.as_bytes()


def ipynb() -> bytes:
    """A notebook of a text cell and a code cell."""
    cells = [
        {"cell_type": "markdown", "source": ["# Tide table\n", "\n", "It reads the gauge."]},
        {"cell_type": "code", "source": "print('high')", "outputs": []},
    ]
    return json.dumps({"cells": cells, "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4}).encode()


def pdf(pages: list[list[tuple[int, str]]], title: str = "", size: tuple[int, int] = (612, 792)) -> bytes:
    """A PDF whose pages have lines of (font size, text), one below the other."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        y, drawn = size[1] - 72, []
        for points, text in lines:
            escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            drawn.append(f"BT /F1 {points} Tf 72 {y} Td ({escaped}) Tj ET" if text else "")
            y -= points + 2
        stream = "\n".join(drawn).encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        resources = b"<< /Font << /F1 3 0 R >> >>"
        page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R /Resources %s >>"
        objects.append(page % (*size, len(objects), resources))
        kids.append(len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids))
    objects.append(f"<< /Title ({title}) /Author (Ada Mole) /CreationDate (D:20200102030405+01'00') >>".encode())
    return _pdf_file(objects)


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


def _pdf_file(objects: list[bytes]) -> bytes:
    data, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer << /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF"
    return (
        data
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
        + trailer
        % (
            len(objects) + 1,
            len(objects),
            len(data),
        )
    )


def _saved(file: Any) -> bytes:
    target = io.BytesIO()
    file.save(target)
    return target.getvalue()


SAMPLES = {
    "a.docx": docx,
    "a.pptx": pptx,
    "a.xlsx": xlsx,
    "a.epub": epub,
    "a.odt": odt,
    "a.eml": eml,
    "a.ipynb": ipynb,
    "a.pdf": lambda: pdf([[(20, "Tides and winds"), (11, "They turn twice a day.")]]),
    "a.html": lambda: (
        b"<html><body><h1>Salt</h1><p>Dry it.</p><table><tr><th>a<th>b<tr><td>1<td>2</table></body></html>"
    ),
    "a.md": lambda: b"---\ntitle: Sand\n---\n# Dunes\n\n- one\n- two\n\n|a|b|\n|-|-|\n|1|2|\n\n```\ncode\n```\n",
    "a.rst": lambda: b"Title\n=====\n\nText::\n\n    code\n\n.. table::\n\n   == ==\n   a  b\n   == ==\n",
    "a.csv": lambda: b"port;tons\nAber;12\nByr;36\n",
    "a.json": lambda: b'{"name": "Kelp", "uses": [{"of": "food"}, {"of": "ash"}]}',
    "a.jsonl": lambda: b'{"id": "1", "title": "T", "text": "Body"}\n{"a": 1}\nnot json\n',
    "a.xml": lambda: (
        b"<rss><channel><title>News</title><item><title>One</title><description>Text</description></item></channel></rss>"
    ),
    "a.py": lambda: b"import os\n\nclass A:\n    def f(self):\n        return 1\n\ndef g():\n    pass\n",
    "a.c": lambda: b"int add(int a, int b)\n{\n    return a + b;\n}\n",
    "a.txt": lambda: "CHAPTER I\n\nIt was a café.\n".encode("utf-16"),
    "a.zip": lambda: zipped({"x/one.md": b"# One", "two.txt": b"Two", "deep.zip": zipped({"three.txt": b"Three"})}),
}
