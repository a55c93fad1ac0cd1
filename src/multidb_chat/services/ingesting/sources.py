"""What can be ingested, and finding it: files, folders, patterns, given bytes, URLs."""

import fnmatch
import glob
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from multidb_chat.domain.errors import InvalidInput, UnreadableDocument
from multidb_chat.services.ingesting.events import Failure

# Folders of programs, not of documents. A virtual environment is known by its `pyvenv.cfg`, hidden ones by their dot.
_NOT_DOCUMENTS = frozenset(("__pycache__", "node_modules", "CVS", "__MACOSX"))


@dataclass(frozen=True, slots=True)
class Given:
    """Bytes from elsewhere (standard input) under a name, which is their source: the same name again replaces them."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Source:
    """One file, URL or given text. `key` is what the library knows it by: absolute path, URL or given name.

    A file has a `path`, a given text `data`, a URL neither. File names that are not UTF-8 keep their bytes as lone
    surrogates (PEP 383), which the library stores as they are.
    """

    key: str
    name: str
    size_bytes: int = 0
    path: str | None = None
    data: bytes | None = field(default=None, repr=False)


# As a path it would be told with the current folder in front, as a file that nobody asked for.
_OTHER_URL = re.compile("[a-zA-Z][a-zA-Z0-9+.-]*://")

# Text is an http(s) URL, a path (`~` allowed), or a pattern with `*`, `?`, `[` or `**` when there is no such path. A
# source is what was found earlier.
Input = Path | str | Given | Source


def discover(inputs: Sequence[Input]) -> Iterator[Source | Failure]:
    """Yield each source once, folders recursively in order of name, and what cannot be looked into. Blocks on the disk.

    In folders, hidden entries, virtual environments and the like are skipped, and what is neither file nor folder.
    Links are followed; no folder is visited twice, so loops end.
    """
    seen: set[str] = set()
    visited: set[tuple[int, int]] = set()
    for one in inputs:
        for found in _of_input(one, visited):
            key = found.key if isinstance(found, Source) else f"\x00{found.source}"
            if key not in seen:
                seen.add(key)
                yield found


def absolute(path: Path | str) -> str:
    """Return the absolute path without `..` that names a file's source; links are left as they are."""
    return os.path.abspath(os.path.expanduser(path))


def reason_of(error: Exception) -> str:
    """Return why a source cannot be read, in a few stable words."""
    if isinstance(error, UnreadableDocument):
        return error.reason
    if isinstance(error, InvalidInput):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    if isinstance(error, PermissionError):
        return "no permission"
    return (getattr(error, "strerror", None) or str(error)).lower()


def _of_input(one: Input, visited: set[tuple[int, int]]) -> Iterator[Source | Failure]:
    if isinstance(one, Given):
        yield Source(one.name, os.path.basename(one.name) or one.name, len(one.data), data=one.data)
        return
    if isinstance(one, Source):
        yield one
        return
    if isinstance(one, str) and one.lower().startswith(("http://", "https://")):
        yield Source(one, one)
        return
    top = absolute(one)
    if isinstance(one, str) and _OTHER_URL.match(one) and not os.path.lexists(top):
        yield Failure(one, "only http:// and https:// are fetched")
        return
    if isinstance(one, str) and glob.has_magic(one) and not os.path.lexists(top):
        yield from _matching(top, visited)
    else:
        yield from _under(top, visited)


def _matching(pattern: str, visited: set[tuple[int, int]]) -> Iterator[Source | Failure]:
    """Yield what a pattern stands for. `**` stands for files only, found by walking: links may make endless paths."""
    matches: Iterator[Source | Failure]
    if "**" in pattern.split(os.sep):
        matches = _files_matching(pattern)
    else:
        matches = (found for path in sorted(glob.iglob(pattern)) for found in _under(path, visited))
    empty = True
    for found in matches:
        empty = False
        yield found
    if empty:
        yield Failure(pattern, "no file matches")


def _files_matching(pattern: str) -> Iterator[Source]:
    parts = pattern.split(os.sep)
    fixed = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    for found in _under(os.sep.join(parts[:fixed]) or os.sep, set()):
        if isinstance(found, Source) and _fits(found.key.split(os.sep)[fixed:], parts[fixed:]):
            yield found


def _fits(names: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not names
    if pattern[0] == "**":
        return any(_fits(names[skipped:], pattern[1:]) for skipped in range(len(names) + 1))
    return bool(names) and fnmatch.fnmatchcase(names[0], pattern[0]) and _fits(names[1:], pattern[1:])


def _under(top: str, visited: set[tuple[int, int]]) -> Iterator[Source | Failure]:
    """Yield a file, or what is in a folder; a stack instead of recursion, since folders may be nested very deep."""
    stack = [top]
    while stack:
        path = stack.pop()
        try:
            status = os.stat(path)
            if stat.S_ISDIR(status.st_mode):
                stack.extend(_entries(path, status, visited, path == top))
            elif stat.S_ISREG(status.st_mode):
                yield Source(path, os.path.basename(path), status.st_size, path)
            elif path == top:
                yield Failure(path, "it is neither a file nor a folder")
        except (OSError, ValueError) as error:  # ValueError: a NUL in a path
            yield Failure(path, reason_of(error))


def _entries(folder: str, status: os.stat_result, visited: set[tuple[int, int]], is_top: bool) -> list[str]:
    """Return the paths in a folder that was not visited yet, the last name first."""
    place = (status.st_dev, status.st_ino)
    if place in visited:
        return []
    visited.add(place)
    names = sorted(os.listdir(folder), reverse=True)
    if "pyvenv.cfg" in names and not is_top:
        return []
    return [os.path.join(folder, name) for name in names if not name.startswith(".") and name not in _NOT_DOCUMENTS]
