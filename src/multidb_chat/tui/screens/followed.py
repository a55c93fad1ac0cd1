"""What the lists of tasks and of letters share: a table of what goes on, read anew for as long as it is shown."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import DataTable, Static

from multidb_chat.tui.services import Services
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.widgets.key_line import KeyLine

EVERY = 1.0
"""Seconds after which it is looked again."""
LIMIT = 200
Columns = tuple[tuple[str, int], ...]
One = TypeVar("One")
_ON_ROWS = ("open", "mark", "clear", "cancel", "retry")


class FollowedScreen(Screen[None], Generic[One]):
    """A table with a row for each task, the latest first; Enter shows what the task made.

    `heading` and `empty` are what stands in the title, and in the place of the table when there is nothing.
    """

    heading: ClassVar[str]
    empty: ClassVar[str]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("q", "app.pop_screen", show=False),
        Binding("o,enter", "open", "Open", key_display="Enter"),
    ]

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self.serving = serving
        self.rows: list[One] = []
        self._columns: Columns = ()

    @abstractmethod
    async def read(self, services: Services) -> Sequence[One]:
        """Return what to show. Raises `MultidbChatError`."""

    @abstractmethod
    def task_id(self, one: One) -> str:
        """Return the task that a row is about."""

    @abstractmethod
    def columns_for(self, width: int) -> Columns:
        """Return the columns with their widths in cells for a screen of this width."""

    @abstractmethod
    def cell(self, one: One, label: str, width: int) -> Text:
        """Return what stands in a column, no wider than it is."""

    @abstractmethod
    def count(self) -> str:
        """Return how much there is, behind the heading."""

    def compose(self) -> ComposeResult:
        yield Static(f" {self.heading}", id="title", markup=False)
        yield Static("Loading …", id="state", markup=False)
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield KeyLine()

    @property
    def table(self) -> DataTable[Text]:
        """The table."""
        return self.query_one(DataTable)

    @property
    def chosen(self) -> One | None:
        """What the cursor is on."""
        row = self.table.cursor_row
        return self.rows[row] if row < len(self.rows) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done: without a row there is nothing to open or to change."""
        return action not in _ON_ROWS or bool(self.rows)

    def on_mount(self) -> None:
        """Show what there is, and look again as long as the screen is there."""
        self.table.display = False
        self.load()
        self.set_interval(EVERY, self.load)

    def on_screen_resume(self) -> None:
        """Come back from a report, which was read meanwhile, with the table in the hand."""
        self.table.focus()
        self.load()

    def on_resize(self, event: Resize) -> None:
        """Give the titles what room there is."""
        if self.rows and self.columns_for(event.size.width) != self._columns:
            self._fill(event.size.width)

    @work(exclusive=True, group="followed", exit_on_error=False)
    async def load(self) -> None:
        """Read it anew and draw what changed."""
        try:
            found = list(await self.read(await self.serving.services()))
        except Exception as error:  # noqa: BLE001 - said in the place of the table
            self._say(told(error), error=True)
            return
        before, self.rows = self.rows, found
        if bool(before) != bool(found):
            self.refresh_bindings()
        if self._columns and list(map(self.task_id, before)) == list(map(self.task_id, found)):
            self._refresh_rows(before)
        else:
            self._fill(self.size.width)
        self.query_one("#title", Static).update(Content(f" {self.heading} · {self.count()}"))
        self._say("" if found else self.empty)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open what was chosen with Enter or the mouse."""
        self.action_open()

    def action_open(self) -> None:
        """Show the report of the task, or what else is known of it."""
        from multidb_chat.tui.screens.report import ReportScreen

        if (one := self.chosen) is not None:
            self.app.push_screen(ReportScreen(self.serving, self.task_id(one)))

    def _say(self, text: str, error: bool = False) -> None:
        state = self.query_one("#state", Static)
        state.update(Content(text))
        state.set_class(error, "error")
        state.display = bool(text)

    def _fill(self, width: int) -> None:
        """Draw the whole table anew for this width; the cursor stays on its row."""
        table, row = self.table, self.table.cursor_row
        self._columns = self.columns_for(width)
        table.clear(columns=True)
        for label, cells in self._columns:
            table.add_column(label, width=cells, key=label)
        for one in self.rows:
            table.add_row(*(self.cell(one, label, cells) for label, cells in self._columns), key=self.task_id(one))
        table.display = bool(self.rows)
        if self.rows:
            table.move_cursor(row=min(row, len(self.rows) - 1))
            if self.is_current:
                table.focus()

    def _refresh_rows(self, before: Sequence[One]) -> None:
        for old, new in zip(before, self.rows, strict=True):
            if old != new:
                for label, cells in self._columns:
                    self.table.update_cell(self.task_id(new), label, self.cell(new, label, cells))
