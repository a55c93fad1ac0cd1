"""What is pasted is text: an escape in it is no key, and does not end it."""

from collections.abc import Iterable

from textual._xterm_parser import XTermParser
from textual.message import Message

_ESC, _START, _END = "\x1b", "\x1b[200~", "\x1b[201~"
_TELLING = 3  # characters of a mark that was cut in two: fewer may be a key of their own, and are not waited for


class PasteParser(XTermParser):
    """Textual's parser of what a terminal sends, which reads escapes inside a bracketed paste as keys.

    Most terminals leave them out of what they send; tmux does not (`paste-buffer -p` of a coloured log): thousands of
    lines became as many keys. Here they are dropped from a paste, and the rest of them is text like the other.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._pasting = False
        self._cut = ""

    def feed(self, data: str) -> Iterable[Message]:
        """Yield the events of what was read; of none at the end of the input."""
        if not data:
            yield from super().feed("")
        elif plain := self._plain(data):
            yield from super().feed(plain)

    def _plain(self, data: str) -> str:
        """Return what was read without the escapes inside pastes; a mark that is cut in two waits for its rest."""
        parts: list[str] = []
        rest, self._cut = self._cut + data, ""
        while rest:
            mark = _END if self._pasting else _START
            before, found, rest = rest.partition(mark)
            if not found:
                least = 1 if self._pasting else _TELLING
                beginnings = (mark[:size] for size in range(len(mark) - 1, least - 1, -1))
                self._cut = next((part for part in beginnings if before.endswith(part)), "")
                before = before.removesuffix(self._cut)
            parts += (before.replace(_ESC, "") if self._pasting else before, found)
            self._pasting = self._pasting is not bool(found)
        return "".join(parts)
