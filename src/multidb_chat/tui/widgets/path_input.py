"""A field for paths: files and folders that fit are offered below it, Tab completes, the arrows choose."""

import asyncio
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Paste
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from multidb_chat.domain.text import clean_line
from multidb_chat.tui.paths import being_typed, common_start, completions, dropped_paths, inputs_in, quoted


class PathField(Input):
    """The text of the field; paths that are dropped on it are taken over as paths."""

    def on_mount(self) -> None:
        """Show the end of a long path: it names the file, and it is where typing goes on."""
        self.call_after_refresh(self.scroll_to, x=len(self.value), animate=False, force=True)

    async def _on_paste(self, event: Paste) -> None:  # type: ignore[override] # Textual awaits either
        event.stop()
        event.prevent_default()
        paths = await asyncio.to_thread(dropped_paths, event.text)
        text = " ".join(map(quoted, paths)) + " " if paths else " ".join(event.text.split())
        if paths and self.value and not self.value[: self.cursor_position].endswith(" "):
            text = f" {text}"
        self.insert_text_at_cursor(text)


class PathInput(Vertical):
    """The field with what fits."""

    DEFAULT_CSS = """
    PathInput { height: auto; }
    PathInput OptionList {
        height: auto; max-height: 7; border: none; padding: 0 1; background: $surface; display: none;
    }
    PathInput OptionList.shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False, priority=True),
        Binding("down", "choose(1)", "Next path", show=False),
        Binding("up", "choose(-1)", "Path before", show=False),
    ]

    def __init__(self, value: str = "") -> None:
        super().__init__()
        self._value = value
        self._found: list[str] = []

    def compose(self) -> ComposeResult:
        # Not selected when it gets the focus: what is typed goes on with the path that was given.
        example = "~/papers  notes.md  https://example.org/page.html"
        yield PathField(self._value, placeholder=example, select_on_focus=False, id="paths")
        options = OptionList(id="found", markup=False)
        options.can_focus = False
        yield options

    @property
    def field(self) -> PathField:
        """The text field."""
        return self.query_one(PathField)

    @property
    def paths(self) -> list[str]:
        """What was typed, as paths."""
        return inputs_in(self.field.value)

    @property
    def _options(self) -> OptionList:
        return self.query_one(OptionList)

    def on_input_changed(self) -> None:
        """Look for what fits."""
        self._look()

    @work(exclusive=True, group="paths", exit_on_error=False)
    async def _look(self) -> None:
        typing = being_typed(self.field.value)
        # Nothing typed yet: the working folder is offered when Tab asks for it.
        self._found = await asyncio.to_thread(completions, typing.path) if typing.path else []
        self._offer()

    def _offer(self) -> None:
        self._options.clear_options()
        self._options.add_options([Option(Content(clean_line(_last_name(path)))) for path in self._found])
        self._options.set_class(bool(self._found) and self._found != [being_typed(self.field.value).path], "shown")
        self._options.highlighted = None

    async def action_complete(self) -> None:
        """Complete what all that fit have in common, or take the chosen one; with nothing to complete go on."""
        if not self.field.has_focus:
            self.screen.focus_next()
            return
        typing = being_typed(self.field.value)
        found = await asyncio.to_thread(completions, typing.path)
        chosen = self._options.highlighted
        if chosen is not None and chosen < len(self._found):
            self._put(typing.before, self._found[chosen])
        elif found and (start := common_start(found)) != typing.path and len(start) >= len(typing.path):
            self._put(typing.before, start)
        elif found and found != [typing.path]:
            self._found = found
            self._offer()
            self._options.highlighted = 0
        else:
            self.screen.focus_next()

    def _put(self, before: str, path: str) -> None:
        self.field.value = before + quoted(path)
        self.field.cursor_position = len(self.field.value)

    def action_choose(self, step: int) -> None:
        """Go to the next of what fits, or back."""
        if not self._found:
            return
        at = self._options.highlighted
        self._options.highlighted = (
            (0 if step > 0 else -1) % len(self._found) if at is None else (at + step) % len(self._found)
        )


def _last_name(path: str) -> str:
    folder = path.endswith("/")
    return path.rstrip("/").rpartition("/")[2] + ("/" if folder else "") or path
