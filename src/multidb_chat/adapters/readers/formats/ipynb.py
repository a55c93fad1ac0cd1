"""Jupyter notebooks: text cells as Markdown, code cells as code."""

import json
from collections.abc import Iterator
from typing import Any

from multidb_chat.adapters.readers.decoding import normal
from multidb_chat.adapters.readers.drafting import Draft, covering, finished
from multidb_chat.adapters.readers.formats.markdown import markdown_blocks
from multidb_chat.adapters.readers.source import Refusal, Source
from multidb_chat.domain.reading import ParsedDocument


def read(source: Source) -> Iterator[ParsedDocument]:
    """Yield the notebook; outputs are left out."""
    try:
        notebook = json.loads(source.text)
    except ValueError as error:
        raise Refusal(f"broken: {error}") from None
    if not isinstance(notebook, dict):
        raise Refusal("broken: not a notebook")
    draft = Draft()
    for cell in _cells(notebook):
        _add_cell(draft, cell)
    meta = notebook.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    language = (meta.get("kernelspec") or {}).get("language") or (meta.get("language_info") or {}).get("name")
    title = meta.get("title")
    yield finished(
        source,
        "notebook",
        draft.text,
        draft.blocks,
        title=title if isinstance(title, str) else "",
        metadata={"programming_language": language},
    )


def _cells(notebook: dict[str, Any]) -> list[Any]:
    # Version 3 has its cells in worksheets.
    sheets = [sheet for sheet in notebook.get("worksheets") or [] if isinstance(sheet, dict)]
    return [*(notebook.get("cells") or []), *(cell for sheet in sheets for cell in sheet.get("cells") or [])]


def _add_cell(draft: Draft, cell: Any) -> None:
    if not isinstance(cell, dict):
        return
    lines = cell.get("source", cell.get("input", ""))
    text = normal("".join(map(str, lines)) if isinstance(lines, list) else str(lines))
    if cell.get("cell_type") == "code":
        draft.add(text, "code")
    elif cell.get("cell_type") in ("markdown", "heading"):
        level = cell.get("level") if cell["cell_type"] == "heading" else 0
        text = f"{'#' * level} {text}" if isinstance(level, int) and 0 < level <= 6 else text
        draft.include(text, covering(text, markdown_blocks(text)))
    else:
        draft.add(text)
