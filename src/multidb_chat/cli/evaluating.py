"""`multidb-chat eval`: how well passages are found, by questions whose relevant documents are known."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.choosing import for_now, named
from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Collections, Json, Rerank, Rewrite
from multidb_chat.cli.session import session_of
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from multidb_chat.bootstrap import Application
    from multidb_chat.services.evaluation.evaluation import Comparison, Evaluated

eval = typer.Typer(rich_markup_mode=None)  # noqa: A001 - the group's name


@eval.callback()
def _group() -> None:
    """Keep `run` a command of its own, though it is the only one."""


@eval.command(epilog="Example: multidb-chat eval run --queries queries.jsonl --qrels qrels.tsv --compare words,both")
def run(
    context: typer.Context,
    queries: Annotated[
        Path,
        typer.Option(
            "--queries", metavar="FILE", help='Queries, one a line: {"id": ..., "text": ...}, or id TAB text.'
        ),
    ],
    qrels: Annotated[
        Path,
        typer.Option("--qrels", metavar="FILE", help="What is relevant, as for trec_eval: query 0 document relevance."),
    ],
    compare: Annotated[
        str,
        typer.Option(
            "--compare",
            metavar="A,B",
            help="both, words or vectors; with :vector=0.7, :feedback=0, :rerank=20 or @COLLECTION.",
        ),
    ] = "both",
    names: Collections = None,
    rerank: Rerank = None,
    rewrite: Rewrite = None,
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="FILE", help="Write all figures, also those of each query, as JSON."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure how well documents are found: nDCG of the first 10, recall of the first 100, and the reciprocal rank.

    Several configurations are compared with the first one, with the p of a paired randomisation test. Documents are
    known by their names, as `docs list` shows them.
    """
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        from multidb_chat.services.evaluation.configuration import configuration
        from multidb_chat.services.evaluation.evaluation import compared
        from multidb_chat.services.evaluation.judgements import judgements_in, queries_in

        for_now(application, rerank, rewrite)
        configurations = [configuration(name) for name in compare.split(",")]
        asked, judged = queries_in(queries), judgements_in(qrels)
        collections = await named(application, names)
        ids = [one.id for one in collections]
        done: list[Evaluated] = []
        async for one in application.evaluation.run(application.account, asked, judged, configurations, ids):
            asks = counted(len(one.by_query), "query", "queries")
            session.console.tell(Styled(f"{one.name}: {asks} in {one.seconds:.1f} s", "faint"))
            if one.warning:
                session.console.tell(Styled("note: ", "fair"), one.warning)
            done.append(one)
        comparisons = compared(done)
        record = _record(done, comparisons, [one.name for one in collections])
        if save is not None:
            _save(save, record)
        if as_json:
            session.console.write_json(_without_queries(record))
        else:
            _show(session.console, done, comparisons)
        return Exit.DONE

    session.run(work)


def _show(console: Console, done: "Sequence[Evaluated]", comparisons: "Sequence[Comparison]") -> None:
    width = max(13, *(len(one.name) for one in done)) + 2
    console.write(Styled(f"{'configuration':<{width}}{'nDCG@10':>9}{'recall':>9}{'MRR':>9}", "strong"))
    for one in done:
        console.write(f"{one.name:<{width}}" + "".join(f"{value:9.4f}" for value in one.mean))
    if comparisons:
        console.write("")
        console.write(Styled(f"{'against ' + done[0].name:<{width}}{'measure':>9}{'diff':>9}{'p':>9}", "strong"))
    for pair in comparisons:
        console.write(f"{pair.second:<{width}}{pair.measure:>9}{pair.difference:+9.4f}{pair.p:9.4f}")


def _record(
    done: "Sequence[Evaluated]", comparisons: "Sequence[Comparison]", collections: "Sequence[str]"
) -> dict[str, Any]:
    return {
        "queries": len(done[0].by_query),
        "collections": list(collections),
        "configurations": [
            {
                "name": one.name,
                **one.mean._asdict(),
                "seconds": one.seconds,
                "by_query": {name: each._asdict() for name, each in one.by_query.items()},
            }
            for one in done
        ],
        "comparisons": [one._asdict() for one in comparisons],
    }


def _without_queries(record: dict[str, Any]) -> dict[str, Any]:
    less = [{key: value for key, value in one.items() if key != "by_query"} for one in record["configurations"]]
    return {**record, "configurations": less}


def _save(path: Path, record: dict[str, Any]) -> None:
    """Write the record, which appears whole or not at all. Raises `InvalidInput` when that is not possible."""
    from multidb_chat.domain.errors import InvalidInput

    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise InvalidInput(f"{path}: it cannot be written ({error.strerror})") from error
    finally:
        beside.unlink(missing_ok=True)
