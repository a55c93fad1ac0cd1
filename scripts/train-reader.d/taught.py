"""Documents with questions, and what a network is shown of them."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from multidb_chat.adapters.embedders.minilm import MiniLMEmbedder
from multidb_chat.services.answering.sentences import Unit, split

DATA = Path(__file__).parent / "data"
WINDOW = 120  # word pieces of a document that are shown at once, at most
LEAST = 50  # and at least, where the document has as many
_QUESTION, _TITLE, _HEADING = 64, 14, 14  # the most word pieces of what stands before it
_MISLEADING = 3  # units of its document
_LESS = 0.25  # of the questions of files that are shown less
_ELSEWHERE = 4  # and of others, that come nearest to a question


@dataclass
class Asked:
    """A question: the units that answer it, others that hold the same words, and the spans (characters) of the answer.

    `misleading` are the units of its document that resemble it most and do not answer it, `elsewhere` are such
    (document, unit) in documents of another kind.
    """

    ids: list[int]
    answers: list[int]
    unsure: list[int]
    spans: list[tuple[int, int]]
    misleading: list[int]
    elsewhere: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Document:
    """A document: its units, the word pieces (ids and characters) of all of it, and which of them each unit has."""

    kind: str
    title: list[int]
    units: list[Unit]
    ids: list[int]
    places: list[tuple[int, int]]
    pieces: list[list[int]]
    questions: list[Asked] = field(default_factory=list)

    @property
    def quotable(self) -> list[int]:
        """The units that may be an answer."""
        return [at for at, unit in enumerate(self.units) if unit.kind not in ("heading", "header")]


@dataclass(frozen=True)
class Example:
    """What is shown at once: word pieces, of which those from `body` on are the document's.

    `units` are ranges of pieces and `right` which of them answer; `span` are the pieces of the answer itself.
    """

    ids: list[int]
    body: int
    units: list[tuple[int, int]]
    right: list[float]
    span: list[int]


async def documents(tokenizer: Tokenizer) -> list[Document]:
    """Return the documents of `data`."""
    embedder = MiniLMEmbedder()
    try:
        read = [
            (path.stem, json.loads(line))
            for path in sorted(DATA.glob("*.jsonl"))
            for line in path.read_text("utf-8").splitlines()
        ]
        made = [_document(tokenizer, kind, row) for kind, row in read]
        vectors = [
            _matrix(await embedder.embed_documents([row["text"][unit.start : unit.end] for unit in document.units]))
            for document, (_, row) in zip(made, read, strict=True)
        ]
        owners = [(number, at) for number, document in enumerate(made) for at in range(len(document.units))]
        everything = np.concatenate(vectors)
        kinds = np.array([made[number].kind for number, _ in owners])
        for number, (document, (_, row)) in enumerate(zip(made, read, strict=True)):
            asked = _matrix(await embedder.embed_documents([one["question"] for one in row["questions"]]))
            away = asked @ everything.T
            away[:, kinds == document.kind] = -1.0
            nearest = np.argpartition(away, -_ELSEWHERE, axis=1)[:, -_ELSEWHERE:]
            for one, near, others in zip(row["questions"], asked, nearest, strict=True):
                question = _asked(tokenizer, document, row["text"], one, vectors[number] @ near)
                question.elsewhere = [owners[at] for at in others]
                document.questions.append(question)
        return made
    finally:
        await embedder.close()


def _matrix(vectors: Sequence[bytes]) -> np.ndarray:
    return np.stack([np.frombuffer(vector, "<f4") for vector in vectors])


def _document(tokenizer: Tokenizer, kind: str, row: dict) -> Document:
    units = split(row["text"], "markdown", ())
    read = tokenizer.encode(row["text"], add_special_tokens=False)
    pieces = [
        [at for at, (start, end) in enumerate(read.offsets) if start < unit.end and end > unit.start] for unit in units
    ]
    title = tokenizer.encode(row["title"], add_special_tokens=False).ids[:_TITLE]
    return Document(kind, title, units, read.ids, read.offsets, pieces)


def _asked(tokenizer: Tokenizer, document: Document, text: str, row: dict, near: np.ndarray) -> Asked:
    """Return a question; of several places with the same words, the one in the unit that is nearest to it counts."""
    answers: set[int] = set()
    unsure: set[int] = set()
    spans = []
    for gold in row["gold"]:
        places = [at for at in range(len(text)) if text.startswith(gold, at)]
        hits = [
            [n for n, unit in enumerate(document.units) if unit.start < at + len(gold) and at < unit.end]
            for at in places
        ]
        best = max(range(len(places)), key=lambda at: max((float(near[n]) for n in hits[at]), default=-1.0))
        answers |= set(hits[best])
        unsure |= {n for at, hit in enumerate(hits) if at != best for n in hit}
        spans.append((places[best], places[best] + len(gold)))
    ids = tokenizer.encode(row["question"], add_special_tokens=False).ids[:_QUESTION]
    wrong = [at for at in document.quotable if at not in answers and at not in unsure]
    misleading = sorted(wrong, key=lambda at: -near[at])[:_MISLEADING]
    return Asked(ids, sorted(answers), sorted(unsure - answers), spans, misleading)


def examples(
    made: Sequence[Document], held: frozenset[int], marks: tuple[int, int], chance: random.Random, mostly: str = ""
) -> Iterator[Example]:
    """Yield what is shown in one round: for each question where it is answered, and where it is not, by chance.

    Of documents of files whose names do not begin with `mostly`, a quarter of the questions.
    """
    for number, document in enumerate(made):
        for asked in document.questions if number not in held else ():
            if not document.kind.startswith(mostly) and chance.random() >= _LESS:
                continue
            for at in _places(document, asked, chance):
                yield _example(document, asked, True, at, marks, chance)
            if chance.random() < 0.5:
                other, at = chance.choice(asked.elsewhere)
                if other not in held:
                    yield _example(made[other], asked, False, at, marks, chance)


def _places(document: Document, asked: Asked, chance: random.Random) -> list[int]:
    if not asked.answers:
        return [chance.choice(asked.misleading), chance.choice(document.quotable)]
    places = [chance.choice(asked.answers)]
    near = chance.random() < 0.5
    away = [
        at
        for at in (asked.misleading if near else document.quotable)
        if all(abs(at - answer) > 1 for answer in asked.answers)
    ]
    if away and chance.random() < 0.7:
        places.append(chance.choice(away))
    return places


def _example(
    document: Document, asked: Asked, own: bool, at: int, marks: tuple[int, int], chance: random.Random
) -> Example:
    room = chance.randint(LEAST, WINDOW)
    first, last = around(document, at, room, lambda: chance.random() < 0.5)
    return shown(document, asked, own, (first, last), marks, titled=chance.random() < 0.7)


def around(document: Document, at: int, room: int, back_first: Callable[[], bool]) -> tuple[int, int]:
    """Return the first and last of the units around one that fit into so many pieces."""
    first = last = at
    size = len(document.pieces[at])
    while True:
        for other in (first - 1, last + 1) if back_first() else (last + 1, first - 1):
            if 0 <= other < len(document.units) and size + len(document.pieces[other]) <= room:
                size += len(document.pieces[other])
                first, last = min(first, other), max(last, other)
                break
        else:
            return first, last


def shown(
    document: Document, asked: Asked, own: bool, units: tuple[int, int], marks: tuple[int, int], *, titled: bool
) -> Example:
    """Return the example of some units. `own`: the question is about this document; `marks`: [CLS] and [SEP]."""
    first, last = units
    begin, end = marks
    above = [*document.title, *_heading(document, first), end] if titled else []
    head = [begin, *asked.ids, end, *above]
    pieces = [piece for at in range(first, last + 1) for piece in document.pieces[at]][: WINDOW + 60]
    where = {piece: len(head) + at for at, piece in enumerate(pieces)}
    ranges, right = [], []
    for at in document.quotable:
        inside = [where[piece] for piece in document.pieces[at] if first <= at <= last and piece in where]
        if inside and not (own and at in asked.unsure):
            ranges.append((inside[0], inside[-1] + 1))
            right.append(float(own and at in asked.answers))
    span = [
        where[piece]
        for start, stop in (asked.spans if own and any(right) else ())
        for piece in pieces
        if document.places[piece][0] < stop and document.places[piece][1] > start
    ]
    return Example([*head, *(document.ids[piece] for piece in pieces), end], len(head), ranges, right, span)


def _heading(document: Document, first: int) -> list[int]:
    """Return the pieces of the heading above a unit, none where it is one."""
    for at in range(first, -1, -1):
        if document.units[at].kind == "heading":
            return [] if at == first else [document.ids[piece] for piece in document.pieces[at]][:_HEADING]
    return []
