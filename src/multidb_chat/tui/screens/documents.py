"""The documents that are searched: found, looked at, added and removed."""

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Paste, Resize
from textual.screen import Screen
from textual.widgets import DataTable, Input, Static

from multidb_chat.domain.permissions import Permission, may
from multidb_chat.domain.text import clean_line
from multidb_chat.services.collections import DEFAULT_COLLECTION, owns
from multidb_chat.services.handbook import HANDBOOK_ID
from multidb_chat.services.wording import counted
from multidb_chat.tui.adding import Addition
from multidb_chat.tui.desk import Desk
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.shelf import Shelf
from multidb_chat.tui.widgets.additions import AdditionLine
from multidb_chat.tui.widgets.document_table import DocumentTable
from multidb_chat.tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from multidb_chat.domain.library import Document
    from multidb_chat.tui.services import Services

PAGE = 1_000
_MANY = 2_000  # documents that take longer to go through than a key may wait
GUEST = "Guests cannot add documents: type /register in the chat to make an account; it keeps this conversation."
# What needs a right to documents of one's own; guests are not offered it.
_OF_MEMBERS = frozenset({"add", "remove", "undo", "mark", "report", "stop"})
EMPTY = """\
There are no documents yet. Press a to add files or folders, or drop them on this window.

PDF, Word, PowerPoint, Excel, HTML, Markdown, e-mail, EPUB, source code and archives of these are read."""
EMPTY_FOR_GUESTS = f"There are no documents yet.\n\n{GUEST}"
ONLY_HANDBOOK = "Only the handbook is here yet. Press a to add your own documents, or drop files on this window."
ONLY_HANDBOOK_FOR_GUESTS = f"Only the handbook is here yet. {GUEST}"


