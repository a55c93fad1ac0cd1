"""A document's text to scroll through, however long: only the lines on the screen are drawn."""

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import work
from textual.events import Resize
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from multidb_chat.domain.reading import Block
from multidb_chat.tui.reading import Line, drawn, laid_out, line_at, visible

_WIDEST = 100
_OWN = 132  # a text whose lines were broken at no more than this is shown with its own lines where there is room
_MARGIN = 2

Span = tuple[int, int]


class DocumentView(ScrollView, can_focus=True):
    """Shows a text with its headings and pages; `highlights` are marked, the current one stands out."""

    DEFAULT_CSS = """
    DocumentView { background: $background; scrollbar-size-vertical: 1; }
    DocumentView > .document--heading { text-style: bold; color: $primary; }
    DocumentView > .document--code { color: $secondary; }
    DocumentView > .document--page { color: $text-muted; }
    DocumentView > .document--found { background: $accent-muted; color: $text-accent; text-style: underline; }
    DocumentView > .document--current { background: $accent; color: $background; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"document--{look}" for look in ("heading", "code", "page", "found", "current")
    }

    def __init__(self) -> None:
        super().__init__()
        self._raw = ""
        self._text = ""
        self._blocks: Sequence[Block] = ()
        self._lines: list[Line] = []
        self._measure = _WIDEST
        self._highlights: list[Span] = []
        self._current: Span | None = None

    async def show(self, text: str, blocks: Sequence[Block]) -> None:
        """Replace the text."""
        self._raw, self._blocks = text, blocks
        self._text = await asyncio.to_thread(visible, text)
        self._measure = max(_WIDEST, await asyncio.to_thread(_longest, text))
        await self._lay_out()

    @property
    def text(self) -> str:
        """The text as it is shown; characters stand where they stand in the document."""
        return self._text

    def on_resize(self, event: Resize) -> None:
        """Break the lines anew; what is read stays on the screen."""
        if self._text:
            self._relay()

    @work(exclusive=True, group="layout", exit_on_error=False)
    async def _relay(self) -> None:
        await self._lay_out()

    async def _lay_out(self) -> None:
        at = self._lines[min(int(self.scroll_y), len(self._lines) - 1)].start if self._lines else 0
        width = min(self._width, self._measure)
        self._lines = await asyncio.to_thread(laid_out, self._text, self._blocks, width)
        self.virtual_size = Size(self._width, len(self._lines))
        self.call_after_refresh(self._return_to, at)
        self.refresh()

    def _return_to(self, at: int) -> None:
        """Bring back what was on the screen: the current mark, or what was at the top."""
        if self._current is not None:
            self.mark(self._highlights, self._current)
        elif at:
            self.scroll_to(y=line_at(self._lines, at), animate=False, force=True)

    @property
    def _width(self) -> int:
        return max(self.scrollable_content_region.width - 2 * _MARGIN, 8)

    def mark(self, spans: Sequence[Span], current: Span | None) -> None:
        """Mark spans of the text and bring the current one onto the screen."""
        self._highlights, self._current = sorted(spans), current
        if current is not None:
            line = line_at(self._lines, current[0])
            # With the lines above it, which say what it is about.
            self.scroll_to_region(Region(0, max(line - 3, 0), 1, 8), animate=False, force=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return a line of the screen."""
        width = self.size.width
        number = int(self.scroll_offset.y) + y
        base = self.rich_style
        if number >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[number]
        measure = min(self._width, self._measure)
        margin = Segment(" " * (_MARGIN + (self._width - measure) // 2), base)  # in the middle of a wide terminal
        if line.look == "page":
            rule = f"── {line.label} ".ljust(measure, "─")
            segments = [Segment(rule, self.get_component_rich_style("document--page"))]
        else:
            segments = [Segment(" " * line.indent, base), *self._pieces(line)]
        return Strip([margin, *segments]).adjust_cell_length(width, base)

    def _pieces(self, line: Line) -> list[Segment]:
        """Return the line cut where marks begin and end."""
        own = self.rich_style if line.look == "text" else self.get_component_rich_style(f"document--{line.look}")
        pieces: list[Segment] = []
        at = line.start
        words = line.end - len(self._text[line.start : line.end].lstrip())  # marks leave out the blanks before them
        first = max(bisect_left(self._highlights, (line.start, 0)) - 1, 0)
        for start, end in self._highlights[first:]:
            if start >= line.end:
                break
            start, end = max(start, at, words), min(end, line.end)
            if start < end:
                pieces.append(Segment(drawn(self._text[at:start]), own))
                is_current = self._current is not None and self._current[0] <= start < self._current[1]
                style = self.get_component_rich_style(f"document--{'current' if is_current else 'found'}")
                pieces.append(Segment(drawn(self._text[start:end]), style))
                at = end
        pieces.append(Segment(drawn(self._text[at : line.end]), own))
        return [piece for piece in pieces if piece.text]


def _longest(text: str) -> int:
    """Return the length of the longest line that is short enough to have been broken by whoever wrote it."""
    return max((len(line) for line in text.split("\n") if len(line) <= _OWN), default=0)
