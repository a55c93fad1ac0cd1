"""How an answer came about: what was searched, what was found with which scores, and where the time went."""

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from multidb_chat.domain.text import clean_line
from multidb_chat.domain.turns import Answer, Citation
from multidb_chat.services.answering import explaining
from multidb_chat.services.excerpts import unmarked
from multidb_chat.tui.wording import MUTED, headings, place, shown

_BAR = 24
_SNIPPET = 240


def _summary(answer: Answer) -> Iterator[Horizontal]:
    for name, value in explaining.summary(answer):
        told = Static(Content(value), classes="value", markup=False)
        yield Horizontal(Static(Content.styled(name, MUTED), classes="name"), told, classes="row")


def _passages(answer: Answer) -> Iterator[Static]:
    """Yield the passages with their scores; those that came nearest with their words, since no answer shows them."""
    yield Static(Content.styled("no.  score  quality    words  meaning  source", MUTED), classes="score")
    for citation in shown(answer):
        yield Static(_scored(citation), classes="score", markup=False)
        if not answer.found:
            yield Static(Content(_first_words(citation)), classes="words", markup=False)


def _scored(citation: Citation) -> Content:
    figures = f"{citation.score:5.2f}  {citation.quality:<9}  {_score(citation.lexical)}  {_score(citation.vector)}    "
    path = headings(citation).rpartition(" › ")[2]
    source = f"{place(citation)} · {path}" if path else place(citation)
    return Content.styled(f"{f'[{citation.number}]':<5}", "bold $accent") + Content(figures + source)


def _score(value: float | None) -> str:
    return "    –" if value is None else f"{value:5.2f}"


def _first_words(citation: Citation) -> str:
    words = clean_line(*unmarked(citation.snippet))
    return words if len(words) <= _SNIPPET else words[:_SNIPPET].rpartition(" ")[0] + " …"


def _times(answer: Answer) -> Content:
    """Return where the time went, each step with a bar of its share; steps within a step are set in."""
    total = answer.timings.get("total") or sum(answer.timings.values()) or 1.0
    lines = []
    for step in explaining.steps(answer):
        bar = "" if step.name == "Total" else "━" * round(_BAR * min(1.0, step.milliseconds / total))
        figures = Content(f"{'  ' if step.inner else ''}{step.name}".ljust(16) + f"{step.milliseconds:9.1f} ms  ")
        lines.append(figures + Content.styled(bar, "dim $primary" if step.inner else "$primary"))
    return Content("\n").join(lines)


class WhyScreen(ModalScreen[None]):
    """The explanation of one answer."""

    CSS_PATH = "why.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,f4,enter", "dismiss", "Close")]

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="why") as box:
            box.border_title = "How this answer came about"
            box.border_subtitle = "Esc closes"
            yield from _summary(self._answer)
            if shown(self._answer):
                yield Static("Passages" if self._answer.found else "The nearest passages", classes="heading")
                yield from _passages(self._answer)
                yield Static(explaining.TIERS, classes="tiers", markup=False)
            if self._answer.timings:
                yield Static("Time", classes="heading")
                yield Static(_times(self._answer), markup=False)