class DocumentsScreen(Screen[None]):
    """All documents of the collections this account may search."""

    CSS_PATH = "documents.tcss"
    AUTO_FOCUS = ""  # not the hidden field, which would take the keys
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("r,enter", "preview", "Read", key_display="Enter"),
        Binding("a", "add", "Add"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("d,delete", "remove", "Remove", key_display="d"),
        Binding("u", "undo", "Undo"),
        Binding("c", "collections", "Collections"),
        Binding("s", "sort", "Sort"),
        Binding("space", "mark", "Mark"),
        Binding("e", "report", "Report"),
        Binding("x", "stop", "Stop adding", show=False),
        Binding("q,f3", "app.pop_screen", "Leave", show=False),
    ]

    def __init__(self, serving: Serving, desk: Desk, collection_id: str = "") -> None:
        super().__init__()
        self._serving = serving
        self._desk = desk
        self._shelf = Shelf(collection_id=collection_id)
        self._complete = False

    def compose(self) -> ComposeResult:
        yield Static(" Documents", id="title", markup=False)
        yield Input(placeholder="Type words of a title, name or path", id="filter", compact=True)
        yield Static("Loading …", id="state", markup=False)
        yield DocumentTable(self._shelf)
        yield AdditionLine(self._desk.additions)
        yield KeyLine()

    @property
    def _table(self) -> DocumentTable:
        return self.query_one(DocumentTable)

    @property
    def _filter(self) -> Input:
        return self.query_one("#filter", Input)

    def on_mount(self) -> None:
        """Show the first documents."""
        self._table.display = self._filter.display = False
        self._desk.additions.listeners.append(self._follow)
        self.load()

    def on_unmount(self) -> None:
        """Leave."""
        self._desk.additions.listeners.remove(self._follow)

    def on_resize(self, event: Resize) -> None:
        """Give the titles what room there is."""
        self._table.fit(event.size.width)

    @property
    def _guest(self) -> bool:
        """Whether whoever looks may have no documents."""
        services = self._serving.opened
        return services is not None and not may(services.account, Permission.INGEST)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done: guests only look, and there has to be something to take back."""
        if action in _OF_MEMBERS and self._guest:
            return False
        return action != "undo" or bool(self._desk.removed)

    def _follow(self, run: Addition) -> None:
        if run.state in ("done", "stopped", "failed"):
            self.load()

    # What is shown

    @work(exclusive=True, group="documents", exit_on_error=False)
    async def load(self) -> None:
        """Read all documents, page by page, and show them as they come."""
        try:
            services = await self._serving.services()
            found = await services.documents.resolve(services.account, [])
            self._shelf.collections = {collection.id: collection for collection in found}
            documents: list[Document] = []
            self._complete = False
            while not self._complete:
                after = documents[-1].id if documents else ""
                page = await services.documents.list(services.account, found, after=after, limit=PAGE) if found else []
                documents += page
                self._complete = len(page) < PAGE
                if self._complete or len(documents) > len(self._shelf.documents):
                    self._shelf.documents = list(documents)
                    await self._show()
        except Exception as error:  # noqa: BLE001 - said in the place of the documents
            self._say(told(error), error=True)

    @work(exclusive=True, group="view", exit_on_error=False)
    async def refresh_view(self) -> None:
        """Show what fits now."""
        await self._show()

    async def _show(self) -> None:
        many = len(self._shelf.documents) > _MANY
        view = await asyncio.to_thread(self._shelf.view) if many else self._shelf.view()
        self._table.show(view, self.size.width)
        self._describe(len(view))

    def _describe(self, number: int) -> None:
        shelf = self._shelf
        total = f"{len(shelf.documents):,}{'' if self._complete else '+'}"
        parts = ["Documents", total if number == len(shelf.documents) else f"{number:,} of {total}"]
        if (collection := shelf.collections.get(shelf.collection_id)) is not None:
            parts.append(f"in {clean_line(collection.name)}")
        if shelf.order != "collection":
            parts.append(f"{'by ' if shelf.order in ('title', 'kind') else ''}{shelf.order} first")
        if self._table.marked:
            parts.append(f"{len(self._table.marked):,} marked")
        self.query_one("#title", Static).update(Content(" " + " · ".join(parts)))
        self._say(self._advice(number))
        self.refresh_bindings()
        self._table.display = number > 0
        if number and not self._filter.has_focus:
            self._table.focus()

    def _advice(self, number: int) -> str:
        shelf = self._shelf
        if not self._complete or (number and any(one.collection_id != HANDBOOK_ID for one in shelf.documents)):
            return ""
        if shelf.documents and not number:
            where = "this collection" if shelf.collection_id and not shelf.words else "what you typed"
            return f"No document fits {where}. Esc shows all again."
        if shelf.documents:
            return ONLY_HANDBOOK_FOR_GUESTS if self._guest else ONLY_HANDBOOK
        return EMPTY_FOR_GUESTS if self._guest else EMPTY

    def _say(self, text: str, error: bool = False) -> None:
        state = self.query_one("#state", Static)
        state.update(Content(text))
        state.set_class(error, "error")
        state.display = bool(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list to what is typed."""
        self._shelf.words = event.value
        self.refresh_view()

    def on_input_submitted(self) -> None:
        """Go on to the list."""
        if self._table.display:
            self._table.focus()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Read the chosen document."""
        self.action_preview()

    # Actions

    def action_back(self) -> None:
        """Take back the filter; without one, leave."""
        if self._filter.display:
            self._filter.value = ""
            self._filter.display = False
            if self._table.display:
                self._table.focus()
        elif self._shelf.collection_id:
            self._shelf.collection_id = ""
            self.refresh_view()
        elif self._table.marked:
            self._table.unmark()
            self.refresh_view()
        else:
            self.app.pop_screen()

    def action_filter(self) -> None:
        """Type what to look for."""
        self._filter.display = True
        self._filter.focus()

    def action_sort(self) -> None:
        """Change the order."""
        self._shelf.order = self._shelf.next_order()
        self.refresh_view()

    def action_mark(self) -> None:
        """Mark the document for what is done next, or take its mark away."""
        self._table.toggle_mark()
        self._describe(self._table.number)

    def action_preview(self) -> None:
        """Read the document."""
        from multidb_chat.tui.screens.preview import PreviewScreen

        if (document := self._table.current) is not None:
            self.app.push_screen(PreviewScreen(self._serving, document))

    @work(exclusive=True, group="collections", exit_on_error=False)
    async def action_collections(self) -> None:
        """Choose, make, share and delete collections."""
        from multidb_chat.tui.screens.collections import CollectionsScreen

        chosen = await self.app.push_screen_wait(CollectionsScreen(self._serving))
        if chosen is not None:
            self._shelf.collection_id = chosen
        self.load()

    def action_add(self) -> None:
        """Add files and folders."""
        self.add_paths("")

    def on_paste(self, event: Paste) -> None:
        """Offer to add what was dropped on the window."""
        event.stop()
        self._drop(event.text)

    @work(exclusive=True, group="drop", exit_on_error=False)
    async def _drop(self, text: str) -> None:
        from multidb_chat.tui.paths import dropped_paths, quoted

        if paths := await asyncio.to_thread(dropped_paths, text):
            self.add_paths(" ".join(map(quoted, paths)))
        else:
            self.notify("This is no path of a file or folder that exists.", markup=False)

    @work(exclusive=True, group="add", exit_on_error=False)
    async def add_paths(self, paths: str) -> None:
        """Ask what to add where, beginning with these paths, and add it."""
        from multidb_chat.tui.screens.add import AddScreen

        services = await self._serving.services()
        if not may(services.account, Permission.INGEST):
            self.notify(GUEST, markup=False)
            return
        chosen = self._shelf.collections.get(self._shelf.collection_id)
        own = chosen is not None and owns(services.account, chosen)
        collection = chosen.name if chosen is not None and own else DEFAULT_COLLECTION
        await self.app.push_screen_wait(AddScreen(self._serving, self._desk.additions, paths, collection))

    @work(exclusive=True, group="remove", exit_on_error=False)
    async def action_remove(self) -> None:
        """Remove the marked documents, or the one under the cursor; u puts them back."""
        if not (chosen := self._table.chosen):
            return
        services = await self._serving.services()
        try:
            removed = await services.documents.take_out(services.account, chosen)
        except Exception as error:  # noqa: BLE001 - told, and the list goes on
            self.notify(told(error), severity="error", markup=False)
            return
        self._desk.removed.append(removed)
        self._table.unmark()
        names = clean_line(removed.documents[0].title) if len(removed.documents) == 1 else ""
        what = f'"{names}"' if names else counted(len(removed.documents), "document")
        self.notify(f"Removed {what} from the library; u puts it back. The files stay where they are.", markup=False)
        self.load()

    @work(exclusive=True, group="remove", exit_on_error=False)
    async def action_undo(self) -> None:
        """Put back what was removed last."""
        services = await self._serving.services()
        self.notify(await _put_back(services, self._desk), markup=False)
        self.load()

    def action_report(self) -> None:
        """Show what came of each file that was added."""
        from multidb_chat.tui.screens.additions import AdditionsScreen

        self.app.push_screen(AdditionsScreen(self._desk.additions))

    async def action_stop(self) -> None:
        """Stop adding."""
        if not await self._desk.additions.cancel():
            self.notify("Nothing is being added.", markup=False)


async def _put_back(services: "Services", desk: Desk) -> str:
    """Undo the last removal; return what to say. It can be tried again when the store was away."""
    removed = desk.removed[-1]
    try:
        back = await services.documents.put_back(services.account, removed)
    except Exception as error:  # noqa: BLE001 - told, and the list goes on
        return told(error)
    desk.removed.remove(removed)
    missing = len(removed.documents) - len(back)
    newer = f" {counted(missing, 'document')} had been added again meanwhile." if missing else ""
    return f"Put back {counted(len(back), 'document')}.{newer}"
