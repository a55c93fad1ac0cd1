"""Where questions are typed: history on the arrows, completion, large pastes kept aside, one question to edit."""

import asyncio
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from multidb_chat.domain.text import clean_line
from multidb_chat.services.wording import counted
from multidb_chat.tui.commands.parsing import completions, parse
from multidb_chat.tui.messages import DraftChanged, NextPart, Submitted
from multidb_chat.tui.widgets.completions import Completion, Completions
from multidb_chat.tui.widgets.question_area import QuestionArea

if TYPE_CHECKING:  # What is imported here later is not needed for the first paint.
    from multidb_chat.tui.serving import Serving
    from multidb_chat.tui.widgets.exchange import Exchange


_MODEL, _ADD = "/model ", "/add "
_QUOTED = "answers are quoted"


class Composer(Vertical):
    """The question box with what belongs to it: completions and what goes with the question above."""

    DEFAULT_CSS = """
    Composer { height: auto; max-height: 60%; }
    Composer QuestionArea {
        height: auto; min-height: 3; max-height: 8; padding: 0 1; border: round $panel; background: $background;
    }
    Composer QuestionArea:focus { border: round $primary; }
    Composer #aside { height: auto; max-height: 3; padding: 0 2; color: $accent; display: none; }
    """

    def __init__(self, serving: "Serving") -> None:
        super().__init__()
        self._serving = serving
        self._history: list[str] = []
        self._position = 0
        self._draft = ""
        self._attachments: list[str] = []
        self._editing: Exchange | None = None
        self._settled: str | None = None  # a text that is not being typed: nothing is offered for it
        self._completions = Completions()

    def compose(self) -> ComposeResult:
        yield self._completions
        yield Static(id="aside", markup=False)
        yield QuestionArea(
            placeholder="Ask about your documents, or type / for commands", highlight_cursor_line=False, compact=False
        )

    @property
    def area(self) -> QuestionArea:
        """The text box."""
        return self.query_one(QuestionArea)

    def on_question_area_send(self, event: QuestionArea.Send) -> None:
        """Pass on what was typed; what goes with a question waits while commands are given."""
        if not self._history or self._history[-1] != event.text:
            self._history.append(event.text)
        self._position, self._draft = len(self._history), ""
        self._completions.offer([])
        if parse(event.text) is None:
            self.post_message(Submitted(event.text, tuple(self._attachments), self._editing))
            self._keep_aside([], None)
        else:
            self.post_message(Submitted(event.text))

    def restore(self, refused: Submitted) -> None:
        """Put back what could not be asked now, in front of what was typed meanwhile."""
        self._put("\n".join(text for text in (refused.text, self.area.text) if text))
        self._keep_aside([*refused.attachments, *self._attachments], refused.instead_of or self._editing)

    def edit(self, exchange: "Exchange") -> None:
        """Begin to change a question; what was typed before is one step back in history."""
        if self.area.text.strip():
            self._history.append(self.area.text)
        self._position, self._draft = len(self._history), ""
        self._put(exchange.question)
        self._keep_aside(self._attachments, exchange)
        self.area.focus()

    def on_question_area_pasted_whole(self, event: QuestionArea.PastedWhole) -> None:
        """Keep a large paste aside as a document of this question."""
        self._keep_aside([*self._attachments, event.text], self._editing)

    def drop_attachments(self) -> bool:
        """Forget the pasted texts and that a question was to be changed; False when there was neither."""
        had = bool(self._attachments) or self._editing is not None
        self._keep_aside([], None)
        return had

    def _keep_aside(self, texts: list[str], editing: "Exchange | None") -> None:
        self._attachments, self._editing = texts, editing
        lines = []
        if editing is not None:
            lines.append("Asking again: the new answer stands beside the first one. Esc asks a new question instead.")
        if texts:
            sizes = " and ".join(counted(text.count("\n") + 1, "line") for text in texts)
            lines.append(f"Pasted as a document: {sizes}. Ask about it; Esc drops it.")
        aside = self.query_one("#aside", Static)
        aside.update(Content("\n".join(lines)))
        aside.display = bool(lines)

    # History and completion share the arrows

    def on_question_area_older(self) -> None:
        """Choose the completion before; else show the question before."""
        if self.area.choosing:
            self._completions.move(-1)
            return
        if self._position == len(self._history):
            self._draft = self.area.text
        self._recall(self._position - 1)

    def on_question_area_newer(self) -> None:
        """Choose the next completion; else show the question after, at last the draft."""
        if self.area.choosing:
            self._completions.move(1)
        else:
            self._recall(self._position + 1)

    def _recall(self, position: int) -> None:
        if 0 <= position <= len(self._history):
            self._position = position
            self._put(self._history[position] if position < len(self._history) else self._draft)

    def _put(self, text: str) -> None:
        self._settled = text
        self.area.put(text)
        self._offer([])

    def on_text_area_changed(self) -> None:
        """Offer what fits what is typed, and let the draft be kept."""
        self.post_message(DraftChanged(self.area.text))
        text = self.area.before_cursor
        if self.area.text == self._settled:
            return
        self._settled = None
        if commands := completions(self.area.text):
            self._offer(
                [
                    Completion(one.name, f"{one.name} {one.argument}".rstrip(), one.help, not one.argument)
                    for one in commands
                ]
            )
        elif text.startswith(_MODEL):
            self._suggest_models(text)
        elif "@" in text or "#" in text:
            self._suggest(text)
        else:
            self._offer([])

    @work(exclusive=True, group="completions", exit_on_error=False)
    async def _suggest(self, text: str) -> None:
        from multidb_chat.services.narrowing import begun, written

        name, services = begun(text), self._serving.opened
        found: list[str] = []
        if name is not None and services is not None:
            found = await services.narrowing.suggest(services.account, *name)
        if text == self.area.before_cursor:
            what = {"@": "only this document", "#": "only this collection"}
            self._offer([Completion(written(name[0], one), one, what[name[0]]) for one in found if name is not None])

    @work(exclusive=True, group="completions", exit_on_error=False)
    async def _suggest_models(self, text: str) -> None:
        from multidb_chat.services.answering.explaining import short_name

        if (services := self._serving.opened) is None:
            return
        begun = text.removeprefix(_MODEL).lower()
        names = await asyncio.to_thread(services.preferences.models)
        if text == self.area.before_cursor:
            self._offer(
                [
                    Completion(_MODEL + name, short_name(name) or name, name if short_name(name) else _QUOTED, True)
                    for name in names
                    if begun in name.lower()
                ]
            )

    def _offer(self, items: list[Completion]) -> None:
        self._completions.offer(items)
        self.area.offered = self.area.text if items else ""

    def dismiss(self) -> bool:
        """Close the list of completions; False when there was none."""
        had = self.area.choosing
        self._offer([])
        return had

    def on_question_area_complete(self) -> None:
        """Put in the chosen completion; without one, complete a path, or go to the next part of the screen."""
        if self._complete():
            return
        if self.area.before_cursor.startswith(_ADD) and self.area.text == self.area.before_cursor:
            self._complete_path(self.area.text)
        else:
            self.post_message(NextPart())

    @work(exclusive=True, group="completions", exit_on_error=False)
    async def _complete_path(self, text: str) -> None:
        """Put in what all paths that fit have in common, else offer them; not by themselves: Enter is to add."""
        from multidb_chat.tui import paths

        typing = paths.being_typed(text.removeprefix(_ADD))
        found = await asyncio.to_thread(paths.completions, typing.path)
        if text != self.area.text:
            return
        before, start = _ADD + typing.before, paths.common_start(found)
        if found and start != typing.path and len(start) >= len(typing.path):
            self._put(before + paths.quoted(start))
        elif found and found != [typing.path]:
            self._offer([Completion(before + paths.quoted(one), clean_line(one)) for one in found])
        else:
            self.post_message(NextPart())

    def on_completions_clicked(self) -> None:
        """Put in what was clicked."""
        self._complete()
        self.area.focus()

    def on_question_area_chosen(self) -> None:
        """Put in the chosen completion; a command that needs nothing more, or is there already, is sent."""
        chosen = self._completions.chosen
        typed = self.area.text.strip()
        if chosen is not None and chosen.insert.startswith("/") and (chosen.complete or chosen.insert == typed.lower()):
            self._put(chosen.insert)
            self.area.action_send()
        else:
            self._complete()

    def _complete(self) -> bool:
        chosen = self._completions.chosen
        if chosen is None:
            return False
        self._settled = None
        if chosen.insert.startswith((_MODEL, _ADD)):
            self.area.put(chosen.insert)  # names of files have blanks
        else:
            self.area.complete(chosen.insert + ("" if chosen.complete else " "))
        self._settled = self.area.text
        self._offer([])
        return True
