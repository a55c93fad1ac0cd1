"""The last line of a screen: its keys, as many as there is room for, each of them whole."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Input, Static

from multidb_chat.tui.key_names import short_key_name

if TYPE_CHECKING:
    from textual.events import Click, Resize
    from textual.screen import Screen

_HELP, _ACTIONS = "f1", "ctrl+p"


class _Key(NamedTuple):
    key: str
    name: str
    label: str

    @property
    def width(self) -> int:
        return cell_len(self.name) + 1 + cell_len(self.label)


class KeyLine(Static):
    """Shows the keys of a screen in the order in which they are bound; the help has those that do not fit.

    At the right are the help itself, always, and the list of all actions, where there is room. A click is the key.
    """

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; padding: 0 1; background: $panel; color: $foreground; text-wrap: nowrap; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._places: list[tuple[int, int, str]] = []  # from which column to which one is which key

    def on_mount(self) -> None:
        """Follow what can be done on the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def on_unmount(self) -> None:
        """Leave."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _changed(self, screen: "Screen[Any]") -> None:
        if self.is_attached and screen is self.screen:
            self.call_after_refresh(self._draw)

    def on_resize(self, event: "Resize") -> None:
        """Show what there is room for."""
        self._draw()

    def on_click(self, event: "Click") -> None:
        """Press the key that is clicked."""
        if (at := event.get_content_offset(self)) is not None:
            for start, end, key in self._places:
                if start <= at.x < end:
                    self.app.simulate_key(key)

    def _draw(self) -> None:
        if not self.is_attached:  # left meanwhile
            return
        keys, last = self._keys()
        width = self.content_size.width
        for gap, ending in ((2, last), (1, last), (1, last[-1:])):
            room = width - _width(ending, 2) - 2
            if _width(keys, gap) <= room:
                break
        while keys and _width(keys, gap) > room:
            keys = keys[:-1]
        self._places = []
        line = self._row(keys, gap, 0)
        beginning = width - _width(ending, 2)
        self.update(
            line.pad_right(max(beginning - line.cell_length, 0)) + self._row(ending, 2, beginning), layout=False
        )

    def _row(self, keys: Sequence[_Key], gap: int, at: int) -> Content:
        row: list[Content] = []
        for one in keys:
            self._places.append((at, at + one.width, one.key))
            at += one.width + gap
            row.append(Content.styled(one.name, "bold $accent") + Content(f" {one.label}"))
        return Content(" " * gap).join(row)

    def _keys(self) -> tuple[list[_Key], list[_Key]]:
        """Return the keys of what can be done here, one for each action, and those of the end."""
        actions: dict[str, _Key] = {}
        active = self.screen.active_bindings
        for one in active.values():
            binding = one.binding
            if binding.show and one.enabled and binding.key != _HELP:
                name = binding.key_display or short_key_name(binding.key)
                if len(name) == 1 and isinstance(self.screen.focused, Input):
                    continue  # it would be typed
                actions.setdefault(binding.action, _Key(binding.key, name, binding.description))
        ends = [_Key(key, short_key_name(key), label) for key, label in ((_ACTIONS, "Actions"), (_HELP, "Help"))]
        return list(actions.values()), [one for one in ends if one.key in active]


def _width(keys: Sequence[_Key], gap: int) -> int:
    return sum(one.width for one in keys) + gap * max(len(keys) - 1, 0)
