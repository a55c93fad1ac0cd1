"""The passage behind a citation: where it is, the cited words marked, and the text around them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from multidb_chat.domain.errors import MultidbChatError, NotFound
from multidb_chat.domain.text import clean, clean_line
from multidb_chat.tui.serving import Serving, told
from multidb_chat.tui.widgets.document_view import DocumentView
from multidb_chat.tui.widgets.key_line import KeyLine
from multidb_chat.tui.wording import MUTED, headings, place

if TYPE_CHECKING:
    from multidb_chat.domain.turns import Citation

_AROUND = 3  # passages on each side, at first
REMOVED = "The document is not in the library (any more); these are the words as they were cited."
CHANGED = "The document was changed since; these are the words as they were cited."


class PassageScreen(Screen[None]):
    """The citations of one answer, one at a time, beginning with the one at place `at`."""

    CSS_PATH = "passage.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("q", "app.pop_screen", show=False),
        Binding("n,right", "turn(1)", "Next citation", key_display="n"),
        Binding("p,left", "turn(-1)", "Previous", key_display="p"),
        Binding("m", "more", "More around"),
        Binding("c", "copy", "Copy"),
        *(Binding(str(number), f"go({number})", show=False) for number in range(1, 10)),
    ]

    def __init__(self, serving: Serving, citations: "Sequence[Citation]", at: int = 0) -> None:
        super().__init__()
        self._serving = serving
        self._citations = citations
        self._at = at
        self._around = _AROUND

    @property
    def _citation(self) -> "Citation":
        return self._citations[self._at]

    def compose(self) -> ComposeResult:
        yield Static(id="title", markup=False)
        yield Static(id="place", markup=False)
        yield DocumentView()
        yield Static(id="note", markup=False)
        yield KeyLine()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to turn where there is more than one citation."""
        return action != "turn" or len(self._citations) > 1

    def on_mount(self) -> None:
        """Show the citation that was asked for."""
        self.query_one(DocumentView).focus()
        self._show()

    def action_turn(self, step: int) -> None:
        """Show the next citation (1) or the one before (-1), round and round."""
        self._at = (self._at + step) % len(self._citations)
        self._around = _AROUND
        self._show()

    def action_go(self, number: int) -> None:
        """Show the citation with this number."""
        numbers = [citation.number for citation in self._citations]
        if number in numbers:
            self.action_turn(numbers.index(number) - self._at)

    def action_more(self) -> None:
        """Show more of the document around."""
        self._around *= 3
        self._show()

    def action_copy(self) -> None:
        """Copy the cited words."""
        self.app.copy_to_clipboard(clean(self._citation.snippet))
        self.notify("The cited words are copied, if this terminal lets programs use its clipboard.", markup=False)

    def _show(self) -> None:
        self._head()
        self._load()

    def _head(self) -> None:
        cited = self._citation
        count = f"{self._at + 1} of {len(self._citations)}  " if len(self._citations) > 1 else ""
        number = Content.styled(f" [{cited.number}] ", "bold $accent")
        self.query_one("#title", Static).update(
            number + Content.styled(count, MUTED) + Content.styled(place(cited), "bold")
        )
        parts = [clean_line(cited.document_name), headings(cited), f"{cited.quality} {cited.score:.2f}"]
        self.query_one("#place", Static).update(Content(" · ".join(part for part in parts if part)))

    @work(exclusive=True, group="passage", exit_on_error=False)
    async def _load(self) -> None:
        cited, note = self._citation, ""
        before, words, after = "", cited.snippet, ""
        try:
            services = await self._serving.services()
            found = await services.documents.passage(
                services.account, cited.document_id, cited.start, cited.end, self._around
            )
            if found.text == cited.snippet:
                before, after = found.before, found.after
            else:
                note = CHANGED
        except NotFound:
            note = REMOVED
        except MultidbChatError as error:
            note = told(error)
        self.query_one("#note", Static).update(Content(note))
        self.query_one("#note").display = bool(note)
        view, span = self.query_one(DocumentView), (len(before), len(before) + len(words))
        await view.show(before + words + after, ())
        view.mark([span], span)
