"""What may be meant by what is being typed: a short list above the question, gone through with the arrows."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from multidb_chat.tui.wording import MUTED

_ROWS = 7
NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Completion:
    """`insert` takes the place of what was typed; `shown` is how it looks in the list, with `help` beside it.

    `complete` tells that nothing has to follow it: sending it makes sense.
    """

    insert: str
    shown: str
    help: str = ""
    complete: bool = False


class Completions(Static):
    """The list; one of it is chosen."""

    DEFAULT_CSS = """
    Completions { height: auto; padding: 0 1; display: none; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Clicked(Message):
        """One of the list was clicked, and is the chosen one now."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._items: Sequence[Completion] = ()
        self._at = 0

    @property
    def chosen(self) -> Completion | None:
        """The one that is chosen; None when the list is empty."""
        return self._items[self._at] if self._items else None

    def offer(self, items: Sequence[Completion]) -> None:
        """Show these; the first one is chosen, or stays what was."""
        if not items and not self._items:  # at almost every key: an update would lay out the screen
            return
        chosen = self.chosen
        self._items = items
        self._at = items.index(chosen) if chosen is not None and chosen in items else 0
        self._draw()

    def move(self, step: int) -> None:
        """Choose the one after (1) or before (-1), round and round."""
        self._at = (self._at + step) % len(self._items)
        self._draw()

    @property
    def _first(self) -> int:
        """The first row that is in sight."""
        return max(0, min(self._at - _ROWS // 2, len(self._items) - _ROWS))

    def _draw(self) -> None:
        self.display = bool(self._items)
        width = max((len(item.shown) for item in self._items), default=0) + 2
        seen = list(enumerate(self._items))[self._first : self._first + _ROWS]
        lines = [self._row(item, width, place == self._at) for place, item in seen]
        if len(self._items) > _ROWS:
            lines.append(Content.styled(f"{NO_BREAK * 2}{self._at + 1} of {len(self._items)}", MUTED))
        self.update(Content("\n").join(lines))

    @staticmethod
    def _row(item: Completion, width: int, chosen: bool) -> Content:
        # Blanks at the beginning of a line are not drawn; these are.
        row = Content(f"{'›' if chosen else NO_BREAK}{NO_BREAK}{item.shown:<{width}}") + Content.styled(
            item.help, MUTED
        )
        return row.stylize("$accent") if chosen else row

    def on_click(self, event: events.Click) -> None:
        """Choose the row that was clicked."""
        place = self._first + event.y
        if place < len(self._items):
            self._at = place
            self._draw()
            self.post_message(self.Clicked())
