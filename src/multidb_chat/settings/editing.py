"""One setting of a configuration file changed, everything else left as it was written: comments, order, line ends.

The edit is made line by line and believed only when the result, read again, says what it should.
"""

import re
from typing import Any

from multidb_chat.domain.errors import InvalidSetting
from multidb_chat.settings.sources import key_lines

# A value on one line: a basic string, a literal string, or anything without spaces, commas and comments.
_VALUE = r"""^(?P<front>[^=]*=\s*)(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s#,]+)(?P<rest>\s*(?:#.*)?)$"""
_ANY_HEADER = re.compile(r"^\s*\[")


def with_setting(text: str, section: str, key: str, value: str) -> str:
    """Return the text with `key = value` (in TOML's notation) in the section, replaced or added.

    Raises `InvalidSetting` when the file is written in a way that cannot be changed line by line.
    """
    lines = _lines(text)
    at = key_lines(text)
    if line := at.get((section, key)):
        lines[line - 1] = _replaced(lines[line - 1], value)
    else:
        _add(lines, at, section, f"{key} = {value}", _line_end(text))
    return _checked(text, "".join(lines), section, key, value)


def without_setting(text: str, section: str, key: str) -> str:
    """Return the text without the key. Raises `InvalidSetting` as `with_setting` does."""
    line = key_lines(text).get((section, key))
    lines = _lines(text)
    if line:
        del lines[line - 1]
    return _checked(text, "".join(lines), section, key, None)


def _lines(text: str) -> list[str]:
    """Return the lines with their ends. `splitlines` would also split at characters that end no line in TOML."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _replaced(line: str, value: str) -> str:
    body = line.rstrip("\r\n")
    found = re.match(_VALUE, body)
    return f"{found['front']}{value}{found['rest']}{line[len(body) :]}" if found else line


def _add(lines: list[str], at: dict[tuple[str, ...], int], section: str, line: str, end: str) -> None:
    """Put the line where it belongs: in its section, beside dotted keys of the section, or into a new section."""
    dotted = [place for keys, place in at.items() if keys[0] == section and len(keys) > 1]
    header = at.get((section,))
    if header and _ANY_HEADER.match(lines[header - 1]):
        place, added = _below(lines, header, line.partition(" ")[0]), [line]
    elif dotted:
        place, added = max(dotted), [f"{section}.{line}"]
    else:
        place, added = len(lines), [*([""] if lines and lines[-1].strip() else []), f"[{section}]", line]
    if place and not lines[place - 1].endswith("\n"):
        lines[place - 1] += end
    lines[place:place] = [text + end for text in added]


def _below(lines: list[str], header: int, key: str) -> int:
    """Return the line behind the key's commented-out example in the section, else behind the section's last key."""
    place = header
    for number, line in enumerate(lines[header:], header + 1):
        if _ANY_HEADER.match(line):
            break
        if re.match(rf"\s*#\s*{re.escape(key)}\s*=", line):
            return number
        if line.strip() and not line.lstrip().startswith("#"):
            place = number
    return place


def _checked(before: str, after: str, section: str, key: str, value: str | None) -> str:
    """Return the text if it says what it said before but for the key. Raises `InvalidSetting`."""
    import tomllib

    try:
        wanted: dict[str, Any] = tomllib.loads(before)
        table = wanted.setdefault(section, {})
        table.pop(key, None)
        if value is not None:
            table[key] = tomllib.loads(f"value = {value}")["value"]
        if _told(tomllib.loads(after)) == _told(wanted):
            return after
    except (tomllib.TOMLDecodeError, AttributeError):
        pass
    line = f"{section}.{key}" + ("" if value is None else f" = {value}")
    what = "take away" if value is None else "write"
    raise InvalidSetting(f"the file is written in a way that cannot be changed from here; {what} {line} yourself")


def _told(table: dict[str, Any]) -> dict[str, Any]:
    """Return what a file says: an empty section says nothing. NaN, which no setting may be, equals nothing."""
    return {name: value for name, value in table.items() if value != {}}
