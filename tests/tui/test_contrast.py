"""What can be read: contrast in every theme, and no meaning that only a colour has where there are none."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input

from multidb_chat.tui.app import ChatApp
from multidb_chat.tui.themes import NAMES
from tests.tui.driving import WIDE, ask, lines, prepared, quiet, send, shown, until
from tests.tui.home import member_of

State = Callable[[Pilot[int]], Awaitable[None]]


def luminance(color: Color) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [part / 255 for part in color.get_truecolor()]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(style: Style) -> float:
    """Return the contrast of a text on its background (WCAG 2.2, 1.4.3), 1 to 21."""
    assert style.color is not None
    assert style.bgcolor is not None
    lighter, darker = sorted((luminance(style.color), luminance(style.bgcolor)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def texts(pilot: Pilot[int]) -> Iterator[Segment]:
    """Yield the pieces of text on the screen; of what lies above another screen, those of the box alone."""
    screen = pilot.app.screen
    box = screen.children[0].region if isinstance(screen, ModalScreen) else screen.region
    for row, strip in enumerate(screen._compositor.render_strips()):
        column = 0
        for piece in strip:
            inside = box.contains(column, row) and box.contains(column + piece.cell_length - 1, row)
            column += piece.cell_length
            if inside and any(one.isalnum() for one in piece.text):
                yield piece


def unreadable(pilot: Pilot[int], least: float) -> set[tuple[str, float]]:
    """Return the texts with less contrast than this, each with what it has."""
    return {
        (piece.text.strip(), round(contrast(piece.style), 2))
        for piece in texts(pilot)
        if piece.style is not None and piece.style.color is not None and contrast(piece.style) < least
    }


async def answered(pilot: Pilot[int]) -> None:
    await ask(pilot, "When was the Kestrel observatory founded, and who founded it?")
    await ask(pilot, "What is the melting point of tungsten carbide?")
    await send(pilot, "/theme nothing")


async def completing(pilot: Pilot[int]) -> None:
    await pilot.press("/")
    await pilot.pause()


async def why(pilot: Pilot[int]) -> None:
    await ask(pilot, "When was the Kestrel observatory founded, and who founded it?")
    await pilot.press("f4")
    await until(pilot, lambda: "How this answer" in shown(pilot))


async def documents(pilot: Pilot[int]) -> None:
    await pilot.press("f3")
    await until(pilot, lambda: "Documents · 4" in lines(pilot)[0])
    await pilot.press("space", "down", "slash", "e")
    await until(pilot, lambda: "1 marked" in lines(pilot)[0])


async def reading(pilot: Pilot[int]) -> None:
    await pilot.press("f3")
    await until(pilot, lambda: "Documents · 4" in lines(pilot)[0])
    await pilot.press("down", "enter")
    await until(pilot, lambda: "northern ridge" in shown(pilot))
    await pilot.press("slash", *"observatory", "enter", "n")
    await until(pilot, lambda: "2 of " in lines(pilot)[1])


async def adding(pilot: Pilot[int]) -> None:
    await send(pilot, "/add")
    await until(pilot, lambda: "Add documents" in shown(pilot))
    await pilot.press("enter")
    await until(pilot, lambda: "Type the path" in shown(pilot))
    pilot.app.screen.query_one("#paths", Input).value = "/tm"
    await until(pilot, lambda: "tmp/" in shown(pilot))


async def added(pilot: Pilot[int]) -> None:
    app = pilot.app
    assert isinstance(app, ChatApp)
    app._desk.additions.add(["/nowhere/at all.md"], "documents")
    await pilot.press("f3", "e")
    await until(pilot, lambda: "no such file or folder" in shown(pilot))
    await pilot.press("escape", "slash")
    await until(pilot, lambda: "Type words of a title" in shown(pilot))


async def deleting(pilot: Pilot[int]) -> None:
    await send(pilot, "/collection")
    await until(pilot, lambda: "read only" in shown(pilot))
    await pilot.press("d")
    await until(pilot, lambda: "for good" in shown(pilot))


async def conversations(pilot: Pilot[int]) -> None:
    await ask(pilot, "When was the Kestrel observatory founded, and who founded it?")
    await pilot.press("f5")
    await until(pilot, lambda: "Conversations · " in lines(pilot)[0])


async def settings(pilot: Pilot[int]) -> None:
    await send(pilot, "/settings")
    await until(pilot, lambda: "search.limit" in shown(pilot))


async def help_(pilot: Pilot[int]) -> None:
    await pilot.press("f1")
    await until(pilot, lambda: "Keys here" in shown(pilot))


def opened_by(key: str, until_shown: str) -> State:
    async def opened(pilot: Pilot[int]) -> None:
        await pilot.press(key)
        await until(pilot, lambda: until_shown in lines(pilot)[0])
        await until(pilot, lambda: quiet(pilot))

    opened.__name__ = until_shown.lower()
    return opened


STATES: tuple[State, ...] = (
    answered, completing, why, documents, conversations, reading, adding, added, deleting, settings, help_,
    opened_by("f9", "Inbox"), opened_by("ctrl+b", "Tasks"), opened_by("f8", "Dashboard"),
)  # fmt: skip


@pytest.mark.parametrize("theme", NAMES)
async def test_every_text_can_be_read(home: Path, theme: str) -> None:
    least = 7.0 if theme == "high-contrast" else 4.5
    poor: dict[str, set[tuple[str, float]]] = {}
    for state in STATES:
        app = ChatApp(lambda: member_of(home), theme)
        async with app.run_test(size=WIDE, notifications=True) as pilot:
            await prepared(pilot)
            await state(pilot)
            await pilot.pause()
            if found := unreadable(pilot, least):
                poor[state.__name__] = found
    assert poor == {}


def test_the_measure_is_that_of_the_guideline() -> None:
    """The examples of WCAG: black on white is 21:1, #777777 on white 4.48:1."""
    assert contrast(Style.parse("#000000 on #ffffff")) == 21
    assert round(contrast(Style.parse("#777777 on #ffffff")), 2) == 4.48


