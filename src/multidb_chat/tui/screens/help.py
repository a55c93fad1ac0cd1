"""The help: every key and command, from the same table that carries them out."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from multidb_chat.tui.commands import COMMANDS
from multidb_chat.tui.commands.keys import ANSWER_KEYS

KEYS = (
    ("Enter", "Send the question, take the chosen completion"),
    ("Ctrl+J, Shift+Enter", "New line"),
    ("Up, Down", "Earlier and later questions, completions"),
    ("@NAME, #NAME", "Look only in this document, this collection"),
    ("Tab", "Complete what is typed, go to the sources"),
    ("Esc", "Stop an answer, go back, drop a paste"),
    ("Alt+Up, Alt+Down", "Go to the answers and back"),
    ("PageUp, PageDown", "Scroll the chat"),
    ("Ctrl+P", "All actions"),
)


def _table(rows: Iterable[tuple[str, str, str]]) -> Table:
    """Return rows of what to type, the key that does it too, and what it does."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for least in (20, 7, 0):
        table.add_column(min_width=least)
    for typed, key, what in rows:
        table.add_row(Text(typed, "bold"), Text(key, "dim"), Text(what))
    return table


def _commands() -> Iterator[Static]:
    for topic, commands in groupby(COMMANDS, key=lambda command: command.topic):
        yield Static(topic, classes="heading")
        yield Static(
            _table((f"{one.name} {one.argument}", one.key_name, one.help) for one in commands), classes="table"
        )


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
            yield Static(_table((key, "", what) for key, what in KEYS), classes="table")
            yield Static("With the cursor on an answer", classes="heading")
            yield Static(_table((key.display, "", key.help) for key in ANSWER_KEYS if key.help), classes="table")
            yield Static("For more, ask: the handbook is among the documents.", classes="more")
