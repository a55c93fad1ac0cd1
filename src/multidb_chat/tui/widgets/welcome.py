"""What stands in the chat before the first question."""

from textual.content import Content
from textual.widgets import Static

from multidb_chat.tui.commands import COMMANDS
from multidb_chat.tui.wording import MUTED

_FIRST = [command for command in COMMANDS if command.label or command.name == "/add"]
_WIDTH = max(len(command.name) for command in _FIRST) + 2
FIRST_QUESTION = "How do I add my own documents?"


class Welcome(Static):
    """Says what to do first: add documents, and the commands that the footer shows."""

    DEFAULT_CSS = "Welcome { padding: 1 2; height: auto; }"

    def __init__(self) -> None:
        super().__init__(_text(), markup=False)


def _text() -> Content:
    lines = [
        Content.styled("Ask your documents", "bold $primary"),
        Content.styled("Every sentence of an answer says where it came from.", MUTED),
        Content(""),
        Content("New here? Ask: ") + Content.styled(FIRST_QUESTION, "bold"),
        Content(""),
        *(Content.styled(f"{one.name:<{_WIDTH}}", "$accent") + Content(one.help) for one in _FIRST),
    ]
    return Content("\n").join(lines)
