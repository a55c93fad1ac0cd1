"""Queries and relevance judgements as evaluation campaigns write them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from multidb_chat.domain.errors import InvalidInput

Judged = Mapping[str, Mapping[str, int]]


def queries_in(path: Path) -> dict[str, str]:
    """Return the queries of a file by id: JSON Lines with `id` and `text`, or the id, a tab and the query.

    Raises `InvalidInput` with the line of what is wrong.
    """
    found: dict[str, str] = {}
    for number, line in _lines(path):
        name, text = _query(f"{path}, line {number}", line)
        if name in found:
            raise InvalidInput(f"{path}, line {number}: there is a query {name!r} already")
        found[name] = text
    if not found:
        raise InvalidInput(f"{path}: there is no query in it")
    return found


def judgements_in(path: Path) -> dict[str, dict[str, int]]:
    """Return the relevance of documents by query: lines of trec_eval (query, 0, document, relevance), or without the 0.

    Raises `InvalidInput` with the line of what is wrong.
    """
    found: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        parts = line.split()
        where = f"{path}, line {number}"
        if len(parts) not in (3, 4):
            raise InvalidInput(f"{where}: expected query, 0, document and relevance, or the same without the 0")
        try:
            relevance = int(parts[-1])
        except ValueError:
            if number == 1:  # a line of column names
                continue
            raise InvalidInput(f"{where}: {parts[-1]!r} is not a whole number") from None
        found.setdefault(parts[0], {})[parts[-2]] = max(0, relevance)
    if not found:
        raise InvalidInput(f"{path}: there is no judgement in it")
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidInput(f"{path}: it cannot be read ({reason})") from error
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def _query(where: str, line: str) -> tuple[str, str]:
    name, tab, text = line.partition("\t")
    if tab and not line.lstrip().startswith("{"):
        return name.strip(), text.strip()
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("text"), str) or "id" not in record:
        raise InvalidInput(f'{where}: expected an object with "id" and "text", or an id, a tab and the query')
    return str(record["id"]), record["text"]
