"""The inbox: background tasks that ended, with marks at those that were not read, until they are cleared."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static

from multidb_chat.services.tasks.inbox import Letter
from multidb_chat.tui.serving import Serving, told

LIMIT = 200
EVERY = 2.0
"""Seconds after which it is looked again."""
EMPTY = """\
Your inbox is empty.

What ends in the background is told here and kept until you clear it. Begin something with /research or /analyze;
/tasks shows how far it is."""


class InboxScreen(Screen[None]):
    """What ended, the latest first."""

    CSS_PATH = "inbox.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("q", "app.pop_screen", show=False),
        Binding("o,enter", "open", "Open", key_display="enter"),
        Binding("m", "mark", "All read"),
        Binding("x", "clear(False)", "Clear"),
        Binding("X", "clear(True)", "Clear all", key_display="X"),
        Binding("t", "tasks", "Tasks"),
    ]

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self._serving = serving
        self._letters: list[Letter] = []
        self._width = 0

    def compose(self) -> ComposeResult:
        yield Static(" Inbox", id="title", markup=False)
        yield Static("Loading …", id="state", markup=False)
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Show what there is, and look again as long as the screen is there."""
        self.query_one(DataTable).display = False
        self.load()
        self.set_interval(EVERY, self.load)

    def on_screen_resume(self) -> None:
        """Come back from a report, which was read meanwhile."""
        self.query_one(DataTable).focus()
        self.load()

    def on_resize(self, event: Resize) -> None:
        """Give the titles what room there is."""
        if self._letters and event.size.width != self._width:
            self._fill(event.size.width)

    @work(exclusive=True, group="inbox", exit_on_error=False)
    async def load(self) -> None:
        """Read the inbox anew and draw it when it changed."""
        try:
            services = await self._serving.services()
            found = await services.inbox.letters(services.account, LIMIT)
        except Exception as error:  # noqa: BLE001 - said in the place of the letters
            self._say(told(error), error=True)
            return
        if found != self._letters or not self._width:
            self._letters = found
            self._fill(self.size.width)
        unread = sum(not letter.read for letter in found)
        told_of = f" Inbox · {len(found):,}" + (f", {unread:,} unread" if unread else "")
        self.query_one("#title", Static).update(Content(told_of))
        self._say("" if found else EMPTY)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open what was chosen with Enter or the mouse."""
        self.action_open()

    def action_open(self) -> None:
        """Show what the task made, or why it failed; it counts as read then."""
        from multidb_chat.tui.screens.report import ReportScreen

        row = self.query_one(DataTable).cursor_row
        if row < len(self._letters):
            self.app.push_screen(ReportScreen(self._serving, self._letters[row].task_id))

    @work(group="acting", exit_on_error=False)
    async def action_mark(self) -> None:
        """Mark everything as read."""
        await self._tell_inbox("mark_read", [letter.task_id for letter in self._letters])

    @work(group="acting", exit_on_error=False)
    async def action_clear(self, everything: bool) -> None:
        """Take the chosen line out of the inbox, or all that are shown; the tasks and their reports stay."""
        row = self.query_one(DataTable).cursor_row
        chosen = self._letters if everything else self._letters[row : row + 1]
        await self._tell_inbox("clear", [letter.task_id for letter in chosen])
        if everything and chosen:
            self.notify("The inbox is cleared; /tasks still has the reports.", markup=False)

    def action_tasks(self) -> None:
        """Go over to the tasks."""
        from multidb_chat.tui.screens.tasks import TasksScreen

        self.app.switch_screen(TasksScreen(self._serving))

    async def _tell_inbox(self, what: str, task_ids: Sequence[str]) -> None:
        try:
            services = await self._serving.services()
            inbox = services.inbox
            await (inbox.clear if what == "clear" else inbox.mark_read)(services.account, task_ids)
        except Exception as error:  # noqa: BLE001 - the screen goes on
            self.notify(told(error), severity="error", markup=False)
        self.load()

    def _say(self, text: str, error: bool = False) -> None:
        state = self.query_one("#state", Static)
        state.update(Content(text))
        state.set_class(error, "error")
        state.display = bool(text)

    def _fill(self, width: int) -> None:
        table = self.query_one(DataTable)
        row = table.cursor_row
        self._width = width
        table.clear(columns=True)
        columns = columns_for(width)
        for label, cells in columns:
            table.add_column(label, width=cells)
        for letter in self._letters:
            table.add_row(*(cell(letter, label, cells) for label, cells in columns))
        table.display = bool(self._letters)
        if self._letters:
            table.move_cursor(row=min(row, len(self._letters) - 1))
            if self.is_current:
                table.focus()


def cell(letter: Letter, label: str, width: int) -> Text:
    """Return what stands in a column, no wider than it is; what was not read is bold."""
    value = {
        "": " " if letter.read else "●",
        "Task": letter.title,
        "What came of it": f"✗ failed: {letter.summary}" if letter.failed else letter.summary,
        "Ended": f"{letter.at.astimezone():%Y-%m-%d %H:%M}",
    }[label]
    text = Text(value, style="" if letter.read else "bold", no_wrap=True)
    text.truncate(width, overflow="ellipsis")
    return text


def columns_for(width: int) -> tuple[tuple[str, int], ...]:
    """Return the columns with their widths in cells."""
    left = width - 1 - 16 - 4 * 2 - 2
    title = max(16, left // 2)
    return (("", 1), ("Task", title), ("What came of it", max(10, left - title)), ("Ended", 16))
