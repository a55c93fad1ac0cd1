"""The documents that are searched, page by page."""

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static

from multidb_chat.domain.library import Collection, Document
from multidb_chat.domain.text import clean_line
from multidb_chat.services.handbook import HANDBOOK_ID
from multidb_chat.tui.serving import Serving, told

PAGE = 200
_NEAR_THE_END = 20
_WIDE = 100
EMPTY = """\
There are no documents yet. Add some from the shell:

  multidb-chat docs add ~/papers notes.md

PDF, Word, PowerPoint, Excel, HTML, Markdown, e-mail, EPUB, source code and archives of these are read."""
ONLY_HANDBOOK = "Only the handbook is here yet. Add your own documents from the shell: multidb-chat docs add ~/papers"


class DocumentsScreen(Screen[None]):
    """All documents of the collections this account may search."""

    CSS_PATH = "documents.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("q,f3", "app.pop_screen", show=False),
    ]

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self._serving = serving
        self._collections: dict[str, Collection] = {}
        self._documents: list[Document] = []
        self._complete = False
        self._columns: tuple[tuple[str, int], ...] = ()

    def compose(self) -> ComposeResult:
        yield Static(" Documents", id="title", markup=False)
        yield Static("Loading …", id="state", markup=False)
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Show the first page."""
        self.query_one(DataTable).display = False
        self.load_page()

    def on_resize(self, event: Resize) -> None:
        """Give the titles what room there is."""
        if self._documents and _columns(event.size.width) != self._columns:
            self._fill(event.size.width)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Fetch the next page when the last rows come near."""
        if not self._complete and event.cursor_row >= event.data_table.row_count - _NEAR_THE_END:
            self.load_page()

    @work(exclusive=True, group="documents", exit_on_error=False)
    async def load_page(self) -> None:
        """Append the next page of documents."""
        try:
            page = await self._next_page()
        except Exception as error:  # noqa: BLE001 - said in the place of the documents
            self._say(told(error), error=True)
            return
        self._documents += page
        self._complete = len(page) < PAGE
        if self._columns:
            self._append(page)
        elif self._documents:
            if self._complete:  # all of them: in the order people look for
                self._documents.sort(key=self._order)
            self._fill(self.size.width)
        self._describe()

    def _order(self, document: Document) -> tuple[bool, str, str]:
        collection = self._collections.get(document.collection_id)
        name = collection.name if collection else ""
        return document.collection_id == HANDBOOK_ID, name.casefold(), document.title.casefold()

    async def _next_page(self) -> list[Document]:
        services = await self._serving.services()
        collections = await services.documents.resolve(services.account, [])
        self._collections = {collection.id: collection for collection in collections}
        after = self._documents[-1].id if self._documents else ""
        return list(await services.documents.list(services.account, collections, after=after, limit=PAGE))

    def _describe(self) -> None:
        count = f"{len(self._documents):,}{'' if self._complete else '+'}"
        self.query_one("#title", Static).update(Content(f" Documents · {count}"))
        own = any(document.collection_id != HANDBOOK_ID for document in self._documents)
        self._say(("" if own else ONLY_HANDBOOK) if self._documents else EMPTY)

    def _say(self, text: str, error: bool = False) -> None:
        state = self.query_one("#state", Static)
        state.update(Content(text))
        state.set_class(error, "error")
        state.display = bool(text)

    def _fill(self, width: int) -> None:
        """Draw the whole table anew for this width."""
        table = self.query_one(DataTable)
        row = table.cursor_row
        self._columns = _columns(width)
        table.clear(columns=True)
        for label, cells in self._columns:
            table.add_column(label, width=cells)
        self._append(self._documents)
        table.display = True
        table.move_cursor(row=row)
        table.focus()

    def _append(self, documents: list[Document]) -> None:
        table = self.query_one(DataTable)
        for document in documents:
            table.add_row(*(self._cell(document, label, width) for label, width in self._columns))

    def _cell(self, document: Document, label: str, width: int) -> Text:
        collection = self._collections.get(document.collection_id)
        value = {
            "Title": document.title or document.name,
            "Kind": document.kind,
            "Pages": str(document.pages or ""),
            "Passages": str(document.chunks),
            "Collection": collection.name if collection else "",
            "Added": f"{document.added_at:%Y-%m-%d}",
        }[label]
        text = Text(clean_line(value), no_wrap=True, justify="right" if label in ("Pages", "Passages") else "left")
        text.truncate(width, overflow="ellipsis")
        return text


def _columns(width: int) -> tuple[tuple[str, int], ...]:
    """Return the columns with their widths in cells; the title gets what the others leave."""
    others = [("Kind", 10), ("Pages", 5), ("Passages", 8), ("Collection", 12), ("Added", 10)]
    if width < _WIDE:
        others = [column for column in others if column[0] not in ("Pages", "Passages")]
    taken = sum(cells + 2 for _, cells in others) + 4  # the title's padding and the scroll bar
    return (("Title", max(12, width - taken)), *others)
