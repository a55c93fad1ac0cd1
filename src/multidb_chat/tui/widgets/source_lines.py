"""The lines below an answer that say where it is from, each on one line of the screen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from multidb_chat.tui.wording import headings, page, title

if TYPE_CHECKING:
    from multidb_chat.domain.turns import Citation


class SourceLines(Static):
    """Number, title, page, heading, quality and score of passages; where there is little room the title gives way."""

    DEFAULT_CSS = """
    SourceLines {
        color: $text-muted; padding: 0 0 0 2; display: none; text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._heading = ""
        self._citations: Sequence[Citation] = ()

    def show(self, citations: "Sequence[Citation]", heading: str = "") -> None:
        """Replace the lines; `heading` stands above them."""
        self._citations, self._heading = citations, heading
        self.display = bool(citations)
        self._draw(layout=True)

    def on_resize(self) -> None:
        """Shorten the titles as far as this width needs."""
        self._draw(layout=False)

    def _draw(self, *, layout: bool) -> None:
        lines = [source_line(citation, self.content_size.width) for citation in self._citations]
        self.update(Content("\n").join([Content(self._heading)] * bool(self._heading) + lines), layout=layout)


def source_line(citation: "Citation", width: int) -> Content:
    """Return what says where a passage is, in `width` cells as long as the title can be shortened; 0: in full."""
    number = f"[{citation.number}] "
    under = headings(citation).rpartition(" › ")[2]
    named, below = Content(title(citation)), Content(f" · {under}" if under else "")
    end = f"  ({citation.quality} {citation.score:.2f})"
    room = width - len(number) - len(page(citation)) - len(end)
    if width and named.cell_length + below.cell_length > room > 0:
        below = below.truncate(max(room - named.cell_length, room // 2), ellipsis=True)
        named = named.truncate(room - below.cell_length, ellipsis=True)
    return Content("").join([Content(number), named, Content(page(citation)), below, Content(end)])
