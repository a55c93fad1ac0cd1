"""How documents are best cut into passages: each way in a collection of its own, measured with judged queries.

    scripts/bench cutting [--ways WAY,WAY] [--home FOLDER] [COLLECTION...]

A WAY is how a collection cuts: structure, semantic or fixed, with a length behind a colon (fixed:600) and "bare" where
titles and headings are not embedded (structure:1200:bare). The first one is what the others are compared with. A
COLLECTION is a folder with docs.jsonl, queries.jsonl and qrels.tsv; without one, Cranfield and SciFact are looked for
in `shared/collections` beside the checkout. Each way has an installation of its own, since words are weighed by all
that an index holds. Equal texts are embedded once, and those of a FOLDER never again.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import cast

from multidb_chat.adapters.embedders.kept import KeepingEmbedder
from multidb_chat.bootstrap import Application, open_application
from multidb_chat.domain.errors import Conflict
from multidb_chat.domain.library import Strategy
from multidb_chat.services.evaluation.configuration import configuration
from multidb_chat.services.evaluation.evaluation import Evaluated, compared
from multidb_chat.services.evaluation.judgements import judgements_in, queries_in
from multidb_chat.settings import load_settings

SHARED = Path(__file__).resolve().parents[3] / "shared/collections"
WAYS = "structure:1200,fixed:1200,semantic:1200,structure:1200:bare,structure:600,fixed:600,semantic:600"


async def added(application: Application, folder: Path, way: str) -> str:
    """Add a collection's documents, cut in this way, as far as they are not there; return the collection's name."""
    strategy, chars, *bare = way.split(":")
    name = f"{folder.name}-{way.replace(':', '-')}"
    account, documents = application.account, application.documents
    with suppress(Conflict):  # an earlier run made it
        await documents.create_collection(
            account, name, chunking=cast(Strategy, strategy), chunk_chars=int(chars), headers=not bare
        )
    target = (await documents.resolve(account, [name]))[0]
    begin = time.perf_counter()
    async with aclosing(application.ingestion.add(account, target, [folder / "docs.jsonl"])) as events:
        async for _ in events:
            pass
    summary = await documents.show_collection(account, name)
    seconds = time.perf_counter() - begin
    length = summary.characters / summary.chunks
    print(f"{name:<32}{summary.chunks:>7,} passages of {length:,.0f} characters, {seconds:.0f} s", flush=True)
    return name


async def evaluated(folder: Path, way: str, home: Path) -> Evaluated:
    """Return what a way is worth."""
    queries, judged = queries_in(folder / "queries.jsonl"), judgements_in(folder / "qrels.tsv")
    place = home / f"{folder.name}-{way.replace(':', '-')}"
    async with open_application(load_settings(environ={**os.environ, "MULTIDB_CHAT_HOME": str(place)})) as application:
        application.embedders.use(KeepingEmbedder(application.small_embedder, home / "kept", 10**12))
        asked = [configuration(f"both@{await added(application, folder, way)}")]
        run = application.evaluation.run(application.account, queries, judged, asked, [])
        (done,) = [one async for one in run]
        return done


async def measure(folder: Path, ways: Sequence[str], home: Path) -> None:
    """Print what each way is worth, and the p of its difference from the first."""
    done = [await evaluated(folder, way, home) for way in ways]
    print(f"{'':<40}{'nDCG@10':>9}{'recall':>9}{'MRR':>9}{'diff':>9}{'p':>9}")
    pairs = {pair.second: pair for pair in compared(done) if pair.measure == "ndcg"}
    for one in done:
        pair = pairs.get(one.name)
        beside = f"{pair.difference:+9.4f}{pair.p:9.4f}" if pair else ""
        print(f"{one.name:<40}" + "".join(f"{value:9.4f}" for value in one.mean) + beside, flush=True)


async def main(folders: Sequence[Path], ways: Sequence[str], home: Path) -> None:
    """Measure the ways in each collection."""
    for folder in folders:
        await measure(folder, ways, home)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="*", type=Path)
    parser.add_argument("--ways", default=WAYS)
    parser.add_argument("--home", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        found = chosen.collections or [SHARED / "cranfield", SHARED / "scifact"]
        asyncio.run(main(found, chosen.ways.split(","), chosen.home or Path(temporary)))
