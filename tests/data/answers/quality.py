"""Answers to the questions about real documents, and what may be said of them."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from multidb_chat.domain.search import Match
from multidb_chat.domain.turns import AnswerSentence, Draft, Question
from multidb_chat.services.answering.extractive import Extractive
from multidb_chat.services.follow_up import PastTurn, standalone
from tests.data.answers.library import Texts

REAL, REWORDED, UNSEEN = (Path(__file__).parent / name for name in ("real", "reworded", "unseen"))
Verdict = Literal["right", "refused", "not found", "another sentence", "answered"]


@dataclass(frozen=True)
class Asked:
    """A question with the spans that answer it, any of them; none when the documents do not."""

    id: str
    split: str
    document: str
    question: str
    gold: tuple[str, ...]


@dataclass(frozen=True)
class FollowUp:
    """A question, one that leans on it, and the same one standing on its own."""

    split: str
    document: str
    first: str
    then: str
    alone: str
    gold: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """What was said to a question; `found` whether a passage with the gold span was at hand.

    `exact` of `citations` hold the sentences that cite them and are what stands in the document there; `near` are of
    the document that the question is about.
    """

    asked: Asked
    said: tuple[str, ...]
    found: bool
    citations: int
    exact: int
    near: int

    @property
    def verdict(self) -> Verdict:
        """What became of the question."""
        if not self.asked.gold:
            return "answered" if self.said else "right"
        if holds(" ".join(self.said), self.asked.gold):
            return "right"
        if not self.found:
            return "not found"
        return "another sentence" if self.said else "refused"


def plain(text: str) -> str:
    """Return the letters and digits of a text: how texts are compared, whatever was escaped or wrapped."""
    return re.sub(r"[\W_]+", "", text).lower()


def holds(text: str, gold: Sequence[str]) -> bool:
    """Tell whether a text holds any of the spans."""
    said = plain(text)
    return any(plain(span) in said for span in gold)


def questions(asked_of: Path = REAL) -> list[Asked]:
    """Return all questions of a set."""
    rows = map(json.loads, (asked_of / "questions.jsonl").read_text("utf-8").splitlines())
    return [Asked(row["id"], row["split"], row["document"], row["question"], tuple(row["gold"])) for row in rows]


def follow_ups(asked_of: Path = REAL) -> list[FollowUp]:
    """Return all follow-ups of a set."""
    rows = map(json.loads, (asked_of / "dialogues.jsonl").read_text("utf-8").splitlines())
    return [
        FollowUp(row["split"], row["document"], row["first"], row["then"], row["standalone"], tuple(row["gold"]))
        for row in rows
    ]


async def tell(texts: Texts, asked: Asked) -> Told:
    """Answer a question as the program does without a language model, and look at the answer."""
    matches = await texts.matches(asked.question)
    draft = await _draft(texts, asked.question, matches)
    exact = near = 0
    for citation in draft.citations:
        there = await texts.library.text(citation.document_id, citation.start, citation.end)
        citing = [one for one in draft.sentences if citation.number in one.citations]
        exact += there == citation.snippet and all(_unmarked(one.text) in plain(citation.snippet) for one in citing)
        near += Path(citation.document_name).name == asked.document
    return Told(
        asked,
        tuple(one.text for one in draft.sentences),
        any(holds(match.chunk.text, asked.gold) for match in matches),
        len(draft.citations),
        exact,
        near,
    )


def _unmarked(text: str) -> str:
    """Return a sentence as it is compared, without the number of a list's item: that is not part of what is cited."""
    return plain(re.sub(r"^\s*\(?\w{1,3}[.)]\s", "", text))


async def follow(texts: Texts, one: FollowUp) -> tuple[bool, bool]:
    """Return whether the follow-up was answered, and whether the question that stands on its own was."""
    first = await said_to(texts, one.first)
    question = standalone(one.then, [PastTurn(one.first, first[0] if first else "", "")])
    return holds(" ".join(await said_to(texts, question)), one.gold), holds(
        " ".join(await said_to(texts, one.alone)), one.gold
    )


async def said_to(texts: Texts, question: str) -> tuple[str, ...]:
    """Return the sentences of the answer to a question."""
    draft = await _draft(texts, question, await texts.matches(question))
    return tuple(sentence.text for sentence in draft.sentences)


async def _draft(texts: Texts, question: str, matches: Sequence[Match]) -> Draft:
    stream = Extractive(texts.reader).answer(Question(question, question), matches)
    items: list[AnswerSentence | Draft] = [item async for item in stream]
    return next(item for item in reversed(items) if isinstance(item, Draft))


def share(right: int, total: int) -> str:
    """Return a share with its 95 % confidence interval (Wilson 1927)."""
    if not total:
        return "none"
    z, part = 1.96, right / total
    middle = (part + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(part * (1 - part) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return f"{part:6.1%}  [{middle - half:.1%}, {middle + half:.1%}]  {right} of {total}"
