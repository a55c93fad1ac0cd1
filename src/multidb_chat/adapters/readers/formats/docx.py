"""Word documents: the body in order, read from its XML (an object for each paragraph would take ten times as long)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from multidb_chat.adapters.readers.drafting import Draft, finished
from multidb_chat.adapters.readers.formats.docx_styles import Numbering, Styles, W, value
from multidb_chat.adapters.readers.packages import Package, core_properties, office_facts, opened
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.adapters.readers.tables import add_table
from multidb_chat.domain.reading import ParsedDocument

if TYPE_CHECKING:
    from lxml.etree import _Element

# Deleted and moved-away text, field codes, and the picture fallback that repeats what the choice before it said.
_LEFT_OUT = frozenset(
    {W + name for name in ("del", "moveFrom", "delText", "instrText", "pPr", "rPr", "sdtPr", "tblPr", "trPr", "tcPr")}
    | {"{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
)
_MARKS = {W + "tab": "\t", W + "ptab": "\t", W + "br": "\n", W + "cr": "\n", W + "noBreakHyphen": "-"}
_MOST_COLUMNS = 100
_REFERENCES = {W + "footnoteReference": "footnote", W + "endnoteReference": "endnote"}


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the document: insertions included, deletions left out, notes behind the paragraph that refers to them."""
    with opened(source) as package:
        root = package.xml("word/document.xml")
        body = root.find(W + "body") if root is not None else None
        if body is None:
            raise Refusal("broken: no document in it")
        draft = Draft()
        _Body(draft, package).over(body)
        facts = office_facts(core_properties(package))
    yield finished(source, "docx", draft.text, draft.blocks, **facts)


class _Body:
    """The walk over a document's body; paragraphs of one list are gathered into one block."""

    def __init__(self, draft: Draft, package: Package) -> None:
        self._draft = draft
        self._styles = Styles(package.xml("word/styles.xml"))
        self._numbering = Numbering(package.xml("word/numbering.xml"))
        self._notes = {kind: _notes(package, kind) for kind in ("footnote", "endnote")}
        self._items: list[str] = []
        self._referred: list[str] = []

    def over(self, body: "_Element") -> None:
        """Append the blocks of a body."""
        waiting = list(reversed(body))
        while waiting:
            element = waiting.pop()
            if element.tag == W + "p":
                self._paragraph(element)
            elif element.tag == W + "tbl":
                self._end_list()
                add_table(self._draft, self._rows(element))
                self._end_notes()
            elif element.tag not in _LEFT_OUT:
                waiting.extend(reversed(element))  # Content controls, insertions and the like hold paragraphs.
        self._end_list()

    def _paragraph(self, element: "_Element") -> None:
        if next(element.iter(W + "t"), None) is None:
            return
        style, level = self._styles.of(element)
        mark = "" if level else self._numbering.mark(element, style)
        if not mark:
            self._end_list()  # Before the text is taken: its notes belong behind this paragraph.
        text = self._text(element).strip()
        if mark and text:
            self._items.append(mark + text)
        elif level:
            self._draft.add(" ".join(text.split()), "heading", level=level)
        else:
            self._draft.add(text)
        if not self._items:
            self._end_notes()

    def _end_list(self) -> None:
        self._draft.add("\n".join(self._items), "list")
        self._items.clear()
        self._end_notes()

    def _end_notes(self) -> None:
        for note in self._referred:
            self._draft.add(note)
        self._referred.clear()

    def _text(self, element: Any) -> str:
        """Return what a paragraph shows; a note is marked by its number and kept for later."""
        from lxml import etree

        parts: list[str] = []
        walk: Any = etree.iterwalk(element, events=("start",))
        for _, item in walk:
            tag = item.tag
            if tag in _LEFT_OUT:
                walk.skip_subtree()
            elif tag == W + "t":
                parts.append(item.text or "")
            elif tag in _MARKS:
                parts.append(_MARKS[tag])
            elif tag in _REFERENCES:
                parts.append(self._refer(_REFERENCES[tag], item.get(W + "id")))
            elif tag == W + "p" and item is not element:
                parts.append("\n")  # A text box within the paragraph.
        return "".join(parts)

    def _refer(self, kind: str, number: str | None) -> str:
        note = self._notes[kind].get(number or "")
        if not note:
            return ""
        self._referred.append(f"[{number}] {note}")
        return f" [{number}]"

    def _rows(self, table: "_Element") -> Iterator[list[str]]:
        for row in table.iterchildren(W + "tr"):
            cells: list[str] = []
            for cell in row.iterdescendants(W + "tc"):
                cells.append("\n".join(self._text(p) for p in cell.iter(W + "p")))
                span = value(cell, f"{W}tcPr/{W}gridSpan")
                cells.extend([""] * (min(int(span), _MOST_COLUMNS) - 1 if span.isdigit() else 0))
            yield cells


def _notes(package: Package, kind: str) -> dict[str, str]:
    """Return the notes of one kind: id -> text."""
    root = package.xml(f"word/{kind}s.xml")
    found = {}
    for note in () if root is None else root.iterchildren(W + kind):
        if note.get(W + "type") in (None, "normal"):
            found[note.get(W + "id", "")] = "".join(text.text or "" for text in note.iter(W + "t")).strip()
    return found
