"""JSON: each value on a line with the path to it, each record a paragraph."""

import json
from collections.abc import Iterator
from typing import Any

from multidb_chat.adapters.readers.drafting import Draft, finished
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.domain.reading import ParsedDocument


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the document."""
    try:
        value = json.loads(source.text)
    except ValueError as error:
        raise Refusal(f"broken: {error}") from None
    draft = Draft()
    _add(draft, value, "")
    title = value.get("title") or value.get("name") if isinstance(value, dict) else ""
    yield finished(source, "json", draft.text, draft.blocks, title=title if isinstance(title, str) else "")


def _add(draft: Draft, value: Any, path: str) -> None:
    """Append a value: the plain members of an object together, then what is nested in it; a list item by item."""
    if isinstance(value, dict):
        nested = {key: item for key, item in value.items() if _is_nested(item)}
        plain = (
            f"{_path(path, key)}: {_shown(item)}"
            for key, item in value.items()
            if key not in nested and item is not None
        )
        draft.add("\n".join(plain))
        for key, item in nested.items():
            _add(draft, item, _path(path, key))
    elif isinstance(value, list):
        _add_list(draft, value, path)
    elif value is not None:
        draft.add(f"{path}: {_shown(value)}" if path else _shown(value))


def _add_list(draft: Draft, items: list[Any], path: str) -> None:
    if not any(isinstance(item, dict | list) for item in items):
        draft.add((f"{path}: " if path else "") + ", ".join(_shown(item) for item in items if item is not None), "list")
        return
    for number, item in enumerate(items, start=1):
        if isinstance(item, dict):
            draft.add("\n".join(_lines(item, path)))
        else:
            _add(draft, item, f"{path}[{number}]")


def _lines(value: Any, path: str) -> Iterator[str]:
    """Yield the lines of one record with everything in it, however deep, so that it stays together."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _lines(item, _path(path, key))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for item in value:
            yield from _lines(item, path)
    elif isinstance(value, list):
        yield f"{path}: {', '.join(map(_shown, value))}"
    elif value is not None and value != "":
        yield f"{path}: {_shown(value)}"


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict | list) for item in value))


def _path(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
