"""How well answers are made: the right sentences, and none where the documents say nothing.

Each question of tests/data/answers is answered from the same matches by the extractive answerer and by two references:
the whole best passage, and the best passage's first sentence. Then come the questions about real documents of
tests/data/answers/real, those in other words of tests/data/answers/reworded, and those of tests/data/answers/unseen,
whose READMEs tell how they were made.
"""

import asyncio
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "tests" / "data" / "answers"
sys.path.insert(0, str(DATA.parents[2]))

from tests.data.answers import quality  # noqa: E402
from tests.data.answers.library import Texts, texts_in  # noqa: E402

from multidb_chat.domain.search import Match  # noqa: E402
from multidb_chat.domain.turns import AnswerSentence, Draft, Question  # noqa: E402
from multidb_chat.services.answering.extractive import Extractive  # noqa: E402
from multidb_chat.services.answering.sentences import split  # noqa: E402
from multidb_chat.services.follow_up import PastTurn, standalone  # noqa: E402


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


async def extractive(answerer: Extractive, question: str, matches: Sequence[Match]) -> tuple[str, ...]:
    """Return the sentences of an answer, none when it says that nothing was found."""
    stream: AsyncIterator[AnswerSentence | Draft] = answerer.answer(Question(question, question), matches)
    drafts = [item async for item in stream if isinstance(item, Draft)]
    return tuple(sentence.text for sentence in drafts[-1].sentences)


def sentences(match: Match) -> tuple[str, ...]:
    """Return the sentences of the whole passage."""
    units = split(match.chunk.text, match.chunk.kind, match.chunk.headings)
    return tuple(match.chunk.text[unit.start : unit.end] for unit in units if unit.kind not in ("heading", "header"))


async def outcomes(way: str, texts: Texts) -> list[Outcome]:
    """Answer every case in one way."""
    answerer = Extractive(texts.reader if way == WAYS[0] else None)
    done = []
    for case in cases():
        matches = await texts.matches(case.question)
        begin = time.perf_counter()
        if way.startswith("extractive"):
            said = await extractive(answerer, case.question, matches)
        else:
            said = sentences(matches[0]) if matches else ()
            said = said[:1] if way == "lead sentence" else said
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


@dataclass(frozen=True)
class Dialogue:
    """A question, a follow-up, and what the follow-up's answer must cite (nothing: it cannot be answered)."""

    first: str
    then: str
    gold: tuple[str, ...]


def dialogues() -> list[Dialogue]:
    """Return the follow-ups with what their answers should hold."""
    rows = [json.loads(line) for line in (DATA / "dialogues.jsonl").read_text("utf-8").splitlines()]
    return [Dialogue(row["first"], row["then"], tuple(row["gold"])) for row in rows]


async def followed(texts: Texts) -> list[tuple[Dialogue, str, tuple[str, ...], bool]]:
    """Return each dialogue with the stand-alone question, what was said to it, and whether that is right."""
    answerer = Extractive(texts.reader)
    done = []
    for one in dialogues():
        first = await extractive(answerer, one.first, await texts.matches(one.first))
        question = standalone(one.then, [PastTurn(one.first, first[0] if first else "", "")])
        said = await extractive(answerer, question, await texts.matches(question))
        joined = plain(" ".join(said))
        done.append((one, question, said, all(plain(gold) in joined for gold in one.gold) if one.gold else not said))
    return done


WAYS = ("extractive, sentences read", "extractive", "whole passage", "lead sentence")


async def main(details: bool) -> None:
    """Print the table; with `details` also each question of the development part that went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        async with texts_in(Path(folder)) as texts:
            for way in WAYS:
                done = await outcomes(way, texts)
                for part in ("dev", "test"):
                    figures = summary([one for one in done if one.case.split == part])
                    if way == WAYS[0] and part == "dev":
                        print(f"{'':32}{'part':6}" + "".join(f"{name:>15}" for name in figures))
                    print(f"{way:32}{part:6}" + "".join(f"{value:15.3f}" for value in figures.values()))
                if details and way.startswith("extractive"):
                    report([one for one in done if one.case.split == "dev"])
            talks = await followed(texts)
            print(f"follow-ups answered rightly: {sum(right for *_, right in talks)} of {len(talks)}")
            for one, question, said, right in talks:
                if details and not right:
                    print(f"  {one.first} / {one.then}\n      {question}\n      {list(said)}")
    await real(quality.REAL, "real documents", details)
    await real(quality.REWORDED, "real documents, in other words", details)
    await real(quality.UNSEEN, "real documents that nothing was chosen for", details)


async def real(asked_of: Path, title: str, details: bool) -> None:
    """Print what becomes of the questions of a set; with `details` all failures of its development part."""
    print(f"\n{title}: share, 95 % confidence interval")
    with tempfile.TemporaryDirectory() as folder:
        async with texts_in(Path(folder), asked_of / "documents") as texts:
            for part in sorted({one.split for one in quality.questions(asked_of)}):
                told = [await quality.tell(texts, one) for one in quality.questions(asked_of) if one.split == part]
                talks = [await quality.follow(texts, one) for one in quality.follow_ups(asked_of) if one.split == part]
                figures(part, told, talks)
                failed = [one for one in told if one.verdict != "right"]
                explained(failed if part == "dev" else spread(failed, 10), details or part == "test")


def figures(part: str, told: Sequence[quality.Told], talks: Sequence[tuple[bool, bool]]) -> None:
    """Print the shares of one part."""
    answerable = [one for one in told if one.asked.gold]
    unanswerable = [one for one in told if not one.asked.gold]
    cited = sum(one.citations for one in told)
    followed, alone = sum(one for one, _ in talks), sum(one for _, one in talks)
    rows = {
        "the answer holds the span": (sum(one.verdict == "right" for one in answerable), len(answerable)),
        "refused, though answerable": (sum(not one.said for one in answerable), len(answerable)),
        "  nothing that answers was found": (sum(not one.found for one in answerable), len(answerable)),
        "refused, being unanswerable": (sum(not one.said for one in unanswerable), len(unanswerable)),
        "citations that hold their sentences": (sum(one.exact for one in told), cited),
        "citations of the right document": (
            sum(one.near for one in answerable), sum(one.citations for one in answerable),
        ),
        "follow-ups answered": (followed, len(talks)),
        "the same, standing alone": (alone, len(talks)),
    }  # fmt: skip
    for name, (right, total) in rows.items():
        print(f"{part:5}{name:38}{quality.share(right, total)}")


def spread(failed: Sequence[quality.Told], count: int) -> list[quality.Told]:
    """Return so many failures, evenly spread over all."""
    return [failed[at * len(failed) // count] for at in range(min(count, len(failed)))]


def explained(failed: Sequence[quality.Told], wanted: bool) -> None:
    """Print failures with what went wrong."""
    for one in failed if wanted else ():
        said = one.said[0][:100] if one.said else "(refused)"
        gold = f" instead of: {one.asked.gold[0]}" if one.asked.gold else ""
        print(f"  {one.verdict}: {one.asked.question}\n      {said}{gold}")


def report(done: Sequence[Outcome]) -> None:
    """Print what went wrong."""
    for one in done:
        if one.f1 < 0.99 if one.case.gold else one.said:
            print(f"  {one.case.id} {one.case.question}\n      {one.f1:.2f} {list(one.said)}")


if __name__ == "__main__":
    asyncio.run(main("--details" in sys.argv))
