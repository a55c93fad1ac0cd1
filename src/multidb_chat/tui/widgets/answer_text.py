"""The text of an answer as it grows: what is complete as Markdown, the block that is still growing as plain text.

Parsing and laying out Markdown takes longer than a key may wait for its letter, so it is done once a block, and the
block that grows is drawn over itself; only a new line of it lays out the screen anew.
"""

import asyncio
import re
from time import monotonic

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown, Static

from multidb_chat.domain.text import clean
from multidb_chat.tui.widgets.laid_out_once import LaidOutOnce
from multidb_chat.tui.widgets.transcript import Transcript

_FRAME_SECONDS = 0.05
_FRAME_SECONDS_TYPING = 0.2  # a letter that comes while a frame is drawn waits for it: few frames, few such letters
_LINES = 4  # room is made for so many lines at once: making room is what takes longest
_FENCE = re.compile(r" {0,3}(?:```|~~~)")


def settled(text: str) -> int:
    """Return how many characters at the beginning are whole blocks: up to the last blank line outside of code."""
    end = at = 0
    fenced = False
    for line in text.splitlines(keepends=True):
        at += len(line)
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and line == "\n":
            end = at
    return end


_BARS = ("table_open", "fence", "code_block")  # blocks with bars to scroll by


class _Growing(LaidOutOnce, Static):
    """The block that grows."""


class _Markdown(LaidOutOnce, Markdown):
    """The blocks that are complete. Styles find a block by the name of its class."""

    BLOCKS = Markdown.BLOCKS | {
        name: type(block.__name__, (LaidOutOnce, block), {})
        for name, block in Markdown.BLOCKS.items()
        if name not in _BARS
    }


class AnswerText(LaidOutOnce, Vertical):
    """Markdown that is written piece by piece; `text` is there from the beginning."""

    DEFAULT_CSS = """
    AnswerText { height: auto; padding: 0 0 0 2; margin: 1 0 0 0; max-width: 120; }
    AnswerText Markdown { padding: 0; background: $background; }
    AnswerText .growing { height: auto; display: none; }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__()
        # Links in a document's text are shown, never followed: what a hostile document says must not open anything.
        self._markdown = _Markdown(clean(text), open_links=False)
        self._growing = _Growing(classes="growing", markup=False)
        self._text = ""
        self._height = 0
        self._unwritten = ""
        self._writing: asyncio.Task[None] | None = None
        self._finishing: asyncio.Task[None] | None = None

    def compose(self) -> ComposeResult:
        yield self._markdown
        yield self._growing

    def on_resize(self) -> None:
        """Make room for what grows at this width."""
        if self._height:
            self._draw_growing()

    async def write(self, text: str) -> None:
        """Append a piece; what comes faster than it can be drawn is drawn together."""
        self._unwritten += clean(text)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await asyncio.sleep(0)

    async def finish(self) -> None:
        """Show all of it as Markdown, for good. Whoever is cancelled while waiting stops nothing of it."""
        if self._finishing is None:
            self._finishing = asyncio.create_task(self._finish())
        await asyncio.wait({self._finishing})
        self._finishing.result()

    async def _finish(self) -> None:
        if self._writing is not None:
            await self._writing
        text, self._text, self._height = self._text, "", 0  # a terminal that is resized draws it no more
        self._growing.display = False
        if text:
            await self._markdown.append(text)

    async def _write(self) -> None:
        while self._unwritten:
            begin = monotonic()
            self._text += self._unwritten
            self._unwritten = ""
            await self._draw()
            # The longer it takes to draw, the longer it is left: most of the time belongs to the keys.
            frame = _FRAME_SECONDS_TYPING if self._typing else _FRAME_SECONDS
            await asyncio.sleep(max(frame, 3 * (monotonic() - begin)))

    @property
    def _typing(self) -> bool:
        """Whether somebody types meanwhile."""
        return any(isinstance(one, Transcript) and one.typing for one in self.ancestors)

    async def _draw(self) -> None:
        if end := settled(self._text):
            complete, self._text = self._text[:end], self._text[end:]
            with self.app.batch_update():  # what is complete goes from one place to the other
                await self._markdown.append(complete)
                self._draw_growing()
        else:
            self._draw_growing()

    def _draw_growing(self) -> None:
        growing, text = self._growing, self._text.rstrip()
        growing.update(Content(text), layout=False)
        # Measured at this widget's width: what is not displayed has none of its own.
        lines = growing.get_content_height(self.container_size, self.app.size, self.size.width) if text else 0
        height = max(-(-lines // _LINES) * _LINES, _LINES if text else 0)
        if height != self._height:
            self._height = height
            growing.styles.height = height
            growing.display = bool(text)
