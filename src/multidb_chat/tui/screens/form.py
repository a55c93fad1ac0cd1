"""What the screens with fields to fill in share: labels, errors in place, and one thing done at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static

from multidb_chat.tui.leaving import leave
from multidb_chat.tui.serving import told


@dataclass(frozen=True, slots=True)
class Field:
    """One line to fill in. `secret` shows dots; `asked` is False for what is only asked for when it is needed."""

    name: str
    label: str
    secret: bool = False
    asked: bool = True
    placeholder: str = ""


class FormScreen(ModalScreen[bool]):
    """A form; it is dismissed with True when it was carried out, with False when somebody went back."""

    CSS_PATH = "form.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        # At once, before the next key: a password that is typed by a program must not go on in the field before.
        Binding("enter,tab", "next", "Next field", show=False, priority=True),
    ]
    heading: ClassVar[str] = ""
    intro: ClassVar[str] = ""
    button: ClassVar[str] = ""
    keys: ClassVar[str] = "Enter goes on · Esc goes back"
    fields: ClassVar[tuple[Field, ...]] = ()

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="form", can_focus=False) as box:
            box.border_title = self.heading
            box.border_subtitle = self.keys
            if self.intro:
                yield Static(self.intro, classes="intro", markup=False)
            yield from self.body()

    def body(self) -> ComposeResult:
        """Yield the fields, what stands below them, and the button."""
        for field in self.fields:
            label = Label(field.label, id=f"{field.name}-label", markup=False)
            entry = Input(password=field.secret, id=field.name, compact=True, placeholder=field.placeholder)
            label.display = entry.display = field.asked
            yield label
            yield entry
            yield from self.below(field)
        yield Static(id="problem", markup=False)
        yield Button(self.button, variant="primary", id="go", compact=True)

    def below(self, field: Field) -> Iterator[Widget]:
        """Yield what stands below a field."""
        yield from ()

    async def carry_out(self, values: dict[str, str]) -> bool:
        """Do what the form is for; False leaves it open for more. What it raises is shown in the form."""
        raise NotImplementedError

    def at_fault(self, error: Exception) -> str:
        """Return the field in which to mend what was refused; empty: in none of them."""
        return ""

    def value(self, name: str) -> str:
        """Return what stands in a field."""
        return self.query_one(f"#{name}", Input).value

    def ask_for(self, name: str) -> None:
        """Show a field that was not asked for before, and go there."""
        self.query_one(f"#{name}-label").display = True
        entry = self.query_one(f"#{name}", Input)
        entry.display = True
        entry.focus()

    def fail(self, text: str, field: str = "") -> None:
        """Say what is wrong, and go to the field that it is about: what is typed replaces what stands there."""
        problem = self.query_one("#problem", Static)
        problem.update(Content(text))
        problem.display = problem.visible = bool(text)
        if field:
            entry = self.query_one(f"#{field}", Input)
            entry.focus()
            entry.select_all()
        if text:
            self.call_after_refresh(problem.scroll_visible)

    def on_mount(self) -> None:
        """Begin in the first field that is empty."""
        self.query_one("#problem").display = False
        self.app.clear_notifications()  # what led here would cover it
        empty = [entry for entry in self._entries() if not entry.value]
        (empty or self._entries())[0].focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Go to the next field where there is one; in the last one the keys do what they always do."""
        return action != "next" or self.focused in self._entries()[:-1]

    def action_next(self) -> None:
        """Go to the next field."""
        entries = self._entries()
        at = next(number for number, entry in enumerate(entries) if entry is self.focused)
        self.set_focus(entries[at + 1])

    def on_input_changed(self, event: Input.Changed) -> None:
        """Take back what was wrong: it is being mended. Its room stays, so that nothing moves under the mouse."""
        self.query_one("#problem").visible = False

    def on_input_submitted(self) -> None:
        """Go on from the last field."""
        self.go_on()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Go on."""
        self.go_on()

    @work(exclusive=True, group="form", exit_on_error=False)
    async def go_on(self) -> None:
        """Carry it out; meanwhile nothing can be sent again."""
        button = self.query_one("#go", Button)
        if button.disabled:
            return
        button.disabled = True
        self.fail("")
        try:
            if await self.carry_out({field.name: self.value(field.name) for field in self.fields}):
                leave(self, True)
        except Exception as error:  # noqa: BLE001 - said in the form, which stays open
            self.fail(told(error), self.at_fault(error))
        finally:
            button.disabled = False

    def action_leave(self) -> None:
        """Go back with nothing done."""
        self.dismiss(False)

    def _entries(self) -> list[Input]:
        return [entry for entry in self.query(Input) if entry.display]
