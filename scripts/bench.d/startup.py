"""Measure whole processes from start to end: help, a cached answer, a fresh one, and the app's first paint.

    scripts/bench startup                     two minutes
    scripts/bench startup --chunks 1000       with a smaller library
    scripts/bench startup --where             also name the modules and steps that take the time

Ratios are against `python -c "import typer"` in the same run, turn and turn about. The library has real documents that
answer the question, and passages with random vectors up to the number asked for: what a search costs at start does not
depend on what the vectors mean. Wall-clock and CPU time are medians.
"""

import argparse
import asyncio
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

TYPER = [sys.executable, "-c", "import typer"]
PROGRAM = [sys.executable, "-m", "multidb_chat"]
QUESTION = "How many customers left in 2019?"
FACT = "# Annual report\n\nIn 2019, 310 customers left; churn fell to 4.2 percent. The report was written in Uppsala.\n"
WORDS = ("amber", "barge", "cedar", "delta", "ember", "fjord", "grove", "harbour", "island", "jetty", "kelp", "ledge")
CHUNKS_EACH = 25


def fill(home: Path, chunks: int) -> None:
    """Add a real document through the program, and passages with random vectors beside it through the adapter."""
    (home / "report.md").write_text(FACT, encoding="utf-8")
    run([*PROGRAM, "docs", "add", str(home / "report.md")], home)
    run([*PROGRAM, "ask", QUESTION], home)
    asyncio.run(add_random(home, chunks))
    run([*PROGRAM, "ask", "--no-cache", QUESTION], home)  # the index follows the library here, not in a measured run


async def add_random(home: Path, chunks: int) -> None:
    import numpy as np

    from multidb_chat.adapters.sqlite.library import SqliteLibrary

    library = SqliteLibrary(home / "data" / "library.sqlite")
    generator, chance = np.random.default_rng(7), random.Random(7)
    try:
        owner = "00000000-0000-7000-8000-000000000001"
        collection = next(one for one in await library.collections(owner) if one.name == "documents")
        for first in range(0, chunks, CHUNKS_EACH * 20):
            count = min(CHUNKS_EACH * 20, chunks - first)
            vectors = generator.standard_normal((count, collection.dimensions), dtype=np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            pages = [
                page(collection.id, first + at, [row.tobytes() for row in vectors[at : at + CHUNKS_EACH]], chance)
                for at in range(0, count, CHUNKS_EACH)
            ]
            await library.put_documents(pages)
    finally:
        await library.close()


def page(collection_id: str, number: int, vectors: Sequence[bytes], chance: random.Random) -> object:
    from multidb_chat.domain.library import Chunk, Document, DocumentContent, document_id

    name, now = f"random-{number}", datetime.now(UTC)
    key = document_id(collection_id, name, name)
    texts = [" ".join(chance.choices(WORDS, k=120)) for _ in vectors]
    text = "\n".join(texts)
    starts = [sum(len(one) + 1 for one in texts[:n]) for n in range(len(texts))]
    parts = tuple(
        Chunk(key, n, start, start + len(one), one, vector=vector)
        for n, (start, one, vector) in enumerate(zip(starts, texts, vectors, strict=True))
    )
    document = Document(
        key, collection_id, name, name, name, "text", name, now, now, characters=len(text), chunks=len(parts)
    )
    return DocumentContent(document, text, (), parts)


def environ(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MULTIDB_CHAT_")}
    return kept | {"MULTIDB_CHAT_HOME": str(home), "TERM": "xterm-256color"}


def run(command: Sequence[str], home: Path) -> tuple[float, float]:
    """Run a command to its end; return wall-clock and CPU seconds, its children's included."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=environ(home), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.returncode}\n{done.stderr}")
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def first_paint(home: Path) -> tuple[float, float]:
    """Open the app on a terminal of its own; return seconds until its title is drawn, and the process's CPU seconds."""
    import pexpect

    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    app = pexpect.spawn(PROGRAM[0], PROGRAM[1:], env=environ(home), dimensions=(24, 80), timeout=30)
    app.expect_exact("multidb-chat")
    painted = time.perf_counter() - begin
    app.sendcontrol("q")
    app.expect(pexpect.EOF)
    app.close()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return painted, after.ru_utime - before.ru_utime


def where(home: Path) -> None:
    """Print the steps of a cached and a fresh turn, and the packages that took longest to import."""
    for name, more in (("cached", []), ("fresh", ["--no-cache"])):
        command = [sys.executable, "-X", "importtime", "-m", "multidb_chat", "ask", "--json", *more, QUESTION]
        done = subprocess.run(command, env=environ(home), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        timings = json.loads(done.stdout)["timings"]
        print(
            f"\n{name}, steps of the turn in ms:",
            ", ".join(f"{step} {ms:.0f}" for step, ms in timings.items() if ms >= 1),
        )
        spent: dict[str, int] = {}
        for microseconds, module in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", done.stderr):
            spent[package_of(module)] = spent.get(package_of(module), 0) + int(microseconds)
        slowest = sorted(spent.items(), key=lambda item: -item[1])[:12]
        print(f"{name}, imports in ms:", ", ".join(f"{module} {took / 1000:.0f}" for module, took in slowest))


def package_of(module: str) -> str:
    return ".".join(module.split(".")[: 2 if module.startswith("multidb_chat") else 1])


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=12_500)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--where", action="store_true")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        fill(home, options.chunks)
        commands = {
            "import typer": lambda: run(TYPER, home),
            "--help": lambda: run([*PROGRAM, "--help"], home),
            "config show": lambda: run([*PROGRAM, "config", "show"], home),
            "ask, cached": lambda: run([*PROGRAM, "ask", QUESTION], home),
            "ask, fresh": lambda: run([*PROGRAM, "ask", "--no-cache", QUESTION], home),
            "app, first paint": lambda: first_paint(home),
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, measure in commands.items():
                times[name].append(measure())
        typer = median(wall for wall, _ in times["import typer"])
        print(f"{options.chunks:,} chunks, medians of {options.runs} runs")
        print(f"{'':18}{'wall ms':>9}{'cpu ms':>9}{'x typer':>9}")
        for name, taken in times.items():
            wall, cpu = median(wall for wall, _ in taken), median(cpu for _, cpu in taken)
            print(f"{name:18}{1e3 * wall:9.0f}{1e3 * cpu:9.0f}{wall / typer:9.2f}")
        if options.where:
            where(home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
