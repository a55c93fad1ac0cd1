"""How documents and collections look in a list and one by one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.domain.library import Collection, Document
from multidb_chat.domain.text import clean_line
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application

_PAGE = 1_000
_WIDEST = 48
NO_DOCUMENTS = "There are no documents yet. Add some: multidb-chat docs add ~/papers"


async def list_documents(
    console: Console, application: "Application", collections: Sequence[Collection], as_json: bool
) -> Exit:
    """Write all documents of the collections, in order of collection and name."""
    documents = await all_documents(application, collections)
    by_id = {collection.id: collection.name for collection in collections}
    documents.sort(key=lambda one: (by_id[one.collection_id], one.name, one.id))
    if as_json:
        shared = {collection.id: collection.shared for collection in collections}
        records = [
            document_record(one) | {"collection": by_id[one.collection_id], "shared": shared[one.collection_id]}
            for one in documents
        ]
        console.write_json({"documents": records})
        return Exit.DONE
    if not documents:
        console.tell(NO_DOCUMENTS)
        return Exit.DONE
    rows = [
        (one.id[:8], clean_line(one.name), by_id[one.collection_id], one.kind, counted(one.chunks, "passage"))
        for one in documents
    ]
    write_table(console, rows, strong=1)
    console.tell(Styled(counted(len(rows), "document"), "faint"))
    return Exit.DONE


async def all_documents(application: "Application", collections: Sequence[Collection]) -> list[Document]:
    """Return the documents of these collections; none of none."""
    found: list[Document] = []
    after = ""
    while collections:
        page = await application.documents.list(application.account, collections, after=after, limit=_PAGE)
        if not page:
            break
        found += page
        after = page[-1].id
    return found


def show_document(console: Console, document: Document, as_json: bool) -> Exit:
    """Write all that is known of one document."""
    record = document_record(document)
    if as_json:
        console.write_json(record)
        return Exit.DONE
    metadata = record.pop("metadata")
    for key, value in (record | metadata).items():
        if value not in (None, "", 0):
            console.write(Styled(f"{clean_line(key).replace('_', ' '):<14}", "faint"), clean_line(str(value)))
    return Exit.DONE


def document_record(document: Document) -> dict[str, Any]:
    """Return a document as JSON values; times are ISO 8601 in UTC."""
    return {
        "id": document.id,
        "name": document.name,
        "title": document.title,
        "kind": document.kind,
        "source": document.source,
        "language": document.language,
        "pages": document.pages,
        "characters": document.characters,
        "chunks": document.chunks,
        "size_bytes": document.size_bytes,
        "authored_at": document.authored_at.isoformat() if document.authored_at else None,
        "added_at": document.added_at.isoformat(),
        "updated_at": document.updated_at.isoformat(),
        "revision": document.revision,
        "metadata": dict(document.metadata),
    }


def write_table(console: Console, rows: Sequence[Sequence[str]], strong: int) -> None:
    """Write rows in columns as wide as they need; the column `strong` stands out. Long cells are cut for a person."""
    cut = _WIDEST if console.out_is_terminal else None
    shown = [[cell if cut is None or len(cell) <= cut else cell[: cut - 1] + "…" for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))]
    for row in shown:
        cells: list[str | Styled] = []
        for column, cell in enumerate(row):
            text = cell if column == len(row) - 1 else f"{cell:<{widths[column]}}  "
            cells.append(Styled(text, "strong") if column == strong else text)
        console.write(*cells)
