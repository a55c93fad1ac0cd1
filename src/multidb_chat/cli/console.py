"""The only place that writes to standard output and standard error, and the only one that knows the exit codes.

Standard output gets what was asked for, standard error everything else. All text passes the terminal sanitiser here;
colours are used on a terminal only, and never with `NO_COLOR` (no-color.org) or `TERM=dumb`.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from enum import IntEnum
from typing import NamedTuple, TextIO

from multidb_chat.domain.errors import InvalidInput, ModelError, MultidbChatError, Refused, StoreError
from multidb_chat.domain.text import clean, clean_line


class Exit(IntEnum):
    """The exit codes; documented in docs/cli.md."""

    DONE = 0
    PARTLY = 1
    USAGE = 2
    NOTHING = 3
    REFUSED = 4
    AWAY = 5
    INVALID = 6
    INTERRUPTED = 130


EXPLAINED: Mapping[Exit, str] = {
    Exit.DONE: "answered, or done",
    Exit.PARTLY: "partly done or failed: some files could not be read, or something unexpected happened",
    Exit.USAGE: "the command was called in a wrong way",
    Exit.NOTHING: "nothing was found",
    Exit.REFUSED: "refused: a quota is used up, or it is not allowed",
    Exit.AWAY: "a store is away, full or damaged",
    Exit.INVALID: "a bad configuration or bad input, such as an unknown name",
    Exit.INTERRUPTED: "interrupted",
}
_BY_ERROR = ((StoreError, Exit.AWAY), (ModelError, Exit.AWAY), (Refused, Exit.REFUSED), (InvalidInput, Exit.INVALID))


def exit_of(error: Exception) -> Exit:
    """Return the exit code for a domain error."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), Exit.PARTLY)


class ReaderGone(Exception):
    """Whoever read standard output has closed it (`| head -1`): there is nobody left to write for."""


class OutputFailed(MultidbChatError):
    """Standard output cannot be written to, for example since the disk behind it is full."""


class Styled(NamedTuple):
    """Text with a style (see `_STYLES`) for where there are colours."""

    text: str
    style: str


_STYLES = {"strong": "1", "faint": "2", "mark": "1;33", "good": "32", "fair": "33", "bad": "31", "number": "1;36"}
_JSON_UNSAFE = re.compile(r"[^\x20-\x7e\n]")


