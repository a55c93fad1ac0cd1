"""The slash commands: one table that help, completion, the command palette and the composer share."""

import difflib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command; `action` is the name of the chat screen's action that carries it out."""

    name: str
    argument: str
    help: str
    action: str

    @property
    def title(self) -> str:
        """The name as the command palette shows it."""
        return self.name[1:].capitalize()


COMMANDS = (
    Command("/help", "", "Show the keys and commands", "help"),
    Command("/why", "", "Show how the last answer came about", "why"),
    Command("/docs", "", "Show the documents that are searched", "documents"),
    Command("/sources", "", "Show or hide the sources panel", "toggle_sources"),
    Command("/theme", "[NAME]", "Change the colours: this theme, or the next one", "theme"),
    Command("/clear", "", "Clear the screen and begin a new conversation", "clear"),
    Command("/quit", "", "Leave", "quit"),
)

# People type these plain; as questions they mean nothing.
PLAIN = {"help": "/help", "quit": "/quit", "exit": "/quit", "clear": "/clear"}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was typed: a command with its argument, or an unknown one with the nearest known name."""

    command: Command | None
    argument: str = ""
    suggestion: str = ""


def parse(text: str) -> Parsed | None:
    """Return the command in `text`; None when it is a question."""
    words = text.strip()
    words = PLAIN.get(words.lower(), words)
    if not words.startswith("/") or "\n" in words:
        return None
    name, _, argument = words.partition(" ")
    for command in COMMANDS:
        if command.name == name.lower():
            return Parsed(command, argument.strip())
    near = difflib.get_close_matches(name.lower(), [command.name for command in COMMANDS], n=1, cutoff=0.5)
    return Parsed(None, argument.strip(), near[0] if near else "")


def completions(text: str) -> list[Command]:
    """Return the commands that begin with what was typed so far; empty unless it is the start of a command."""
    if not text.startswith("/") or " " in text or "\n" in text:
        return []
    return [command for command in COMMANDS if command.name.startswith(text.lower())]
