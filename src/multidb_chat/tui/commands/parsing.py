"""What is typed into the composer: a command, or a question."""

import difflib
from dataclasses import dataclass

from multidb_chat.tui.commands import COMMANDS, PLAIN
from multidb_chat.tui.commands.command import Command


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was typed: a command with its argument, or an unknown one with the nearest known name."""

    command: Command | None
    argument: str = ""
    suggestion: str = ""


def named(name: str) -> Command:
    """Return the command with this name. Raises `KeyError`."""
    return {command.name: command for command in COMMANDS}[name]


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