class Console:
    """Writes for a person or a program."""

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str]) -> None:
        self._out = out
        self._err = err
        dumb = (environ.get("TERM") or "dumb") == "dumb"
        plain = bool(environ.get("NO_COLOR")) or dumb
        self.out_is_terminal = _is_terminal(out)
        self.err_is_terminal = _is_terminal(err)
        self.full_terminal = self.err_is_terminal and not dumb
        self._out_coloured = self.out_is_terminal and not plain
        self.err_coloured = self.err_is_terminal and not plain
        self.is_unicode = _is_unicode(err)
        self.quiet = False

    def write(self, *parts: str | Styled, end: str = "\n") -> None:
        """Write what was asked for. Raises `ReaderGone` or `OutputFailed`, as all that writes there."""
        self._put(_render(parts, self._out_coloured) + end)

    def write_json(self, value: object) -> None:
        """Write one JSON document, exactly, with everything that could act on a terminal as an escape."""
        text = json.dumps(value, ensure_ascii=not _is_unicode(self._out), indent=2, allow_nan=False)
        self._put(_JSON_UNSAFE.sub(lambda found: _escaped(found[0]), text) + "\n")

    def write_bytes(self, content: bytes) -> None:
        """Write a file's content: exactly to a pipe or a file, as clean text to a terminal."""
        if self.out_is_terminal:
            self.write(content.decode("utf-8", "replace"), end="")
            return
        with self._guarded():
            self._out.buffer.write(content)
            self._out.flush()

    @property
    def can_ask(self) -> bool:
        """Whether there is somebody at a terminal who can answer."""
        return self.err_is_terminal and sys.stdin is not None and sys.stdin.isatty()

    async def confirm(self, question: str) -> bool:
        """Ask on the terminal; without one the answer is no. End of input is a no as well."""
        return (await self._consent(f"{question} [y/N]")).lower() in {"y", "yes"}

    async def confirm_word(self, question: str, word: str) -> bool:
        """Ask for a word to be typed, in any case, as a consent that nobody gives by mistake; see `confirm`."""
        return (await self._consent(question)).casefold() == word.casefold()

    async def _consent(self, question: str) -> str:
        if not self.can_ask:
            self.error(f"{question.removesuffix(' [y/N]')} Add --yes, since there is no terminal to ask on")
            return ""
        return (await self.ask(question)).strip()

    async def ask(self, question: str, *, hidden: bool = False) -> str:
        """Return the line that somebody types, what is `hidden` without showing it; empty at the end of input."""
        import asyncio

        self._say(_render((Styled(question, "strong"), " "), self.err_coloured))
        # The loop waits for the line, since a read that blocks it would keep Ctrl-C waiting too.
        loop, typed = asyncio.get_running_loop(), asyncio.Event()
        with _echo_off() if hidden else nullcontext():
            loop.add_reader(sys.stdin, typed.set)
            try:
                await typed.wait()
            finally:
                loop.remove_reader(sys.stdin)
                if hidden:  # the new line was not shown either
                    self._say("\n")
            return sys.stdin.readline().rstrip("\r\n")

    def clear(self) -> None:
        """Begin at the top of an empty terminal; on a pipe nothing happens."""
        if self.out_is_terminal and self.full_terminal:
            self._put("\x1b[H\x1b[2J")

    def tell(self, *parts: str | Styled, end: str = "\n") -> None:
        """Write beside the result: sources, summaries, hints. Says nothing in quiet runs."""
        if not self.quiet:
            self._say(_render(parts, self.err_coloured) + end)

    def complain(self, *parts: str | Styled) -> None:
        """Write a line about something that went wrong, also in quiet runs."""
        self._say(_render(parts, self.err_coloured) + "\n")

    def error(self, message: str) -> None:
        """Write one line that says what is wrong."""
        self.complain(Styled("error: ", "bad"), clean_line(message))

    def flush(self) -> None:
        """Give everything to whoever reads."""
        self._put("")

    def _put(self, text: str) -> None:
        with self._guarded():
            self._out.write(text)
            self._out.flush()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Translate what goes wrong in writing; nothing is written to this stream any more then."""
        try:
            yield
        except OSError as error:
            let_go(self._out)
            if isinstance(error, BrokenPipeError):
                raise ReaderGone from error
            raise OutputFailed(f"standard output cannot be written to: {error.strerror}") from error

    def _say(self, text: str) -> None:
        try:
            self._err.write(text)
            self._err.flush()
        except OSError:  # Nobody listens, or the disk behind it is full: the result and the exit code still count.
            let_go(self._err)


@contextmanager
def _echo_off() -> Iterator[None]:
    """Let the terminal show nothing of what is typed, for as long as a block lasts."""
    import termios

    before = termios.tcgetattr(sys.stdin)
    silent = before[:]
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def standard_console() -> Console:
    """Return the console of this process; characters that its encoding lacks are replaced."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    return Console(sys.stdout or _nowhere(), sys.stderr or _nowhere(), os.environ)


def let_go(stream: TextIO) -> None:
    """Point a stream that cannot be written to nowhere, so that Python's last flush at exit has no complaint."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # Started with the stream closed (`>&-`).


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:
        return False


def _is_unicode(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") == "utf8"


def _render(parts: tuple[str | Styled, ...], coloured: bool) -> str:
    return "".join(_piece(part, coloured) for part in parts)


def _piece(part: str | Styled, coloured: bool) -> str:
    if isinstance(part, Styled):
        text = clean(part.text)
        return f"\x1b[{_STYLES[part.style]}m{text}\x1b[0m" if coloured and text else text
    return clean(part)


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]
