"""The settings: every value, where it comes from, and changing those one may change."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import DataTable, Input, Static

from multidb_chat.domain.text import clean_line
from multidb_chat.settings.changing import Changed
from multidb_chat.settings.preferences import Preference
from multidb_chat.tui.screens.asking import Ask, AskScreen
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.widgets.key_line import KeyLine


class SettingsScreen(Screen[None]):
    """All settings by section. A change is written into the configuration file."""

    CSS_PATH = "settings.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("c,enter", "change", "Change", key_display="Enter"),
        Binding("d,delete", "default", "Default again"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("q", "app.pop_screen", "Leave", show=False),
    ]

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self._serving = serving
        self._all: list[Preference] = []
        self._view: list[Preference] = []

    def compose(self) -> ComposeResult:
        yield Static(" Settings", id="title", markup=False)
        yield Input(placeholder="Type words of a key or of what it does", id="filter", compact=True)
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield Static(id="about", markup=False)
        yield KeyLine()

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    @property
    def _filter(self) -> Input:
        return self.query_one("#filter", Input)

    @property
    def _current(self) -> Preference | None:
        row = self._table.cursor_row
        return self._view[row] if 0 <= row < len(self._view) else None

    def on_mount(self) -> None:
        """Show the settings."""
        self._filter.display = False
        self._table.focus()
        self.load()

    def on_resize(self, event: Resize) -> None:
        """Show what there is room for."""
        self._fill()

    @work(exclusive=True, group="settings", exit_on_error=False)
    async def load(self) -> None:
        """Read the settings that are in force."""
        try:
            services = await self._serving.services()
            found = services.preferences.shown(services.account)
            self._all = sorted(found, key=lambda one: not one.may_change)  # those first that can be changed
        except Exception as error:  # noqa: BLE001 - said in the place of the settings
            self._say(Content.styled(told(error), "$text-error"))
            return
        self._fill()

    def _fill(self) -> None:
        words = self._filter.value.casefold().split()
        self._view = [
            one for one in self._all if all(word in f"{one.key} {one.rule.help}".casefold() for word in words)
        ]
        table, row, width = self._table, self._table.cursor_row, self.size.width
        keys = 30
        values = max(min(34, (width - keys) // 2 - 4), 8)
        table.clear(columns=True)
        for label, cells in (("Setting", keys), ("Value", values), ("From", max(width - keys - values - 8, 8))):
            table.add_column(label, width=cells)
        for one in self._view:
            key = Text(one.key, style="" if one.may_change else "dim", no_wrap=True)
            style = "" if one.origin == "default" else "bold"
            origin = Text(_short(one.origin), no_wrap=True)
            origin.truncate(max(width - keys - values - 8, 8), overflow="ellipsis")
            table.add_row(key, Text(clean_line(one.shown), style=style, no_wrap=True), origin)
        table.move_cursor(row=row)
        self._describe()

    def on_data_table_row_highlighted(self) -> None:
        """Say what the setting does."""
        self._describe()

    def _describe(self) -> None:
        one = self._current
        if one is None:
            self._say(Content("No setting fits what you typed. Esc shows all again." if self._all else ""))
            return
        changing = (
            f"A change counts {one.counts}."
            if one.may_change
            else (f"An administrator changes it, or in the shell: multidb-chat config set {one.key} VALUE")
        )
        origin = clean_line(one.origin)
        self._say(Content(f"{one.rule.help} Expected: {one.rule.expected}. It comes from: {origin}. {changing}"))

    def _say(self, content: Content) -> None:
        self.query_one("#about", Static).update(content)

    def on_input_changed(self) -> None:
        """Narrow the list to what is typed."""
        self._fill()

    def on_input_submitted(self) -> None:
        """Go on to the list."""
        self._table.focus()

    def on_data_table_row_selected(self) -> None:
        """Change the chosen setting."""
        self.action_change()

    def action_filter(self) -> None:
        """Type what to look for."""
        self._filter.display = True
        self._filter.focus()

    def action_back(self) -> None:
        """Take back the filter; without one, leave."""
        if self._filter.display:
            self._filter.value = ""
            self._filter.display = False
            self._table.focus()
        else:
            self.app.pop_screen()

    @work(exclusive=True, group="change", exit_on_error=False)
    async def action_change(self) -> None:
        """Change the setting: yes and no and few choices go round, everything else is typed."""
        one = self._current
        if one is None:
            return
        if not one.may_change:
            self.notify("This setting is changed by an administrator, or in the shell.", markup=False)
        elif isinstance(one.rule.default, bool):
            await self._set(one, "false" if one.text == "true" else "true")
        elif one.rule.choices:
            choices = one.rule.choices
            await self._set(one, choices[(choices.index(one.text) + 1) % len(choices)])
        else:
            ask = Ask(one.key, f"{one.rule.help} Expected: {one.rule.expected}.", "Set", one.text, _checked_by(one))
            if (text := await self.app.push_screen_wait(AskScreen(ask))) is not None:
                await self._set(one, text)

    @work(exclusive=True, group="change", exit_on_error=False)
    async def action_default(self) -> None:
        """Take the setting out of the file, so that its default is used again."""
        if (one := self._current) is not None:
            await self._set(one, None)

    async def _set(self, one: Preference, text: str | None) -> None:
        try:
            services = await self._serving.services()
            account, preferences = services.account, services.preferences
            changed = await (
                preferences.unset(account, one.key) if text is None else preferences.set(account, one.key, text)
            )
        except Exception as error:  # noqa: BLE001 - told, and the list goes on
            self.notify(told(error), severity="error", markup=False)
            return
        from multidb_chat.tui.app import ChatApp  # which imports what opens this screen

        if one.key.startswith("tui.") and isinstance(self.app, ChatApp):
            self.app.adopt(changed.settings.tui)
        self.notify(_done(one, changed), markup=False)
        self.load()


def _checked_by(one: Preference) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            one.rule.from_text(text)
        except (ValueError, OverflowError):
            return f"Expected: {one.rule.expected}."
        return ""

    return check


def _done(one: Preference, changed: Changed) -> str:
    if changed.overridden:
        return f"Written, but the {clean_line(changed.origin)} decides {one.key} as long as it is set."
    return f"{one.key} is {changed.shown} now; it counts {one.counts}."


def _short(origin: str) -> str:
    """Return an origin for a column: of the file's path only the end tells something."""
    kind, _, where = clean_line(origin).partition(" ")
    return f"file, {where.rpartition('/')[2]}" if kind == "file" else clean_line(origin)
