"""One turn on the screen: the question, the answer as it streams, its sources and what there is to say about it."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from multidb_chat.domain.text import clean, clean_line
from multidb_chat.domain.turns import Answer
from multidb_chat.tui.commands.keys import ANSWER_KEYS
from multidb_chat.tui.widgets.answer_text import AnswerText
from multidb_chat.tui.widgets.paged import Page
from multidb_chat.tui.widgets.source_lines import SourceLines
from multidb_chat.tui.wording import shown

QUOTED = "Quoted: the language model gave no answer of use. /retry asks it again."
RATED = {1: "▲ You found this answer good.", -1: "▼ You found this answer bad."}


class Exchange(Page, can_focus=True):
    """A question with its answer; with the focus on it, single keys act on it.

    `question_id` is the question's message once the turn has begun, `parent_id` the message that it answers to (empty:
    it is a first question). `versions` are the messages of all questions asked in its place that were stored, as they
    were written; this one is among them when it was stored itself.
    """

    DEFAULT_CSS = """
    Exchange { height: auto; padding: 1 1 0 0; border-left: blank; }
    Exchange:focus { border-left: outer $accent; }
    Exchange .question { color: $primary; text-style: bold; padding: 0 1; border-left: outer $primary; }
    Exchange .outcome, Exchange .rating { color: $text-muted; padding: 0 0 0 2; text-style: italic; display: none; }
    Exchange .outcome.error { color: $text-error; text-style: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key.key, key.action, key.label, show=key.shown, key_display=key.display) for key in ANSWER_KEYS),
    ]

    def __init__(self, question: str, pasted: int = 0, *, parent_id: str = "") -> None:
        super().__init__()
        self.question = question
        self.parent_id = parent_id
        self.question_id: str | None = None
        self.versions: tuple[str, ...] = ()
        self.answer: Answer | None = None
        self.begun = self.ended = False
        self._pasted = pasted
        self._marks: Sequence[str] = ()
        self._question = Static(classes="question", markup=False)
        self._text = AnswerText()
        self._sources = SourceLines()
        self._outcome = Static(classes="outcome", markup=False)
        self._rating = Static(classes="rating", markup=False)
        self._draw_question()

    def compose(self) -> ComposeResult:
        yield self._question
        yield self._text
        yield self._sources
        yield self._outcome
        yield self._rating

    @property
    def message_id(self) -> str:
        """The message of the answer; empty where there is none that is stored."""
        return self.answer.message_id or "" if self.answer is not None else ""

    @property
    def number(self) -> int:
        """Which one of its versions it is, from 1 on; one that is not stored is the last."""
        known = self.question_id in self.versions
        return self.versions.index(self.question_id or "") + 1 if known else len(self.versions) + 1

    @property
    def may_be_away(self) -> bool:
        """Whether it is complete: a growing answer is measured where it is."""
        return self.ended

    def stand_among(self, versions: Sequence[str]) -> None:
        """Tell the questions that were asked in its place."""
        self.versions = tuple(versions)
        self._draw_question()

    def mark(self, marks: Sequence[str]) -> None:
        """Show where alone the answer is looked for."""
        self._marks = marks
        self._draw_question()

    def _draw_question(self) -> None:
        parts = [Content(clean(self.question))]
        count = max(len(self.versions), self.number)
        if count > 1:
            parts.append(Content.styled(f"  ‹{self.number}/{count}›", "not bold dim"))
        if self._pasted:
            parts.append(Content.styled(f"\n+ {self._pasted:,} pasted lines", "not bold dim"))
        if self._marks:
            only = ", ".join(clean_line(mark) for mark in self._marks)
            parts.append(Content.styled(f"\nonly in {only}", "not bold dim"))
        self._question.update(Content("").join(parts))

    async def write(self, text: str) -> None:
        """Append a piece of the answer."""
        self.begun = True
        await self._text.write(text)

    async def complete(self, answer: Answer) -> None:
        """Show the sources of the complete answer."""
        await self._text.finish()
        self.answer = answer
        self._draw_sources()
        self.ended = True

    async def end(self, reason: str = "", error: bool = False) -> None:
        """End the answer, keep what came of it, and say why."""
        await self._text.finish()
        self._outcome.update(Content(clean(reason)))
        self._outcome.set_class(error, "error")
        self._outcome.display = bool(reason)
        self.ended = True

    def restore(self, text: str, answer: Answer | None) -> None:
        """Give a turn from the store its answer, before it is shown. Without what is known of it, its text is shown."""
        self._text = AnswerText(text)
        self.answer = answer
        self._draw_sources()
        self.ended = True

    def _draw_sources(self) -> None:
        if self.answer is None:
            return
        self._sources.show(shown(self.answer), "" if self.answer.found else "The nearest passages:")
        if self.answer.fell_back:
            self._outcome.update(QUOTED)
            self._outcome.display = True

    def rated(self, rating: int, comment: str = "") -> None:
        """Show how the answer was rated."""
        said = f" “{clean_line(comment)}”" if comment else ""
        self._rating.update(Content(RATED[rating] + said))
        self._rating.display = True
