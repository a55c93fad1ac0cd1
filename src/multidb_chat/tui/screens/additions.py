"""What came of each file that was added: how far the run is, and why some could not be read."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import DataTable, Static

from multidb_chat.domain.text import clean_line
from multidb_chat.services.ingesting.events import FileDone
from multidb_chat.services.ingesting.wording import summary_of
from multidb_chat.services.wording import counted
from multidb_chat.tui.adding import Addition, Additions
from multidb_chat.tui.widgets.additions import line_of
from multidb_chat.tui.widgets.key_line import KeyLine

_SECONDS = 0.2
_ROWS = 500
EMPTY = "Nothing was added since the app was opened. Press a in the list of documents to add files or folders."


class AdditionsScreen(Screen[None]):
    """The latest run, those that wait, and the files: first what could not be read, then the rest."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("x", "stop", "Stop adding"),
        Binding("f", "failures", "Only what failed"),
        Binding("q,e", "app.pop_screen", "Leave", show=False),
    ]

    def __init__(self, additions: Additions) -> None:
        super().__init__()
        self._additions = additions
        self._only_failures = False
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static(" Adding", id="title", markup=False)
        yield Static(id="state", markup=False)
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield KeyLine()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to stop what goes on, and to look at what failed where anything did."""
        run = self._additions.latest
        if action == "stop":
            return run is not None and run.state == "running"
        return action != "failures" or (run is not None and bool(run.failures))

    def on_mount(self) -> None:
        """Follow the run."""
        self.query_one(DataTable).focus()
        self._draw()
        self.set_interval(_SECONDS, self._draw)

    def action_failures(self) -> None:
        """Show only what could not be read, or everything."""
        self._only_failures = not self._only_failures
        self._draw()

    async def action_stop(self) -> None:
        """Stop adding; what is stored stays."""
        await self._additions.cancel()

    def _draw(self) -> None:
        run = self._additions.latest
        self.query_one("#state", Static).update(_told(run, self._additions))
        if run is None:
            self.query_one(DataTable).display = False
            return
        state = (id(run), run.done, run.reading, run.state, self._only_failures, self.size.width)
        if state != self._drawn:
            self._drawn = state
            self._fill(run)
            self.refresh_bindings()

    def _fill(self, run: Addition) -> None:
        table = self.query_one(DataTable)
        row = table.cursor_row
        rows = _rows(run, self._only_failures)
        files = max(self.size.width * 2 // 5, 12)
        table.clear(columns=True)
        table.add_column("File", width=files)
        table.add_column("What became of it", width=max(self.size.width - files - 6, 12))
        for file, outcome in rows:
            # The end of a path tells files apart; a long reason goes on in the next line.
            table.add_row(Text("…" + file[1 - files :] if len(file) > files else file), Text(outcome), height=None)
        table.display = bool(rows)
        table.move_cursor(row=row)


def _told(run: Addition | None, additions: Additions) -> Content:
    if run is None:
        return Content(EMPTY)
    waiting = sum(one.state == "waiting" for one in additions.runs)
    after = Content(f"\n{counted(waiting, 'more run')} will follow." if waiting else "")
    if run.state == "running":
        return line_of(run) + after
    if run.problem:
        return Content.styled(run.problem, "$text-error") + after
    told = (
        summary_of(run.finished) if run.finished else "Stopped. What was added stays; adding again completes the rest."
    )
    return Content(f"{clean_line(run.collection)}: {told}") + after


def _rows(run: Addition, only_failures: bool) -> list[tuple[str, str]]:
    """Return the lines of the table: what failed, what is being read, what is done, the latest first."""
    failed = [
        (clean_line(one.source + (f" ({one.name})" if one.name else "")), f"not read: {clean_line(one.reason)}")
        for one in run.failures[:_ROWS]
    ]
    if more := len(run.failures) - len(failed):
        failed.append(("", f"and {more:,} more"))
    if only_failures:
        return failed
    reading = [(clean_line(run.reading), "reading …")] if run.state == "running" and run.reading else []
    done = [(clean_line(one.source), _outcome(one)) for one in reversed(run.recent) if one.outcome != "failed"]
    return [*failed, *reading, *done]


def _outcome(done: FileDone) -> str:
    made = f" ({counted(done.documents, 'document')}, {counted(done.chunks, 'passage')})" if done.chunks else ""
    return f"{done.outcome}{made}"
