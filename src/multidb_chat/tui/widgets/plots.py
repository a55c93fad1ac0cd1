"""The plots of the dashboard, in the colours of the theme."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.color import Color
from textual.widget import Widget
from textual_plotext import Plot

from multidb_chat.domain.statistics import CACHED, FAILED, TURNS

if TYPE_CHECKING:
    from multidb_chat.domain.statistics import Figures

_LABEL_EVERY = 14  # cells that a date below a plot takes, with room around it
_LEAST = (12, 5)


class FiguresPlot(Widget):
    """A plot of figures; the kinds below say what is drawn.

    Drawn with plotext on a canvas of its own, since its Textual widget knows backgrounds and text of a theme alone.
    """

    DEFAULT_CSS = "FiguresPlot { width: 1fr; height: 1fr; margin: 0 2 0 0; background: $background; }"
    title = ""

    def __init__(self) -> None:
        super().__init__()
        self._figures: Figures | None = None

    def on_mount(self) -> None:
        """Draw anew when the theme changes."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def show(self, figures: "Figures") -> None:
        """Draw these figures."""
        self._figures = figures
        self.refresh()

    def render(self) -> Text:
        """Draw at the present size."""
        width, height = self.size
        if self._figures is None or width < _LEAST[0] or height < _LEAST[1]:
            return Text()
        plot = Plot()
        plot._set_size(width, height - 1)  # what is public goes no further than the terminal plotext believes in
        plot.canvas_color(self.colour("background"))
        plot.axes_color(self.colour("background"))
        plot.ticks_color(self.colour("foreground"))
        plot.frame(False)
        plot.xaxes(True, None)
        plot.yaxes(True, None)
        self.draw(plot, self._figures)
        return Text(f"{self.heading(self._figures)}\n", style="bold") + Text.from_ansi(plot.build())

    def heading(self, figures: "Figures") -> str:
        """Return what stands above the plot."""
        return self.title

    def draw(self, plot: Any, figures: "Figures") -> None:
        """Draw the figures on the canvas."""
        raise NotImplementedError

    def colour(self, name: str) -> tuple[int, int, int]:
        """Return a colour of the theme."""
        return Color.parse(self.app.theme_variables[name]).rgb

    def _bars(self, plot: Any, heights: Sequence[int], labels: Sequence[str], colour: str) -> None:
        """Draw bars side by side, as many of them labelled as there is room for."""
        there = [(at, height) for at, height in enumerate(heights) if height]  # 0 would be drawn as a low bar
        if there:
            plot.bar(*map(list, zip(*there, strict=True)), color=self.colour(colour), width=0.8, minimum=0)
        plot.xlim(-0.6, len(heights) - 0.4)
        top = max(heights, default=0) or 1
        plot.ylim(0, top)
        plot.yticks(_steps(top))
        self._label(plot, labels)

    def _label(self, plot: Any, labels: Sequence[str]) -> None:
        room = max(2, self.size.width // _LABEL_EVERY)
        step = max(1, -(-len(labels) // room))
        shown = list(range(0, len(labels), step))
        plot.xticks(shown, [labels[at] for at in shown])


class QuestionsPlot(FiguresPlot):
    """Questions a day."""

    title = "Questions a day"

    def draw(self, plot: Any, figures: "Figures") -> None:
        """Draw a bar for each day."""
        labels = [f"{day.day.day} {day.day:%b}" for day in figures.days]
        self._bars(plot, [day.questions for day in figures.days], labels, "primary")


class TimesPlot(FiguresPlot):
    """How long answers took."""

    title = "Answers by time"

    def heading(self, figures: "Figures") -> str:
        """Say that there are none where the plot would be empty."""
        return self.title if figures.answered else f"{self.title}: none counted"

    def draw(self, plot: Any, figures: "Figures") -> None:
        """Draw a bar for each bound of the histogram that something lies within."""
        counts = {bound: count for bound, count in figures.histogram.items() if count}
        bounds = list(figures.histogram)
        first, last = (bounds.index(end) for end in (min(counts, default=5.0), max(counts, default=5.0)))
        drawn = bounds[max(0, first - 1) : last + 2]
        self._bars(plot, [figures.histogram[bound] for bound in drawn], [_span(bound) for bound in drawn], "secondary")


class CachePlot(FiguresPlot):
    """Which part of the answers came from the cache."""

    title = "From the cache, %"

    def heading(self, figures: "Figures") -> str:
        """Say that there are none where the plot would be empty."""
        return self.title if figures.answered else f"{self.title}: none counted"

    def draw(self, plot: Any, figures: "Figures") -> None:
        """Draw a line over the days on which something was answered."""
        days = [(at, day) for at, day in enumerate(figures.days) if day.of(TURNS) > day.of(FAILED)]
        rates = [100 * day.of(CACHED) / (day.of(TURNS) - day.of(FAILED)) for _, day in days]
        colour = self.colour("accent")
        draw, marker = (plot.plot, "braille") if len(days) > 1 else (plot.scatter, "dot")
        draw([at for at, _ in days], rates, color=colour, marker=marker)
        plot.ylim(0, 100)
        plot.yticks([0, 50, 100])
        plot.xlim(-0.6, len(figures.days) - 0.4)
        self._label(plot, [f"{day.day.day} {day.day:%b}" for day in figures.days])


def _steps(top: int) -> list[int]:
    """Return a few whole numbers from 0 to the top."""
    return sorted({0, top // 2, top}) if top > 1 else [0, top]


def _span(bound: float) -> str:
    """Return a bound of the histogram in words."""
    if bound > 10_000:
        return "more"
    return f"{bound:g} ms" if bound < 1_000 else f"{bound / 1_000:g} s"
