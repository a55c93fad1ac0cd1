"""One turn on the screen: the question, the answer as it streams, its sources and what there is to say about it."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from multidb_chat.domain.text import clean
from multidb_chat.domain.turns import Answer, Citation
from multidb_chat.tui.widgets.answer_text import AnswerText
from multidb_chat.tui.wording import headings, place, shown


class Exchange(Vertical):
    """A question with its answer."""

    DEFAULT_CSS = """
    Exchange { height: auto; padding: 1 1 0 1; }
    Exchange .question { color: $primary; text-style: bold; padding: 0 1; border-left: outer $primary; }
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
        self._text = AnswerText()
        self._sources = Static(classes="sources", markup=False)
        self._outcome = Static(classes="outcome", markup=False)

    @staticmethod
    def _asked(question: str, pasted: int) -> Content:
        asked = Content(clean(question))
        return asked + Content.styled(f"\n+ {pasted:,} pasted lines", "not bold dim") if pasted else asked

    def compose(self) -> ComposeResult:
        yield self._question
        yield self._text
        yield self._sources
        yield self._outcome

    async def write(self, text: str) -> None:
        """Append a piece of the answer."""
        await self._text.write(text)

    async def complete(self, answer: Answer) -> None:
        """Show the sources of the complete answer."""
        await self._text.finish()
        self.answer = answer
        lines = [_line(citation) for citation in shown(answer)]
        if lines and not answer.found:
            lines.insert(0, Content("The nearest passages:"))
        self._sources.update(Content("\n").join(lines))
        self._sources.display = bool(lines)
        self.ended = True

    async def end(self, reason: str = "", error: bool = False) -> None:
        """End the answer, keep what came of it, and say why."""
        await self._text.finish()
        self._outcome.update(Content(clean(reason)))
        self._outcome.set_class(error, "error")
        self._outcome.display = bool(reason)
        self.ended = True


def _line(citation: Citation) -> Content:
    """Return one line that says where a passage is: number, title, page, heading, quality and score."""
    where = [place(citation)]
    if path := headings(citation):
        where.append(path.rpartition(" › ")[2])
    return Content(f"[{citation.number}] {' · '.join(where)}  ({citation.quality} {citation.score:.2f})")
