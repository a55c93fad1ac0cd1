"""How an answer came about: what was searched, what was found with which scores, and where the time went."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from multidb_chat.domain.text import clean, clean_line
from multidb_chat.domain.turns import Answer, Citation


def _score(value: float | None) -> str:
    return "     –" if value is None else f"{value:6.2f}"


def _row(citation: Citation) -> str:
    scores = f"{_score(citation.lexical)} {_score(citation.vector)} {citation.score:6.2f}  {citation.quality:<9}"
    return f"{scores} [{citation.number}] {clean_line(citation.title)}"


def explain(answer: Answer) -> str:
    """Return the explanation as plain lines."""
    how = {
        "extractive": "sentences of the documents, quoted",
        "model": "a language model over the passages",
        "knowledge": "a curated knowledge entry",
    }[answer.method]
    lines = [f"Asked      {clean_line(answer.question)}"]
    if answer.standalone != answer.question:
        lines.append(f"Searched   {clean_line(answer.standalone)}")
    lines.append(f"Answer     {how}" if answer.found else "Answer     none: no passage supports one")
    lines.append(f"Cache      {'answered from the cache' if answer.cached else 'not used'}")
    shown = answer.citations if answer.found else answer.nearest
    if shown:
        lines += ["", " words vector  score  quality   source", *(_row(citation) for citation in shown)]
    if answer.timings:
        lines += ["", "Time (ms)"]
        lines += [f"{step:<14}{milliseconds:8.1f}" for step, milliseconds in answer.timings.items()]
    return clean("\n".join(lines))


class WhyScreen(ModalScreen[None]):
    """The explanation of one answer."""

    CSS_PATH = "why.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,f4,enter", "dismiss", "Close")]

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="why"):
            yield Static(Content.styled("How this answer came about", "bold"))
            yield Static(Content("\n" + explain(self._answer)))
            yield Static(Content("\nEsc closes."))
