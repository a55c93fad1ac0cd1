"""XML: feeds with their entries as sections, other vocabularies element by element."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from multidb_chat.adapters.readers.dates import moment
from multidb_chat.adapters.readers.drafting import Draft, finished
from multidb_chat.adapters.readers.formats.html import parsed
from multidb_chat.adapters.readers.formats.html_blocks import add_blocks
from multidb_chat.adapters.readers.packages import parse_xml
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.domain.reading import ParsedDocument

if TYPE_CHECKING:
    from lxml.etree import _Element

_FEEDS = {"rss", "feed", "RDF"}
_DATES = ("pubDate", "published", "updated", "date", "lastBuildDate")
_BODIES = ("encoded", "content", "description", "summary")
_MARKUP = re.compile(r"<[a-zA-Z!/]")


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the document."""
    root = parse_xml(source.data)
    draft = Draft()
    if _name(root) in _FEEDS and (entries := list(root.iter("{*}item", "{*}entry"))):
        yield _feed(source, root, entries, draft)
        return
    _add_elements(draft, root)
    if not draft.blocks:
        raise Refusal("empty")
    yield finished(source, "xml", draft.text, draft.blocks, title=_child(root, "title"))


def _feed(source: Source, root: "_Element", entries: "list[_Element]", draft: Draft) -> ParsedDocument:
    channel = root.find("{*}channel")
    channel = root if channel is None else channel
    title = _child(channel, "title")
    draft.add(title, "heading", level=1)
    _add_markup(draft, _child(channel, "description") or _child(channel, "subtitle"))
    for entry in entries:
        _add_entry(draft, entry)
    return finished(
        source,
        "feed",
        draft.text,
        draft.blocks,
        title=title,
        language=_child(channel, "language") or root.get("{http://www.w3.org/XML/1998/namespace}lang", ""),
        authored_at=_date(channel),
        metadata={"link": _child(channel, "link")},
    )


def _add_entry(draft: Draft, entry: "_Element") -> None:
    draft.add(" ".join(_child(entry, "title").split()), "heading", level=2)
    date = _date(entry)
    author = _child(entry, "creator") or _child(entry, "author")
    facts = [date.date().isoformat() if date else "", author, _child(entry, "link")]
    draft.add("\n".join(" ".join(fact.split()) for fact in facts if fact))
    _add_markup(draft, next((text for name in _BODIES if (text := _child(entry, name))), ""))


def _add_markup(draft: Draft, text: str) -> None:
    if not _MARKUP.search(text):
        draft.add(text)
    elif text.strip():
        add_blocks(draft, parsed(text), deeper=2)


def _date(element: "_Element") -> Any:
    return next((found for name in _DATES if (found := moment(_child(element, name)))), None)


def _child(element: "_Element", name: str) -> str:
    """Return the text in the first child of this name, whatever its namespace."""
    found: Any = element.find("{*}" + name)
    return "".join(found.itertext()).strip() if found is not None else ""


def _name(element: "_Element") -> str:
    return str(element.tag).rpartition("}")[2]


def _add_elements(draft: Draft, root: Any) -> None:
    """Append a paragraph for each element that has text of its own, with all that is in it."""
    from lxml import etree

    walk: Any = etree.iterwalk(root, events=("start",))
    for _, element in walk:
        if not isinstance(element.tag, str):
            continue
        if _has_text(element):
            draft.add(" ".join("".join(element.itertext("*")).split()))
            walk.skip_subtree()


def _has_text(element: Any) -> bool:
    tails = (child.tail for child in element)
    return any(text and text.strip() for text in (element.text, *tails))
