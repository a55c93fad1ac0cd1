"""One turn on the screen: the question, the answer as it streams, its sources and what there is to say about it."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownStream

from multidb_chat.domain.text import clean, clean_line
from multidb_chat.domain.turns import Answer, Citation


def citation_line(citation: Citation) -> str:
    """Return one line that says where a passage is: number, title, page, heading, quality and score."""
    place = [clean_line(citation.title)]
    if citation.page is not None:
        place.append(f"p. {citation.page}")
    if citation.headings:
        place.append(clean_line(citation.headings[-1]))
    return f"[{citation.number}] {' · '.join(place)}  ({citation.quality} {citation.score:.2f})"


class Exchange(Vertical):
    """A question with its answer."""

    DEFAULT_CSS = """
    Exchange { height: auto; padding: 0 1 1 1; }
    Exchange .question { color: $primary; text-style: bold; padding: 0 1; border-left: thick $primary; }
    Exchange Markdown { padding: 0 1; margin: 1 0 0 0; background: $background; }
    Exchange .sources { color: $text-muted; padding: 0 1; display: none; }
    Exchange .status { color: $text-muted; padding: 0 1; text-style: italic; }
    Exchange .status.error { color: $error; text-style: none; }
    """

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question
        self.answer: Answer | None = None
        self._stream: MarkdownStream | None = None

    def compose(self) -> ComposeResult:
        yield Static(Content(clean(self.question)), classes="question", markup=False)
        # Links in a document's text are shown, never followed: what a hostile document says must not open anything.
        yield Markdown(open_links=False)
        yield Static(classes="sources", markup=False)
        yield Static("Searching …", classes="status", markup=False)

    async def write(self, text: str) -> None:
        """Append a piece of the answer."""
        if self._stream is None:
            self._stream = Markdown.get_stream(self.query_one(Markdown))
            self.say("")
        await self._stream.write(text)

    async def complete(self, answer: Answer) -> None:
        """Show the sources of the complete answer."""
        await self.stop()
        self.answer = answer
        shown = answer.citations if answer.found else answer.nearest
        sources = self.query_one(".sources", Static)
        heading = "" if answer.found or not shown else "Nearest passages:\n"
        sources.update(Content(heading + "\n".join(citation_line(citation) for citation in shown)))
        sources.display = bool(shown)
        self.say("")

    async def stop(self, reason: str = "", error: bool = False) -> None:
        """End the stream, keep what came, and say why."""
        if self._stream is not None:
            await self._stream.stop()
            self._stream = None
        self.say(reason, error)

    def say(self, text: str, error: bool = False) -> None:
        """Show a line under the answer; nothing when it is empty."""
        status = self.query_one(".status", Static)
        status.update(Content(clean(text)))
        status.set_class(error, "error")
        status.display = bool(text)
