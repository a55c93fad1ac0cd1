"""What a background task made: its report to read, or how far it is, or why it failed."""

from typing import ClassVar

from markdown_it import MarkdownIt
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Markdown, Static

from multidb_chat.domain.tasks import Task
from multidb_chat.domain.text import clean, clean_line
from multidb_chat.services.tasks.inbox import title_of
from multidb_chat.services.tasks.reports import Report, loads
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.widgets.key_line import KeyLine

EVERY = 1.0
"""Seconds after which it is looked again."""
_STATES = {
    "queued": "It waits for its turn. You can go on asking; what it makes comes into your inbox.",
    "running": "It is running. You can go on asking; what it makes comes into your inbox.",
    "failed": "It failed, and is not tried again by itself; r in /tasks tries it again.",
    "cancelled": "It was cancelled.",
}


class ReportScreen(Screen[None]):
    """One task's report."""

    CSS_PATH = "report.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("q", "app.pop_screen", show=False),
        Binding("o,1", "open(1)", "Open citations", key_display="o"),
        *(Binding(str(number), f"open({number})", show=False) for number in range(2, 10)),
        Binding("c", "copy", "Copy"),
        Binding("s", "scroll_to_sources", "Sources"),
        Binding("home", "scroll_home", "Top", show=False),
    ]

    def __init__(self, serving: Serving, task_id: str) -> None:
        super().__init__()
        self._serving = serving
        self._task_id = task_id
        self._report: Report | None = None

    def compose(self) -> ComposeResult:
        yield Static(" Report", id="title", markup=False)
        yield Static("Loading …", id="state", markup=False)
        with VerticalScroll(id="report"):
            # Links in a document's text are shown, never followed: a hostile document must not open anything.
            yield Markdown(open_links=False, parser_factory=_parser)
        yield KeyLine()

    def on_mount(self) -> None:
        """Show it, and look again until it has ended."""
        self.query_one("#report").display = False
        self.load()
        self._looking = self.set_interval(EVERY, self.load)

    @work(exclusive=True, group="report", exit_on_error=False)
    async def load(self) -> None:
        """Read the task; when it is done, show its report and mark it as read."""
        try:
            services = await self._serving.services()
            task = await services.task_service.get(services.account, self._task_id)
            self.query_one("#title", Static).update(Content(f" {title_of(task)}"))
            if task.ended:
                self._looking.stop()
                await services.inbox.mark_read(services.account, [task.id])
            if task.state == "done":
                await self._show(loads(task.result))
            else:
                self._say(_described(task), error=task.state == "failed")
        except Exception as error:  # noqa: BLE001 - said in the place of the report
            self._looking.stop()
            self._say(told(error), error=True)

    async def _show(self, report: Report) -> None:
        self._report = report
        saved = f"Saved in the collection {clean_line(report.collection)}." if report.document_id else ""
        self._say(saved)
        area = self.query_one("#report", VerticalScroll)
        area.display = True
        await area.query_one(Markdown).update(clean(report.markdown))
        area.focus()

    def _say(self, text: str, error: bool = False) -> None:
        state = self.query_one("#state", Static)
        state.update(Content(text))
        state.set_class(error, "error")
        state.display = bool(text)

    def action_open(self, number: int) -> None:
        """Open the passage behind a citation; from there n and p go to the others."""
        from multidb_chat.tui.screens.passage import PassageScreen

        citations = self._report.citations if self._report is not None else ()
        if number <= len(citations):
            self.app.push_screen(PassageScreen(self._serving, citations, number - 1))
        elif not citations:
            self.notify("This report cites no passages.", markup=False)

    def action_copy(self) -> None:
        """Copy the report as Markdown."""
        if self._report is not None:
            self.app.copy_to_clipboard(clean(self._report.markdown))
            self.notify("The report is in the clipboard, as Markdown.", markup=False)

    def action_scroll_to_sources(self) -> None:
        """Go to the end, where the sources are listed."""
        self.query_one("#report", VerticalScroll).scroll_end(animate=False)

    def action_scroll_home(self) -> None:
        """Go back to the beginning."""
        self.query_one("#report", VerticalScroll).scroll_home(animate=False)


def _parser() -> MarkdownIt:
    """Return what reads a report: tables, and no guessing that a file's name is an address."""
    return MarkdownIt("commonmark").enable("table")


def _described(task: Task) -> str:
    lines = [_STATES[task.state]]
    if task.state == "running":
        lines.append(f"{task.progress:.0%}  {task.step}")
    if task.error:
        lines.append(task.error)
    return "\n\n".join(map(clean_line, lines))
