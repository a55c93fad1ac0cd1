"""The help: every key and command, from the same table that carries them out."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from multidb_chat.tui.commands import COMMANDS

KEYS = (
    ("Enter", "Send the question"),
    ("Ctrl+J, Shift+Enter", "New line"),
    ("Up, Down", "Earlier and later questions"),
    ("Tab", "Complete a command, go to the sources"),
    ("Esc", "Stop an answer, close the sources, drop a paste"),
    ("PageUp, PageDown", "Scroll the chat"),
    ("F1 F2 F3 F4", "Help, sources, documents, why"),
    ("Ctrl+L, Ctrl+T", "Clear the screen; next theme"),
    ("Ctrl+P", "All actions"),
    ("Ctrl+Q", "Leave"),
)


def _table(rows: list[tuple[str, str]]) -> Content:
    return Content("\n").join([Content.styled(f"{left:<20}", "$accent") + Content(right) for left, right in rows])


class HelpScreen(ModalScreen[None]):
    """Keys and commands; any of Esc, q, Enter or F1 closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,f1,enter", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as box:
            box.border_title = "Help"
            box.border_subtitle = "Esc closes"
            yield Static("Commands", classes="heading")
            yield Static(_table([(f"{command.name} {command.argument}", command.help) for command in COMMANDS]))
            yield Static("Keys", classes="heading")
            yield Static(_table(list(KEYS)))
            yield Static("For more, ask: the handbook is among the documents.", classes="more")
