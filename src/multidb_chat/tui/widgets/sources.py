"""The panel beside the chat: the passages behind the last answer, the cited words marked in what surrounds them."""

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from multidb_chat.domain.errors import MultidbChatError
from multidb_chat.domain.text import clean, clean_line
from multidb_chat.services.excerpts import unmarked
from multidb_chat.tui.paragraphs import begins
from multidb_chat.tui.services import Services
from multidb_chat.tui.wording import CITED, MUTED, headings, place, shown

if TYPE_CHECKING:  # The panel is painted before there is an answer.
    from multidb_chat.domain.turns import Answer, Citation

EMPTY = "The passages behind an answer appear here."
_AROUND = 200  # characters of the surrounding text on each side


class Source(Static):
    """One passage; a click opens it."""

    def __init__(self, passage: Content, number: int) -> None:
        super().__init__(passage, classes="passage", markup=False)
        self.number = number

    async def on_click(self) -> None:
        """Open it."""
        await self.run_action(f"screen.command('/open', '{self.number}')")


class SourcesPanel(VerticalScroll):
    """The sources of one answer; the arrows choose one, Enter or its number opens it."""

    DEFAULT_CSS = """
    SourcesPanel {
        width: 38%; min-width: 46; max-width: 80; dock: right; border-left: solid $panel; padding: 1 1 0 1;
        scrollbar-size-vertical: 1; align: left bottom;
    }
    SourcesPanel:focus { border-left: solid $primary; }
    SourcesPanel .passage { margin: 0 0 1 0; }
    SourcesPanel .heading { margin: 0 0 1 1; }
    SourcesPanel Source { border-left: blank; }
    SourcesPanel Source:hover { border-left: outer $panel; }
    SourcesPanel:focus Source.chosen { border-left: outer $accent; }
    SourcesPanel .empty { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open"),
        Binding("up", "choose(-1)", "Choose", show=False),
        Binding("down", "choose(1)", "Choose", show=False),
        *(Binding(str(n), f"screen.command('/open', '{n}')", show=False) for n in range(1, 10)),
    ]

    def __init__(self) -> None:
        super().__init__(classes="-empty")

    def compose(self) -> ComposeResult:
        yield Static(EMPTY, classes="empty", markup=False)

    @property
    def _sources(self) -> list[Source]:
        return list(self.query(Source))

    def make_room(self) -> None:
        """Be there from the first question on: an answer that is being written does not change its width."""
        self.remove_class("-empty")

    async def empty(self) -> None:
        """Show that there is no answer."""
        self.add_class("-empty")
        await self._tell_nothing()

    async def _tell_nothing(self) -> None:
        await self._replace([Static(EMPTY, classes="empty", markup=False)])

    async def show(self, answer: "Answer", services: Services) -> None:
        """Replace what is shown by the sources of this answer."""
        passages = [(await _passage(citation, services), citation.number) for citation in shown(answer)]
        self.make_room()
        if not passages:
            await self._tell_nothing()
            return
        title = "Sources" if answer.found else "The nearest passages"
        heading = Static(Content.styled(title, "bold $primary"), classes="heading", markup=False)
        await self._replace([heading, *(Source(passage, number) for passage, number in passages)])

    async def _replace(self, children: list[Static]) -> None:
        async with self.batch():
            await self.remove_children()
            await self.mount(*children)
        self.scroll_home(animate=False)
        self.action_choose(0)

    def action_choose(self, step: int) -> None:
        """Choose the passage before (-1) or after the chosen one."""
        sources = self._sources
        at = next((row for row, source in enumerate(sources) if source.has_class("chosen")), 0)
        at = min(max(at + step, 0), len(sources) - 1)
        for row, source in enumerate(sources):
            source.set_class(row == at, "chosen")
        if step and sources:
            sources[at].scroll_visible(animate=False)

    async def action_open(self) -> None:
        """Open the chosen passage."""
        for source in self._sources:
            if source.has_class("chosen"):
                await source.on_click()


async def _passage(citation: "Citation", services: Services) -> Content:
    number = Content.styled(f"[{citation.number}] ", "bold $accent")
    head = number + Content.styled(place(citation), "bold")
    path = Content.styled(headings(citation), MUTED)
    tier = Content.styled(f"{citation.quality} {citation.score:.2f}", MUTED)
    return Content("\n").join([part for part in (head, path, tier, await _words(citation, services)) if part.plain])


async def _words(citation: "Citation", services: Services) -> Content:
    """Return the cited words between those around them; alone when pasted, or the document is gone."""
    before = after = kind = ""
    try:
        found = await services.documents.passage(services.account, citation.document_id, citation.start, citation.end)
        if found.text == citation.snippet:  # else the document was replaced meanwhile
            before, after, kind = found.before, found.after, found.document.kind
    except MultidbChatError:
        pass
    before, cited, after = unmarked(before, citation.snippet, after, kind=kind)
    around = [Content.styled(part, MUTED) for part in (_tail(before, _named(citation)), _head(after))]
    return around[0] + Content.styled(_flat(cited), CITED) + around[1]


def _flat(text: str) -> str:
    """Return the text clean.

    Lines break only between paragraphs and items of lists: the panel breaks them where it is narrow.
    """
    paragraphs = [""]
    for line in clean(text).split("\n"):
        if begins(line) or not line.strip():
            paragraphs.append("")
        paragraphs[-1] += f" {line}"
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip())


def _named(citation: "Citation") -> set[str]:
    """Return what is said of a passage above it, and needs not be said again."""
    return {clean_line(one) for one in (citation.title, *citation.headings)}


def _tail(text: str, said: set[str]) -> str:
    flat = "\n".join(paragraph for paragraph in _flat(text).split("\n") if paragraph not in said)
    if len(flat) > _AROUND:
        flat = "… " + flat[-_AROUND:].partition(" ")[2]
    return flat + ("\n" if text.endswith("\n\n") else " " if text[-1:].isspace() else "") if flat else ""


def _head(text: str) -> str:
    flat = _flat(text)
    if len(flat) > _AROUND:
        flat = flat[:_AROUND].rpartition(" ")[0] + " …"
    breaks = text.startswith("\n") and (text[1:2] == "\n" or begins(text[1:]))
    return ("\n" if breaks else " " if text[:1].isspace() else "") + flat if flat else ""
