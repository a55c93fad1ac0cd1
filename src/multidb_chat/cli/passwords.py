"""Passwords and codes: typed unseen or read from standard input, never an argument that other programs could see."""

import sys

from multidb_chat.cli.console import Console, Styled
from multidb_chat.domain.errors import InvalidInput

_BARS = ("very weak", "weak", "fair", "good", "strong")


def from_stdin(count: int = 1) -> list[str]:
    """Return the first lines of standard input, one password each. Raises `InvalidInput` when there are fewer."""
    lines = [] if sys.stdin is None else [sys.stdin.readline() for _ in range(count)]
    if not lines or not all(lines):
        what = "The password is" if count == 1 else f"{count} passwords are"
        raise InvalidInput(f"{what} expected on standard input, one to a line.")
    return [line.rstrip("\r\n") for line in lines]


async def typed(console: Console, question: str) -> str:
    """Ask for a password. Raises `InvalidInput` where there is no terminal to ask on."""
    if not console.can_ask:
        raise InvalidInput("There is no terminal to ask for the password on; use --password-stdin.")
    return await console.ask(question, hidden=True)


async def typed_twice(console: Console, question: str) -> str:
    """Ask for a new password and once more for the same. Raises `InvalidInput` when they differ."""
    password = await typed(console, question)
    if await typed(console, "Once more:") != password:
        raise InvalidInput("The two passwords are not the same; nothing was changed.")
    return password


def strength_line(score: int, hint: str) -> tuple[str | Styled, ...]:
    """Return how strong a password is, in words."""
    style = ("bad", "bad", "fair", "good", "good")[score]
    return ("Strength: ", Styled(_BARS[score], style), f" · {hint}" if hint else "")
