"""A document to read: its text with headings and pages, words to look for, a passage marked."""

import asyncio
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from multidb_chat.domain.library import Document
from multidb_chat.domain.text import clean_line
from multidb_chat.services.wording import counted, size
from multidb_chat.tui.reading import occurrences
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.widgets.document_view import DocumentView, Span
from multidb_chat.tui.widgets.key_line import KeyLine


class PreviewScreen(Screen[None]):
    """One document; with a `passage`, that is marked and on the screen at first."""

    CSS_PATH = "preview.tcss"
    AUTO_FOCUS = ""  # not the hidden field, which would take the keys
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("slash", "find", "Find", key_display="/"),
        Binding("n", "go(1)", "Next"),
        Binding("N,p", "go(-1)", "Before", key_display="N"),
        Binding("shift+n", "go(-1)", show=False),
        Binding("home,g", "home", "Beginning", show=False),
        Binding("end,G", "end", "End", show=False),
        Binding("q", "app.pop_screen", "Leave", show=False),
    ]

    def __init__(self, serving: Serving, document: Document, passage: Span | None = None) -> None:
        super().__init__()
        self._serving = serving
        self._document = document
        self._found: list[Span] = [passage] if passage is not None else []
        self._at = 0

    def compose(self) -> ComposeResult:
        yield Static(Content(f" {clean_line(self._document.title)}"), id="title", markup=False)
        yield Static(self._facts(), id="facts", markup=False)
        yield Input(placeholder="Words to look for", id="find", compact=True)
        yield DocumentView()
        yield KeyLine()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to go on and back where there is more than one place to go to."""
        return action != "go" or len(self._found) > 1

    def on_mount(self) -> None:
        """Read the document."""
        self.query_one("#find").display = False
        self._view.focus()
        self._load()

    @property
    def _view(self) -> DocumentView:
        return self.query_one(DocumentView)

    def _facts(self) -> Content:
        one = self._document
        facts = [
            one.kind,
            size(one.size_bytes),
            counted(one.pages, "page") if one.pages else "",
            counted(one.chunks, "passage"),
            f"added {one.added_at:%Y-%m-%d}",
            clean_line(one.source),
        ]
        return Content(" · ".join(fact for fact in facts if fact))

    @work(exclusive=True, group="document", exit_on_error=False)
    async def _load(self) -> None:
        try:
            services = await self._serving.services()
            read = await services.documents.read(services.account, self._document.id)
            await self._view.show(read.text, read.blocks)
        except Exception as error:  # noqa: BLE001 - said in the place of the text
            facts = self.query_one("#facts", Static)
            facts.update(Content(told(error)))
            facts.add_class("error")
            return
        if not read.text.strip():
            self.query_one("#facts", Static).update(Content("This document holds no text."))
        self._mark()

    def _mark(self) -> None:
        self.refresh_bindings()
        self._view.mark(self._found, self._found[self._at] if self._found else None)

    @work(exclusive=True, group="find", exit_on_error=False)
    async def _look(self, words: str) -> None:
        self._found = await asyncio.to_thread(occurrences, self._view.text, words)
        self._at = 0
        self._mark()
        self._tell(words)

    def _tell(self, words: str) -> None:
        if not words.strip():
            text = self._facts()
        elif self._found:
            text = Content(f"{self._at + 1:,} of {len(self._found):,} · n and N go on and back")
        else:
            text = Content("These words are not in this document.")
        self.query_one("#facts", Static).update(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for what is typed."""
        self._look(event.value)

    def on_input_submitted(self) -> None:
        """Go on to the text, with the words still marked."""
        self._view.focus()

    def action_back(self) -> None:
        """Stop looking for words; else leave."""
        field = self.query_one("#find", Input)
        if field.display:
            field.value = ""
            field.display = False
            self._view.focus()
        else:
            self.app.pop_screen()

    def action_find(self) -> None:
        """Type words to look for."""
        field = self.query_one("#find", Input)
        field.display = True
        field.focus()

    def action_go(self, step: int) -> None:
        """Go to the next place where the words are, or to the one before."""
        if self._found:
            self._at = (self._at + step) % len(self._found)
            self._mark()
            self._tell(self.query_one("#find", Input).value)

    def action_home(self) -> None:
        """Go to the beginning."""
        self._view.scroll_home(animate=False)

    def action_end(self) -> None:
        """Go to the end."""
        self._view.scroll_end(animate=False)
