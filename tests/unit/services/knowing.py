"""Pairs of questions that ask the same or not, written by hand: one file to choose figures by, one to check them."""

from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parents[2] / "data" / "knowledge"


class Pair(NamedTuple):
    """The question of an entry, the question that somebody asks, and whether the entry answers it."""

    same: bool
    entry: str
    question: str


def pairs(split: str) -> list[Pair]:
    """Return the pairs of one of the two files."""
    lines = (DATA / f"{split}.tsv").read_text(encoding="utf-8").splitlines()
    return [Pair(kind == "same", entry, question) for kind, entry, question in (line.split("\t") for line in lines)]


PAIRS = pairs("dev") + pairs("test")
