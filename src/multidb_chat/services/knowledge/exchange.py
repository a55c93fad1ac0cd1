"""Entries as CSV and JSON, out and in. What is written can be read again; what cannot be read is named by its line."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from multidb_chat.domain.conversations import KnowledgeEntry
from multidb_chat.domain.errors import InvalidInput
from multidb_chat.domain.text import clean, clean_line, normalise_question
from multidb_chat.services.wording import counted

Form = Literal["csv", "json"]
LONGEST_QUESTION = 1_000
LONGEST_ANSWER = 20_000
LONGEST_CATEGORY = 60
_LONGEST_ID = 64
_READ = ("question", "answer", "category", "id")
_WRITTEN = (*_READ, "version", "updated_at", "uses")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry with how often it was used."""

    entry: KnowledgeEntry
    uses: int


@dataclass(frozen=True, slots=True)
class Row:
    """What a file says of one entry. `place` is where: `line 7` of CSV, `entry 3` of JSON. `id` may be empty."""

    place: str
    question: str
    answer: str
    category: str = ""
    id: str = ""

    @property
    def key(self) -> str:
        """The normal form of the question."""
        return normalise_question(self.question)


def checked(place: str, question: str, answer: str, category: str = "", entry_id: str = "") -> Row:
    """Return what was given as a row, made clean. Raises `InvalidInput` that says what is wrong with it."""
    row = Row(place, clean_line(question), clean(answer).strip(), clean_line(category), clean_line(entry_id))
    where = f"{place}: " if place else ""
    if not any(character.isalnum() for character in row.key):
        raise InvalidInput(f"{where}the question is empty")
    if not row.answer:
        raise InvalidInput(f"{where}the answer is empty")
    for name, text, most in (
        ("question", row.question, LONGEST_QUESTION),
        ("answer", row.answer, LONGEST_ANSWER),
        ("category", row.category, LONGEST_CATEGORY),
        ("id", row.id, _LONGEST_ID),
    ):
        if len(text) > most:
            raise InvalidInput(f"{where}the {name} has {len(text):,} characters; {most:,} are allowed")
    return row


def read(content: bytes, form: Form) -> list[Row]:
    """Return the rows of a file. Raises `InvalidInput` that names every bad one."""
    text = _text(content)
    rows: list[Row] = []
    problems: list[str] = []
    first: dict[str, str] = {}
    for place, fields in _from_csv(text) if form == "csv" else _from_json(text):
        try:
            row = _row(place, fields)
            if (known := first.setdefault(row.key, place)) != place:
                raise InvalidInput(f"{place}: the same question as {known}")
            rows.append(row)
        except InvalidInput as error:
            problems.append(str(error))
    if problems:
        more = f" (and {len(problems) - _SHOWN} more)" if len(problems) > _SHOWN else ""
        raise InvalidInput(f"nothing was imported: {'; '.join(problems[:_SHOWN])}{more}")
    return rows


def written(entries: Sequence[Listed], form: Form) -> str:
    """Return the entries as the text of a file."""
    records = [record(one) for one in entries]
    if form == "json":
        return json.dumps({"entries": records}, ensure_ascii=False, indent=2) + "\n"
    out = io.StringIO()
    table = csv.DictWriter(out, _WRITTEN, lineterminator="\n")
    table.writeheader()
    table.writerows(records)
    return out.getvalue()


def record(listed: Listed) -> dict[str, Any]:
    """Return an entry as plain values; the time is ISO 8601 in UTC."""
    entry = listed.entry
    return {
        "question": entry.question,
        "answer": entry.answer,
        "category": entry.category,
        "id": entry.id,
        "version": entry.version,
        "updated_at": entry.updated_at.isoformat(),
        "uses": listed.uses,
    }


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"line {line}: this is not UTF-8 text") from error


def _row(place: str, fields: object) -> Row:
    """Return a row of what was read at a place: its fields, or a text that says why there are none."""
    if not isinstance(fields, dict):
        raise InvalidInput(f"{place}: {fields if isinstance(fields, str) else 'this is no entry'}")
    for name in _READ:
        if not isinstance(fields.get(name, ""), str):
            raise InvalidInput(f"{place}: {name} is not a text")
    question, answer, category, entry_id = (str(fields.get(name, "")) for name in _READ)
    return checked(place, question, answer, category, entry_id)


def _from_csv(text: str) -> Iterator[tuple[str, dict[str, str] | str]]:
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        header = [clean_line(name).casefold() for name in next(table, [])]
        _check_header(header)
        line = table.line_num + 1
        for cells in table:
            if len(cells) == len(header):
                yield f"line {line}", dict(zip(header, cells, strict=True))
            elif cells:
                yield f"line {line}", f"{counted(len(cells), 'cell')}, the first line has {len(header)}"
            line = table.line_num + 1
    except csv.Error as error:
        raise InvalidInput(f"line {line}: this is not CSV: {clean_line(str(error))}") from error


def _check_header(header: Sequence[str]) -> None:
    if missing := [name for name in ("question", "answer") if name not in header]:
        raise InvalidInput(f"line 1: there is no column {' and no column '.join(missing)}; the first line names them")
    if unknown := [name for name in header if name not in _WRITTEN]:
        raise InvalidInput(f"line 1: there is no such column as {unknown[0]!r}; known are {', '.join(_WRITTEN)}")
    if len(set(header)) < len(header):
        raise InvalidInput("line 1: a column is named twice")


def _from_json(text: str) -> Iterator[tuple[str, object]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise InvalidInput(f"line {line}: this is not JSON: {clean_line(str(getattr(error, 'msg', error)))}") from error
    entries = data.get("entries") if isinstance(data, dict) else data
    if not isinstance(entries, list):
        raise InvalidInput('this is neither a list of entries nor {"entries": [...]}')
    for number, fields in enumerate(entries, 1):
        yield f"entry {number}", None if isinstance(fields, str) else fields
