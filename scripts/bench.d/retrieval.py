"""How well and how fast passages are found: through the program's own commands, beside its parts and their sum.

    scripts/bench retrieval [COLLECTION...]               nDCG@10 and times: minutes, for embedding
    scripts/bench retrieval --calibrate                   the constants behind the calibrated score, and their errors
    scripts/bench retrieval --home FOLDER                 keep what was added, for the next run

A COLLECTION is a folder with docs.jsonl (id, title, text), queries.jsonl (id, text) and qrels.tsv (query, document,
relevance). Without one, Cranfield and SciFact are looked for in `shared/collections` beside the checkout.
"""

import argparse
import asyncio
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import numpy as np
from numpy.typing import NDArray

from multidb_chat.bootstrap import Application, open_application
from multidb_chat.domain.search import Hit, Neighbours, SearchFilters
from multidb_chat.services.ranking import CALIBRATION, Ranked, calibrated, rank
from multidb_chat.services.retrieval import Retrieval
from multidb_chat.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared/collections"
DEPTH = 100
BORDER = 0.3
# Questions of everyday life, which no collection of papers answers.
_EVERYDAY = """How do I bake sourdough bread at home? What is the capital of Australia? Who won the football world cup
in 2018? How tall is Mount Everest? How do I reset my email password? Which films did Alfred Hitchcock direct in the
1950s? What is a good recipe for lentil soup? How much does a train ticket to Vienna cost? Who wrote Pride and
Prejudice? When did the Berlin Wall fall? How many strings does a violin have? What are the rules of castling in chess?
How can I remove a red wine stain from a carpet? What is the exchange rate of the yen? Where can I park near the opera
house? Why do cats purr? What is the plot of Hamlet? How long should I boil an egg? Which languages are spoken in
Switzerland? How do I change a bicycle tyre? Who painted the ceiling of the Sistine Chapel? How do I apply for a
passport? What is the difference between alpacas and llamas? When is the best time to plant tulips? How does a mortgage
work? What is the population of Brazil? How do I tie a bow tie? Which team plays at Anfield? What is the minimum wage in
Germany? How many calories are in a banana? What does carpe diem mean? How do I write a cover letter for a job? What are
the opening hours of the Louvre? Can dogs eat chocolate? How do I learn to play the guitar? What is the longest river in
Africa? Why is the sky blue? Which wine goes with salmon? How do I sharpen a kitchen knife? When does the museum open?
"""
EVERYDAY = [f"{question}?" for question in " ".join(_EVERYDAY.split()).split("?") if question]


@dataclass(frozen=True)
class Judged:
    """A collection with questions and their relevant documents."""

    folder: Path
    questions: dict[str, str]
    gains: dict[str, dict[str, int]]

    @property
    def name(self) -> str:
        return self.folder.name

    @classmethod
    def read(cls, folder: Path) -> "Judged":
        lines = (folder / "queries.jsonl").read_text("utf-8").splitlines()
        gains: dict[str, dict[str, int]] = {}
        for line in (folder / "qrels.tsv").read_text("utf-8").splitlines():
            asked, document, gain = line.split()[0], line.split()[-2], line.split()[-1]
            gains.setdefault(asked, {})[document] = max(0, int(gain))
        rows = [json.loads(line) for line in lines]
        return cls(folder, {row["id"]: row["text"] for row in rows if any(gains.get(row["id"], {}).values())}, gains)

    def ndcg(self, run: dict[str, list[str]]) -> float:
        """Return nDCG@10 with linear gain, the mean over the questions that have a relevant document."""
        figures = []
        for asked in self.questions:
            judged = self.gains[asked]
            got = sum(judged.get(name, 0) / math.log2(place + 2) for place, name in enumerate(run[asked][:10]))
            best = sorted(judged.values(), reverse=True)[:10]
            figures.append(got / sum(gain / math.log2(place + 2) for place, gain in enumerate(best)))
        return mean(figures)

    def recall(self, run: dict[str, list[str]]) -> float:
        """Return the part of the relevant documents among the first hundred."""
        relevant = {asked: {name for name, gain in self.gains[asked].items() if gain} for asked in self.questions}
        return mean(len(names & set(run[asked][:100])) / len(names) for asked, names in relevant.items())


def program(home: Path, *arguments: str) -> None:
    """Run the program as a user would."""
    environment = {**os.environ, "MULTIDB_CHAT_HOME": str(home)}
    done = subprocess.run([sys.executable, "-m", "multidb_chat", *arguments], env=environment, capture_output=True)
    if done.returncode:
        raise SystemExit(done.stderr.decode())


def added(home: Path, collection: Judged) -> None:
    """Add the collection's documents, unless they are there."""
    if not (home / f"{collection.name}.added").exists():
        begin = time.perf_counter()
        program(home, "collections", "create", collection.name)
        program(home, "docs", "add", "-q", "-c", collection.name, str(collection.folder / "docs.jsonl"))
        (home / f"{collection.name}.added").touch()
        print(f"{collection.name}: added in {time.perf_counter() - begin:.0f} s", flush=True)


