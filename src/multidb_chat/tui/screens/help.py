"""The help: every key and command, from the same table that carries them out."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from multidb_chat.tui.commands import COMMANDS
from multidb_chat.tui.wording import MUTED

KEYS = (
    ("Enter", "Send the question"),
    ("Ctrl+J, Shift+Enter", "New line"),
    ("Up, Down", "Earlier and later questions"),
    ("Tab", "Complete a command, go to the sources"),
    ("Esc", "Stop an answer, close the sources, drop a paste"),
    ("PageUp, PageDown", "Scroll the chat"),
    ("Ctrl+P", "All actions"),
)


def _table(rows: Iterable[tuple[str, str, str]]) -> Content:
    """Return lines of what to type, what it does and the key that does it too."""
    return Content("\n").join(
        [
            Content.styled(f"{typed:<20}", "$accent") + Content(what) + Content.styled(f"  {key}" if key else "", MUTED)
            for typed, what, key in rows
        ]
    )


def _commands() -> Iterator[Static]:
    for topic, commands in groupby(COMMANDS, key=lambda command: command.topic):
        yield Static(topic, classes="heading")
        rows = [(f"{command.name} {command.argument}", command.help, command.key_name) for command in commands]
        yield Static(_table(rows))


class HelpScreen(ModalScreen[None]):
    """Keys and commands; any of Esc, q, Enter or F1 closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,f1,enter", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as box:
            box.border_title = "Help"
            box.border_subtitle = "Esc closes"
            yield from _commands()
            yield Static("Keys", classes="heading")
            yield Static(_table((key, what, "") for key, what in KEYS))
            yield Static("For more, ask: the handbook is among the documents.", classes="more")
