"""Where values come from: the lines of a TOML file, the environment and flags, each as raw values with their origin."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from multidb_chat.domain.errors import InvalidSetting
from multidb_chat.domain.text import clean_line
from multidb_chat.settings.paths import HOME_VARIABLE

PREFIX = "MULTIDB_CHAT_"
LARGEST_FILE = 1 << 20
# Texts, compiled at first use: most runs have no file to read.
_HEADER = r"""^\s*\[\s*([A-Za-z0-9_."' -]+?)\s*\]\s*(?:#.*)?$"""
_KEY = r"""^\s*([A-Za-z0-9_."' -]+?)\s*="""
_POSITION = r" \(at (?:line (\d+), column \d+|end of document)\)$"


class Raw(NamedTuple):
    """A value as it was found. `path` is its section and key; `is_text`: it still has to be read as its type."""

    path: tuple[str, ...]
    value: object
    origin: str
    is_text: bool = False


def from_file(path: Path, required: bool) -> Iterator[Raw]:
    """Yield what a TOML file says, with file and line. A file that is absent says nothing, unless it is `required`.

    Raises `InvalidSetting` when it cannot be read or is not TOML.
    """
    yield from from_toml(read_file(path, required), path)


def from_toml(text: str, path: Path) -> Iterator[Raw]:
    """Yield what the text of a configuration file says. Raises `InvalidSetting` when it is not TOML."""
    if not text.strip():
        return
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, lines = str(error), len(text.splitlines())
        position = re.search(_POSITION, message)
        line = int(position[1] or lines) if position else lines
        what = re.sub(_POSITION, "", message)
        raise InvalidSetting(f"file {_shown(path)}, line {line}: this is not TOML: {clean_line(what)}") from error
    lines_of = key_lines(text)
    for keys, value in leaves(table):
        line_number = lines_of.get(keys) or lines_of.get(keys[:1])
        yield Raw(keys, value, f"file {_shown(path)}" + (f" line {line_number}" if line_number else ""))


def from_environment(environ: Mapping[str, str], sections: tuple[str, ...]) -> Iterator[Raw]:
    """Yield what variables such as `MULTIDB_CHAT_SEARCH_THRESHOLD` say."""
    for name in sorted(environ):
        if name.startswith(PREFIX) and name != HOME_VARIABLE:
            words = name.removeprefix(PREFIX).lower()
            section = next((section for section in sections if words.startswith(section + "_")), "")
            path = (section, words.removeprefix(section + "_")) if section else (words,)
            yield Raw(path, environ[name], f"environment {name}", is_text=True)


def from_flags(overrides: Mapping[str, object]) -> Iterator[Raw]:
    """Yield what flags say: `section.key` with a value, or with a text that stands for one."""
    for key, value in overrides.items():
        yield Raw(tuple(key.split(".")), value, "flag", is_text=isinstance(value, str))


def _shown(path: Path) -> str:
    return clean_line(str(path))


def read_file(path: Path, required: bool) -> str:
    """Return the text of a configuration file; an absent one is empty, unless it is `required`.

    Raises `InvalidSetting` when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise InvalidSetting(f"file {_shown(path)}: this is too large for a configuration file")
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        if required:
            raise InvalidSetting(f"file {_shown(path)}: there is no such file") from None
        return ""
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InvalidSetting(f"file {_shown(path)}, line {line}: this is not UTF-8 text") from error
    except OSError as error:
        if isinstance(error, NotADirectoryError) and not required:
            return ""
        raise InvalidSetting(f"file {_shown(path)}: it cannot be read ({error.strerror})") from error


def leaves(table: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield sections' keys with their values; what is not in a section, or not a section, under its own name."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from (((name, key), inner) for key, inner in value.items())
        else:
            yield (name,), value


def key_lines(text: str) -> dict[tuple[str, ...], int]:
    """Return the line of each section and key. Reading line by line serves, since no setting spans several."""
    found: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(_HEADER, line):
            section = _parts(header[1])
            found.setdefault(section, number)
        elif key := re.match(_KEY, line):
            found.setdefault((*section, *_parts(key[1])), number)
    return found


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