def styled(pilot: Pilot[int], text: str) -> Style:
    """Return how a text is drawn."""
    found = [piece.style for piece in texts(pilot) if text in piece.text and piece.style is not None]
    assert found, f"{text!r} is not on the screen"
    return found[0]


@pytest.fixture
def colourless(monkeypatch: pytest.MonkeyPatch, home: Path) -> ChatApp:
    """The app as somebody sees it who set NO_COLOR."""
    monkeypatch.setenv("NO_COLOR", "1")
    return ChatApp(lambda: member_of(home))


async def test_without_colours_nothing_is_coloured(colourless: ChatApp) -> None:
    for state in (documents, settings):
        async with ChatApp(colourless._serving._open_services).run_test(size=WIDE) as pilot:
            await prepared(pilot)
            await state(pilot)
            for piece in texts(pilot):
                colours = (piece.style.color, piece.style.bgcolor) if piece.style is not None else ()
                assert all(colour is None or colour.is_default for colour in colours), piece


async def test_without_colours_what_is_chosen_focused_found_or_wrong_still_shows(colourless: ChatApp) -> None:
    async with colourless.run_test(size=WIDE) as pilot:
        await prepared(pilot)
        await ask(pilot, "When was the Kestrel observatory founded, and who founded it?")
        assert not any(line.startswith("▌") for line in lines(pilot))
        await pilot.press("alt+up")
        await until(pilot, lambda: any(line.startswith("▌") for line in lines(pilot)))
        await pilot.press("escape", "f3")
        await until(pilot, lambda: "Documents · 4" in lines(pilot)[0])
        assert styled(pilot, "churn").reverse
        assert not styled(pilot, "The guide").reverse
        assert styled(pilot, "Title").underline
        await pilot.press("down", "enter")
        await until(pilot, lambda: "northern ridge" in shown(pilot))
        await pilot.press("slash", *"observatory", "enter")
        await until(pilot, lambda: "1 of " in lines(pilot)[1])
        marks = [piece.style for piece in texts(pilot) if "bservatory" in piece.text and piece.style is not None]
        assert any(style.reverse for style in marks)
        assert any(style.underline and not style.reverse for style in marks)
        await pilot.press("escape", "escape", "a", "enter")
        await until(pilot, lambda: "Type the path" in shown(pilot))
        assert styled(pilot, "Type the path").bold
        await pilot.press("escape", "c")
        await until(pilot, lambda: "read only" in shown(pilot))
        await pilot.press("d")
        await until(pilot, lambda: "for good" in shown(pilot))
        assert styled(pilot, "Cancel").reverse  # it has the focus
        assert not styled(pilot, "Delete ").reverse
