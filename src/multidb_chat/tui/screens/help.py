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
    ("Tab", "Complete a command"),
    ("Esc", "Stop an answer; drop a pasted text"),
    ("PageUp, PageDown", "Scroll the chat"),
    ("F1 F2 F3 F4", "Help, sources, documents, why"),
    ("Ctrl+T", "Next theme"),
    ("Ctrl+P", "All actions"),
    ("Ctrl+Q", "Leave"),
)


class HelpScreen(ModalScreen[None]):
    """Keys and commands; any of Esc, q or F1 closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,f1,enter", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        keys = "\n".join(f"{key:<22}{what}" for key, what in KEYS)
        commands = "\n".join(f"{f'{command.name} {command.argument}':<22}{command.help}" for command in COMMANDS)
        with VerticalScroll(id="help"):
            yield Static(Content.styled("Keys", "bold"))
            yield Static(Content(keys))
            yield Static(Content.styled("\nCommands", "bold"))
            yield Static(Content(commands))
            yield Static(Content("\nMore: ask “How do I …?”; the handbook is among the documents. Esc closes."))
