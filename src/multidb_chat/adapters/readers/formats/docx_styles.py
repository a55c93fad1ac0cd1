"""What Word keeps apart from the text: which styles are headings, and how lists are numbered."""

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"(?i)heading\s*([1-9])")
_BODY_LEVEL = 9  # The outline level of text that is no heading (ECMA-376 part 1, 17.3.1.20).


def value(element: "_Element | None", path: str) -> str:
    """Return the `w:val` of a descendant, "" when there is none."""
    found = element.find(path) if element is not None else None
    return found.get(W + "val", "") if found is not None else ""


class Styles:
    """The paragraph styles: which level of heading each is, directly or through the style it is based on."""

    def __init__(self, root: "_Element | None") -> None:
        self._parents: dict[str, str] = {}
        self._own: dict[str, int] = {}
        self.lists: dict[str, tuple[str, str]] = {}
        for style in () if root is None else root.iterchildren(W + "style"):
            self._take(style.get(W + "styleId", ""), style)

    def of(self, paragraph: "_Element") -> tuple[tuple[str, str], int]:
        """Return a paragraph's list by its style, as (list, level), and its heading level (0: none)."""
        properties = paragraph.find(W + "pPr")
        name = value(properties, W + "pStyle")
        outline = value(properties, W + "outlineLvl")
        level = min(6, int(outline) + 1) if outline.isdigit() and int(outline) < _BODY_LEVEL else self._level(name)
        return self.lists.get(name, ("", "")), level

    def _take(self, name: str, style: "_Element") -> None:
        title = value(style, W + "name")
        outline = value(style, f"{W}pPr/{W}outlineLvl")
        heading = _HEADING.match(title)
        if heading or title.lower() == "title":
            self._own[name] = min(6, int(heading[1])) if heading else 1
        elif outline.isdigit():
            self._own[name] = min(6, int(outline) + 1) if int(outline) < _BODY_LEVEL else 0
        self._parents[name] = value(style, W + "basedOn")
        number = value(style, f"{W}pPr/{W}numPr/{W}numId")
        if number:
            self.lists[name] = (number, value(style, f"{W}pPr/{W}numPr/{W}ilvl") or "0")

    def _level(self, name: str) -> int:
        for _ in range(20):  # A style may, wrongly, be based on itself.
            if name in self._own or not name:
                break
            name = self._parents.get(name, "")
        return self._own.get(name, 0)


class Numbering:
    """The lists: what stands before an item, counted as Word counts."""

    def __init__(self, root: "_Element | None") -> None:
        self._formats: dict[tuple[str, str], str] = {}
        self._abstract: dict[str, str] = {}
        self._counts: defaultdict[tuple[str, str], int] = defaultdict(int)
        if root is None:
            return
        for abstract in root.iterchildren(W + "abstractNum"):
            for level in abstract.iterchildren(W + "lvl"):
                key = (abstract.get(W + "abstractNumId", ""), level.get(W + "ilvl", "0"))
                self._formats[key] = value(level, W + "numFmt")
        for number in root.iterchildren(W + "num"):
            self._abstract[number.get(W + "numId", "")] = value(number, W + "abstractNumId")

    def mark(self, paragraph: "_Element", by_style: tuple[str, str]) -> str:
        """Return the mark of a list item with its indent ("- ", "  2. "), "" for a paragraph in no list."""
        properties = paragraph.find(f"{W}pPr/{W}numPr")
        number = value(properties, W + "numId") or by_style[0]
        level = value(properties, W + "ilvl") or by_style[1] or "0"
        if number in ("", "0") or not level.isdigit():
            return ""
        indent = "  " * min(int(level), 8)
        if self._formats.get((self._abstract.get(number, ""), level), "bullet") in ("bullet", "none", ""):
            return indent + "- "
        self._counts[number, level] += 1
        for deeper in range(int(level) + 1, 9):
            self._counts.pop((number, str(deeper)), None)
        return f"{indent}{self._counts[number, level]}. "
