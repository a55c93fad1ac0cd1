"""HTML: the main content as text with structure, without menus, scripts and what is hidden."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from multidb_chat.adapters.readers.dates import moment
from multidb_chat.adapters.readers.decoding import decode
from multidb_chat.adapters.readers.drafting import Draft, finished
from multidb_chat.adapters.readers.formats.html_blocks import add_blocks
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.domain.reading import ParsedDocument

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_CHARSET = re.compile(rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_MAIN = ("//main", "//*[@role='main']", "//article")
_DATES = (
    "article:published_time",
    "date",
    "dc.date",
    "dcterms.created",
    "dcterms.date",
    "datepublished",
    "article:modified_time",
    "last-modified",
)
_KEPT = ("author", "description", "keywords", "og:site_name")
# Pages below this share of their text in <main> or <article> are not about that element alone.
_MAIN_SHARE = 0.25


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the page as a document."""
    root = parsed(html_text(source))
    meta = _meta(root)
    draft = Draft()
    add_blocks(draft, main_content(root))
    yield finished(
        source,
        "html",
        draft.text,
        draft.blocks,
        title=_title(root, meta),
        language=root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or "",
        authored_at=next((date for name in _DATES if (date := moment(meta.get(name)))), None),
        metadata={name.removeprefix("og:"): meta[name] for name in _KEPT if name in meta},
    )


def html_text(source: Source) -> str:
    """Return the source as text in the encoding of its byte order mark, its carrier, its `meta` element, or a guess."""
    declared = _CHARSET.search(source.head)
    charset = source.charset or (declared[1].decode("ascii") if declared else "")
    # The HTML standard reads these labels as their Windows supersets.
    if charset.lower() in {"iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii"}:
        charset = "" if charset.lower().endswith("ascii") else "cp1252"
    text = decode(source.data, charset)
    if text is None:
        raise Refusal("unknown format")
    return text


def parsed(text: str) -> "HtmlElement":
    """Return the root element of a page. Raises `Refusal` when there is none."""
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    body = _XML_DECLARATION.sub("", text.replace("\x00", ""), count=1)
    try:
        root = html.document_fromstring(body.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        raise Refusal("empty") from None
    etree.strip_elements(root, "script", "style", "noscript", "template", with_tail=False)
    return root


def main_content(root: "HtmlElement") -> "HtmlElement":
    """Return the element that holds what the page is about: `main` or the one article, else the body."""
    body: Any = root.find("body")
    body = root if body is None else body
    whole = len(body.text_content())
    for path in _MAIN:
        found: Any = root.xpath(path)
        if len(found) == 1 and len(found[0].text_content()) >= _MAIN_SHARE * whole:
            return found[0]
    return body


def _meta(root: "HtmlElement") -> dict[str, str]:
    found: dict[str, str] = {}
    for element in root.iter("meta"):
        name = element.get("name") or element.get("property") or element.get("itemprop") or element.get("http-equiv")
        if name and element.get("content"):
            found.setdefault(name.strip().lower(), str(element.get("content")).strip())
    return found


def _title(root: "HtmlElement", meta: dict[str, str]) -> str:
    element = root.find(".//title")
    title = str(element.text_content()).strip() if element is not None else ""
    return title or meta.get("og:title", "")
