"""Paths as people type, paste and drop them: quoted, with escaped spaces, as file:// addresses; and their completion.

A terminal pastes the path of a file that is dropped on it; each terminal quotes it in its own way.
"""

import os
import re
import shlex
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

_LONGEST = 65_536
_NOT_PLAIN = re.compile(r"([^\w@%+=:,./~-])", re.ASCII)
_ADDRESS = ("http://", "https://")


def inputs_in(text: str) -> list[str]:
    """Return the paths, patterns and addresses in a text as a shell would split it; one that is no such text is whole.

    Every line stands for itself, and file:// addresses become paths.
    """
    found: list[str] = []
    for line in text.splitlines():
        try:
            found += [_path_of(word) for word in shlex.split(line)]
        except ValueError:  # a quote that is not closed, as in a name with an apostrophe
            found.append(_path_of(line.strip()))
    return [one for one in found if one]


def dropped_paths(text: str, exists: Callable[[str], bool] = os.path.lexists) -> list[str]:
    """Return the paths that a pasted text consists of; none when it is anything else. Looks at the disk.

    Only full paths count (`/`, `~/`, `file://`), and all of them must exist: a text about `/etc/hosts` is a text.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST or not _begins_as_path(text.lstrip("'\"")):
        return []
    raw = [line.strip() for line in text.splitlines() if line.strip()]
    for paths in (inputs_in(text), [_path_of(line) for line in raw]):  # the second: spaces that nobody quoted
        if paths and all(_begins_as_path(path) and exists(os.path.expanduser(path)) for path in paths):
            return paths
    return []


def _begins_as_path(text: str) -> bool:
    return text.startswith(("/", "~/", "file://"))


def _path_of(word: str) -> str:
    if not word.lower().startswith("file://"):
        return word
    parts = urlsplit(word)
    return unquote(parts.path) if parts.netloc in ("", "localhost") else word


def quoted(path: str) -> str:
    """Return a path as it can be typed into the field: what would part or change it gets a backslash."""
    return _NOT_PLAIN.sub(r"\\\1", path) if "\n" not in path else shlex.quote(path)


class Typing(NamedTuple):
    """The text in front of the path that is being typed, and that path."""

    before: str
    path: str


def being_typed(text: str) -> Typing:
    """Return the last path of a text that is not ended yet."""
    start = at = 0
    quote = ""
    path: list[str] = []
    while at < len(text):
        character = text[at]
        if quote:
            if character == quote:
                quote = ""
            elif character == "\\" and quote == '"' and at + 1 < len(text):
                at += 1
                path.append(text[at])
            else:
                path.append(character)
        elif character in "'\"":
            quote = character
        elif character == "\\" and at + 1 < len(text):
            at += 1
            path.append(text[at])
        elif character.isspace():
            start, path = at + 1, []
        else:
            path.append(character)
        at += 1
    return Typing(text[:start], "".join(path))


def completions(path: str, limit: int = 200) -> list[str]:
    """Return the files and folders whose paths begin with `path`, folders with a `/` behind. Blocks on the disk.

    Hidden ones are offered when a dot is typed, names in another case where there is none in this one.
    """
    if path.startswith(_ADDRESS):
        return []
    if path == "~":
        return ["~/"]
    folder, _, start = path.rpartition("/")
    top = folder + "/" if folder or path.startswith("/") else ""
    try:
        with os.scandir(os.path.expanduser(top) or ".") as entries:
            names = [entry.name + ("/" if _is_folder(entry) else "") for entry in entries]
    except (OSError, ValueError):
        return []
    seen = [name for name in names if start.startswith(".") or not name.startswith(".")]
    fitting = [name for name in seen if name.startswith(start)] or [
        name for name in seen if name.casefold().startswith(start.casefold())
    ]
    return [top + name for name in sorted(fitting, key=lambda name: (name.casefold(), name))[:limit]]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def common_start(paths: list[str]) -> str:
    """Return the characters that all of these begin with, as a shell completes them."""
    return os.path.commonprefix(paths)  # noqa: RUF071 - characters are meant, not whole names
