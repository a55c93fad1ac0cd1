"""A column of ten thousand widgets, of which only those near the view exist."""

import asyncio
from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Static

from multidb_chat.tui.widgets.paged import Page, PagedScroll
from tests.tui.driving import lines, until

COUNT = 10_000


def height(number: int) -> int:
    return 1 + number % 4


class Numbered:
    """Pages of a few lines each; every line says which one of its page it is."""

    def __init__(self, count: int = COUNT) -> None:
        self.count = count
        self.unkept: set[int] = set()
        self.reads = 0

    def __len__(self) -> int:
        return self.count

    def append(self) -> None:
        self.count += 1

    def cut(self, count: int) -> None:
        self.count = count

    async def read(self, first: int, end: int) -> Sequence[Widget]:
        self.reads += 1
        await asyncio.sleep(0)
        return [page(number) for number in range(first, end)]

    def keep(self, at: int, widget: Widget) -> bool:
        assert widget.name == str(at)
        return at not in self.unkept


class Numbers(Page):
    """A page of several widgets, one a line."""

    DEFAULT_CSS = "Numbers { height: auto; }"

    def __init__(self, number: int, count: int) -> None:
        super().__init__(*(Static(f"{number}/{line}") for line in range(count)), name=str(number))


def page(number: int) -> Numbers:
    return Numbers(number, height(number))


class Column(App[None]):
    def __init__(self, pages: Numbered) -> None:
        super().__init__()
        self.pages = pages
        self.column = PagedScroll(Numbered(0))

    def compose(self) -> ComposeResult:
        yield self.column

    async def on_mount(self) -> None:
        await self.column.show_pages(self.pages)


def top(pilot: Pilot[None]) -> int:
    """Return which line of all pages is the first one of the screen."""
    number, line = lines(pilot)[0].split()[0].split("/")
    return sum(height(before) for before in range(int(number))) + int(line)


async def rest(pilot: Pilot[None]) -> None:
    column = pilot.app.column

    def resting() -> bool:
        return (column._paging is None or column._paging.done()) and not column._settling

    await until(pilot, resting)
    while not resting():  # one page may call for the next
        await until(pilot, resting)


async def test_the_end_is_shown_and_few_widgets_exist() -> None:
    async with Column(Numbered()).run_test(size=(40, 20)) as pilot:
        await rest(pilot)
        assert lines(pilot)[-1].split()[0] == f"{COUNT - 1}/3"
        assert len(pilot.app.column.children) <= 60


async def test_scrolling_far_up_and_down_again_goes_line_by_line_without_a_jump() -> None:
    app = Column(Numbered())
    async with app.run_test(size=(40, 20)) as pilot:
        await rest(pilot)
        at = top(pilot)
        for step in [-15] * 12 + [15] * 13:
            app.column.scroll_relative(y=step, animate=False, immediate=True)
            await rest(pilot)
            now = top(pilot)
            assert now == at + step or (step > 0 and now == app_end(pilot))
            at = now
            shown = [int(child.name) for child in app.column.children]
            assert shown == list(range(app.column.first, app.column.end))
            assert len(shown) <= 60
        assert lines(pilot)[-1].split()[0] == f"{COUNT - 1}/3"
        assert app.pages.reads > 4


def app_end(pilot: Pilot[None]) -> int:
    return sum(height(number) for number in range(COUNT)) - pilot.app.size.height


async def test_the_beginning_and_the_end_are_one_step_away() -> None:
    app = Column(Numbered())
    async with app.run_test(size=(40, 20)) as pilot:
        await app.column.show_first()
        await rest(pilot)
        assert top(pilot) == 0
        assert app.column.first == 0
        await app.column.show_end()
        await rest(pilot)
        assert lines(pilot)[-1].split()[0] == f"{COUNT - 1}/3"


