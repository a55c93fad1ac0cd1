"""The background tasks of the account: how they fare, with a bar, to be cancelled, tried again, and read when done."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType

from multidb_chat.domain.tasks import Task
from multidb_chat.domain.text import clean_line
from multidb_chat.services.tasks.inbox import title_of
from multidb_chat.tui.screens.followed import LIMIT, Columns, FollowedScreen
from multidb_chat.tui.services import Services
from multidb_chat.tui.serving import told

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


class TasksScreen(FollowedScreen[Task]):
    """The latest tasks, kept up to date while they run."""

    heading = "Tasks"
    empty = EMPTY
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "Cancel"),
        Binding("r", "retry", "Try again"),
        Binding("i", "inbox", "Inbox"),
    ]

    async def read(self, services: Services) -> Sequence[Task]:
        return await services.task_service.list(services.account, limit=LIMIT)

    def task_id(self, one: Task) -> str:
        return one.id

    def count(self) -> str:
        active = sum(not task.ended for task in self.rows)
        count = f"{len(self.rows):,}{'+' if len(self.rows) == LIMIT else ''}"
        return count + (f", {active:,} to do" if active else "")

    def columns_for(self, width: int) -> Columns:
        if width < _WIDE:
            left = width - 11 - 3 * 2 - 1
            return (("State", 11), ("Task", left // 2), ("How it fares", left - left // 2))
        left = width - 11 - 17 - 16 - 5 * 2 - 1
        return (("State", 11), ("Task", left // 2), ("Progress", 17), ("What", left - left // 2), ("Asked", 16))

    def cell(self, one: Task, label: str, width: int) -> Text:
        value = {
            "State": _MARKS[one.state],
            "Task": title_of(one),
            "Progress": _bar(one),
            "How it fares": f"{_bar(one)}  {news_of(one)}".strip(),
            "Asked": f"{one.created_at.astimezone():%Y-%m-%d %H:%M}",
            "What": news_of(one),
        }[label]
        style = "bold" if label == "State" and one.state in _TOLD_BOLD else ""
        text = Text(clean_line(value), style=style, no_wrap=True)
        text.truncate(width, overflow="ellipsis")
        return text

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

        self.app.switch_screen(InboxScreen(self.serving))

    async def _act(self, what: str, done: str) -> None:
        task = self.chosen
        if task is None:
            return
        try:
            service = (services := await self.serving.services()).task_service
            await (service.cancel if what == "cancel" else service.retry)(services.account, task.id)
        except Exception as error:  # noqa: BLE001 - the screen goes on
            self.notify(told(error), severity="warning", markup=False)
        else:
            self.notify(f"{title_of(task)}: {done}", markup=False)
        self.load()


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
