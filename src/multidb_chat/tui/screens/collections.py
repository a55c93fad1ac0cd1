"""The collections: which to look at, making, sharing, renaming and deleting them."""

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import DataTable, Static

from multidb_chat.domain.permissions import Permission, may
from multidb_chat.domain.text import clean_line
from multidb_chat.services.collections import CollectionSummary, owns
from multidb_chat.services.wording import counted, size
from multidb_chat.tui.screens.asking import Ask, AskScreen, ConfirmScreen
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from multidb_chat.domain.accounts import Account
    from multidb_chat.tui.services import Services

_RIGHT = ("Documents", "Passages", "Size")
_COLUMNS = (("Name", 20), ("Who may search it", 20), ("Documents", 9), ("Size", 8), ("Passages", 9), ("About", 40))


class CollectionsScreen(Screen[str | None]):
    """The result is the id of the collection to look at, empty for all, None when nothing was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("o,enter", "choose", "Open", key_display="Enter"),
        Binding("a", "dismiss('')", "All"),
        Binding("n", "new", "New"),
        Binding("r", "rename", "Rename"),
        Binding("s", "share", "Share, unshare"),
        Binding("d,delete", "delete", "Delete", key_display="d"),
        Binding("q,c", "dismiss(None)", "Leave", show=False),
    ]

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self._serving = serving
        self._summaries: list[CollectionSummary] = []
        self._offered: tuple[bool, bool] | None = None

    def compose(self) -> ComposeResult:
        yield Static(" Collections", id="title", markup=False)
        yield Static("Loading …", id="state", markup=False)
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the collections."""
        self._table.display = False
        self.load()

    def on_resize(self) -> None:
        """Show what there is room for."""
        if self._summaries:
            self.load()

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    @property
    def _current(self) -> CollectionSummary | None:
        row = self._table.cursor_row
        return self._summaries[row] if 0 <= row < len(self._summaries) else None

    @property
    def _may(self) -> tuple[bool, bool]:
        """Whether whoever looks may have collections, and change the one under the cursor."""
        if (services := self._serving.opened) is None:
            return False, False
        current = self._current
        member = may(services.account, Permission.INGEST)
        return member, member and current is not None and owns(services.account, current.collection)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what is allowed: to make one, and to change one's own."""
        member, own = self._may
        return member if action == "new" else own if action in ("share", "rename", "delete") else True

    def on_data_table_row_highlighted(self) -> None:
        """Offer what can be done with this one."""
        if self._may != self._offered:
            self._offered = self._may
            self.refresh_bindings()

    @work(exclusive=True, group="collections", exit_on_error=False)
    async def load(self) -> None:
        """Read the collections with their figures."""
        try:
            services = await self._serving.services()
            found = await services.documents.collections(services.account)
            account = services.account
            self._summaries = [await services.documents.show_collection(account, one.id) for one in found]
        except Exception as error:  # noqa: BLE001 - said in the place of the collections
            self._say(told(error), error=True)
            return
        self._fill(account)
        self.refresh_bindings()
        self.query_one("#title", Static).update(Content(f" Collections · {len(found):,}"))
        if account.role == "guest":
            self._say("Guests search what is shared. /register in the chat makes an account that has its own.")
        else:
            self._say("" if found else "There is no collection yet. Press n to make one.")

    def _fill(self, account: "Account") -> None:
        table = self._table
        row = table.cursor_row
        table.clear(columns=True)
        columns = _columns(self.size.width)
        for label, width in columns:
            table.add_column(Text(label, justify="right" if label in _RIGHT else "left"), width=width)
        for summary in self._summaries:
            table.add_row(*_cells(summary, account)[: len(columns)])
        table.display = bool(self._summaries)
        table.move_cursor(row=row)
        table.focus()

    def _say(self, text: str, error: bool = False) -> None:
        state = self.query_one("#state", Static)
        state.update(Content(text))
        state.set_class(error, "error")
        state.display = bool(text)

    def on_data_table_row_selected(self) -> None:
        """Show the documents of the chosen collection."""
        self.action_choose()

    def action_choose(self) -> None:
        """Show the documents of the collection."""
        if self._current is not None:
            self.dismiss(self._current.collection.id)

    async def _own(self) -> "tuple[Services, CollectionSummary] | None":
        """Return the services and the collection of one's own under the cursor; None where it is none."""
        services = await self._serving.services()
        summary = self._current
        return (services, summary) if self._may[1] and summary is not None else None

    @work(exclusive=True, group="change", exit_on_error=False)
    async def action_new(self) -> None:
        """Make a collection."""
        services = await self._serving.services()
        name = await self.app.push_screen_wait(AskScreen(Ask("New collection", "Its name", "Make")))
        if name is not None:
            await self._change(services.documents.ensure_collection(services.account, name))

    @work(exclusive=True, group="change", exit_on_error=False)
    async def action_rename(self) -> None:
        """Give the collection another name."""
        if (own := await self._own()) is None:
            return
        services, summary = own
        ask = Ask("Rename collection", "Its new name", "Rename", summary.collection.name)
        if (name := await self.app.push_screen_wait(AskScreen(ask))) is not None:
            key = summary.collection.id
            await self._change(services.documents.change_collection(services.account, key, new_name=name))

    @work(exclusive=True, group="change", exit_on_error=False)
    async def action_share(self) -> None:
        """Let everybody here search the collection, or nobody else any more."""
        if (own := await self._own()) is None:
            return
        services, summary = own
        collection = summary.collection
        await self._change(
            services.documents.change_collection(services.account, collection.id, shared=not collection.shared)
        )

    @work(exclusive=True, group="change", exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the collection with its documents, after it was said what is in it."""
        if (own := await self._own()) is None:
            return
        services, summary = own
        text = (
            f"{clean_line(summary.collection.name)}: {counted(summary.documents, 'document')}, "
            f"{counted(summary.chunks, 'passage')}, {size(summary.size_bytes)}.\n"
            "They are removed from the library for good. The files on the disk stay where they are."
        )
        if await self.app.push_screen_wait(ConfirmScreen("Delete collection", text, "Delete")):
            await self._change(services.documents.delete_collection(services.account, summary.collection.id))

    async def _change(self, change: "Awaitable[object]") -> None:
        try:
            await change
        except Exception as error:  # noqa: BLE001 - told, and the list goes on
            self.notify(told(error), severity="error", markup=False)
        self.load()


def _columns(width: int) -> list[tuple[str, int]]:
    """Return the first columns as far as there is room."""
    return [column for number, column in enumerate(_COLUMNS) if sum(w + 2 for _, w in _COLUMNS[: number + 1]) <= width]


def _cells(summary: CollectionSummary, account: "Account") -> list[Text]:
    collection = summary.collection
    shared = "everybody" if collection.shared else "only you"
    values = (
        collection.name,
        shared if owns(account, collection) else "everybody; read only",
        f"{summary.documents:,}",
        size(summary.size_bytes),
        f"{summary.chunks:,}",
        collection.description,
    )
    cells = []
    for (label, width), value in zip(_COLUMNS, values, strict=True):
        text = Text(clean_line(value), no_wrap=True, justify="right" if label in _RIGHT else "left")
        text.truncate(width, overflow="ellipsis")
        cells.append(text)
    return cells
