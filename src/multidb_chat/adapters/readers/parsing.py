"""A source to its documents: the format's module does the work, everything it may raise becomes a reason."""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from multidb_chat.adapters.readers.detecting import format_of
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.domain.reading import ParsedDocument, Unreadable
from multidb_chat.domain.text import clean_line

Read = Callable[[Source], Iterator[ParsedDocument | Unreadable]]


def documents(source: Source) -> Iterator[ParsedDocument | Unreadable]:
    """Yield the documents of a source, each name once, and the parts that gave none.

    Raises `Refusal` when there is not one document.
    """
    names: set[str] = set()
    reasons: set[str] = set()
    found = False
    for part in _translated(source):
        part = replace(part, name=_printable(part.name))
        if part.name in names:
            yield Unreadable(part.name, "another part has the same name")
            continue
        names.add(part.name)
        if isinstance(part, Unreadable):
            reasons.add(part.reason)
        else:
            found = True
        yield part
    if not found:
        raise Refusal(_nothing(reasons))


def _nothing(reasons: set[str]) -> str:
    """Return why a source gave no document; a reason that all its parts share is the one."""
    if not reasons:
        return "empty"
    shared = f": {next(iter(reasons))}" if len(reasons) == 1 else ""
    return f"nothing in it could be read{shared}"


def members(source: Source) -> Iterator[ParsedDocument | Unreadable]:
    """Yield the documents of a source inside another; its refusal is an unreadable part of the whole."""
    try:
        yield from _translated(source)
    except Refusal as refusal:
        yield Unreadable(source.name, str(refusal))


def _translated(source: Source) -> Iterator[ParsedDocument | Unreadable]:
    """Yield what the format's module yields, translating whatever else it raises into a `Refusal`."""
    try:
        yield from _reader(format_of(source))(source)
    except (Refusal, MemoryError, GeneratorExit):
        raise
    except RecursionError:
        raise Refusal("broken: nested too deeply") from None
    # Parsers of damaged or hostile files raise anything at all, from AttributeError to their own trees.
    except Exception as error:
        raise Refusal(f"broken: {clean_line(str(error))[:200] or type(error).__name__}") from error


def _reader(name: str) -> Read:
    module = importlib.import_module(f"multidb_chat.adapters.readers.formats.{name}")
    read: Read = module.read
    return read


def _printable(name: str) -> str:
    """Return a name without NUL and half characters, which file systems and archives may give and no store takes."""
    return name.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
