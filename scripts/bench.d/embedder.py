"""Measure the embedder: loading, one question, passages a second; beside the same graph in fp32, in the same run.

    scripts/bench embedder                                    a minute
    scripts/bench embedder --quality COLLECTION               nDCG@10 of both, by exact cosine: several minutes

A COLLECTION is a folder with docs.jsonl (id, title, text), queries.jsonl (id, text) and qrels.tsv (query, document,
relevance). Without the Cranfield collection in `shared` beside the checkout, the passages are cut from the handbook.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile
from statistics import median

import numpy as np
from numpy.typing import NDArray

from multidb_chat.adapters.embedders.minilm import FOLDER, MiniLMEmbedder

ROOT = Path(__file__).resolve().parents[2]
CRANFIELD = ROOT.parent / "shared/collections/cranfield"
LOAD = """
import asyncio, time
from pathlib import Path
begin = time.perf_counter()
import numpy, onnxruntime, tokenizers
libraries = time.perf_counter()
from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
asyncio.run(MiniLMEmbedder(folder=Path({folder!r})).embed_query("first"))
print(libraries - begin, time.perf_counter() - libraries)
"""


def fp32_folder(folder: Path) -> Path:
    """Write the reference: the graph of the shipped model with nothing quantised, and the same tokenizer."""
    sys.path.insert(0, str(ROOT / "scripts"))
    from minilm_graph import Graph, read_safetensors, weights_folder

    graph = Graph(read_safetensors(weights_folder() / "model.safetensors"), quantise=False)
    (folder / "model.onnx").write_bytes(graph.embedder("reference").SerializeToString())
    copyfile(FOLDER / "tokenizer.json", folder / "tokenizer.json")
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def passages(count: int) -> list[str]:
    if (CRANFIELD / "docs.jsonl").is_file():
        found = [f"{row['title']} {row['text']}" for row in rows(CRANFIELD / "docs.jsonl")]
    else:
        text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs/handbook").glob("*.md")))
        found = [text[at : at + 1_000] for at in range(0, len(text), 1_000)]
    return [found[n % len(found)] for n in range(count)]


def load_times(folder: Path, runs: int) -> tuple[float, float]:
    """Return the medians, in ms, of importing the libraries and of loading the model up to its first vector."""
    command = [sys.executable, "-c", LOAD.format(folder=str(folder))]
    outputs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(runs)]
    libraries, model = zip(*(map(float, output.split()) for output in outputs), strict=True)
    return 1e3 * median(libraries), 1e3 * median(model)


async def question_ms(embedder: MiniLMEmbedder, questions: Sequence[str]) -> float:
    times = []
    for question in questions:
        begin = time.perf_counter()
        await embedder.embed_query(question)
        times.append(time.perf_counter() - begin)
    return 1e3 * median(times)


async def per_second(embedder: MiniLMEmbedder, texts: Sequence[str]) -> tuple[float, float]:
    """Return passages by second and the processor's ms for each."""
    wall, processor = time.perf_counter(), time.process_time()
    await embedder.embed_documents(texts)
    return len(texts) / (time.perf_counter() - wall), 1e3 * (time.process_time() - processor) / len(texts)


async def matrix(embedder: MiniLMEmbedder, texts: Sequence[str]) -> NDArray[np.float32]:
    return np.frombuffer(b"".join(await embedder.embed_documents(texts)), "<f4").reshape(len(texts), -1)


async def ndcg(embedder: MiniLMEmbedder, collection: Path) -> float:
    """Return nDCG@10 (linear gain) over the queries that have a relevant document."""
    documents, queries = rows(collection / "docs.jsonl"), rows(collection / "queries.jsonl")
    gains: dict[str, dict[str, int]] = {}
    for line in (collection / "qrels.tsv").read_text(encoding="utf-8").splitlines():
        asked, document, gain = line.split()
        gains.setdefault(asked, {})[document] = max(0, int(gain))
    queries = [query for query in queries if any(gains.get(query["id"], {}).values())]
    found = await matrix(embedder, [f"{row['title']} {row['text']}" for row in documents])
    scores = await matrix(embedder, [query["text"] for query in queries]) @ found.T
    discount = 1 / np.log2(np.arange(2, 12))
    figures = []
    for query, similar in zip(queries, scores, strict=True):
        judged = gains[query["id"]]
        got = [judged.get(documents[place]["id"], 0) for place in np.argsort(-similar, kind="stable")[:10]]
        best = sorted(judged.values(), reverse=True)[:10]
        figures.append(got @ discount[: len(got)] / (best @ discount[: len(best)]))
    return float(np.mean(figures))


def show(what: str, ours: float, reference: float, unit: str, digits: int = 1) -> None:
    ratio = f"{ours / reference:.2f} x fp32"
    print(f"{what:<44} {ours:>9.{digits}f} {unit:<6} fp32 {reference:>9.{digits}f}   {ratio}", flush=True)


async def measure(reference_folder: Path, runs: int, quality: Sequence[Path]) -> None:
    libraries, ours = load_times(FOLDER, runs)
    _, theirs = load_times(reference_folder, runs)
    print(f"{'import numpy, onnxruntime, tokenizers':<44} {libraries:>9.1f} ms")
    show("load the model, first vector", ours, theirs, "ms")
    pair = [MiniLMEmbedder(), MiniLMEmbedder(folder=reference_folder)]
    questions = [text[:90] for text in passages(40)]
    texts = passages(40 * runs)
    asked, speeds, costs = [], [], []
    for run in range(runs):  # the two take turns, so that a busy machine slows both
        part = texts[40 * run : 40 * (run + 1)]
        asked.append([await question_ms(embedder, questions) for embedder in pair])
        measured = [await per_second(embedder, part) for embedder in pair]
        speeds.append([speed for speed, _ in measured])
        costs.append([cost for _, cost in measured])
    for what, figures, unit in (
        ("one question (90 characters), p50", asked, "ms"),
        ("passages by second", speeds, "1/s"),
        ("processor time for a passage", costs, "ms"),
    ):
        show(what, median(ours for ours, _ in figures), median(theirs for _, theirs in figures), unit)
    a, b = [await matrix(embedder, texts) for embedder in pair]
    print(
        f"{'cosine with fp32, mean and least':<44} {(a * b).sum(axis=1).mean():>9.4f} {(a * b).sum(axis=1).min():.4f}"
    )
    for collection in quality:
        ours, theirs = [await ndcg(embedder, collection) for embedder in pair]
        show(f"nDCG@10 {collection.name}, exact cosine", ours, theirs, "", digits=4)
    for embedder in pair:
        await embedder.close()


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench embedder", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=9, help="runs a figure is the median of (default: %(default)s)")
    parser.add_argument("--quality", type=Path, action="append", default=[], metavar="COLLECTION")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(fp32_folder(Path(folder)), arguments.runs, arguments.quality))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
