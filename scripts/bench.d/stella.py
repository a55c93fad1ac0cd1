"""Measure Stella's shape with random weights: tokens a second, and the share of what the device could do at most.

    scripts/bench stella                  1.5 billion weights (3 GB) on CUDA: two or three minutes
    scripts/bench stella --small          a small network, on any device: shows that the benchmark works, and no more

Each line is beside plain `SentenceTransformer.encode` of the same checkpoint and texts in the same run. The limit is
the device's bfloat16 matrix product (8192 x 8192 x 8192, random numbers), measured in the same run, divided by the
operations of a token: 2.62 GFLOP in the linear layers, and 4 x hidden x layers for each token it attends to. It needs
the extra `stella`; scripts/test-stella makes an environment for it.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OTHER = ROOT / ".venv-stella/bin/python"
LENGTHS = (64, 256, 512)
LETTERS = "etaoinshrdlcumwfgypbvk"  # each of them is one token with the space before it


def builder() -> Any:
    loader = SourceFileLoader("build_test_stella", str(ROOT / "scripts/build-test-stella"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def texts(tokens: Sequence[int]) -> list[str]:
    """Return a text for each number of tokens, the end mark counted in."""
    chosen = random.Random(1)
    return [" ".join(chosen.choices(LETTERS, k=count - 1)) for count in tokens]


def seconds(work: Callable[[], object], device: str, runs: int) -> float:
    """Return the median time of the work, done once before it counts."""
    import torch

    def once() -> float:
        begin = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - begin

    once()
    return median(once() for _ in range(runs))


def peak(device: str, size: int) -> float:
    """Return the FLOP a second of a bfloat16 matrix product."""
    import torch

    a, b = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    times = 10 if device == "cuda" else 1

    def products() -> None:
        for _ in range(times):
            torch.mm(a, b)

    return times * 2 * size**3 / seconds(products, device, 5)


def work_of_a_token(network: Any, attended: float) -> float:
    """Return the floating-point operations of a token that attends to so many."""
    config = network.config
    linear = sum(weight.numel() for name, weight in network.named_parameters() if name.endswith("proj.weight"))
    return 2.0 * linear + 4.0 * attended * config.hidden_size * config.num_hidden_layers


class Bench:
    def __init__(self, folder: Path, device: str, runs: int, limit: float) -> None:
        from sentence_transformers import SentenceTransformer

        from multidb_chat.adapters.embedders.stella_model import StellaModel

        self.device, self.runs, self.limit = device, runs, limit
        begin = time.perf_counter()
        self.model = StellaModel(folder, 1_024, device, "bfloat16", card=False)
        self.model.compiled_from = sys.maxsize  # until `compiled`
        print(f"loaded and proved in {time.perf_counter() - begin:.1f} s, {self.model.placement}", flush=True)
        self.plain = SentenceTransformer(
            str(folder), device=device, model_kwargs={"dtype": "bfloat16"}, processor_kwargs={"add_eos_token": True}
        )
        self.plain[0].model.config.is_causal = False

    def show(self, what: str, lengths: Sequence[int], work: Callable[[], object]) -> None:
        tokens = sum(lengths)
        attended = sum(length * length for length in lengths) / tokens
        most = self.limit / work_of_a_token(self.model.network.network, attended)
        self._reset()
        speed = tokens / seconds(work, self.device, self.runs)
        print(
            f"{what:<44} {speed:>10,.0f} tokens/s {speed / most:>6.1%} of {most:>9,.0f}  {self._memory()}", flush=True
        )

    def lengths(self, what: str, lengths: Sequence[int], variants: bool) -> None:
        given = texts(lengths)
        tokens = self.model.tokens(given)
        assert [sum(map(len, windows)) for windows in tokens] == list(lengths)
        self.show(f"{what}: ours, tokens given", lengths, lambda: self.model.vectors(tokens, lambda: False))
        self.show(f"{what}: ours, texts given", lengths, lambda: self.ours(given))
        for size in (32, 128):
            work = lambda size=size: self.plain.encode(given, batch_size=size)  # noqa: E731
            self.show(f"{what}: SentenceTransformer.encode({size})", lengths, work)
        if variants:
            self.variants(what, lengths, tokens)

    def ours(self, given: Sequence[str]) -> None:
        self.model.vectors(self.model.tokens(given), lambda: False)

    def variants(self, what: str, lengths: Sequence[int], tokens: Any) -> None:
        kept = self.model.budget
        for budget in (8_192, 16_384, 65_536):
            self.model.budget = budget
            self.show(f"{what}: {budget} tokens at once", lengths, lambda: self.model.vectors(tokens, lambda: False))
        self.model.budget = kept

    def compiled(self, runs: Sequence[tuple[str, Sequence[int]]]) -> None:
        """Measure again as it is when so much was embedded that the layers are compiled."""
        begin = time.perf_counter()
        self.model.compiled_from = 0
        self.ours(texts(runs[0][1]))
        print(f"compiled and proved again in {time.perf_counter() - begin:.1f} s", flush=True)
        for what, lengths in runs:
            given = texts(lengths)
            self.show(f"{what}: compiled, texts given", lengths, lambda given=given: self.ours(given))

    def same(self) -> None:
        """Compare both, so that nothing is measured that computes something else."""
        import numpy as np

        given = texts([5, 64, 256, 300, 512])
        ours = self.model.vectors(self.model.tokens(given), lambda: False)
        theirs = self.plain.encode(given, normalize_embeddings=True)
        cosines = (np.frombuffer(b"".join(ours), "<f4").reshape(theirs.shape) * theirs).sum(axis=1)
        print(f"cosine with SentenceTransformer: {cosines.min():.5f} at the least", flush=True)

    def _reset(self) -> None:
        import torch

        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()

    def _memory(self) -> str:
        import torch

        return f"{torch.cuda.max_memory_allocated() / 1e9:.1f} GB" if self.device == "cuda" else ""


async def questions(folder: Path, device: str) -> None:
    """Measure one question alone, from text to vector."""
    from multidb_chat.adapters.embedders.stella import StellaEmbedder

    embedder = StellaEmbedder(folder, device=device)
    times = []
    for number in range(30):
        begin = time.perf_counter()
        await embedder.embed_query(f"how long is question {number}")
        times.append(time.perf_counter() - begin)
    await embedder.close()
    print(f"{'one question, p50':<44} {1e3 * median(times[5:]):>10,.1f} ms", flush=True)


def measure(arguments: argparse.Namespace) -> None:
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not arguments.small:
        print("no CUDA card is at hand: not measured (--small shows that the benchmark works)")
        return
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name() if device == 'cuda' else 'processor'}", flush=True)
    limit = peak(device, 8_192 if device == "cuda" else 1_024)
    print(f"bfloat16 matrix product: {limit / 1e12:.2f} TFLOP/s", flush=True)
    with tempfile.TemporaryDirectory() as made:
        folder = builder().build(Path(made) / "stella", full=not arguments.small, device=device)
        bench = Bench(folder, device, arguments.runs, limit)
        bench.same()
        total = arguments.tokens or (262_144 if device == "cuda" else 8_192)
        for length in LENGTHS:
            bench.lengths(f"{length} tokens", [length] * (total // length), arguments.variants and length == 256)
        chosen = random.Random(2)
        mixed = [chosen.randint(16, 512) for _ in range(total // 264)]
        bench.lengths("16 to 512 tokens", mixed, variants=False)
        if device == "cuda":
            bench.compiled([*((f"{n} tokens", [n] * (total // n)) for n in LENGTHS), ("16 to 512 tokens", mixed)])
            bench.same()
        if arguments.small:
            asyncio.run(questions(folder, device))
    print(f"bfloat16 matrix product, again: {peak(device, 8_192 if device == 'cuda' else 1_024) / 1e12:.2f} TFLOP/s")


def main(argv: Sequence[str]) -> int:
    if find_spec("torch") is None:
        if OTHER.exists():
            os.execv(OTHER, [str(OTHER), __file__, *argv])
        print("the extra stella is not installed: not measured (scripts/test-stella makes an environment for it)")
        return 0
    parser = argparse.ArgumentParser(prog="bench stella", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a small network, to try the benchmark")
    parser.add_argument("--variants", action="store_true", help="other sizes of batches, too")
    parser.add_argument("--runs", type=int, default=3, help="runs a figure is the median of (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=0, help="tokens of one run")
    measure(parser.parse_args(argv))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
