"""HTML tables: rows of equally many cells, whatever spans columns and rows."""

from typing import Any

from multidb_chat.adapters.readers.formats.html_folding import BLOCK_TAGS, folded

# As wide and as high as one cell may be: a span is only a number in the page.
_MOST_COLUMNS, _MOST_ROWS = 100, 1000
_ROW_PATHS = ("tr", "thead/tr", "tbody/tr", "tfoot/tr")


def is_layout(table: Any) -> bool:
    """Tell a table that only arranges the page: it holds headings, a large table, or a cell as long as an article."""
    if any(table.find(f".//h{level}") is not None for level in (1, 2, 3)):
        return True
    if any(len(inner.findall(".//tr")) > 3 for inner in table.findall(".//table")):
        return True
    return any(len(cell.text_content()) > 2000 for cell in table.iter("td"))


def table_rows(table: Any) -> tuple[list[list[str]], bool]:
    """Return the table's own rows, and whether the first one is surely its header."""
    elements = [row for path in _ROW_PATHS for row in table.findall(path)]
    first = [cell.tag for cell in elements[0].iterchildren("td", "th")] if elements else []
    below: dict[int, tuple[int, str]] = {}  # Column -> how many more rows its cell covers, and its text.
    return [_row(row, below) for row in elements], len(first) > 1 and set(first) == {"th"}


def _row(row: Any, below: dict[int, tuple[int, str]]) -> list[str]:
    tags: list[str] = []
    texts: list[str] = []
    for cell in row.iterchildren("td", "th"):
        _take_from_above(texts, below)
        text = _text(cell)
        tags.append(cell.tag)
        for step in range(_span(cell, "colspan", _MOST_COLUMNS)):
            if (rows := _span(cell, "rowspan", _MOST_ROWS)) > 1:
                below[len(texts)] = (rows - 1, text if not step else "")
            texts.append(text if not step or cell.tag == "th" else "")
    _take_from_above(texts, below)
    # One value behind its own heading, as in a fact sheet, says by itself what it is.
    if tags == ["th", "td"] and len(texts) == 2 and all(texts):
        return [f"{texts[0].rstrip(':')}: {texts[1]}"]
    return texts


def _take_from_above(texts: list[str], below: dict[int, tuple[int, str]]) -> None:
    while len(texts) in below:
        column = len(texts)
        rows, text = below.pop(column)
        if rows > 1:
            below[column] = (rows - 1, text)
        texts.append(text)


def _span(cell: Any, name: str, most: int) -> int:
    value = cell.get(name, "1").strip()
    return min(most, max(1, int(value))) if value.isascii() and value.isdigit() else 1


def _text(cell: Any) -> str:
    """Return the text of a cell; what stands on lines of its own is set apart."""
    from lxml import etree

    parts: list[str] = []
    for event, element in etree.iterwalk(cell, events=("start", "end")):
        if element.tag in BLOCK_TAGS or element.tag == "br":
            parts.append(" ")
        if event == "start":
            parts.append(element.text or "")
        elif element is not cell:
            parts.append(element.tail or "")
    return folded("".join(parts))
