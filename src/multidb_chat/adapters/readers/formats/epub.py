"""EPUB: the chapters in reading order, each one's headings as in the book."""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from multidb_chat.adapters.readers.dates import moment
from multidb_chat.adapters.readers.drafting import Draft, finished
from multidb_chat.adapters.readers.formats.html import html_text, parsed
from multidb_chat.adapters.readers.formats.html_blocks import add_blocks
from multidb_chat.adapters.readers.packages import Package, opened
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.domain.reading import ParsedDocument

if TYPE_CHECKING:
    from lxml.etree import _Element

_DC = "{http://purl.org/dc/elements/1.1/}"
_OPF = "{http://www.idpf.org/2007/opf}"
_PAGES = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml"}


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the book."""
    with opened(source) as package:
        if "META-INF/encryption.xml" in package.names and "META-INF/rights.xml" in package.names:
            raise Refusal("needs a password")
        folder, root = _contents(package)
        draft = Draft()
        for name in _spine(package, folder, root):
            page = Source.of(name, package.read(name), source)
            add_blocks(draft, parsed(html_text(page)))
    facts = {name: (root.findtext(f".//{_DC}{name}") or "").strip() for name in ("title", "language", "date")}
    yield finished(
        source,
        "epub",
        draft.text,
        draft.blocks,
        title=facts["title"],
        language=facts["language"],
        authored_at=moment(facts["date"]),
        metadata={
            "author": ", ".join(item.text.strip() for item in root.iter(_DC + "creator") if item.text),
            "publisher": root.findtext(f".//{_DC}publisher"),
            "description": root.findtext(f".//{_DC}description"),
        },
    )


def _contents(package: Package) -> "tuple[str, _Element]":
    """Return the folder and the root of the package document, which lists what the book holds."""
    container = package.xml("META-INF/container.xml")
    for item in () if container is None else container.iter("{*}rootfile"):
        name = item.get("full-path", "")
        root = package.xml(name)
        if root is not None:
            return posixpath.dirname(name), root
    raise Refusal("broken: no list of contents")


def _spine(package: Package, folder: str, root: "_Element") -> Iterator[str]:
    items = {item.get("id"): item for item in root.iter(_OPF + "item")}
    for reference in root.iter(_OPF + "itemref"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in _PAGES or "nav" in item.get("properties", "").split():
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        if name in package.names:
            yield name
