"""What is typed into the composer: a command, or a question."""

import difflib
from dataclasses import dataclass

from multidb_chat.tui.commands import COMMANDS, PLAIN
from multidb_chat.tui.commands.command import Command

_NEAR = 0.65  # a letter too many, too few or in another place; not words that share a letter by chance


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was typed: a command with its argument, or an unknown one with a `hint` at what may be meant."""

    command: Command | None
    argument: str = ""
    hint: str = ""


def named(name: str) -> Command:
    """Return the command with this name. Raises `KeyError`."""
    return {command.name: command for command in COMMANDS}[name]


def parse(text: str) -> Parsed | None:
    """Return the command in `text`; None when it is a question."""
    words = text.strip()
    words = _by_habit(words) or words
    if not words.startswith("/") or "\n" in words:
        return None
    name, _, argument = words.partition(" ")
    for command in COMMANDS:
        if command.name == name.lower():
            return Parsed(command, argument.strip())
    near = _nearest(name.lower())
    return Parsed(None, argument.strip(), f"Did you mean {near}?" if near else "/help lists the commands.")


def _by_habit(words: str) -> str:
    """Return the command for a word that people bring from other programs, empty for all else."""
    return PLAIN.get(words.lower().removeprefix("/"), "")


def _nearest(name: str) -> str:
    """Return the command that was meant, empty where none is near: the first that begins so, else one nearly alike.

    Compared without the slash, which all have in common.
    """
    names = [command.name[1:] for command in COMMANDS]
    near = [one for one in names if len(name) > 1 and one.startswith(name[1:])]
    near += difflib.get_close_matches(name[1:], names, n=1, cutoff=_NEAR)
    return f"/{near[0]}" if near else ""


def completions(text: str) -> list[Command]:
    """Return the commands that begin with what was typed so far; empty unless it is the start of a command."""
    if not text.startswith("/") or " " in text or "\n" in text:
        return []
    if meant := _by_habit(text):  # alone: what was chosen while it was typed would stay chosen
        return [named(meant)]
    return [command for command in COMMANDS if command.name.startswith(text.lower())]
