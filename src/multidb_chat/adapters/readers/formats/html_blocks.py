"""An HTML tree to blocks: one walk over its events, no recursion, so that deep nesting does no harm."""

import re
from typing import TYPE_CHECKING, Any

from multidb_chat.adapters.readers.drafting import Draft
from multidb_chat.adapters.readers.formats.html_folding import BLOCK_TAGS, BREAK, folded
from multidb_chat.adapters.readers.formats.html_tables import is_layout, table_rows
from multidb_chat.adapters.readers.tables import add_table
from multidb_chat.domain.reading import BlockKind

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_DROPPED = frozenset(
    [
        "script",
        "style",
        "nav",
        "footer",
        "aside",
        "noscript",
        "template",
        "iframe",
        "object",
        "svg",
        "math",
        "button",
        "select",
        "input",
        "textarea",
        "head",
        "dialog",
    ]
)
_ROLES = frozenset(
    ["navigation", "search", "banner", "contentinfo", "complementary", "menu", "menubar", "toolbar", "alert", "dialog"]
)
_CLASSES = frozenset(
    ["noprint", "navbox", "mw-editsection", "interlanguage-link", "breadcrumb", "breadcrumbs", "sr-only", "skip-link"]
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def add_blocks(draft: Draft, root: "HtmlElement", page: int | None = None, deeper: int = 0) -> None:
    """Append what an element shows to a draft, headings `deeper` levels down."""
    walk = _Walk(draft, page, deeper)
    walk.over(root)


class _Walk:
    """The state of one walk: the inline text gathered so far and the list it belongs to."""

    def __init__(self, draft: Draft, page: int | None, deeper: int) -> None:
        self._draft = draft
        self._page = page
        self._deeper = deeper
        self._inline: list[str] = []
        self._items: list[str] = []
        self._lists: list[str] = []

    def over(self, root: "HtmlElement") -> None:
        """Append the blocks of `root`."""
        from lxml import etree

        walk: Any = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            if event == "end":
                self._leave(element, element is root)
            elif (element is not root and _is_dropped(element)) or not self._enter(element):
                walk.skip_subtree()
        self._flush()
        self._end_list()

    def _enter(self, element: Any) -> bool:
        """Take in the begin of an element; False when it was taken as a whole."""
        tag = element.tag
        if tag in BLOCK_TAGS:
            self._flush()
        if tag in ("table", "pre") and not (tag == "table" and is_layout(element)):
            self._end_list()
            self._whole(element, tag)
            return False
        if tag in ("ul", "ol"):
            self._lists.append(tag)
        elif tag == "br":
            self._inline.append(BREAK)
        elif tag == "img" and element.get("alt"):
            self._inline.append(f" {element.get('alt')} ")
        self._inline.append(element.text or "")
        return True

    def _leave(self, element: Any, is_root: bool) -> None:
        tag = element.tag
        dropped = not is_root and _is_dropped(element)
        if not dropped and tag in BLOCK_TAGS and not self._taken(element):
            self._end(tag)
        if not is_root:
            self._inline.append(element.tail or "")

    def _taken(self, element: Any) -> bool:
        return element.tag == "pre" or (element.tag == "table" and not is_layout(element))

    def _end(self, tag: str) -> None:
        if tag[0] == "h" and tag[1:].isdigit():
            self._end_list()
            self._add(self._text(), "heading", min(6, int(tag[1:]) + self._deeper))
            return
        self._flush()
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
            if not self._lists:
                self._end_list()

    def _whole(self, element: Any, tag: str) -> None:
        if tag == "pre":
            self._add(element.text_content().strip("\n"), "code")
            return
        caption = element.find("caption")
        if caption is not None:
            self._add(folded(caption.text_content()), "paragraph")
        rows, has_header = table_rows(element)
        add_table(self._draft, rows, header=has_header or None, page=self._page)

    def _text(self) -> str:
        text = folded("".join(self._inline))
        self._inline.clear()
        return text

    def _flush(self) -> None:
        """Make what was gathered a paragraph, or an item when a list is open."""
        text = self._text()
        if text and self._lists:
            self._items.append("  " * (len(self._lists) - 1) + "- " + text)
        elif text:
            self._end_list()
            self._add(text, "paragraph")

    def _end_list(self) -> None:
        self._add("\n".join(self._items), "list")
        self._items.clear()

    def _add(self, text: str, kind: BlockKind, level: int = 0) -> None:
        self._draft.add(text, kind, level=level, page=self._page)


def _is_dropped(element: Any) -> bool:
    if element.tag in _DROPPED:
        return True
    if "hidden" in element.attrib or element.get("aria-hidden") == "true" or element.get("role") in _ROLES:
        return True
    if not _CLASSES.isdisjoint(element.get("class", "").split()):
        return True
    style = element.get("style")
    return bool(style and _HIDDEN.search(style))
