"""The background tasks of the account: how they fare, with a bar, to be cancelled, tried again, and read when done."""

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static

from multidb_chat.domain.tasks import Task
from multidb_chat.domain.text import clean_line
from multidb_chat.services.tasks.inbox import title_of
from multidb_chat.tui.serving import Serving, told

LIMIT = 200
EVERY = 1.0
"""Seconds after which it is looked again."""
EMPTY = """\
There are no background tasks.

  /research TOPIC         writes a report with citations from your documents
  /analyze DESCRIPTION    counts what is in them: terms, topics, names, readability

They run while you go on asking; what they made comes into your inbox (/notifications)."""
_MARKS = {
    "queued": "○ waiting",
    "running": "◐ running",
    "done": "● done",
    "failed": "✗ failed",
    "cancelled": "– cancelled",
}
_TOLD_BOLD = ("running", "failed")  # by weight and mark, not by colours: they can be read in every theme
_BAR = 12
_WIDE = 110


class TasksScreen(Screen[None]):
    """The latest tasks, kept up to date while they run."""

    CSS_PATH = "tasks.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("q", "app.pop_screen", show=False),
        Binding("o,enter", "open", "Open", key_display="enter"),
        Binding("c", "cancel", "Cancel"),
        Binding("r", "retry", "Try again"),
        Binding("i", "inbox", "Inbox"),
    ]

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self._serving = serving
        self._tasks: list[Task] = []
        self._columns: tuple[tuple[str, int], ...] = ()

    def compose(self) -> ComposeResult:
        yield Static(" Tasks", id="title", markup=False)
        yield Static("Loading …", id="state", markup=False)
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Show what there is, and look again as long as the screen is there."""
        self.query_one(DataTable).display = False
        self.load()
        self.set_interval(EVERY, self.load)

    def on_screen_resume(self) -> None:
        """Come back from a report with the table in the hand."""
        self.query_one(DataTable).focus()

    def on_resize(self, event: Resize) -> None:
        """Give the titles what room there is."""
        if self._tasks and columns_for(event.size.width) != self._columns:
            self._fill(event.size.width)

    @work(exclusive=True, group="tasks", exit_on_error=False)
    async def load(self) -> None:
        """Read the tasks anew and draw what changed."""
        try:
            services = await self._serving.services()
            found = list(await services.task_service.list(services.account, limit=LIMIT))
        except Exception as error:  # noqa: BLE001 - said in the place of the tasks
            self._say(told(error), error=True)
            return
        same = [task.id for task in found] == [task.id for task in self._tasks]
        before, self._tasks = self._tasks, found
        if not same or not self._columns:
            self._fill(self.size.width)
        else:
            self._refresh_rows(before)
        self._describe()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open what was chosen with Enter or the mouse."""
        self.action_open()

    def action_open(self) -> None:
        """Show the report of a task that is done, or what is known of another."""
        from multidb_chat.tui.screens.report import ReportScreen

        if (task := self._chosen()) is not None:
            self.app.push_screen(ReportScreen(self._serving, task.id))

    @work(group="acting", exit_on_error=False)
    async def action_cancel(self) -> None:
        """Cancel the chosen task; it stops at its next heartbeat."""
        await self._act("cancel", "cancelled")

    @work(group="acting", exit_on_error=False)
    async def action_retry(self) -> None:
        """Queue the chosen task anew."""
        await self._act("retry", "queued again")

    def action_inbox(self) -> None:
        """Go over to what ended."""
        from multidb_chat.tui.screens.inbox import InboxScreen

        self.app.switch_screen(InboxScreen(self._serving))

    async def _act(self, what: str, done: str) -> None:
        task = self._chosen()
        if task is None:
            return
        try:
            service = (services := await self._serving.services()).task_service
            await (service.cancel if what == "cancel" else service.retry)(services.account, task.id)
        except Exception as error:  # noqa: BLE001 - the screen goes on
            self.notify(told(error), severity="warning", markup=False)
        else:
            self.notify(f"{title_of(task)}: {done}", markup=False)
        self.load()

    def _chosen(self) -> Task | None:
        row = self.query_one(DataTable).cursor_row
        return self._tasks[row] if row < len(self._tasks) else None

    def _describe(self) -> None:
        active = sum(not task.ended for task in self._tasks)
        count = f"{len(self._tasks):,}{'+' if len(self._tasks) == LIMIT else ''}"
        self.query_one("#title", Static).update(
            Content(f" Tasks · {count}" + (f", {active:,} to do" if active else ""))
        )
        self._say("" if self._tasks else EMPTY)

    def _say(self, text: str, error: bool = False) -> None:
        state = self.query_one("#state", Static)
        state.update(Content(text))
        state.set_class(error, "error")
        state.display = bool(text)

    def _fill(self, width: int) -> None:
        """Draw the whole table anew for this width, with the cursor on the task it was on."""
        table = self.query_one(DataTable)
        row = table.cursor_row
        self._columns = columns_for(width)
        table.clear(columns=True)
        for label, cells in self._columns:
            table.add_column(label, width=cells, key=label)
        for task in self._tasks:
            table.add_row(*(cell(task, label, cells) for label, cells in self._columns), key=task.id)
        table.display = bool(self._tasks)
        if self._tasks:
            table.move_cursor(row=min(row, len(self._tasks) - 1))
            if self.is_current:
                table.focus()

    def _refresh_rows(self, before: list[Task]) -> None:
        table = self.query_one(DataTable)
        for old, new in zip(before, self._tasks, strict=True):
            if old != new:
                for label, cells in self._columns:
                    table.update_cell(new.id, label, cell(new, label, cells))


def cell(task: Task, label: str, width: int) -> Text:
    """Return what stands in a column, no wider than it is."""
    value = {
        "State": _MARKS[task.state],
        "Task": title_of(task),
        "Progress": _bar(task),
        "How it fares": f"{_bar(task)}  {news_of(task)}".strip(),
        "Asked": f"{task.created_at.astimezone():%Y-%m-%d %H:%M}",
        "What": news_of(task),
    }[label]
    text = Text(clean_line(value), style="bold" if label == "State" and task.state in _TOLD_BOLD else "", no_wrap=True)
    text.truncate(width, overflow="ellipsis")
    return text


def news_of(task: Task) -> str:
    """Return what there is to say of a task now: its step, its summary, or its error."""
    if task.state == "running":
        return task.step
    if task.state == "queued" and task.error:
        return f"again soon: {task.error}"
    return task.error if task.state == "failed" else task.summary


def _bar(task: Task) -> str:
    if task.state != "running":
        return ""
    filled = round(_BAR * task.progress)
    return f"{'━' * filled}{'╌' * (_BAR - filled)} {task.progress:4.0%}"


def columns_for(width: int) -> tuple[tuple[str, int], ...]:
    """Return the columns with their widths in cells; what is done and said share what the others leave."""
    if width < _WIDE:
        left = width - 11 - 3 * 2 - 1
        return (("State", 11), ("Task", left // 2), ("How it fares", left - left // 2))
    left = width - 11 - 17 - 16 - 5 * 2 - 1
    return (("State", 11), ("Task", left // 2), ("Progress", 17), ("What", left - left // 2), ("Asked", 16))
