"""What no answer of a model may hold, whoever asked for it: addresses that no passage has, and its own instructions.

An address can carry what it was not meant to (OWASP LLM02:2025, exfiltration): only those that stand in a passage word
for word are shown, since a document that is served as it is gives nothing away.
"""

import re
from collections.abc import Sequence

from multidb_chat.domain.search import Match
from multidb_chat.services.modelled.prompting import (
    FACTS_RULE,
    INSTRUCTIONS,
    REWRITING_INSTRUCTIONS,
    SUMMARY_INSTRUCTIONS,
    TALK_RULE,
)

LEFT_OUT = "…"
"""Stands in the place of an address."""
_RUN = 6  # words in a row that are no chance
_REST = r"[^\s<>`()\[\]\"]"
_ADDRESS = re.compile(
    rf"(?:\b[a-z][a-z0-9+.-]{{1,15}}://|\bwww\.|\b(?:mailto|javascript|data|tel|file):){_REST}+"
    rf"|(?:\b|//)[\w-]+(?:\.[\w-]+)*\.[a-z]{{2,}}[/?#]{_REST}*",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


def recites(text: str) -> bool:
    """Tell whether a text repeats the instructions: six words of them in a row."""
    said = f" {' '.join(_words(text))} "
    return any(f" {run} " in said for run in _RUNS)


class Addresses:
    """The addresses that the passages of an answer hold."""

    def __init__(self, matches: Sequence[Match]) -> None:
        self._held = "\n".join(match.chunk.text for match in matches)

    def without_others(self, text: str) -> str:
        """Return the text with a mark in the place of each address that no passage holds."""
        return _ADDRESS.sub(lambda found: found[0] if found[0].rstrip(".,;:!?'*_") in self._held else LEFT_OUT, text)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _runs() -> frozenset[str]:
    all_of_them = (INSTRUCTIONS + FACTS_RULE + TALK_RULE, REWRITING_INSTRUCTIONS, SUMMARY_INSTRUCTIONS)
    return frozenset(
        " ".join(words[at : at + _RUN]) for words in map(_words, all_of_them) for at in range(len(words) - _RUN + 1)
    )


_RUNS = _runs()
