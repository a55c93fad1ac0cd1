"""What to add, where to, and who may see it."""

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Button, Checkbox, Input, Label, Static

from multidb_chat.domain.library import Collection
from multidb_chat.domain.text import clean_line
from multidb_chat.services.collections import owns, shares_by_default
from multidb_chat.tui.adding import Addition, Additions
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.widgets.path_input import PathInput


class Tick(Checkbox):
    """A box that is empty when it is off: Textual draws its mark in both states, which only a colour tells apart."""

    BUTTON_INNER = " "

    def watch_value(self) -> None:
        """Draw the mark, or none."""
        self.BUTTON_INNER = "X" if self.value else " "
        super().watch_value()


class AddScreen(ModalScreen[Addition | None]):
    """Asks, and begins to add; the result is the run, None when it was left."""

    CSS_PATH = "add.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012 - an instance variable in the base class
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("enter", "add", "Add"),
        Binding("f1", "app.help", "Help", show=False),
    ]

    def __init__(self, serving: Serving, additions: Additions, paths: str, collection: str) -> None:
        super().__init__()
        self._serving = serving
        self._additions = additions
        self._paths = paths
        self._collection = collection
        self._own: dict[str, Collection] = {}
        self._shares = False

    def compose(self) -> ComposeResult:
        with Vertical(id="add") as box:
            box.border_title = "Add documents"
            box.border_subtitle = "Enter adds · Tab completes · Esc goes back"
            yield Label("Files, folders, patterns or addresses; drop files here")
            yield PathInput(self._paths)
            yield Label("Collection; a new name makes a new one")
            yield Input(self._collection, id="collection")
            yield Tick("Everybody who uses this installation may search it", id="shared", compact=True)
            yield Static(id="problem", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Add", variant="primary", id="begin", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        """Start where one types."""
        self.query_one("#problem").display = False
        self.query_one(PathInput).field.focus()
        self._load()

    @work(exit_on_error=False)
    async def _load(self) -> None:
        try:
            services = await self._serving.services()
            found = await services.documents.collections(services.account)
        except Exception as error:  # noqa: BLE001 - said below the fields
            self._say(told(error))
            return
        account = services.account
        self._own = {one.name.casefold(): one for one in found if owns(account, one)}
        self._shares = shares_by_default(account)
        name = self.query_one("#collection", Input)
        name.suggester = SuggestFromList([one.name for one in self._own.values()], case_sensitive=False)
        self._show_sharing(name.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show how the collection of this name is shared."""
        if event.input.id == "collection":
            self._show_sharing(event.value)
        self._say("")

    def _show_sharing(self, name: str) -> None:
        """Of a collection that exists, this is told; of a new one, it is asked."""
        known = self._own.get(name.strip().casefold())
        box = self.query_one("#shared", Checkbox)
        box.value = known.shared if known else self._shares
        box.disabled = known is not None

    def on_input_submitted(self) -> None:
        """Begin."""
        self.action_add()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Begin, or leave."""
        if event.button.id == "begin":
            self.action_add()
        else:
            self.dismiss(None)

    def action_add(self) -> None:
        """Begin to add, and leave; one goes on chatting meanwhile."""
        paths, name = self.query_one(PathInput).paths, self.query_one("#collection", Input).value.strip()
        if not paths:
            self._say("Type the path of a file or a folder first.")
        elif not name:
            self._say("Type the name of a collection first.")
        else:
            shared = None if name.casefold() in self._own else self.query_one("#shared", Checkbox).value
            self.dismiss(self._additions.add(paths, name, shared))

    def _say(self, text: str) -> None:
        problem = self.query_one("#problem", Static)
        problem.update(clean_line(text))
        problem.display = bool(text)
