"""One turn on the screen: the question, the answer as it streams, its sources and what there is to say about it."""

import asyncio
from time import monotonic

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown, Static

from multidb_chat.domain.text import clean
from multidb_chat.domain.turns import Answer, Citation
from multidb_chat.tui.wording import headings, place, shown

_FRAME_SECONDS = 0.05


class Exchange(Vertical):
    """A question with its answer."""

    DEFAULT_CSS = """
    Exchange { height: auto; padding: 1 1 0 1; }
    Exchange .question { color: $primary; text-style: bold; padding: 0 1; border-left: outer $primary; }
    Exchange Markdown { padding: 0 0 0 2; margin: 1 0 0 0; max-width: 120; background: $background; }
    Exchange .sources {
        color: $text-muted; padding: 0 0 0 2; display: none; text-wrap: nowrap; text-overflow: ellipsis;
    }
    Exchange .outcome { color: $text-muted; padding: 0 0 0 2; text-style: italic; display: none; }
    Exchange .outcome.error { color: $text-error; text-style: none; }
    """

    def __init__(self, question: str, pasted: int = 0) -> None:
        super().__init__()
        self.answer: Answer | None = None
        self.ended = False
        self._question = Static(self._asked(question, pasted), classes="question", markup=False)
        # Links in a document's text are shown, never followed: what a hostile document says must not open anything.
        self._markdown = Markdown(open_links=False)
        self._sources = Static(classes="sources", markup=False)
        self._outcome = Static(classes="outcome", markup=False)
        self._unwritten = ""
        self._writing: asyncio.Task[None] | None = None

    @staticmethod
    def _asked(question: str, pasted: int) -> Content:
        asked = Content(clean(question))
        return asked + Content.styled(f"\n+ {pasted:,} pasted lines", "not bold dim") if pasted else asked

    def compose(self) -> ComposeResult:
        yield self._question
        yield self._markdown
        yield self._sources
        yield self._outcome

    async def write(self, text: str) -> None:
        """Append a piece of the answer; what comes faster than it can be drawn is drawn together.

        Textual's own stream does this too, but fails when it is stopped before it began, as by an empty answer.
        """
        self._unwritten += clean(text)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await asyncio.sleep(0)

    async def _write(self) -> None:
        while self._unwritten:
            text, self._unwritten = self._unwritten, ""
            begin = monotonic()
            await self._markdown.append(text)
            # The longer an answer is, the longer it takes to draw: most of the time belongs to the keys.
            await asyncio.sleep(max(_FRAME_SECONDS, 3 * (monotonic() - begin)))

    async def complete(self, answer: Answer) -> None:
        """Show the sources of the complete answer."""
        await self._drawn()
        self.answer = answer
        lines = [_line(citation) for citation in shown(answer)]
        if lines and not answer.found:
            lines.insert(0, Content("The nearest passages:"))
        self._sources.update(Content("\n").join(lines))
        self._sources.display = bool(lines)
        self.ended = True

    async def end(self, reason: str = "", error: bool = False) -> None:
        """End the answer, keep what came of it, and say why."""
        await self._drawn()
        self._outcome.update(Content(clean(reason)))
        self._outcome.set_class(error, "error")
        self._outcome.display = bool(reason)
        self.ended = True

    async def _drawn(self) -> None:
        """Wait until all that came is on the screen."""
        if self._writing is not None:
            await asyncio.wait({self._writing})  # stopping the turn does not stop the drawing of what came
            self._writing.result()


def _line(citation: Citation) -> Content:
    """Return one line that says where a passage is: number, title, page, heading, quality and score."""
    where = [place(citation)]
    if path := headings(citation):
        where.append(path.rpartition(" › ")[2])
    return Content(f"[{citation.number}] {' · '.join(where)}  ({citation.quality} {citation.score:.2f})")
