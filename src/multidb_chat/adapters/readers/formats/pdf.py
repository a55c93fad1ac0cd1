"""PDF through pdfium: page by page, lines to paragraphs and headings by where and how large they stand."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from multidb_chat.adapters.readers.dates import moment
from multidb_chat.adapters.readers.drafting import Draft, finished
from multidb_chat.adapters.readers.formats.pdf_layout import Line, add_page, heading_sizes, lines_of
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.domain.reading import ParsedDocument

_SOFT_HYPHEN = "\ufffe"  # What pdfium writes for a hyphen that ends a line.
_BROKEN_WORD = re.compile(rf"(\w+){_SOFT_HYPHEN}(\w*)")
_WORD = re.compile(r"\w+(?:-\w+)*")
_KEPT = {"Author": "author", "Subject": "subject", "Keywords": "keywords"}


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the document. Raises `Refusal` for a password, a damaged file, and pages that are only images."""
    import pypdfium2  # type: ignore[import-untyped]

    document = _opened(pypdfium2, source.data)
    try:
        pages = [_page_lines(document, number) for number in range(len(document))]
        meta = document.get_metadata_dict()
    finally:
        document.close()
    if not any(pages):
        raise Refusal("no text, only images" if pages else "empty")
    draft = _drafted(pages)
    yield finished(
        source,
        "pdf",
        draft.text,
        draft.blocks,
        title=meta.get("Title", ""),
        authored_at=moment(meta.get("CreationDate")) or moment(meta.get("ModDate")),
        pages=len(pages),
        metadata={name: meta.get(key, "") for key, name in _KEPT.items()},
    )


def _opened(pypdfium2: Any, data: bytes) -> Any:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise Refusal("needs a password") from None
        raise Refusal("broken: not a readable PDF") from None


def _page_lines(document: Any, number: int) -> list[Line]:
    """Return the lines of one page; a page that is damaged gives none."""
    import pypdfium2

    try:
        page = document[number]
        text_page = page.get_textpage()
    except pypdfium2.PdfiumError:
        return []
    try:
        return lines_of(text_page)
    finally:
        text_page.close()
        page.close()


def _drafted(pages: list[list[Line]]) -> Draft:
    words = Counter(word.lower() for lines in pages for line in lines for word in _WORD.findall(line.text))
    body, sizes = heading_sizes(pages)
    draft = Draft()
    for number, lines in enumerate(pages, start=1):
        whole = [line.with_text(_joined(line.text, words)) for line in lines]
        add_page(draft, whole, number, body, sizes)
    return draft


def _joined(text: str, words: Counter[str]) -> str:
    """Return a line with its broken words whole: with the hyphen where the document writes them so elsewhere."""
    if _SOFT_HYPHEN not in text:
        return text

    def whole(match: re.Match[str]) -> str:
        with_hyphen, without = f"{match[1]}-{match[2]}", match[1] + match[2]
        return with_hyphen if words[with_hyphen.lower()] > words[without.lower()] else without

    return _BROKEN_WORD.sub(whole, text).replace(_SOFT_HYPHEN, "")
