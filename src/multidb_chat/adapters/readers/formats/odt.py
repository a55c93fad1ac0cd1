"""OpenDocument texts, tables and presentations: headings, paragraphs, lists and tables of the content part."""

from collections.abc import Iterator
from typing import Any

from multidb_chat.adapters.readers.dates import moment
from multidb_chat.adapters.readers.drafting import Draft, finished
from multidb_chat.adapters.readers.packages import opened
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.adapters.readers.tables import add_table
from multidb_chat.domain.reading import ParsedDocument

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_MANIFEST = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}"
_WHITE = {_TEXT + "s": " ", _TEXT + "tab": "\t", _TEXT + "line-break": "\n"}


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the document; tracked deletions are left out."""
    with opened(source) as package:
        manifest = package.xml("META-INF/manifest.xml")
        if manifest is not None and next(manifest.iter(_MANIFEST + "encryption-data"), None) is not None:
            raise Refusal("needs a password")
        root, meta = package.xml("content.xml"), package.xml("meta.xml")
    if root is None:
        raise Refusal("broken: no content in it")
    draft = Draft()
    _add(draft, root)
    facts = {name: "" if meta is None else meta.findtext(f".//{name}") or "" for name in _facts()}
    yield finished(
        source,
        "odt",
        draft.text,
        draft.blocks,
        title=facts[_DC + "title"],
        language=facts[_DC + "language"],
        authored_at=moment(facts[_META + "creation-date"]) or moment(facts[_DC + "date"]),
        metadata={"author": facts[_DC + "creator"], "subject": facts[_DC + "subject"]},
    )


def _facts() -> tuple[str, ...]:
    return (_DC + "title", _DC + "language", _DC + "date", _DC + "creator", _DC + "subject", _META + "creation-date")


def _add(draft: Draft, root: Any) -> None:
    from lxml import etree

    walk: Any = etree.iterwalk(root, events=("start",))
    for _, element in walk:
        tag = element.tag
        if tag == _TEXT + "tracked-changes":
            walk.skip_subtree()
        elif tag == _TEXT + "h":
            level = element.get(_TEXT + "outline-level", "1")
            draft.add(_shown(element), "heading", level=min(6, int(level)) if level.isdigit() and int(level) else 1)
            walk.skip_subtree()
        elif tag == _TEXT + "p":
            draft.add(_shown(element))
            walk.skip_subtree()
        elif tag == _TEXT + "list":
            draft.add("\n".join(f"- {_shown(p)}" for p in element.iter(_TEXT + "p", _TEXT + "h")), "list")
            walk.skip_subtree()
        elif tag == _TABLE + "table":
            add_table(draft, ([_cell(cell) for cell in row] for row in element.iter(_TABLE + "table-row")))
            walk.skip_subtree()


def _cell(cell: Any) -> str:
    return "\n".join(_shown(p) for p in cell.iter(_TEXT + "p"))


def _shown(element: Any) -> str:
    parts = [element.text or ""]
    for item in element.iterdescendants("*"):
        parts.append(_WHITE.get(item.tag, "") or item.text or "")
        parts.append(item.tail or "")
    return "".join(parts).strip()