def run_of(home: Path, collection: Judged) -> dict[str, list[str]]:
    """Let the program rank the documents for all questions."""
    run = home / f"{collection.name}.run"
    queries = str(collection.folder / "queries.jsonl")
    program(home, "docs", "search", "-c", collection.name, "--queries", queries, "--run", str(run), "--limit", "100")
    ranked: dict[str, list[str]] = {asked: [] for asked in collection.questions}
    for line in run.read_text("utf-8").splitlines():
        asked, _, document, *_ = line.split()
        ranked.setdefault(asked, []).append(document)
    return ranked


class Parts:
    """The parts of retrieval on the same stores, for comparison."""

    def __init__(self, application: Application, names: dict[str, str]) -> None:
        self.application = application
        self.names = names

    @classmethod
    async def of(cls, application: Application, collection: str) -> "tuple[Parts, SearchFilters]":
        found = {one.name: one.id for one in await application.documents.collections(application.account)}
        names: dict[str, str] = {}
        last = ""
        while page := await application.library.documents([found[collection]], last, 500):
            names |= {document.id: document.name for document in page}
            last = page[-1].id
        return cls(application, names), SearchFilters((found[collection],))

    async def hits(self, question: str, filters: SearchFilters) -> tuple[list[Hit], Neighbours]:
        """Return what words and what vectors find."""
        vector = await self.application.embedder.embed_query(question)
        words = await self.application.index.lexical(question, filters, DEPTH)
        search = await self.application.index.nearest(filters, DEPTH, [hit.key for hit in words])
        return words, await search(vector)

    def documents(self, keys: Sequence[str]) -> list[str]:
        return [self.names[key] for key in dict.fromkeys(keys)]


def by_meaning(vectors: Neighbours) -> list[tuple[str, int]]:
    """Return the chunks that vectors find, best first."""
    scores = np.nan_to_num(vectors.scores, nan=-1.0)
    return [vectors.keys[place] for place in np.argsort(-scores, kind="stable")[:DEPTH]]


def reciprocal(words: Sequence[Hit], vectors: Neighbours, constant: int = 60) -> list[str]:
    """Return documents by reciprocal rank fusion (Cormack et al. 2009), the usual way to fuse."""
    scores: dict[tuple[str, int], float] = {}
    for keys in ([hit.key for hit in words], by_meaning(vectors)):
        for place, key in enumerate(keys, 1):
            scores[key] = scores.get(key, 0) + 1 / (constant + place)
    return [key[0] for key in sorted(scores, key=lambda key: -scores[key])]


async def compare(application: Application, collection: Judged, ours: dict[str, list[str]]) -> None:
    parts, filters = await Parts.of(application, collection.name)
    ways: dict[str, Callable[[list[Hit], Neighbours], list[str]]] = {
        "words alone (BM25)": lambda words, _: [hit.document_id for hit in words],
        "vectors alone": lambda _, vectors: [key[0] for key in by_meaning(vectors)],
        "reciprocal rank fusion, k = 60": lambda words, vectors: reciprocal(words, vectors),
    }
    found = {asked: await parts.hits(text, filters) for asked, text in collection.questions.items()}
    runs = {
        way: {asked: parts.documents(ranked(*hits)) for asked, hits in found.items()} for way, ranked in ways.items()
    }
    for way, run in (*runs.items(), ("multidb-chat docs search", ours)):
        figures = f"nDCG@10 {collection.ndcg(run):.4f}   recall@100 {collection.recall(run):.4f}"
        print(f"{collection.name:12} {way:36} {figures}", flush=True)


async def times(application: Application, collection: Judged) -> None:
    """Print how long a search takes, beside the embedding of the same question alone, taking turns."""
    _, filters = await Parts.of(application, collection.name)
    retrieval = Retrieval(application.index, application.library, application.embedder, None)
    questions = list(collection.questions.values())
    for text in questions[:20]:
        await retrieval.search(text, filters)
    for asked in ("first asked", "warm"):  # then their passages were read before
        await print_times(f"{collection.name:12} search, {asked}", application, retrieval, questions, filters)


async def print_times(
    what: str, application: Application, retrieval: Retrieval, questions: Sequence[str], filters: SearchFilters
) -> None:
    """Ask each question once, and print what that takes."""
    embedding, searching, steps = [], [], []
    for text in questions:
        begin = time.perf_counter()
        await application.embedder.embed_query(text)
        between = time.perf_counter()
        timings: dict[str, float] = {}
        await retrieval.search(text, filters, timings=timings)
        embedding.append(between - begin)
        searching.append(time.perf_counter() - between)
        steps.append(timings)
    ratios = [whole / part for whole, part in zip(searching, embedding, strict=True)]
    print(
        f"{what}: p50 {1e3 * median(searching):.2f} ms, p95"
        f" {1e3 * sorted(searching)[int(0.95 * len(searching))]:.2f}; embedding alone {1e3 * median(embedding):.2f} ms;"
        f" {median(ratios):.2f} x"
    )
    print(" " * 12, ", ".join(f"{step} {median(one[step] for one in steps):.2f}" for step in steps[0]), "ms")


