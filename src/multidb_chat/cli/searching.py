"""Searching as the shell shows it: passages with their scores, and rankings in TREC format."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multidb_chat.cli.citations import QUALITY_STYLE, place_of, shortened
from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.listing import NO_DOCUMENTS
from multidb_chat.domain.errors import InvalidInput
from multidb_chat.domain.search import Match, SearchFilters
from multidb_chat.domain.text import clean_line
from multidb_chat.services.excerpts import unmarked
from multidb_chat.services.modelled.paying import Payer, paid_by
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application

_SNIPPET = 300  # characters of a passage shown to a person


async def show_passages(
    console: Console, application: "Application", query: str, filters: SearchFilters, limit: int, as_json: bool
) -> Exit:
    """Write the best passages, best first; return whether there were any."""
    with paid_by(application.account) as payer:
        matches = await application.retrieval.search(query, filters, limit) if filters.collection_ids else []
    if as_json:
        console.write_json({"query": query, "matches": [match_record(match) for match in matches]})
    for number, match in enumerate(() if as_json else matches, 1):
        place = place_of(match.document.title, match.chunk.page, match.chunk.headings)
        console.write(
            Styled(f"{number}.", "number"), " ", Styled(clean_line(match.document.title), "strong"),
            f" ({clean_line(match.document.name)}){', ' if place else ''}{place}",
        )  # fmt: skip
        console.write("   ", Styled(f"{match.quality} {match.score:.2f}", QUALITY_STYLE[match.quality]), _scores(match))
        (text,) = unmarked(match.chunk.text, kind=match.document.kind)
        console.write("   ", Styled(shortened(text, _SNIPPET), "faint"))
    await _tell_paid(console, payer)
    ordered = application.settings.search.rerank == "none" or any(match.reranked is not None for match in matches)
    if len(matches) > 1 and not ordered and not payer.refusal:
        console.complain(Styled("note: ", "fair"), "what puts passages in order failed; they stay as they were found")
    if matches:
        return Exit.DONE
    empty = not await application.documents.list(application.account, limit=1) if not filters.collection_ids else False
    console.tell(NO_DOCUMENTS if empty else "Nothing was found.")
    return Exit.NOTHING


async def _tell_paid(console: Console, payer: Payer) -> None:
    """Say that the plan let no model help, or lets it help little more."""
    if payer.refusal:
        console.complain(Styled("note: ", "fair"), "no model was asked to help: ", payer.refusal)
    elif warning := await payer.warning():
        console.tell(Styled("note: ", "fair"), warning)


def _scores(match: Match) -> str:
    words = "-" if match.lexical is None else f"{match.lexical:.2f}"
    meaning = "-" if match.vector is None else f"{match.vector:.3f}"
    reranked = "" if match.reranked is None else f", reranked {match.reranked:.4f}"
    return f"  words {words}, meaning {meaning}, fused {match.fused:.4f}{reranked}"


def match_record(match: Match) -> dict[str, Any]:
    """Return a match as JSON values: where it is, its text and all its scores."""
    chunk, document = match.chunk, match.document
    return {
        "document_id": document.id,
        "document_name": document.name,
        "title": document.title,
        "source": document.source,
        "kind": document.kind,
        "page": chunk.page,
        "headings": list(chunk.headings),
        "start": chunk.start,
        "end": chunk.end,
        "text": chunk.text,
        "score": match.score,
        "quality": match.quality,
        "lexical": match.lexical,
        "vector": match.vector,
        "fused": match.fused,
        "reranked": match.reranked,
    }


async def write_run(
    console: Console, application: "Application", queries: Path, run: Path, filters: SearchFilters, limit: int
) -> Exit:
    """Rank documents for each query of a JSON Lines file and write the run, which appears whole or not at all.

    The format is that of trec_eval. Raises `InvalidInput` for a file that cannot be read or written.
    """
    asked = list(_queries(queries))
    beside = run.with_name(f".{run.name}.{os.getpid()}")
    hits = 0
    try:
        with paid_by(application.account) as payer, beside.open("w", encoding="utf-8") as file:
            for query_id, text in asked:
                matches = await application.retrieval.rank_documents(text, filters, limit)
                reranked = any(match.reranked is not None for match in matches)
                for rank, match in enumerate(matches, 1):
                    score = 1 / rank if reranked else match.fused  # trec_eval goes by the score, which must only fall
                    file.write(f"{query_id} Q0 {_word(match.document.name)} {rank} {score:.8f} multidb-chat\n")
                hits += len(matches)
        beside.replace(run)
    except OSError as error:
        raise InvalidInput(f"{run}: it cannot be written ({error.strerror})") from error
    finally:
        beside.unlink(missing_ok=True)
    await _tell_paid(console, payer)
    console.tell(f"{counted(len(asked), 'query', 'queries')}, {counted(hits, 'hit')} written to {run}")
    return Exit.DONE if hits else Exit.NOTHING


def _queries(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidInput(f"{path}: it cannot be read ({reason})") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _query(f"{path}, line {number}", line)


def _query(where: str, line: str) -> tuple[str, str]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise InvalidInput(f"{where}: this is not JSON") from error
    if not isinstance(record, dict) or not isinstance(record.get("text"), str) or "id" not in record:
        raise InvalidInput(f'{where}: expected an object with "id" and "text"')
    return _word(str(record["id"])), record["text"]


def _word(name: str) -> str:
    """Return a name fit for a column: white space would end it."""
    return "_".join(clean_line(name).split()) or "_"
