"""What is left of the plan, and what was done with it, as bars and plots that follow what happens."""

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from multidb_chat.services.quota_wording import NAMES, amount
from multidb_chat.services.wording import counted, duration
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.widgets.key_line import KeyLine
from multidb_chat.tui.widgets.plots import CachePlot, QuestionsPlot, TimesPlot
from multidb_chat.tui.wording import MUTED

if TYPE_CHECKING:
    from multidb_chat.domain.plans import Standing, Usage
    from multidb_chat.domain.statistics import Figures

SPANS = (7, 30, 90)
EMPTY = "Nothing was asked in the last {days}. Ask a question in the chat, and what comes of it is drawn here."
_EVERY = 5.0  # seconds from one look at the figures to the next
_BAR = 20


class DashboardScreen(Screen[None]):
    """The account's own usage and figures."""

    CSS_PATH = "dashboard.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - an instance variable in the base class
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("q,f8", "app.pop_screen", show=False),
        Binding("d", "days", "7, 30 or 90 days"),
        Binding("r", "refresh_figures", "Refresh"),
    ]

    def __init__(self, serving: Serving, days: int = 30) -> None:
        super().__init__()
        self._serving = serving
        self._days = days

    def compose(self) -> ComposeResult:
        yield Static(" Dashboard", id="title", markup=False)
        with VerticalScroll(id="page"):
            yield Static("Loading …", id="usage", markup=False)
            yield Static(id="figures", markup=False)
            with Horizontal(id="plots"):
                yield QuestionsPlot()
                yield TimesPlot()
                yield CachePlot()
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the figures, and go on following them."""
        self.query_one("#plots").display = False
        self.load()
        self.set_interval(_EVERY, self.load)

    def action_days(self) -> None:
        """Change to the next span of days."""
        self._days = SPANS[(SPANS.index(self._days) + 1) % len(SPANS)] if self._days in SPANS else SPANS[0]
        self.load()

    def action_refresh_figures(self) -> None:
        """Look at once."""
        self.load()

    @work(exclusive=True, group="dashboard", exit_on_error=False)
    async def load(self) -> None:
        """Read the figures and draw them."""
        try:
            services = await self._serving.services()
            standing = await services.plans.usage_of(services.account)
            figures = await services.statistics.of(services.account, self._days)
        except Exception as error:  # noqa: BLE001 - said in the place of the figures
            self._say(told(error))
            return
        self._draw(standing, figures)

    def _say(self, problem: str) -> None:
        usage = self.query_one("#usage", Static)
        usage.update(Content(problem))
        usage.add_class("error")

    def _draw(self, standing: "Standing", figures: "Figures") -> None:
        until = f" until {standing.last_day}" if standing.until else ""
        month = next(one.resets_at for one in standing.usage if one.resets_at is not None)
        self.query_one("#title", Static).update(
            Content(f" Dashboard · plan {standing.plan}{until} · new month on {month:%Y-%m-%d}")
        )
        usage = self.query_one("#usage", Static)
        usage.remove_class("error")
        usage.update(Content("\n").join([usage_line(one) for one in standing.usage]))
        heading = Content.styled(f"Last {counted(self._days, 'day')}\n", "bold $primary")
        self.query_one("#figures", Static).update(heading + _summary(figures, self._days))
        plots = self.query_one("#plots")
        plots.display = bool(figures.questions or figures.answered)
        if plots.display:
            for plot in (QuestionsPlot, TimesPlot, CachePlot):
                self.query_one(plot).show(figures)


def usage_line(usage: "Usage") -> Content:
    """Return one resource with a bar: what is used and what is left."""
    name = Content.styled(f"{NAMES[usage.resource]:<17}", MUTED)
    used = amount(usage.resource, usage.used)
    if usage.limit is None or usage.left is None or usage.share is None:
        return name + Content(f"{used:>9}") + Content.styled("  no limit", MUTED)
    if not usage.limit:
        return name + Content(f"{used:>9}") + Content.styled("  not in this plan", MUTED)
    style = "$error" if not usage.left else "$warning" if usage.is_low else "$success"
    filled = min(_BAR, round(_BAR * usage.share))
    bar = Content.styled("━" * filled, style) + Content.styled("─" * (_BAR - filled), MUTED)
    left = f"  {amount(usage.resource, usage.left)} of {amount(usage.resource, usage.limit)} left"
    return name + Content(f"{used:>9}  ") + bar + Content(left)


def _summary(figures: "Figures", days: int) -> Content:
    from multidb_chat.domain.statistics import FAILED, NOT_FOUND

    held = f"{counted(figures.documents, 'document')}, {amount('storage', figures.size_bytes)}"
    feedback = f"feedback {figures.helpful:,} good, {figures.unhelpful:,} bad"
    if not figures.questions and not figures.answered:
        return Content(EMPTY.format(days=counted(days, "day"))) + Content(f"\n{held} · {feedback}")
    asked = [counted(figures.questions, "question")]
    rate, median, slow = figures.hit_rate, figures.within(0.5), figures.within(0.95)
    if rate is not None:
        asked.append(f"{100 * rate:.0f} % from the cache")
    if median is not None and slow is not None:
        asked.append(f"half within {duration(median)}, 95 % within {duration(slow)}")
    rest = [f"{figures.total(NOT_FOUND):,} not found", f"{figures.total(FAILED):,} failed", held, feedback]
    return Content(" · ".join(asked) + "\n" + " · ".join(rest))
