"""A long column of widgets of which only those near the view exist; what is in view stays where it is meanwhile."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from textual.containers import Vertical, VerticalScroll
from textual.geometry import Region, Size
from textual.layout import DockArrangeResult
from textual.scrollbar import ScrollBar
from textual.widget import Widget

from multidb_chat.tui.serving import told
from multidb_chat.tui.widgets.laid_out_once import LaidOutOnce

PAGE = 4
"""Widgets that are read at once."""
FIRST = 5
"""Widgets that are shown at first; more come at once where they do not fill the view."""
MOST = 16
"""Widgets that exist at most, but for those near the view, and those that cannot be read again."""

_AHEAD = 2  # heights of the view that are kept on each side of it
_FRAME_SECONDS = 1 / 60  # between two steps: keys and the screen get in


class Pages(Protocol):
    """What the column is made of, from the first to the last."""

    def __len__(self) -> int:
        """Return how many there are."""

    def append(self) -> None:
        """Count one more, whose widget is shown already."""

    def cut(self, count: int) -> None:
        """Forget all but the first ones."""

    async def read(self, first: int, end: int) -> Sequence[Widget]:
        """Return new widgets for those from `first` on, before `end`."""

    def keep(self, at: int, widget: Widget) -> bool:
        """Remember what is needed to read this one again; False when that cannot be."""


class Page(LaidOutOnce, Vertical):
    """A widget of the column. While it is `away` from the view, its children have no place on the screen.

    Laying out the screen takes as long as there are widgets on it, and what is out of view shows none of them.
    """

    away = False

    @property
    def is_scrollable(self) -> bool:
        """Whether its children are laid out."""
        return not self.away and super().is_scrollable

    @property
    def may_be_away(self) -> bool:
        """Whether nothing in it depends on where it is."""
        return True


class PagedScroll(VerticalScroll):
    """Shows `pages` from `first` to before `end`, as its children in their order.

    Without pages, its children are what stands there instead.
    """

    def __init__(self, pages: Pages, **named: Any) -> None:
        super().__init__(**named)
        self.pages = pages
        self.first = self.end = 0
        self._held: tuple[Widget, int] | None = None
        self._places: dict[Widget, Region] = {}
        self._paging: asyncio.Task[None] | None = None
        self._settling = False

    async def show_pages(self, pages: Pages, at: int | None = None) -> None:
        """Show other pages: their end, or those around `at`, with that one at the top."""
        await self._settle()
        self.pages = pages
        end = len(pages) if at is None else min(len(pages), at + FIRST)
        self.first, self.end = max(0, end - FIRST), end
        widgets = await pages.read(self.first, self.end)
        with self.app.batch_update():
            await self.remove_children()
            self._held = None
            self.set_reactive(Widget.scroll_y, 0.0)
            self.set_reactive(Widget.scroll_target_y, 0.0)
            await self.mount_all(widgets or self.empty())
            self._held = (widgets[at - self.first], 0) if at is not None else None
        self.anchor(at is None)
        self.refresh(layout=True)
        self.call_after_refresh(self._page)

    def empty(self) -> Sequence[Widget]:
        """Return what stands here when there is nothing to show."""
        return ()

    async def add(self, widget: Widget) -> None:
        """Show a new one at the end, and follow it as it grows."""
        await self.show_end()
        if not len(self.pages):
            await self.remove_children()
        await self.mount(widget)
        self.pages.append()
        self.end += 1
        self.anchor()

    async def cut(self, widget: Widget) -> None:
        """Remove this one and all that follow, also those that are not shown."""
        await self._settle()
        at = self.children.index(widget)
        self.pages.cut(self.first + at)
        self.end = len(self.pages)
        for child in self.children[at:]:
            await child.remove()

    async def show_first(self) -> None:
        """Go to the beginning, wherever it is."""
        if self.first == 0:
            self.scroll_home(animate=False)
        else:
            await self.show_pages(self.pages, 0)

    async def show_end(self) -> None:
        """Go to the end, and follow what is added there."""
        if self.end < len(self.pages):
            await self.show_pages(self.pages)
        else:
            self.anchor()

    async def on_unmount(self) -> None:
        """Read no more."""
        if self._paging is not None:
            self._paging.cancel()
            await asyncio.wait({self._paging})

    async def _settle(self) -> None:
        """Wait until no page is on its way, with as few widgets more as can be."""
        self._settling = True
        while self._paging is not None and not self._paging.done():
            await asyncio.wait({self._paging})
        self._settling = False

    # What is in view stays in view

    def on_resize(self) -> None:
        """Read what fits."""
        self._page()

    def _scroll_to(self, *where: Any, animate: bool = True, **how: Any) -> bool:
        """Scroll at once: an animation would go on to a place that has moved meanwhile."""
        return super()._scroll_to(*where, animate=False, **how)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Hold what has come to the top, and read what comes near."""
        super().watch_scroll_y(old_value, new_value)
        self._hold()
        self._page()

    def _check_anchor(self) -> None:
        """Follow the end only where it is the end of all pages."""
        if self.end >= len(self.pages):
            super()._check_anchor()

    def _hold(self) -> None:
        for child in self.children:
            place = self._places.get(child)
            if place is not None and place.height and place.bottom > self.scroll_y:
                self._held = (child, round(self.scroll_y) - place.y)
                return

    def arrange(self, size: Size, optimal: bool = False) -> DockArrangeResult:
        """Lay out the children, and scroll as far as what was held has moved.

        Textual does the same here for what is anchored at the end: nothing is painted in between.
        """
        arranged = super().arrange(size, optimal)
        if optimal:
            return arranged
        # Kept, since asking a widget for its place lays out the whole screen when something has changed.
        self._places = {one.widget: one.region for one in arranged.placements}
        if self._held is not None and not (self.is_anchored and not self._anchor_released):
            widget, below_top = self._held
            if (place := self._places.get(widget)) is not None:
                most = max(0, arranged.total_region.bottom - size.height)
                at = min(max(0, place.y + below_top), most)
                self.set_reactive(Widget.scroll_y, at)
                self.set_reactive(Widget.scroll_target_y, at)
                self.vertical_scrollbar.set_reactive(ScrollBar.position, at)
        self._look_away(size, arranged.total_region.bottom)
        return arranged

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        """Ask for a second layout only where the view has another size: it was scrolled for the one before."""
        resized = container_size != self.container_size
        changed = super()._size_updated(size, virtual_size, container_size, layout=False)
        if resized and layout:
            self.refresh(layout=True)
        return changed

    def _look_away(self, size: Size, end: int) -> None:
        """Tell the children which of them are in view, as Textual is about to show them."""
        following = self.is_anchored and not self._anchor_released
        top = end - self.container_size.height if following else round(self.scroll_y)
        for child, place in self._places.items():
            if isinstance(child, Page):
                seen = place.bottom > top and place.y < top + size.height
                child.away = not seen and child.may_be_away

    # Pages in, pages out

    def _page(self) -> None:
        if self._paging is None or self._paging.done():
            ahead = _AHEAD * self.size.height
            older = self.first > 0 and self.scroll_y < ahead
            newer = self.end < len(self.pages) and self.max_scroll_y - self.scroll_y < ahead
            if self.is_mounted and not self._settling and (older or newer):
                self._paging = asyncio.create_task(self._older() if older else self._newer())
                self._paging.add_done_callback(self._paged)

    def _paged(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        if (error := task.exception()) is None:
            self._page()
        elif isinstance(error, Exception):  # tried again when the view is scrolled
            self.notify(told(error), severity="warning", markup=False)

    async def _older(self) -> None:
        widgets = await self.pages.read(max(0, self.first - PAGE), self.first)
        with self.app.batch_update():  # laid out once: that takes longer than anything else here
            await self.mount_all(widgets, before=0)
            self.first -= len(widgets)
        await asyncio.sleep(_FRAME_SECONDS)
        gone: list[Widget] = []
        for child in reversed(self.children):
            if not (self._may_go(child, len(gone)) and self.pages.keep(self.end - 1 - len(gone), child)):
                break
            gone.append(child)
        self.end -= len(gone)
        await self.remove_children(gone)

    async def _newer(self) -> None:
        widgets = await self.pages.read(self.end, min(len(self.pages), self.end + PAGE))
        with self.app.batch_update():
            await self.mount_all(widgets)
            self.end += len(widgets)
        await asyncio.sleep(_FRAME_SECONDS)
        gone: list[Widget] = []
        for child in self.children:
            if not (self._may_go(child, len(gone)) and self.pages.keep(self.first + len(gone), child)):
                break
            gone.append(child)
        self.first += len(gone)
        await self.remove_children(gone)

    def _may_go(self, child: Widget, gone: int) -> bool:
        """Tell whether there are more than enough but for those gone, and this one is far from the view."""
        place, ahead = self._places.get(child), _AHEAD * self.size.height
        if place is None or self.end - self.first - gone <= MOST:
            return False
        return place.bottom < self.scroll_y - ahead or place.y > self.scroll_y + self.size.height + ahead
