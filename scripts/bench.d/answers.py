"""How well answers are made: the right sentences, and none where the documents say nothing.

Each question of tests/data/answers is answered from the same matches by the extractive answerer and by two references:
the whole best passage, and the best passage's first sentence.
"""

import asyncio
import json
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "tests" / "data" / "answers"
sys.path.insert(0, str(DATA.parents[2]))

from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder  # noqa: E402
from multidb_chat.domain.search import Embedder, Match  # noqa: E402
from multidb_chat.domain.turns import AnswerSentence, Draft, Question  # noqa: E402
from multidb_chat.services.answering.extractive import Extractive  # noqa: E402
from multidb_chat.services.answering.sentences import split  # noqa: E402
from tests.data.answers.library import Memory, matches_for, parsed_documents  # noqa: E402


@dataclass(frozen=True)
class Case:
    """A question; the beginnings of the sentences that must be cited (none: it cannot be answered) and that may be."""

    id: str
    split: str
    question: str
    gold: tuple[str, ...]
    also: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What an answerer said to a case, and in which time."""

    case: Case
    said: tuple[str, ...]
    ms: float

    @property
    def precision(self) -> float:
        wanted = [plain(text) for text in self.case.gold + self.case.also]
        return sum(any(one in plain(text) for one in wanted) for text in self.said) / max(1, len(self.said))

    @property
    def recall(self) -> float:
        said = plain(" ".join(self.said))
        return sum(plain(text) in said for text in self.case.gold) / max(1, len(self.case.gold))

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def plain(text: str) -> str:
    """Return the letters and digits of a text: how a sentence is compared, whatever was escaped or wrapped."""
    return re.sub(r"[\W_]+", "", text).lower()


def cases() -> list[Case]:
    """Return the questions with what their answers should hold."""
    rows = [json.loads(line) for line in (DATA / "questions.jsonl").read_text("utf-8").splitlines()]
    return [Case(row["id"], row["split"], row["question"], tuple(row["gold"]), tuple(row["also"])) for row in rows]


Answering = Callable[[str, Sequence[Match]], "asyncio.Future[tuple[str, ...]]"]


async def extractive(answerer: Extractive, question: str, matches: Sequence[Match]) -> tuple[str, ...]:
    """Return the sentences of an answer, none when it says that nothing was found."""
    stream: AsyncIterator[AnswerSentence | Draft] = answerer.answer(Question(question, question), matches)
    drafts = [item async for item in stream if isinstance(item, Draft)]
    return tuple(sentence.text for sentence in drafts[-1].sentences)


def sentences(match: Match) -> tuple[str, ...]:
    """Return the sentences of the whole passage."""
    units = split(match.chunk.text, match.chunk.kind, match.chunk.headings)
    return tuple(match.chunk.text[unit.start : unit.end] for unit in units if unit.kind not in ("heading", "header"))


async def outcomes(name: str, embedder: Embedder) -> list[Outcome]:
    """Answer every case in one way."""
    documents = parsed_documents()
    answerer = Extractive(embedder if name == "extractive, sentences embedded" else None)
    done = []
    for case in cases():
        matches = await matches_for(case.question, documents, embedder)
        begin = time.perf_counter()
        if name.startswith("extractive"):
            said = await extractive(answerer, case.question, matches)
        else:
            said = sentences(matches[0]) if matches and matches[0].score > 0.3 else ()
            said = said[:1] if name == "lead sentence" else said
        done.append(Outcome(case, said, (time.perf_counter() - begin) * 1000))
    return done


def summary(done: Sequence[Outcome]) -> dict[str, float]:
    """Return the figures of some outcomes, 0 to 1, and the median milliseconds of an answer."""
    answerable = [one for one in done if one.case.gold]
    unanswerable = [one for one in done if not one.case.gold]
    return {
        "precision": statistics.fmean(one.precision for one in answerable),
        "recall": statistics.fmean(one.recall for one in answerable),
        "f1": statistics.fmean(one.f1 for one in answerable),
        "gold cited": statistics.fmean(one.recall > 0 for one in answerable),
        "abstained": statistics.fmean(not one.said for one in answerable),
        "false answers": statistics.fmean(bool(one.said) for one in unanswerable),
        "sentences": statistics.fmean(len(one.said) for one in answerable if one.said),
        "ms": statistics.median(one.ms for one in done),
    }


WAYS = ("extractive", "extractive, sentences embedded", "whole passage", "lead sentence")


async def main(details: bool) -> None:
    """Print the table; with `details` also each question of the development part that went wrong."""
    embedder = Memory(MiniLMEmbedder())
    print(f"{'':32}{'part':6}" + "".join(f"{name:>14}" for name in ("precision", "recall", "f1", "gold cited", "abstained",
          "false answers", "sentences", "ms")))  # fmt: skip
    for name in WAYS:
        done = await outcomes(name, embedder)
        for part in ("dev", "test"):
            some = [one for one in done if one.case.split == part]
            print(f"{name:32}{part:6}" + "".join(f"{value:14.3f}" for value in summary(some).values()))
        if details and name.startswith("extractive"):
            for one in done:
                wrong = one.f1 < 0.99 if one.case.gold else one.said
                if wrong and one.case.split == "dev":
                    print(f"  {one.case.id} {one.case.question}\n      {one.f1:.2f} {list(one.said)}")
    await embedder.close()


if __name__ == "__main__":
    asyncio.run(main("--details" in sys.argv))
