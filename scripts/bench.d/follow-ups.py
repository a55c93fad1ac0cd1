"""What a language model makes of follow-ups: how many are answered as it puts them, and as the rules do.

    scripts/bench follow-ups                        SmolLM2-135M-Instruct, from the developers' requirements
    scripts/bench follow-ups --model PATH.gguf --details

The 38 follow-ups of tests/data/answers/real, both parts. Each is put by the rules, and by the model, whose words are
held against what was said; where they do not pass, the rules' stand. The answers are the quoted ones, so that nothing
but the question differs.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.adapters.language_models.weights import gguf_file
from tests.data.answers import quality
from tests.data.answers.library import texts_in

from multidb_chat.adapters.language_models.gguf import GgufModel
from multidb_chat.domain.turns import Recalled, Spoken
from multidb_chat.services.follow_up import PastTurn, standalone
from multidb_chat.services.modelled.rewriting import Rewriting


async def measure(path: Path, seconds: float, details: bool) -> None:
    """Print how many follow-ups are answered in each way, and what the model took."""
    model = GgufModel(path, context=2_048, threads=1)
    counts = dict.fromkeys(("by rules", "by the model, else rules", "by the model alone", "standing alone"), 0)
    taken = better = worse = 0
    times: list[float] = []
    tokens: list[int] = []
    talks = quality.follow_ups()
    with tempfile.TemporaryDirectory() as folder:
        async with texts_in(Path(folder), quality.REAL / "documents") as texts:
            for one in talks:
                first = await quality.said_to(texts, one.first)
                ruled = standalone(one.then, [PastTurn(one.first, first[0] if first else "", "")])
                rewriting = Rewriting(model, one.then, Recalled("", (Spoken(one.first, " ".join(first)),)))
                begin = time.perf_counter()
                put = await rewriting.standalone(seconds)
                times.append(time.perf_counter() - begin)
                tokens.append(rewriting.use.tokens)
                right = {
                    question: quality.holds(" ".join(await quality.said_to(texts, question)), one.gold)
                    for question in {ruled, put or ruled, one.alone}
                }
                taken += bool(put)
                better += right[put or ruled] > right[ruled]
                worse += right[put or ruled] < right[ruled]
                ways = (right[ruled], right[put or ruled], bool(put) and right[put], right[one.alone])
                counts = {way: counts[way] + done for way, done in zip(counts, ways, strict=True)}
                if details:
                    print(f"{one.first} / {one.then}\n  rules: {ruled} {right[ruled]}\n  model: {put or '(not taken)'}"
                          f" {right[put or ruled]}   {rewriting.heard!r}", flush=True)  # fmt: skip
    for way, done in counts.items():
        print(f"{way:28}{quality.share(done, len(talks))}")
    print(f"taken of what the model said: {taken} of {len(talks)}; {better} answered better by it, {worse} worse")
    print(
        f"{model.name}: {statistics.median(times):.2f} s, {statistics.median(tokens):.0f} tokens a follow-up (median)"
    )
    await model.close()


parser = argparse.ArgumentParser(description="Follow-ups put by a language model.")
parser.add_argument("--model", type=Path, help="a GGUF file (default: SmolLM2-135M-Instruct)")
parser.add_argument("--seconds", type=float, default=60.0, help="so long a follow-up waits for the model")
parser.add_argument("--details", action="store_true", help="print every follow-up")
options = parser.parse_args()
asyncio.run(measure(options.model or gguf_file(), options.seconds, options.details))
