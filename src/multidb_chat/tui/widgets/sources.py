"""The panel beside the chat: the passages behind the last answer, with the cited words marked."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from multidb_chat.domain.text import clean
from multidb_chat.domain.turns import Answer, Citation
from multidb_chat.tui.widgets.exchange import citation_line

EMPTY = "The passages behind an answer appear here."


class SourcesPanel(VerticalScroll):
    """The sources of one answer."""

    DEFAULT_CSS = """
    SourcesPanel { width: 44; dock: right; border-left: solid $panel; padding: 0 1; background: $surface; }
    SourcesPanel .passage { margin: 0 0 1 0; }
    SourcesPanel .empty { color: $text-muted; }
    """
    BORDER_TITLE = "Sources"

    def compose(self) -> ComposeResult:
        yield Static(EMPTY, classes="empty", markup=False)

    async def show(self, answer: Answer) -> None:
        """Replace what is shown by the sources of this answer."""
        citations = answer.citations if answer.found else answer.nearest
        await self.remove_children()
        if not citations:
            await self.mount(Static(EMPTY, classes="empty", markup=False))
        else:
            await self.mount(*(Static(self._passage(citation), classes="passage") for citation in citations))
        self.scroll_home(animate=False)

    @staticmethod
    def _passage(citation: Citation) -> Content:
        head = Content.styled(citation_line(citation), "bold")
        where = Content.styled(clean(" › ".join(citation.headings)), "dim")
        words = Content.styled(clean(citation.snippet), "$text-accent")
        return Content("\n").join([part for part in (head, where, words) if part.plain])
