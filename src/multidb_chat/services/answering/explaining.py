"""How an answer came about, in words: what every face shows of it."""

import re
from collections import Counter
from typing import NamedTuple

from multidb_chat.domain.text import clean_line
from multidb_chat.domain.turns import Answer, Citation, ModelUse, Rewording
from multidb_chat.services.wording import counted

TIERS = "Scores go from 0 to 1: excellent above 0.6, good above 0.4, fair above 0.3, else poor."
_METHODS = {
    "extractive": "quoted: the sentences of the documents that answer",
    "model": "written by a language model from the passages",
    "knowledge": "a curated knowledge entry",
}
_SHORT = 24
_SIZE = re.compile(r"(?<=\.gguf)-\d+$")  # tells files of one name apart, and nobody anything
_STEPS = {
    "conversation": "Follow-up",
    "quota": "Quota",
    "cache": "Cache",
    "knowledge": "Knowledge",
    "retrieval": "Search",
    "answer": "Answer",
    "save": "Save",
    "total": "Total",
}


def writer(model: str, command: str = "/model") -> str:
    """Return who writes the answers, and which command changes that; `model` is the setting's value."""
    if model == "none":
        return f"Answers are quoted from your documents. {command} NAME lets a language model write them."
    return f"Answers are written by {clean_line(model)} and held against your documents. {command} none quotes them."


def short_name(model: str) -> str:
    """Return what a model is called where there is little room, empty for none; `model` is the setting's value."""
    if model == "none":
        return ""
    name = clean_line(model.partition(":")[2]).rstrip("/").rpartition("/")[2].removesuffix(".gguf")
    return name if len(name) <= _SHORT else f"{name[: _SHORT - 1]}…"


class Step(NamedTuple):
    """A step of a turn: how long it took, in milliseconds, and whether it is a part of the step above it."""

    name: str
    milliseconds: float
    inner: bool


def passages(answer: Answer) -> tuple[Citation, ...]:
    """Return the passages that belong to an answer: those it cites, or what came nearest when there is none."""
    return answer.citations if answer.found else answer.nearest


def summary(answer: Answer) -> list[tuple[str, str]]:
    """Return what was asked and searched, where the answer came from and what was found, each with its heading."""
    rows = [("Asked", clean_line(answer.question))]
    if answer.standalone != answer.question:
        rows.append(("Searched", clean_line(answer.standalone)))
    if answer.rewording is not None:
        rows.append(("Follow-up", _rewording(answer.rewording)))
    rows.append(("Answer", _how(answer)))
    if answer.model is not None:
        rows.append(("Model", _model(answer.model)))
    rows.append(("Cache", "answered from the cache" if answer.cached else "not answered from the cache"))
    rows.append(("Knowledge", _knowledge(answer)))
    rows.append(("Passages", _found(answer)))
    return rows


def _how(answer: Answer) -> str:
    if not answer.found:
        return "none: no passage supports one"
    if answer.fell_back:
        return "quoted: the language model said nothing that could be used"
    return _METHODS[answer.method]


def _rewording(rewording: Rewording) -> str:
    put = "put by" if rewording.taken else "put by rules; nothing fit to use came from"
    return f"{put} {_model(rewording.use)}"


def _model(use: ModelUse) -> str:
    """Return which model wrote, and what that took as far as its provider tells."""
    told = [_SIZE.sub("", clean_line(use.name))]
    if use.tokens_in is not None:
        told.append(f"{counted(use.tokens_in, 'token')} read")
    if use.tokens_out is not None:
        told.append(f"{use.tokens_out:,} written")
    if use.estimated:
        told.append(f"about {counted(use.estimated, 'token')}")
    if use.cost is not None:
        told.append(f"${use.cost:.4f}")
    if use.dropped:
        told.append(f"{counted(use.dropped, 'unsupported sentence')} left out")
    return ", ".join(told)


def _knowledge(answer: Answer) -> str:
    """Return the curated entry that answered: its own question, and how sure it is that the same was asked."""
    by = answer.curated
    if by is None:
        return "no curated entry answered"
    category = f" ({clean_line(by.category)})" if by.category else ""
    return f"{clean_line(by.question)}{category}, confidence {by.confidence:.2f}"


def _found(answer: Answer) -> str:
    """Return how many passages there are of each tier."""
    found = passages(answer)
    if not found:
        return "none"
    tiers = Counter(citation.quality for citation in found)
    counted = ", ".join(f"{number} {tier}" for tier, number in tiers.items())
    return f"{len(found)} {'cited' if answer.found else 'came nearest'}: {counted}"


def steps(answer: Answer) -> list[Step]:
    """Return where the time went."""
    found = []
    for step, milliseconds in answer.timings.items():
        outer, _, inner = clean_line(step).partition(".")
        found.append(Step(inner or _STEPS.get(outer, outer), milliseconds, bool(inner)))
    return found
