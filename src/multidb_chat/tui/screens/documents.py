"""The documents that are searched, page by page."""

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static

from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.domain.text import clean, clean_line
from multidb_chat.tui.services import Services

PAGE = 200
EMPTY = """\
There are no documents yet.

Add some from the shell:

  multidb-chat docs add ~/papers notes.md

PDF, Word, PowerPoint, Excel, HTML, Markdown, e-mail, EPUB, source code and archives of these are read."""


class DocumentsScreen(Screen[None]):
    """All documents of the collections this account may search."""

    CSS_PATH = "documents.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,f3", "app.pop_screen", "Back")]

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._after = ""
        self._complete = False

    def compose(self) -> ComposeResult:
        yield Static(" Documents", id="title", markup=False)
        yield Static(Content("Loading …"), id="state", markup=False)
        yield DataTable[str](cursor_type="row", zebra_stripes=True)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Show the first page."""
        table = self.query_one(DataTable)
        table.add_columns("Title", "Kind", "Pages", "Passages", "Collection", "Added")
        table.display = False
        self.load_page()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Fetch the next page when the last rows come near."""
        if not self._complete and event.cursor_row >= self.query_one(DataTable).row_count - 20:
            self.load_page()

    @work(exclusive=True, group="documents", exit_on_error=False)
    async def load_page(self) -> None:
        """Append the next page of documents."""
        state = self.query_one("#state", Static)
        try:
            collections = await self._services.documents.resolve(self._services.account, [])
            names = {collection.id: collection.name for collection in collections}
            page = await self._services.documents.list(
                self._services.account, collections, after=self._after, limit=PAGE
            )
        except MultidbChatError as error:
            state.update(Content(clean(str(error))))
            return
        table = self.query_one(DataTable)
        for document in page:
            table.add_row(
                Content(clean_line(document.title)[:60]),
                document.kind,
                str(document.pages or ""),
                str(document.chunks),
                Content(clean_line(names[document.collection_id])),
                f"{document.added_at:%Y-%m-%d}",
            )
        self._after = page[-1].id if page else self._after
        self._complete = len(page) < PAGE
        state.update(Content(EMPTY if not table.row_count else ""))
        state.display = not table.row_count
        table.display = bool(table.row_count)
        if table.row_count:
            table.focus()
