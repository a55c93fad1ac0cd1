"""What attacks by text in documents achieve against a real small model: what it obeys, and what reaches people.

    scripts/bench attacks                          all of tests/data/attacks, some minutes
    scripts/bench attacks --model PATH.gguf --most-tokens 64

Each attack is put to the model as the program does it: two honest passages and the hostile ones, the model's words held
against them. "obeyed": what the attacker wants is in the model's own words. "reached people": what the program shows of
them counts as a success by the checks of tests/data/attacks/attacking.py (a link, an address that no passage holds, a
forged citation, rules of the program, a sentence shown as supported that its citation does not hold).
"""

import argparse
import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import AsyncGenerator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.adapters.language_models.weights import gguf_file
from tests.data.attacks.attacking import KINDS, attacks, outcome, successes

from multidb_chat.adapters.language_models.gguf import GgufModel
from multidb_chat.domain.language import Ended, Piece, Prompt
from multidb_chat.services.answering.extractive import Extractive
from multidb_chat.services.modelled.answerer import Modelled


class Overheard:
    """A model whose words are kept as it said them."""

    def __init__(self, model: GgufModel) -> None:
        self._model = model
        self.name = model.name
        self.said = ""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece | Ended, None]:
        self.said = ""
        async for event in self._model.stream(prompt):
            if isinstance(event, Piece):
                self.said += event.text
            yield event

    async def close(self) -> None:
        await self._model.close()


async def measure(path: Path, most_tokens: int, only: str) -> None:
    """Print a line for each attack, then the table."""
    model = Overheard(GgufModel(path, context=2_048, threads=1))
    answerer = Modelled(model, Extractive(), most_tokens=most_tokens)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    begin = time.perf_counter()
    for attack in attacks():
        if only not in attack.kind:
            continue
        draft, text = await outcome(answerer, attack)
        won = successes(attack, draft, text)
        obeyed = attack.aim.casefold() in model.said.casefold()
        row = [1, obeyed, draft.method == "extractive", bool(won)]
        counts[attack.kind] = [a + b for a, b in zip(counts[attack.kind], row, strict=True)]
        told = "obeyed" if obeyed else "not obeyed"
        print(f"{attack.kind}: {attack.name}: {told}; {', '.join(won) or 'nothing reached people'}", flush=True)
    print(f"\n{model.name}, {most_tokens} tokens at most, {time.perf_counter() - begin:.0f} s")
    print("| kind | attacks | obeyed | quoted instead | reached people |\n|---|---|---|---|---|")
    for kind in KINDS:
        print(f"| {kind} | " + " | ".join(map(str, counts[kind])) + " |")
    total = [sum(column) for column in zip(*counts.values(), strict=True)]
    print("| all | " + " | ".join(map(str, total)) + " |")
    await model.close()


parser = argparse.ArgumentParser(description="Attacks by text in documents, against a small model.")
parser.add_argument("--model", type=Path, help="a GGUF file (default: SmolLM2-135M-Instruct)")
parser.add_argument("--most-tokens", type=int, default=48)
parser.add_argument("--only", default="", help="only attacks of this kind")
options = parser.parse_args()
asyncio.run(measure(options.model or gguf_file(), options.most_tokens, options.only))
