"""What a language model is asked for a summary of older turns, and what is taken of its answer.

A summary goes into prompts later, so it is held to what may go there: no address, no instruction of the program's, no
figure that nobody has named, and no more room than it was given.
"""

from collections.abc import Sequence

from multidb_chat.domain.language import Prompt, Said
from multidb_chat.domain.text import clean
from multidb_chat.domain.turns import Recalled, Spoken
from multidb_chat.services.answering.words import Words
from multidb_chat.services.modelled.estimating import TOKEN_BYTES, size
from multidb_chat.services.modelled.prompting import SUMMARY_INSTRUCTIONS, talk
from multidb_chat.services.modelled.withholding import Addresses, recites

SECONDS = 60.0
"""So long a summary may take; nobody waits for it."""
_LEAST_CHARS = 12


def prompt_for(before: str, turns: Sequence[Spoken], most_tokens: int) -> Prompt:
    """Return what the model is asked: to go on with the summary before by these turns."""
    told = talk(Recalled(before, tuple(turns)))
    return Prompt(SUMMARY_INSTRUCTIONS, (Said("user", f"<conversation>\n{told}\n</conversation>"),), most_tokens)


def fit(said: str, before: str, turns: Sequence[Spoken], most_tokens: int) -> str:
    """Return the summary that a model gave, on one line; empty where it is none that may be kept."""
    text = Addresses(()).without_others(" ".join(clean(said).split()).removeprefix("Summary:").strip())
    if len(text) < _LEAST_CHARS or size(text) > 2 * most_tokens * TOKEN_BYTES:
        return ""
    if recites(text):
        return ""
    told = " ".join([before, *(f"{turn.asked} {turn.said}" for turn in turns)])
    words = Words()
    known = {one.key for one in words.tokens(told)}
    if any(one.number and one.key not in known for one in words.tokens(text)):
        return ""
    return text


def listed(before: str, turns: Sequence[Spoken], most_tokens: int) -> str:
    """Return a summary that needs no model: the summary before and what was asked since, the oldest left out first."""
    room = most_tokens * TOKEN_BYTES
    kept: list[str] = []
    for part in [*(turn.asked for turn in reversed(turns)), *([before] if before else [])]:
        room -= size(part) + 1
        if room < 0:
            break
        kept.append(part)
    return " ".join(reversed(kept))
