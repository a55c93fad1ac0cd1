"""What stands in the chat before the first question."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from multidb_chat.tui.commands import COMMANDS
from multidb_chat.tui.wording import MUTED

_FIRST = ("/docs", "/add", "/conversations", "/new", "/sources", "/why", "/help")
_FIRST_OF_GUESTS = tuple("/register" if name == "/add" else name for name in _FIRST)
_WIDTHS = max(map(len, _FIRST)) + 2, len("Ctrl+L") + 2
FIRST_QUESTION = "How do I add my own documents?"


class Welcome(Vertical):
    """Says what to do first: how documents come in, and the commands that are needed most, with their keys."""

    DEFAULT_CSS = """
    Welcome { height: auto; min-height: 100%; align: center middle; }
    Welcome Static { width: auto; height: auto; max-width: 100%; padding: 0 2; }
    """

    def __init__(self, guest: bool = False) -> None:
        """A guest is told how to get an account, which may have documents."""
        super().__init__()
        self._text = Static(_text(guest), markup=False)

    def compose(self) -> ComposeResult:
        yield self._text

    def greet(self, guest: bool) -> None:
        """Say it to a guest, or to somebody with an account."""
        self._text.update(_text(guest))


def _text(guest: bool) -> Content:
    commands = {command.name: command for command in COMMANDS}
    lines = [
        Content.styled("Ask your documents", "bold $primary"),
        Content.styled("Every sentence of an answer says where it came from.", MUTED),
        Content(""),
        Content("New here? Ask: ") + Content.styled(FIRST_QUESTION, "bold"),
        Content(""),
    ]
    for name in _FIRST_OF_GUESTS if guest else _FIRST:
        key = commands[name].key_name
        typed = Content.styled(f"{name:<{_WIDTHS[0]}}", "$accent") + Content.styled(f"{key:<{_WIDTHS[1]}}", MUTED)
        lines.append(typed + Content(commands[name].help))
    return Content("\n").join(lines)
