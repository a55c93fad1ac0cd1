"""The text box for questions: Enter sends, the arrows go through history at its edges, large pastes stay out."""

import asyncio
import re
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from multidb_chat.domain.text import clean
from multidb_chat.tui.paths import dropped_paths

# A longer paste is a document to ask about, not a question: it would fill the box and slow every key after it.
PASTE_LINES = 40
PASTE_CHARACTERS = 8_000
# The word that is being typed, which always matches: at the end of a line, at the worst nothing.
_WORD = re.compile(r'(?:[@#]"[^"]*|\S*)$')
_NEW_LINE = ("ctrl+j", "shift+enter", "alt+enter")


class QuestionArea(TextArea):
    """The text box itself; what its keys mean is told to the composer around it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False),
    ]

    offered = ""
    """The text that completions are offered for; empty where none are."""

    class Send(Message):
        """Enter was pressed on this text, which is no longer in the box."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Complete(Message):
        """Tab was pressed."""

    class Chosen(Message):
        """Enter was pressed while completions are offered."""

    class Older(Message):
        """Up was pressed on the first line."""

    class Newer(Message):
        """Down was pressed on the last line."""

    class PastedWhole(Message):
        """A paste too large for the box."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Dropped(Message):
        """Paths of files were pasted: the terminal's way to drop them; `text` is what it pasted."""

        def __init__(self, paths: list[str], text: str) -> None:
            super().__init__()
            self.paths = paths
            self.text = text

    @property
    def choosing(self) -> bool:
        """Whether completions are offered: the arrows and Enter are theirs then, unless more was typed since."""
        return bool(self.offered) and self.text == self.offered

    def action_send(self) -> None:
        """Send what was typed; the box is empty at once, so that the keys after Enter belong to the next question."""
        if text := self.text.strip():
            self.text = ""
            self.post_message(self.Send(text))

    def action_complete(self) -> None:
        """Tell that completion is wanted."""
        self.post_message(self.Complete())

    def action_newline(self) -> None:
        """Begin a new line."""
        self.insert("\n")
        self.scroll_cursor_visible()

    def action_cursor_up(self, select: bool = False) -> None:
        """Go up a line; on the first one, to the older question."""
        if self.choosing or (not select and self.navigator.is_first_wrapped_line(self.cursor_location)):
            self.post_message(self.Older())
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Go down a line; on the last one, to the newer question."""
        if self.choosing or (not select and self.navigator.is_last_wrapped_line(self.cursor_location)):
            self.post_message(self.Newer())
        else:
            super().action_cursor_down(select)

    @property
    def before_cursor(self) -> str:
        """The text up to the cursor."""
        return self.get_text_range((0, 0), self.cursor_location)

    def complete(self, text: str) -> None:
        """Replace the word before the cursor, from its sign on where it has one in quotes."""
        row, column = self.cursor_location
        line = self.document.get_line(row)[:column]
        self.replace(text, (row, _WORD.search(line).start()), (row, column))  # type: ignore[union-attr]

    def edit(self, edit: Edit) -> EditResult:
        """Change the text and paint it at once: the next of sixty frames a second waits for all that goes with it."""
        result = super().edit(edit)
        screen, app = self.screen, self.app
        # A box that changes its height waits for the layout.
        if self._repaint_required and not self._layout_required and screen is app.screen and not app._batch_count:
            self._repaint_required = False
            screen._compositor.update_widgets({self})
            app._display(screen, screen._compositor.render_update(screen_stack=app._background_screens))
        return result

    def put(self, text: str) -> None:
        """Replace the text, with the cursor behind it."""
        self.text = text
        self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        # Not as bindings: those are looked up beside the queue of letters, and could overtake the last ones typed.
        if event.key == "enter" and self.choosing:
            self.post_message(self.Chosen())
        elif event.key == "enter":
            self.action_send()
        elif event.key in _NEW_LINE:
            self.action_newline()
        else:
            await super()._on_key(event)
            return
        event.prevent_default()
        event.stop()

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        text = clean(event.text)
        if paths := await asyncio.to_thread(dropped_paths, event.text):
            self.post_message(self.Dropped(paths, text))
        elif len(text) > PASTE_CHARACTERS or text.count("\n") > PASTE_LINES:
            self.post_message(self.PastedWhole(text))
        else:
            self.insert_pasted(text)

    def insert_pasted(self, text: str) -> None:
        """Put a text where the cursor is, in the place of what is selected."""
        self.replace(text, *self.selection, maintain_selection_offset=False)
        self.move_cursor(self.cursor_location)
