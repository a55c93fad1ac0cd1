"""What a loaded Stella model must show before it may make a vector; libraries that load it otherwise give no error.

A Qwen2 network reads from left to right unless it is told not to, and libraries lose that in several ways: its vectors
then still look like vectors. So it is seen in what comes out.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch

from multidb_chat.adapters.embedders.stella_checkpoint import END_MARK, STORE
from multidb_chat.domain.errors import StoreCorrupt

_TEXT = "The harbour froze in January, and no ship left before the thaw."
_BESIDE = ("A short text.", "Another one, somewhat longer than the first, lies in the same row behind it.")
_SEEN, _SAME = 1e-3, 0.999  # beyond rounding in bfloat16; a text in another row is rounded otherwise

# The example of the model card and its cosines, with 1024 dimensions.
QUESTIONS = ("What are some ways to reduce stress?", "What are the benefits of drinking green tea?")
PASSAGES = (
    "There are many effective ways to reduce stress. Some common techniques include deep breathing, meditation, and"
    " physical activity. Engaging in hobbies, spending time in nature, and connecting with loved ones can also help"
    " alleviate stress. Additionally, setting boundaries, practicing self-care, and learning to say no can prevent"
    " stress from building up.",
    "Green tea has been consumed for centuries and is known for its potential health benefits. It contains antioxidants"
    " that may help protect the body against damage caused by free radicals. Regular consumption of green tea has been"
    " associated with improved heart health, enhanced cognitive function, and a reduced risk of certain types of"
    " cancer. The polyphenols in green tea may also have anti-inflammatory and weight loss properties.",
)
CARD = ((0.8179, 0.2958), (0.3194, 0.7854))
_ROUNDING = 0.02  # of bfloat16; a causal network is off by .2 and more, one without end marks by .05 and more


class Shown(Protocol):
    """What is proved of a network."""

    def states(self, windows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return what the last layer gives for each token of all windows."""

    def vectors(self, windows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return each window's vector, not scaled."""


def prove(network: Shown, tokens: Callable[[str], list[int]]) -> None:
    """Raise `StoreCorrupt` unless texts end with the end mark, every token sees every other one, and texts stay apart.

    `tokens` gives the one window of a short text.
    """
    text, beside = tokens(_TEXT), [tokens(other) for other in _BESIDE]
    for window in (text, *beside):
        if window[-1] != END_MARK:
            raise _refused(f"a text ends with token {window[-1]}, not with the end mark {END_MARK}")
    changed = [*text[:-1], text[0]]
    for where, others in (("alone", []), ("beside others", beside)):
        first = [network.states([window, *others])[0].float() for window in (text, changed)]
        if not all(state.isfinite().all() for state in first):
            raise _refused("what comes out are no numbers")
        if (first[0] - first[1]).norm() < _SEEN * first[0].norm():
            raise _refused(f"its first token does not see the last one ({where}): attention is causal")
    alone, packed = network.vectors([text]), network.vectors([*beside, text])[-1:]
    if (similar := _cosines(alone, packed).item()) < _SAME:
        raise _refused(f"a text beside others has another vector than alone (cosine {similar:.4f})")


def prove_published(network: Shown, tokens: Callable[[str], list[int]], prompt: str) -> None:
    """Raise `StoreCorrupt` unless the model card's example has the model card's cosines (1024 dimensions)."""
    asked = network.vectors([tokens(prompt + question) for question in QUESTIONS])
    found = _cosines(asked, network.vectors([tokens(passage) for passage in PASSAGES]))
    if (found - torch.tensor(CARD, device=found.device)).abs().max() > _ROUNDING:
        shown = [[round(value, 4) for value in row] for row in found.tolist()]
        raise _refused(f"the example of the model card has the cosines {shown}, not {[list(row) for row in CARD]}")


def _cosines(some: torch.Tensor, others: torch.Tensor) -> Any:
    return torch.nn.functional.normalize(some) @ torch.nn.functional.normalize(others).T


def _refused(why: str) -> StoreCorrupt:
    return StoreCorrupt(STORE, f"the model is refused, since its vectors would be wrong: {why}")
