"""The help: the keys of the screen one comes from and every command, from what carries them out; searchable."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Static

from multidb_chat.tui.commands import COMMANDS
from multidb_chat.tui.commands.keys import ANSWER_KEYS
from multidb_chat.tui.key_names import key_name

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
_NOT_SHOWN = ("tab", "shift+tab", "ctrl+c", "super+c")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the help: under which heading, what to type, the key that does it too, and what it does."""

    topic: str
    typed: str
    key: str
    what: str

    def fits(self, words: list[str]) -> bool:
        """Whether all words are in it."""
        text = f"{self.topic} {self.typed} {self.key} {self.what}".casefold()
        return all(word in text for word in words)


def actions_of(screen: Screen[Any]) -> Iterator[ActiveBinding]:
    """Yield what can be done on a screen now: its own and the app's keys, not how a cursor is moved in a widget.

    The keys of commands are not among them, since commands are listed as such.
    """
    for active in screen.active_bindings.values():
        binding = active.binding
        shown = binding.description and binding.key not in _NOT_SHOWN and not binding.action.startswith("command(")
        if shown and isinstance(active.node, Screen | App):
            yield active


def keys_of(screen: Screen[Any]) -> Iterator[Row]:
    """Yield the keys of these actions, those that do the same in one row."""
    seen: dict[tuple[str, str], list[str]] = {}
    for active in actions_of(screen):
        binding = active.binding
        key = binding.key_display or key_name(binding.key)
        # Textual calls the list of all actions by another name.
        what = "All actions" if binding.action == "command_palette" else binding.description
        seen.setdefault((binding.action, what), []).append(key)
    for (_, description), keys in seen.items():
        yield Row("Keys here", ", ".join(dict.fromkeys(keys)), "", description)


def commands() -> Iterator[Row]:
    """Yield the commands by topic, and what else one types in the chat."""
    for one in COMMANDS:
        yield Row(one.topic, f"{one.name} {one.argument}".strip(), one.key_name, one.help)
    for typed, what in KEYS:
        yield Row("Keys in the chat", typed, "", what)
    for key in ANSWER_KEYS:
        if key.help:
            yield Row("With the cursor on an answer", key.display, "", key.help)


def _table(rows: Iterable[Row], widths: tuple[int, int]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for width in (*widths, None):
        table.add_column(width=width)
    for row in rows:
        table.add_row(Text(row.typed, "bold"), Text(row.key), Text(row.what))
    return table


class HelpScreen(ModalScreen[None]):
    """Keys and commands; typing narrows them, Esc or F1 closes."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
        Binding("f1", "dismiss", "Close"),
        Binding("up", "scroll(-1)", "Up", show=False),
        Binding("down", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-10)", "Page up", show=False),
        Binding("pagedown", "scroll(10)", "Page down", show=False),
    ]

    def __init__(self, about: Screen[Any]) -> None:
        super().__init__()
        self._rows = [*keys_of(about), *commands()]

    def compose(self) -> ComposeResult:
        with Vertical(id="help") as box:
            box.border_title = "Help"
            box.border_subtitle = "Type to search · Esc closes"
            yield Input(placeholder="Type to search", compact=True)
            with VerticalScroll(can_focus=False):
                yield from self._tables([])

    def _tables(self, words: list[str]) -> Iterator[Static]:
        fitting = [row for row in self._rows if row.fits(words)]
        # The same columns below all headings.
        typed, key = (
            max(map(len, column)) for column in zip(*((row.typed, row.key) for row in self._rows), strict=True)
        )
        widths = min(typed, self.app.size.width // 3), key
        for topic, rows in groupby(fitting, key=lambda row: row.topic):
            yield Static(topic, classes="heading", markup=False)
            yield Static(_table(rows, widths), classes="table")
        more = "For more, ask: the handbook is among the documents."
        yield Static(more if fitting else f"Nothing here is about that. {more}", classes="more", markup=False)

    async def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits what is typed."""
        pane = self.query_one(VerticalScroll)
        async with pane.batch():
            await pane.remove_children()
            await pane.mount(*self._tables(event.value.casefold().split()))
        pane.scroll_home(animate=False)

    def on_input_submitted(self) -> None:
        """Close."""
        self.dismiss()

    def action_close(self) -> None:
        """Forget what was typed; else close."""
        field = self.query_one(Input)
        if field.value:
            field.value = ""
        else:
            self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scroll without leaving the field."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
