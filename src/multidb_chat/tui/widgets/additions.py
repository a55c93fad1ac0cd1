"""How far adding documents is, in one line that any screen may have."""

from time import monotonic

from textual.content import Content
from textual.widgets import Static

from multidb_chat.domain.text import clean_line
from multidb_chat.tui.adding import Addition, Additions

_BAR = 12
_FRAME_SECONDS = 0.1


class AdditionLine(Static):
    """Shown while documents are added: a bar, how many files of how many, the rate, what is left, the file."""

    DEFAULT_CSS = """
    AdditionLine { height: 1; padding: 0 2; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, additions: Additions) -> None:
        super().__init__(markup=False)
        self._additions = additions
        self._drawn = 0.0

    def on_mount(self) -> None:
        """Follow what is added."""
        self._additions.listeners.append(self._follow)
        self._draw(self._additions.running)

    def on_unmount(self) -> None:
        """Leave."""
        self._additions.listeners.remove(self._follow)

    def _follow(self, run: Addition) -> None:
        # Many small files are done in the time in which one line is drawn.
        if run.state != "running" or monotonic() - self._drawn >= _FRAME_SECONDS:
            self._draw(self._additions.running)

    def _draw(self, run: Addition | None) -> None:
        self._drawn = monotonic()
        self.display = run is not None
        if run is not None:
            self.update(line_of(run), layout=False)  # one line, whatever it says


def line_of(run: Addition) -> Content:
    """Return how far a run is."""
    name = clean_line(run.collection)
    if run.progress is None:
        return Content(f"Adding to {name}: looking for files …")
    from multidb_chat.services.ingesting.wording import figures_of

    done = round(_BAR * run.progress.fraction)
    bar = Content.styled("━" * done, "$primary") + Content("─" * (_BAR - done))
    failed = f", {len(run.failures):,} not read" if run.failures else ""
    file = f" · {clean_line(run.reading.rpartition('/')[2])}" if run.reading else ""
    figures = f" {run.progress.fraction:4.0%}  {figures_of(run.progress)}{failed} · adding to {name}{file}"
    return bar + Content(figures)