async def calibrate(application: Application, collections: Sequence[Judged]) -> None:
    """Fit the score on whether a question is of the collection that it is asked, and print what errors it makes."""
    questions = {one.name: list(one.questions.values()) for one in collections} | {"everyday": EVERYDAY}
    best: dict[tuple[str, str], list[Ranked]] = {}
    shares: dict[tuple[str, str], list[float]] = {}
    for one in collections:
        parts, filters = await Parts.of(application, one.name)
        for asker, texts in questions.items():
            for text in texts:
                words, vectors = await parts.hits(text, filters)
                share = {hit.key: hit.share for hit in words}
                for first in rank(words, vectors, 1):
                    best.setdefault((one.name, asker), []).append(first)
                    shares.setdefault((one.name, asker), []).append(share.get(first.key, 0.0))
    own = [pair for pair in best if pair[0] == pair[1]]
    other = [pair for pair in best if pair[0] != pair[1]]

    def features(pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        return np.array(
            [
                (one.vector or 0.0, min(share, 1.0), 1.0)
                for pair in pairs
                for one, share in zip(best[pair], shares[pair], strict=True)
            ]
        )

    fitted = logistic([features([pair]) for pair in own], [features([pair]) for pair in other])
    print(f"fitted {' '.join(f'{value:.2f}' for value in fitted)}   in use {CALIBRATION}")
    scores = {pair: np.array([calibrated(x, y) for x, y, _ in features([pair])]) for pair in best}
    area = ranked_right(
        np.concatenate([scores[pair] for pair in own]), np.concatenate([scores[pair] for pair in other])
    )
    print(f"area under the curve {area:.4f}; wrong: own questions at or below {BORDER}, others above")
    for pair, values in scores.items():
        wrong = np.mean(values <= BORDER) if pair in own else np.mean(values > BORDER)
        quartiles = " ".join(f"{value:.2f}" for value in np.percentile(values, [5, 25, 50, 75, 95]))
        print(f"  {pair[0]:12} asked by {pair[1]:12} {len(values):4}   5..95 % {quartiles}   wrong: {wrong:.1%}")


def logistic(positive: Sequence[NDArray[np.float64]], negative: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the weights of logistic regression by Newton's method; outcomes weigh alike, and so do their groups."""
    groups = [*positive, *negative]
    rows = np.concatenate(groups)
    sizes = [len(group) for group in groups]
    truth = np.repeat([1.0] * len(positive) + [0.0] * len(negative), sizes)
    counts = [len(positive)] * len(positive) + [len(negative)] * len(negative)
    weight = np.repeat([0.5 / count / size for count, size in zip(counts, sizes, strict=True)], sizes)
    ridge = np.diag([1e-3, 1e-3, 0.0])
    found = np.zeros(rows.shape[1])
    for _ in range(50):
        guess = 1 / (1 + np.exp(-rows @ found))
        slope = rows.T @ (weight * (guess - truth)) + ridge @ found
        curve = (rows * (weight * guess * (1 - guess))[:, None]).T @ rows + ridge
        found = found - np.linalg.solve(curve, slope)
    return found


def ranked_right(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Return how often a positive score is above a negative one (the area under the ROC curve)."""
    return float(np.mean(positive[:, None] > negative[None]) + np.mean(positive[:, None] == negative[None]) / 2)


async def measure(home: Path, collections: Sequence[Judged], only_calibrate: bool) -> None:
    settings = load_settings(environ={**os.environ, "MULTIDB_CHAT_HOME": str(home)})
    for collection in collections:
        added(home, collection)
    runs = {} if only_calibrate else {collection.name: run_of(home, collection) for collection in collections}
    async with open_application(settings) as application:
        await application.index.refresh()
        if only_calibrate:
            await calibrate(application, collections)
            return
        for collection in collections:
            await compare(application, collection, runs[collection.name])
        for collection in collections:
            await times(application, collection)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench retrieval", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("collections", nargs="*", type=Path, metavar="COLLECTION")
    parser.add_argument("--calibrate", action="store_true", help="fit the calibrated score and print its errors")
    parser.add_argument("--home", type=Path, help="where to keep what was added (default: nowhere)")
    arguments = parser.parse_args(argv)
    folders = arguments.collections or [SHARED / name for name in ("cranfield", "scifact")]
    if missing := [str(folder) for folder in folders if not (folder / "docs.jsonl").is_file()]:
        print(f"left out: there is no docs.jsonl in {', '.join(missing)}")
        return 0
    collections = [Judged.read(folder) for folder in folders]
    with tempfile.TemporaryDirectory() as temporary:
        home = arguments.home or Path(temporary)
        home.mkdir(parents=True, exist_ok=True)
        asyncio.run(measure(home, collections, arguments.calibrate))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
