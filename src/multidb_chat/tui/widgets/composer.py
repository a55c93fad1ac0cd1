"""Where questions are typed: history on the arrows, command completion, large pastes kept aside."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from multidb_chat.tui.commands.parsing import completions, parse
from multidb_chat.tui.messages import Submitted
from multidb_chat.tui.widgets.question_area import QuestionArea


class Composer(Vertical):
    """The question box with what belongs to it: completion hints and attachments above."""

    DEFAULT_CSS = """
    Composer { height: auto; max-height: 60%; }
    Composer QuestionArea {
        height: auto; min-height: 3; max-height: 8; padding: 0 1; border: round $panel; background: $background;
    }
    Composer QuestionArea:focus { border: round $primary; }
    Composer .hint { height: auto; max-height: 7; padding: 0 2; color: $text-muted; display: none; }
    Composer .hint.shown { display: block; }
    Composer #attachments { color: $accent; }
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
        yield QuestionArea(
            placeholder="Ask about your documents, or type / for commands", highlight_cursor_line=False, compact=False
        )

    @property
    def area(self) -> QuestionArea:
        """The text box."""
        return self.query_one(QuestionArea)

    def on_question_area_send(self, event: QuestionArea.Send) -> None:
        """Pass on what was typed; pasted texts go with a question and wait while commands are given."""
        if not self._history or self._history[-1] != event.text:
            self._history.append(event.text)
        self._position, self._draft = len(self._history), ""
        attachments: tuple[str, ...] = ()
        if parse(event.text) is None:
            attachments = tuple(self._attachments)
            self._keep_aside([])
        self.post_message(Submitted(event.text, attachments))

    def restore(self, refused: Submitted) -> None:
        """Put back what could not be asked now, in front of what was typed meanwhile."""
        self.area.put("\n".join(text for text in (refused.text, self.area.text) if text))
        self._keep_aside([*refused.attachments, *self._attachments])

    def on_question_area_pasted_whole(self, event: QuestionArea.PastedWhole) -> None:
        """Keep a large paste aside as a document of this question."""
        self._keep_aside([*self._attachments, event.text])

    def drop_attachments(self) -> bool:
        """Forget the pasted texts; False when there were none."""
        had = bool(self._attachments)
        self._keep_aside([])
        return had

    def _keep_aside(self, texts: list[str]) -> None:
        self._attachments = texts
        sizes = " and ".join(f"{text.count(chr(10)) + 1:,} lines" for text in texts)
        self._show("#attachments", f"Pasted as a document: {sizes}. Ask about it; Esc drops it." if texts else "")

    def on_question_area_older(self) -> None:
        """Show the question before."""
        if self._position == len(self._history):
            self._draft = self.area.text
        self._recall(self._position - 1)

    def on_question_area_newer(self) -> None:
        """Show the question after, at last the draft."""
        self._recall(self._position + 1)

    def _recall(self, position: int) -> None:
        if 0 <= position <= len(self._history):
            self._position = position
            self.area.put(self._history[position] if position < len(self._history) else self._draft)

    def on_text_area_changed(self) -> None:
        """Show which commands fit what is typed."""
        lines = [f"{f'{command.name} {command.argument}':<16}{command.help}" for command in completions(self.area.text)]
        self._show("#completions", "\n".join(lines))

    def on_question_area_complete(self) -> None:
        """Complete the command that is being typed; without one, go to the next part of the screen."""
        if found := completions(self.area.text):
            self.area.put(found[0].name + (" " if found[0].argument else ""))
        else:
            self.screen.focus_next()

    def _show(self, selector: str, text: str) -> None:
        hint = self.query_one(selector, Static)
        hint.update(Content(text))
        hint.set_class(bool(text), "shown")
