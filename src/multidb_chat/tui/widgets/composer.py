"""Where questions are typed: several lines, history on the arrows, command completion, large pastes kept aside."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, TextArea

from multidb_chat.domain.text import clean
from multidb_chat.tui.commands import completions
from multidb_chat.tui.messages import Submitted

# A longer paste is a document to ask about, not a question: it would fill the box and slow every key after it.
PASTE_LINES = 40
PASTE_CHARACTERS = 8_000


class QuestionArea(TextArea):
    """The text box itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", priority=True),
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "New line", show=False, priority=True),
        Binding("tab", "complete", "Complete", show=False),
    ]

    class Send(Message):
        """Enter was pressed."""

    class Complete(Message):
        """Tab was pressed."""

    class Older(Message):
        """Up was pressed on the first line."""

    class Newer(Message):
        """Down was pressed on the last line."""

    class PastedWhole(Message):
        """A paste too large for the box."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def action_send(self) -> None:
        """Tell that the question is complete."""
        self.post_message(self.Send())

    def action_complete(self) -> None:
        """Tell that completion is wanted."""
        self.post_message(self.Complete())

    def action_newline(self) -> None:
        """Begin a new line."""
        self.insert("\n")

    def action_cursor_up(self, select: bool = False) -> None:
        """Go up a line; on the first one, to the older question."""
        if self.cursor_location[0] == 0 and not select:
            self.post_message(self.Older())
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Go down a line; on the last one, to the newer question."""
        if self.cursor_location[0] == self.document.line_count - 1 and not select:
            self.post_message(self.Newer())
        else:
            super().action_cursor_down(select)

    async def _on_paste(self, event: events.Paste) -> None:
        text = clean(event.text)
        if len(text) > PASTE_CHARACTERS or text.count("\n") > PASTE_LINES:
            self.post_message(self.PastedWhole(text))
        else:
            self.insert(text)
        event.prevent_default()
        event.stop()


class Composer(Vertical):
    """The question box with what belongs to it: completion hints above, attachments below."""

    DEFAULT_CSS = """
    Composer { height: auto; max-height: 14; }
    Composer QuestionArea { height: auto; min-height: 3; max-height: 8; border: round $panel; background: $background; }
    Composer QuestionArea:focus { border: round $primary; }
    Composer .hint { height: auto; padding: 0 2; color: $text-muted; display: none; }
    Composer .hint.shown { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._history: list[str] = []
        self._position = 0
        self._draft = ""
        self._attachments: list[str] = []

    def compose(self) -> ComposeResult:
        yield Static(classes="hint", id="completions", markup=False)
        yield Static(classes="hint", id="attachments", markup=False)
        yield QuestionArea(placeholder="Ask about your documents, or type / for commands", compact=False)

    @property
    def area(self) -> QuestionArea:
        """The text box."""
        return self.query_one(QuestionArea)

    def focus_area(self) -> None:
        """Put the cursor into the box."""
        self.area.focus()

    def on_question_area_send(self) -> None:
        """Send what was typed and begin anew."""
        text = self.area.text.strip()
        if not text:
            return
        if not self._history or self._history[-1] != text:
            self._history.append(text)
        attachments, self._attachments = tuple(self._attachments), []
        self._position, self._draft = len(self._history), ""
        self.area.text = ""
        self._show("#attachments", "")
        self.post_message(Submitted(text, attachments))

    def on_question_area_pasted_whole(self, event: QuestionArea.PastedWhole) -> None:
        """Keep a large paste aside as a document of this question."""
        self._attachments.append(event.text)
        sizes = ", ".join(f"{text.count(chr(10)) + 1:,} lines" for text in self._attachments)
        self._show("#attachments", f"Pasted as a document: {sizes}. Type your question about it; Esc drops it.")

    def drop_attachments(self) -> bool:
        """Forget the pasted texts; False when there were none."""
        had, self._attachments = bool(self._attachments), []
        self._show("#attachments", "")
        return had

    def on_question_area_older(self) -> None:
        """Show the question before."""
        if self._position == len(self._history):
            self._draft = self.area.text
        self._recall(self._position - 1)

    def on_question_area_newer(self) -> None:
        """Show the question after, at last the draft."""
        self._recall(self._position + 1)

    def _recall(self, position: int) -> None:
        if not 0 <= position <= len(self._history):
            return
        self._position = position
        self.area.text = self._history[position] if position < len(self._history) else self._draft
        self.area.move_cursor(self.area.document.end)

    def on_text_area_changed(self) -> None:
        """Show which commands fit what is typed."""
        found = completions(self.area.text)
        lines = [f"{command.name} {command.argument}".rstrip().ljust(16) + command.help for command in found[:7]]
        self._show("#completions", "\n".join(lines))

    def on_question_area_complete(self) -> None:
        """Complete the command that is being typed."""
        found = completions(self.area.text)
        if found:
            self.area.text = found[0].name + (" " if found[0].argument else "")
            self.area.move_cursor(self.area.document.end)

    def _show(self, selector: str, text: str) -> None:
        hint = self.query_one(selector, Static)
        hint.update(Content(text))
        hint.set_class(bool(text), "shown")
