"""PowerPoint: a slide is a page, its title a heading; tables and speaker notes included."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from multidb_chat.adapters.readers.drafting import Draft, finished
from multidb_chat.adapters.readers.packages import Package, core_properties, office_facts, opened
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.adapters.readers.tables import add_table
from multidb_chat.domain.reading import ParsedDocument

if TYPE_CHECKING:
    from lxml.etree import _Element

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MAIN = "ppt/presentation.xml"
_TITLES = {"title", "ctrTitle"}
_FURNITURE = {"sldNum", "dt", "ftr", "hdr"}  # Slide number, date, footer, header.


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the presentation."""
    with opened(source) as package:
        slides = _slides(package)
        draft = Draft()
        for page, name in enumerate(slides, start=1):
            _add_slide(draft, package, name, page)
        facts = office_facts(core_properties(package))
    yield finished(source, "pptx", draft.text, draft.blocks, pages=len(slides), **facts)


def _slides(package: Package) -> list[str]:
    """Return the slides' parts in the order they are shown."""
    root = package.xml(_MAIN)
    if root is None:
        raise Refusal("broken: no presentation in it")
    related = package.related(_MAIN)
    parts = [related.get(item.get(_R_ID, ""), ("", ""))[1] for item in root.iter(_P + "sldId")]
    return [part for part in parts if part in package.names]


def _add_slide(draft: Draft, package: Package, name: str, page: int) -> None:
    root = package.xml(name)
    if root is None:
        return
    shapes = [shape for shape in root.iter(_P + "sp", _P + "graphicFrame") if _place(shape) not in _FURNITURE]
    shapes.sort(key=lambda shape: _place(shape) not in _TITLES)
    for shape in shapes:
        _add_shape(draft, shape, page)
    for kind, part in package.related(name).values():
        notes = package.xml(part) if kind == "notesSlide" else None
        for shape in () if notes is None else notes.iter(_P + "sp"):
            if _place(shape) == "body":
                draft.add("Notes: " + "\n".join(_paragraphs(shape)) if any(_paragraphs(shape)) else "", page=page)


def _add_shape(draft: Draft, shape: "_Element", page: int) -> None:
    for table in shape.iter(_A + "tbl"):
        rows = [["\n".join(_paragraphs(cell)) for cell in row.iter(_A + "tc")] for row in table.iter(_A + "tr")]
        properties = table.find(_A + "tblPr")
        header = properties is not None and properties.get("firstRow") == "1"
        add_table(draft, rows, header=header or None, page=page)
    if shape.tag != _P + "sp":
        return
    lines = _paragraphs(shape)
    if _place(shape) in _TITLES:
        draft.add(" ".join(" ".join(lines).split()), "heading", level=1, page=page)
    elif len(lines) > 1:
        draft.add("\n".join(f"- {line}" for line in lines), "list", page=page)
    else:
        draft.add("".join(lines), page=page)


def _place(shape: "_Element") -> str:
    """Return which placeholder of its layout a shape fills, "" for none."""
    found = shape.find(f".//{_P}nvPr/{_P}ph")
    return found.get("type", "body") if found is not None else ""


def _paragraphs(element: "_Element") -> list[str]:
    """Return the paragraphs with text in an element."""
    found = []
    for paragraph in element.iter(_A + "p"):
        parts = ("\n" if item.tag == _A + "br" else item.text or "" for item in paragraph.iter(_A + "t", _A + "br"))
        if text := "".join(parts).strip():
            found.append(text)
    return found
