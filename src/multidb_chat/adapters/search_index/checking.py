"""Whether an index says what its library says."""

from functools import partial

from multidb_chat.adapters.search_index.engine import Engine
from multidb_chat.adapters.search_index.following import Run
from multidb_chat.domain.library import Change, Library
from multidb_chat.domain.search import SearchFilters

_PAGE = 1_000
_SAMPLE = 16
_EQUAL = 0.99


async def differences(run: Run, library: Library) -> list[str]:
    """Return what the index has and the library has not, or the other way round. Raises `Damaged` or `StoreError`."""
    owner = await run(Engine.library)
    if owner not in ("", await library.identity()):
        return ["it was made from another library"]
    watermark = await run(Engine.watermark)
    if watermark > await library.version():
        return ["it is ahead of the library, which was put back to an earlier state"]
    missing: list[str] = []
    present: list[Change] = []
    outdated = surplus = known_here = after = 0
    while changes := await library.changes(after, _PAGE):
        after = changes[-1].seq
        known = await run(partial(Engine.known, document_ids=[change.document_id for change in changes]))
        known_here += len(known)
        for change in changes:
            indexed = known.get(change.document_id)
            if change.seq > watermark:  # still to be followed
                continue
            if change.removed:
                surplus += indexed is not None
            elif indexed is None:
                missing.append(change.document_id)
            elif indexed == change.seq:
                present.append(change)
            else:
                outdated += 1
    surplus += await run(Engine.count) - known_here
    lost = sum(document.chunks > 0 for document in await library.documents_by_id(missing))
    found = [(lost, "missing"), (outdated, "not as they are in the library"), (surplus, "no longer in the library")]
    told = [f"documents that are {what}: {count}" for count, what in found if count > 0]
    return told or await _wrong_vectors(run, library, present)


async def _wrong_vectors(run: Run, library: Library, present: list[Change]) -> list[str]:
    """Look up passages of a few documents by their own vectors: each has to find itself."""
    sample = present[:: max(1, len(present) // _SAMPLE)][:_SAMPLE]
    for document, chunks in await library.indexable([change.document_id for change in sample]):
        for chunk in chunks[:1]:
            filters = SearchFilters((document.collection_id,), document_ids=(document.id,))
            key, vector = (document.id, chunk.ordinal), chunk.vector
            search = partial(Engine.nearest, vector=vector, filters=filters, limit=0, compared=[key])
            if not (await run(search)).scores[0] >= _EQUAL:  # nan: it is not there
                return [f"the vectors of {document.name!r} are not those of the library"]
    return []
