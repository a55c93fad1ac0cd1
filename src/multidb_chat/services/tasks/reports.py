"""The result of a task that makes a report: Markdown to read, figures for programs, and the citations in it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from multidb_chat.domain.text import clean_line
from multidb_chat.domain.turns import Citation
from multidb_chat.services.answering.codec import citation_from

FORMAT = 1
"""The version of this form."""
_MARKS = re.compile(r"([\\`*_\[\]<>|~])")
_BLOCK_MARK = re.compile(r"^(\d*)([#+=.)-])(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Report:
    """What `/analyze` and `/research` make. `found` is False when the documents gave nothing to report on.

    `document_id` and `collection` tell where it was saved as a document, empty when it was not.
    """

    title: str
    markdown: str
    found: bool
    data: Mapping[str, Any] = field(default_factory=dict)
    citations: tuple[Citation, ...] = ()
    document_id: str = ""
    collection: str = ""


def dumps(report: Report) -> str:
    """Return the report as JSON; lone surrogates (from file names) are escapes in it."""
    return json.dumps({"format": FORMAT, **asdict(report)}, ensure_ascii=True, separators=(",", ":"))


def loads(text: str) -> Report:
    """Return the report that `dumps` was given. Raises `ValueError` for anything else."""
    data = json.loads(text)
    try:
        if data.pop("format") != FORMAT:
            raise ValueError("a report of another version")
        cited = tuple(citation_from(item) for item in data.pop("citations"))
        return Report(**data, citations=cited)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a report: {error}") from error


def escaped(text: str) -> str:
    """Return text of a document as Markdown shows it: on one line, with nothing in it that would be markup."""
    line = _MARKS.sub(r"\\\1", clean_line(text))
    return _BLOCK_MARK.sub(r"\1\\\2", line)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], align: str = "") -> str:
    """Return a Markdown table; `align` has an `l` or an `r` for each column. The cells are Markdown."""
    rules = ["--:" if mark == "r" else "---" for mark in align.ljust(len(heads), "l")]
    lines = [heads, rules, *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
