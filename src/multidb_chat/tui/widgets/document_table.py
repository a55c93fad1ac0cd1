"""The table of documents: as many rows as are looked at, columns as the width allows, marks."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from multidb_chat.domain.library import Document
from multidb_chat.domain.text import clean_line
from multidb_chat.services.wording import size
from multidb_chat.tui.shelf import Shelf

ROWS = 200
_NEAR_THE_END = 20
_WIDEST, _WIDE, _NARROW = 150, 100, 60
_RIGHT = ("Size", "Pages", "Passages")


class DocumentTable(DataTable[Text]):
    """Shows documents of a shelf; more rows are made when the last ones come near."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)
        self._shelf = shelf
        self._view: Sequence[Document] = ()
        self._drawn: tuple[tuple[str, int], ...] = ()
        self.marked: set[str] = set()
        """The ids of the marked documents."""

    @property
    def number(self) -> int:
        """How many documents there are to show."""
        return len(self._view)

    @property
    def current(self) -> Document | None:
        """The document under the cursor."""
        return self._view[self.cursor_row] if 0 <= self.cursor_row < len(self._view) else None

    @property
    def chosen(self) -> list[str]:
        """The ids of the marked documents that are shown, or of the one under the cursor."""
        marked = [document.id for document in self._view if document.id in self.marked]
        return marked or ([self.current.id] if self.current is not None else [])

    def show(self, view: Sequence[Document], width: int) -> None:
        """Replace what is shown; the cursor stays on its document, or at the top if it is there."""
        at = self.current if self.cursor_row else None
        self._view = view
        self._draw(width, at.id if at is not None else "")

    def fit(self, width: int) -> None:
        """Give the titles what room there is."""
        if self._view and _columns(width) != self._drawn:
            self._draw(width, self.current.id if self.current is not None else "")

    def toggle_mark(self) -> None:
        """Mark the document under the cursor, or take its mark away, and go to the next one."""
        if (document := self.current) is None:
            return
        self.marked ^= {document.id}
        row = self.cursor_row
        self.update_cell_at(Coordinate(row, 0), self._cell(document, *self._drawn[0]))
        self.move_cursor(row=row + 1)

    def unmark(self) -> None:
        """Take all marks away."""
        self.marked.clear()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Make more rows when the last ones come near."""
        if event.cursor_row >= self.row_count - _NEAR_THE_END:
            self._append(self.row_count + ROWS)

    def _draw(self, width: int, at: str) -> None:
        # The row is looked up before rows are drawn: all up to it are needed.
        row = next((number for number, document in enumerate(self._view) if document.id == at), 0)
        self._drawn = _columns(width)
        self.clear(columns=True)
        for label, cells in self._drawn:
            self.add_column(Text(label, justify="right" if label in _RIGHT else "left"), width=cells)
        self._append(row + ROWS)
        self.move_cursor(row=row)

    def _append(self, until: int) -> None:
        for document in self._view[self.row_count : until]:
            self.add_row(*(self._cell(document, label, cells) for label, cells in self._drawn))

    def _cell(self, document: Document, label: str, width: int) -> Text:
        collection = self._shelf.collection_of(document)
        value = {
            "Title": document.title or document.name,
            "File": document.source,
            "Kind": document.kind,
            "Size": size(document.size_bytes),
            "Pages": str(document.pages or ""),
            "Passages": str(document.chunks),
            "Collection": collection.name if collection else "",
            "Added": f"{document.added_at:%Y-%m-%d}",
        }[label]
        mark = "✓ " if label == "Title" and document.id in self.marked else ""
        line = clean_line(value)
        if label == "File" and cell_len(line) > width:  # the end of a path tells files apart
            line = "…" + line[1 - width :]
        text = Text(mark + line, no_wrap=True, justify="right" if label in _RIGHT else "left")
        text.truncate(width, overflow="ellipsis")
        return text


def _columns(width: int) -> tuple[tuple[str, int], ...]:
    """Return the columns with their widths in cells; the title, and the file beside it, get what the others leave."""
    others = [("Kind", 10), ("Size", 7), ("Pages", 5), ("Passages", 8), ("Collection", 12), ("Added", 10)]
    if width < _WIDE:
        others = [column for column in others if column[0] not in ("Pages", "Passages", "Kind")]
    if width < _NARROW:
        others = [column for column in others if column[0] == "Size"]
    taken = sum(cells + 2 for _, cells in others) + 4  # the title's padding and the scroll bar
    if width < _WIDEST:
        return (("Title", max(12, width - taken)), *others)
    left = width - taken - 2
    return (("Title", left // 2), ("File", left - left // 2), *others)
