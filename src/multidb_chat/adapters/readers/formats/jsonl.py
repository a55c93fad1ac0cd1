"""JSON Lines: one document a line, read line by line so that the file's length does not matter."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from multidb_chat.adapters.readers.dates import moment
from multidb_chat.adapters.readers.decoding import normal
from multidb_chat.adapters.readers.drafting import covering, finished
from multidb_chat.adapters.readers.formats.text import text_blocks
from multidb_chat.adapters.readers.languages import UNDETERMINED, language_of
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.domain.reading import Block, ParsedDocument, Unreadable

_ID_KEYS = ("id", "_id", "doc_id")
_TEXT_KEYS = ("text", "content", "body", "contents")
_DATE_KEYS = ("date", "published", "created_at", "created", "timestamp")
_SAMPLE_LINES = 20
# A file that has given so many bad lines and not one good line is no JSON Lines.
_HOPELESS = 100


def read(source: Source) -> Iterator[ParsedDocument | Unreadable]:
    """Yield a document a line: `id`, `title` and `text` as they are, other keys as metadata.

    A line without a text gives its values as text; a line that is no JSON object or string is `Unreadable`.
    """
    language, good = _language(source), 0
    for number, line in enumerate(source.lines(), start=1):
        if not line.strip() or line == b"\xef\xbb\xbf":
            continue
        try:
            yield _document(source, _record(line), number, language)
            good += 1
        except Refusal as refusal:
            if not good and number >= _HOPELESS:
                raise Refusal("broken: not JSON Lines") from None
            yield Unreadable(f"line {number}", str(refusal))


def _record(line: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except RecursionError:
        raise Refusal("broken: nested too deeply") from None
    except ValueError:
        raise Refusal("broken: not JSON") from None
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise Refusal("broken: not a JSON object")
    return value


def _document(source: Source, record: Mapping[str, Any], number: int, language: str) -> ParsedDocument:
    rest = dict(record)
    name = _taken(rest, _ID_KEYS) or f"line {number}"
    title = _taken(rest, ("title",))
    text = _taken(rest, _TEXT_KEYS) or _values(record)
    blocks = _blocks(text)
    stated = _taken(rest, ("language", "lang"))
    date = next((found for key in _DATE_KEYS if (found := moment(rest.get(key)))), None)
    line = Source(_identifier(name), source.file, 0)
    metadata = {key: value if isinstance(value, str) else _compact(value) for key, value in rest.items()}
    return finished(
        line,
        "jsonl",
        text,
        blocks,
        title=title,
        language=stated or language or UNDETERMINED,
        authored_at=date,
        metadata=metadata,
    )


def _blocks(text: str) -> tuple[Block, ...]:
    # Most records are one paragraph: nothing to look for then.
    if "\n" not in text:
        return covering(text, ())
    return covering(text, text_blocks(text))


def _taken(record: dict[str, Any], keys: tuple[str, ...]) -> str:
    """Remove and return the first of these keys that holds a text or number; "" when there is none."""
    for key in keys:
        value = record.get(key)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            del record[key]
            return normal(str(value))
    return ""


def _values(record: Mapping[str, Any]) -> str:
    return normal(
        "\n".join(f"{key}: {_compact(value)}" for key, value in record.items() if value not in (None, "", [], {}))
    )


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _identifier(name: str) -> str:
    return " ".join(name.split())[:500]


def _language(source: Source) -> str:
    """Return the language of the first lines: telling it for every line would cost more than reading it."""
    texts = []
    for line in islice(source.lines(), _SAMPLE_LINES):
        try:
            texts.append(_taken(dict(_record(line)), _TEXT_KEYS)[:500])
        except Refusal:
            continue
    return language_of("\n".join(texts))
