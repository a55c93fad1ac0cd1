"""Documents, questions and answers that try to act on the terminal or on the app."""

import re
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from multidb_chat.domain.library import Collection, Document
from multidb_chat.domain.search import quality_of
from multidb_chat.domain.turns import Answer, Citation
from multidb_chat.tui.screens.why import WhyScreen
from multidb_chat.tui.shelf import Shelf
from multidb_chat.tui.widgets.document_table import DocumentTable
from multidb_chat.tui.widgets.exchange import Exchange
from multidb_chat.tui.widgets.sources import SourcesPanel
from tests.tui.driving import WIDE, app_in, area, ask, lines, send, shown, toasts, until
from tests.tui.home import furnish

PIECES = (
    "\x1b]52;c;ZXZpbA==\x07", "\x1b]0;title\x1b\\", "\x1b]8;;file:///etc/passwd\x1b\\link\x1b]8;;\x1b\\", "\x1b[2J",
    "\x1b[31m", "\x1bP+q544e\x1b\\", "\x9b31m", "\x9d0;x\x9c", "\x07", "\x08", "\x0e", "\x7f", "\x1b", "\r", "\x1bc",
    "\u202e", "\u200b", "\u2066", "\U000e0041", "[@click=app.quit]x[/]", "[bold red]", "[/]", "[link='x']",
    "![i](http://e)", "[a](javascript:alert(1))", "<img src=x onerror=y>", "```\n",
    "| a | b |\n|--|--|\n", "# ", "\\", "`", "word", " ", "\n", "図", "é",
)  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PIECES) | st.characters(codec="utf-8"), max_size=12).map("".join)
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\U000e0000-\U000e007f]")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class NoDocument:
    """Services with nothing behind them: passages are shown from the citation alone."""

    account = None

    class documents:  # noqa: N801 - an attribute of the services
        @staticmethod
        async def passage(*given: object) -> None:
            from multidb_chat.domain.errors import NotFound

            raise NotFound("gone")


class Stage(App[None]):
    """The widgets that show foreign text, alone."""

    def compose(self) -> ComposeResult:
        yield SourcesPanel()


def cited(text: str) -> Citation:
    return Citation(1, "d", text, text, text, "c", 0, len(text), text, 3, (text, text), 0.5, quality_of(0.5), 1.0, 0.5)


def drawn(app: App[None]) -> str:
    return "".join(segment.text for strip in app.screen._compositor.render_strips() for segment in strip)


@given(texts=st.lists(HOSTILE, min_size=4, max_size=4))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_no_text_puts_a_control_character_on_the_screen(texts: list[str]) -> None:
    app = Stage()
    async with app.run_test(size=(100, 60)) as pilot:
        for number, text in enumerate(texts):
            answer = Answer(text, text + "?", text, number % 2 == 0, citations=(cited(text),), nearest=(cited(text),))
            exchange = Exchange(text)
            await app.screen.mount(exchange)
            for piece in (text, texts[0]):
                await exchange.write(piece)
            await exchange.complete(replace(answer, timings={"total": 1.0, text: 0.5}))
            await exchange.end(text, error=True)
            await app.query_one(SourcesPanel).show(answer, NoDocument())  # type: ignore[arg-type]
            await pilot.pause()
            assert not FORBIDDEN.search(drawn(app))
            app.push_screen(WhyScreen(exchange.answer or answer))
            await pilot.pause()
            assert not FORBIDDEN.search(drawn(app))
            app.pop_screen()
            await exchange.remove()


@given(text=HOSTILE)
@settings(max_examples=50, deadline=None)
def test_no_title_puts_a_control_character_into_the_list_of_documents(text: str) -> None:
    table = DocumentTable(Shelf({"c": Collection("c", "o", text, NOW)}))
    document = Document("d", "c", text, text, text, text, "", NOW, NOW)
    for label in ("Title", "Kind", "Collection"):
        cell = table._cell(document, label, 20)
        assert not FORBIDDEN.search(cell.plain)
        assert cell.spans == []
        assert cell.cell_len <= 20


async def test_a_hostile_document_is_shown_and_does_nothing(home: Path) -> None:
    evil = (
        "# The [@click=app.quit]Zorblax[/] \x1b]0;owned\x07manual\n\n"
        "The Zorblax device is switched on by \x1b[31mturning\x1b[0m the [bold]brass[/bold] key "
        "[here](https://evil.example/) \x1b]52;c;ZXZpbA==\x07 <script>quit()</script> ![x](file:///etc/passwd).\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "zorblax.md").write_text(evil)
        await furnish(home, [folder])
    opened: list[str] = []
    app = app_in(home)
    app.open_url = lambda url, *, new_tab=True: opened.append(url)  # type: ignore[method-assign]
    async with app.run_test(size=WIDE) as pilot:
        exchange = await ask(pilot, "How is the Zorblax device switched on?")
        assert exchange.answer is not None
        assert "turning the [bold]brass[/bold] key" in shown(pilot)
        assert not FORBIDDEN.search(shown(pilot).replace("\n", ""))
        for row, line in enumerate(lines(pilot)):
            for word in ("here", "key", "https", "script", "file:"):
                if word in line:
                    await pilot.click(offset=(line.index(word) + 1, row))
        assert app.is_running
        assert opened == []
        await send(pilot, "/docs")
        await until(pilot, lambda: "[@click=app.quit]Zorblax[/] manual" in shown(pilot))


async def test_a_question_in_markup_is_shown_as_it_was_typed(home: Path) -> None:
    async with app_in(home).run_test(size=WIDE, notifications=True) as pilot:
        await ask(pilot, "[@click=app.quit]Who[/] founded the [red]Kestrel[/red] observatory?")
        assert "[@click=app.quit]Who[/] founded the [red]Kestrel[/red] observatory?" in shown(pilot)
        await send(pilot, "/[b]x[/b]")
        await until(pilot, lambda: "There is no command /[b]x[/b]." in toasts(pilot))
        await until(pilot, lambda: "/[b]x[/b]" in shown(pilot))
        assert area(pilot).has_focus


async def test_a_static_given_content_reads_no_markup() -> None:
    """What all widgets here rely on."""
    assert str(Static(Content("[b]x[/b]"), markup=False).render()) == "[b]x[/b]"