async def test_a_page_in_the_middle_is_shown_at_the_top() -> None:
    app = Column(Numbered())
    async with app.run_test(size=(40, 20)) as pilot:
        await app.column.show_pages(app.pages, 5_000)
        await rest(pilot)
        assert lines(pilot)[0].split()[0] == "5000/0"
        await pilot.resize_terminal(30, 8)
        await rest(pilot)
        assert lines(pilot)[0].split()[0] == "5000/0"


async def test_what_is_added_is_followed_also_from_far_above() -> None:
    app = Column(Numbered(100))
    async with app.run_test(size=(40, 20)) as pilot:
        await app.column.show_first()
        await rest(pilot)
        await app.column.add(page(100))
        await rest(pilot)
        assert lines(pilot)[-1].split()[0] == "100/0"
        await app.column.children[-1].mount(*(Static(f"100/{line}") for line in range(1, 9)))
        await rest(pilot)
        assert lines(pilot)[-1].split()[0] == "100/8"


async def test_what_cannot_be_read_again_stays() -> None:
    app = Column(Numbered(100))
    app.pages.unkept.add(99)
    async with app.run_test(size=(40, 20)) as pilot:
        await until(pilot, lambda: lines(pilot)[-1].strip())
        while top(pilot) > 0:
            app.column.scroll_relative(y=-30, animate=False, immediate=True)
            await rest(pilot)
        assert app.column.children[-1].name == "99"


async def test_what_is_cut_is_gone_with_all_behind_it() -> None:
    app = Column(Numbered(100))
    async with app.run_test(size=(40, 20)) as pilot:
        await app.column.show_pages(app.pages, 50)
        await rest(pilot)
        await app.column.cut(next(child for child in app.column.children if child.name == "52"))
        await rest(pilot)
        assert len(app.pages) == app.column.end == 52
        assert app.column.children[-1].name == "51"
        await app.column.add(page(52))
        await rest(pilot)
        assert lines(pilot)[-1].split()[0] == "52/0"


async def test_a_few_pages_fill_the_view_as_far_as_they_go() -> None:
    for count in (0, 3, 40):
        async with Column(Numbered(count)).run_test(size=(40, 60)) as pilot:
            await until(pilot, lambda: pilot.app.column.first == 0)
            await rest(pilot)
            assert len(pilot.app.column.children) == count


async def test_what_is_out_of_view_is_not_laid_out_until_it_comes_into_view() -> None:
    app = Column(Numbered(100))
    async with app.run_test(size=(40, 20)) as pilot:
        await rest(pilot)
        for step in (0, -15, -1, 7, -60):
            app.column.scroll_relative(y=step, animate=False, immediate=True)
            await rest(pilot)
            at = top(pilot)
            assert [line.split()[0] for line in lines(pilot)] == every_line(100)[at : at + 20]
            seen = [one for one in app.column.query(Static) if one.region]
            assert len(seen) <= 20 + 2 * 3  # of the first and the last page, also lines that are not in view
        await pilot.resize_terminal(40, 30)
        await rest(pilot)
        assert [line.split()[0] for line in lines(pilot)] == every_line(100)[top(pilot) :][:30]


def every_line(count: int) -> list[str]:
    return [f"{number}/{line}" for number in range(count) for line in range(height(number))]


async def test_a_selection_reaches_as_far_as_it_was_drawn_also_out_of_view() -> None:
    app = Column(Numbered(100))
    async with app.run_test(size=(40, 20)) as pilot:
        await rest(pilot)
        last = lines(pilot)[-1].split()[0]
        await pilot.mouse_down(offset=(0, 19))
        app.column.scroll_relative(y=-30, animate=False, immediate=True)
        await rest(pilot)
        at = top(pilot)
        await pilot.hover(offset=(0, 0))
        await pilot.mouse_up(offset=(0, 0))
        selected = (app.screen.get_selected_text() or "").split()
        wanted = every_line(100)[at : every_line(100).index(last)]
        assert [line for line in selected if line in wanted] == wanted
