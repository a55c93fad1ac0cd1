"""Figures in words: a box of names and values, for a glance and for a screen reader."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from multidb_chat.services.figures_wording import Rows
from multidb_chat.tui.wording import MUTED


class FiguresScreen(ModalScreen[None]):
    """Sections of names and values."""

    CSS_PATH = "figures.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "Close")]

    def __init__(self, title: str, sections: Sequence[tuple[str, Rows]]) -> None:
        super().__init__()
        self._title = title
        self._sections = sections

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="figures") as box:
            box.border_title = self._title
            box.border_subtitle = "Esc closes"
            for heading, rows in self._sections:
                if heading:
                    yield Static(heading, classes="heading", markup=False)
                lines = [Content.styled(f"{name:<18}", MUTED) + Content(value) for name, value in rows]
                yield Static(Content("\n").join(lines), markup=False)
