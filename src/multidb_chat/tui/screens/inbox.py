"""The inbox: background tasks that ended, with marks at those that were not read, until they are cleared."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType

from multidb_chat.services.tasks.inbox import Letter
from multidb_chat.tui.screens.followed import LIMIT, Columns, FollowedScreen
from multidb_chat.tui.services import Services
from multidb_chat.tui.serving import told

EMPTY = """\
Your inbox is empty.

What ends in the background is told here and kept until you clear it.
Begin something with /research or /analyze; /tasks shows how far it is."""


class InboxScreen(FollowedScreen[Letter]):
    """What ended, the latest first."""

    heading = "Inbox"
    empty = EMPTY
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "All read"),
        Binding("x", "clear(False)", "Clear"),
        Binding("X", "clear(True)", "Clear all", key_display="X"),
        Binding("t", "tasks", "Tasks"),
    ]

    async def read(self, services: Services) -> Sequence[Letter]:
        return await services.inbox.letters(services.account, LIMIT)

    def task_id(self, one: Letter) -> str:
        return one.task_id

    def count(self) -> str:
        unread = sum(not letter.read for letter in self.rows)
        return f"{len(self.rows):,}" + (f", {unread:,} unread" if unread else "")

    def columns_for(self, width: int) -> Columns:
        left = width - 1 - 16 - 4 * 2 - 2
        title = max(16, left // 2)
        return (("", 1), ("Task", title), ("What came of it", max(10, left - title)), ("Ended", 16))

    def cell(self, one: Letter, label: str, width: int) -> Text:
        value = {
            "": " " if one.read else "●",
            "Task": one.title,
            "What came of it": f"✗ failed: {one.summary}" if one.failed else one.summary,
            "Ended": f"{one.at.astimezone():%Y-%m-%d %H:%M}",
        }[label]
        text = Text(value, style="" if one.read else "bold", no_wrap=True)
        text.truncate(width, overflow="ellipsis")
        return text

    @work(group="acting", exit_on_error=False)
    async def action_mark(self) -> None:
        """Mark everything as read."""
        await self._tell_inbox("mark_read", self.rows)

    @work(group="acting", exit_on_error=False)
    async def action_clear(self, everything: bool) -> None:
        """Take the chosen line out of the inbox, or all that are shown; the tasks and their reports stay."""
        chosen = self.rows if everything else [one for one in (self.chosen,) if one is not None]
        await self._tell_inbox("clear", chosen)
        if everything and chosen:
            self.notify("The inbox is cleared; /tasks still has the reports.", markup=False)

    def action_tasks(self) -> None:
        """Go over to the tasks."""
        from multidb_chat.tui.screens.tasks import TasksScreen

        self.app.switch_screen(TasksScreen(self.serving))

    async def _tell_inbox(self, what: str, letters: Sequence[Letter]) -> None:
        task_ids = [letter.task_id for letter in letters]
        try:
            services = await self.serving.services()
            inbox = services.inbox
            await (inbox.clear if what == "clear" else inbox.mark_read)(services.account, task_ids)
        except Exception as error:  # noqa: BLE001 - the screen goes on
            self.notify(told(error), severity="error", markup=False)
        self.load()
