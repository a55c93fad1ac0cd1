"""Small questions: a line of text, and whether something that cannot be undone shall be done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static


@dataclass(frozen=True, slots=True)
class Ask:
    """What to ask for; `verb` is what the button says, `check` returns why a text cannot be taken (empty: it can)."""

    title: str
    label: str
    verb: str
    value: str = ""
    check: Callable[[str], str] = lambda text: "" if text else "Type something first."


class AskScreen(ModalScreen[str | None]):
    """Asks for a line of text; the result is None when it was left."""

    CSS_PATH = "asking.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012 - an instance variable in the base class
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("enter", "take", "Take"),
        Binding("f1", "app.help", "Help", show=False),
    ]

    def __init__(self, ask: Ask) -> None:
        super().__init__()
        self._ask = ask

    def compose(self) -> ComposeResult:
        with Vertical(classes="asking") as box:
            box.border_title = Content(self._ask.title)
            box.border_subtitle = "Enter goes on · Esc goes back"
            yield Label(Content(self._ask.label))
            yield Input(self._ask.value)
            yield Static(classes="problem", markup=False)
            with Horizontal(classes="buttons"):
                yield Button(self._ask.verb, variant="primary", id="take", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        """Start where one types."""
        self.query_one(".problem").display = False
        self.query_one(Input).focus()

    def on_input_changed(self) -> None:
        """Forget what was wrong."""
        self.query_one(".problem").display = False

    def on_input_submitted(self) -> None:
        """Take the text."""
        self.action_take()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the text, or leave."""
        if event.button.id == "take":
            self.action_take()
        else:
            self.dismiss(None)

    def action_take(self) -> None:
        """Take the text if it can be taken."""
        text = self.query_one(Input).value.strip()
        if problem := self._ask.check(text):
            said = self.query_one(".problem", Static)
            said.update(Content(problem))
            said.display = True
        else:
            self.dismiss(text)


class ConfirmScreen(ModalScreen[bool]):
    """Says what would be done and asks; the harmless button has the focus."""

    CSS_PATH = "asking.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012 - an instance variable in the base class
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "dismiss(False)", "No"),
        Binding("y", "dismiss(True)", "Yes"),
        Binding("f1", "app.help", "Help", show=False),
        Binding("left,right", "app.focus_next", "Other button", show=False),
    ]

    def __init__(self, title: str, text: str, verb: str) -> None:
        super().__init__()
        self._heading = title
        self._text = text
        self._verb = verb

    def compose(self) -> ComposeResult:
        with Vertical(classes="asking") as box:
            box.border_title = Content(self._heading)
            box.border_subtitle = "y yes · n no · Esc goes back"
            yield Static(Content(self._text), markup=False)
            with Horizontal(classes="buttons"):
                yield Button(self._verb, variant="error", id="yes", compact=True)
                yield Button("Cancel", id="no", compact=True)

    def on_mount(self) -> None:
        """Let Enter do nothing harmful."""
        self.query_one("#no", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")
